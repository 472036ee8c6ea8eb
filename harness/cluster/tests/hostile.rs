//! Nodes that turn against the processes above them.
#![cfg(target_os = "linux")] // Processes are found in /proc.
#![allow(clippy::unwrap_used)] // Tests say what they expect by unwrapping it.

mod common;

use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cluster::{ControlError, Exit, NodeProcess};
use common::{Bench, PATIENCE, eventually, parent, start, state};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::timeout;

/// No command may take longer, whatever the node does: its own limit, and what follows on it.
const BOUND: Duration = Duration::from_secs(40);

/// A daemon that ignores SIGTERM, and the names of those above.
const PROLOGUE: &str = r#"
    shim=$PPID
    guardian=$(cut -d ' ' -f 4 /proc/$shim/stat)
    (trap '' TERM; exec setsid sleep 1000) &
"#;
const STOP_SHIM: &str = "kill -STOP $shim; echo done; sleep 1000; true";
const STOP_BOTH: &str = "kill -STOP $guardian $shim; echo done; sleep 1000; true";
/// Whoever is continued is stopped again.
const STOP_FOR_EVER: &str = "while :; do kill -STOP $guardian $shim; done";

fn script(attack: &str) -> String {
    format!("{PROLOGUE} until [ -e started ]; do sleep 0.01; done; {attack}")
}

/// A node that has attacked. What it says is no sign, since a stopped shim writes no log.
async fn attacker(bench: &Bench, attack: &str) -> NodeProcess {
    let node = start(&bench.script(&script(attack))).await;
    let shim = parent(node.pid());
    let guardian = parent(shim);
    std::fs::write(bench.path("started"), "").unwrap();
    if attack == STOP_SHIM {
        eventually("the shim was stopped and continued", || bench.stdout() == "done\n").await;
    } else {
        eventually("both are stopped", || [shim, guardian].map(state) == [Some('T'); 2]).await;
    }
    node
}

#[tokio::test]
async fn a_stopped_shim_is_continued() {
    let bench = Bench::new();
    let node = attacker(&bench, STOP_SHIM).await;
    assert!(node.pause().await.unwrap());
    assert!(node.resume().await.unwrap());
    assert!(node.kill().await.unwrap());
    assert_eq!(bench.processes(), []);
    assert_eq!(node.exit(), Some(Exit::Signal(9)), "nothing was lost");
}

/// Whether the shim has said by then that the node runs, or has to be woken to say so.
#[tokio::test]
async fn an_attack_during_the_start_is_undone() {
    let bench = Bench::new();
    let node = start(&bench.script(&format!("{PROLOGUE}{STOP_BOTH}"))).await;
    assert!(timeout(BOUND, node.kill()).await.unwrap().unwrap());
    assert_eq!(bench.processes(), []);
}

#[tokio::test]
async fn a_kill_gets_past_stopped_supervisors() {
    for attack in [STOP_BOTH, STOP_FOR_EVER] {
        let bench = Bench::new();
        let node = attacker(&bench, attack).await;
        assert!(timeout(BOUND, node.kill()).await.unwrap().unwrap(), "{attack}");
        assert_eq!(bench.processes(), [], "{attack}");
        // Everybody who waits learns of it, and nothing takes long any more.
        let exit = timeout(PATIENCE, node.exited()).await.unwrap();
        println!("{attack}: {exit}");
        assert!(matches!(exit, Exit::Signal(9) | Exit::Lost), "{attack}: {exit}");
        assert!(node.pause().await.is_err() && node.kill().await.unwrap(), "{attack}");
    }
}

#[tokio::test]
async fn a_stop_gets_past_stopped_supervisors() {
    for attack in [STOP_BOTH, STOP_FOR_EVER] {
        let bench = Bench::new();
        let node = attacker(&bench, attack).await;
        let stopped = timeout(BOUND, node.stop(Duration::from_millis(200))).await.unwrap();
        assert!(stopped.gone, "{attack}: {stopped:?}");
        assert_eq!(bench.processes(), [], "{attack}");
    }
}

#[tokio::test]
async fn stopped_supervisors_do_not_keep_a_dropped_node() {
    let bench = Bench::new();
    drop(attacker(&bench, STOP_BOTH).await);
    eventually("all are gone", || bench.processes().is_empty()).await;
}

/// Killed with SIGKILL when dropped, also by a test that fails.
struct Harness(Child);

impl Drop for Harness {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Without the guardian and the parent-death signal the tree lived until somebody continued the shim.
#[tokio::test]
async fn stopped_supervisors_do_not_survive_a_killed_harness() {
    for attack in [STOP_SHIM, STOP_BOTH] {
        let bench = Bench::new();
        let child = Command::new(common::shim())
            .args(["supervise", bench.folder.path().to_str().unwrap(), "sh", "-c", &script(attack)])
            .envs(bench.environment())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut harness = Harness(child);
        // It says the node's id once that has started.
        let mut said = [0];
        harness.0.stdout.take().unwrap().read_exact(&mut said).unwrap();
        std::fs::write(bench.path("started"), "").unwrap();
        if attack == STOP_SHIM {
            eventually("the shim was stopped", || bench.stdout() == "done\n").await;
        } else {
            let stopped = || bench.processes().iter().filter(|(_, state)| *state == 'T').count();
            eventually("both are stopped", || stopped() == 2).await;
        }
        drop(harness);
        bench.until_processes(0).await;
    }
}

#[tokio::test]
async fn a_killed_guardian_is_missed_at_once() {
    let bench = Bench::new();
    let node = start(&bench.script(&format!("{PROLOGUE} sleep 1000; true"))).await;
    bench.until_processes(3).await;
    let guardian = parent(parent(node.pid()));
    kill(Pid::from_raw(guardian.cast_signed()), Signal::SIGKILL).unwrap();
    timeout(PATIENCE, node.exited()).await.unwrap();
    bench.until_processes(0).await;
    assert!(matches!(node.kill().await, Err(ControlError::Lost)));
    assert_eq!(node.exit(), Some(Exit::Lost), "who did it is not known any more");
}
