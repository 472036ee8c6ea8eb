//! Whole process trees: what becomes of children, daemons and the stubborn.
#![cfg(target_os = "linux")] // Processes are found in /proc.
#![allow(clippy::unwrap_used)] // Tests say what they expect by unwrapping it.

mod common;

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use cluster::{Exit, NodeProcess};
use common::{Bench, PATIENCE, eventually, parent, start, state, ticks};

/// A main process, a child, a child in a session of its own, a double-forked daemon, and one that ignores SIGTERM.
const FAMILY: &str = r#"
    sleep 1000 &
    setsid sleep 1000 &
    (setsid sh -c 'sleep 1000 & exit' &)
    (trap '' TERM; exec sleep 1000) &
    sleep 1000
    true
"#;
/// The shell and five sleepers.
const FAMILY_SIZE: usize = 6;

async fn family(bench: &Bench) -> NodeProcess {
    let node = start(&bench.script(FAMILY)).await;
    bench.until_processes(FAMILY_SIZE).await;
    eventually("all are asleep", || bench.processes().iter().all(|&(_, state)| state == 'S')).await;
    node
}

/// The story: a harness killed with SIGKILL left nodes behind, which kept ports and processors busy in later runs.
#[tokio::test]
async fn nothing_survives_a_killed_harness() {
    let bench = Bench::new();
    let mut harness = Command::new(common::shim())
        .args(["supervise", bench.folder.path().to_str().unwrap(), "sh", "-c", FAMILY])
        .envs(bench.environment())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    // The harness, the guardian and the shim carry the mark too.
    bench.until_processes(FAMILY_SIZE + 3).await;
    harness.kill().unwrap();
    harness.wait().unwrap();
    bench.until_processes(0).await;
}

#[tokio::test]
async fn nothing_survives_a_dropped_node() {
    let bench = Bench::new();
    drop(family(&bench).await);
    bench.until_processes(0).await;
}

#[tokio::test]
async fn a_kill_returns_when_all_are_gone() {
    let bench = Bench::new();
    let node = family(&bench).await;
    let shim = parent(node.pid());
    assert!(node.kill().await.unwrap());
    assert_eq!(bench.processes(), []);
    assert_eq!(node.exit(), Some(Exit::Signal(9)));
    assert_eq!(state(shim), None, "the shim is left, perhaps as a zombie");
    // Whatever is asked afterwards is answered.
    assert!(node.kill().await.unwrap());
    assert!(node.pause().await.is_err());
    assert_eq!(node.exited().await, Exit::Signal(9));
}

#[tokio::test]
async fn a_paused_tree_stands_still_and_a_resumed_one_runs() {
    let bench = Bench::new();
    let node = family(&bench).await;
    for _ in 0..3 {
        assert!(node.pause().await.unwrap());
        let processes = bench.processes();
        let stopped = processes.iter().filter(|(_, state)| *state == 'T').count();
        // The shim is none of them: it has the harness' environment, without the mark.
        assert_eq!(stopped, FAMILY_SIZE, "{processes:?}");
        assert!(node.resume().await.unwrap());
        assert!(bench.processes().iter().all(|(_, state)| *state != 'T'));
    }
    assert!(node.pause().await.unwrap());
    assert!(node.kill().await.unwrap(), "paused processes can be killed");
    bench.until_processes(0).await;
}

/// A tree that forks all the time, new sessions included, must not slip through a pause or a kill.
#[tokio::test]
async fn a_forking_tree_is_caught() {
    let bench = Bench::new();
    let script = "while :; do (setsid sh -c 'sleep 0.05; sleep 0.05' &); done";
    let node = start(&bench.script(script)).await;
    eventually("it forks", || bench.processes().len() > 10).await;
    assert!(node.pause().await.unwrap());
    let frozen = bench.processes();
    // A parent in a vfork waits in D for its stopped child.
    assert!(frozen.iter().all(|(_, state)| matches!(state, 'T' | 'D')), "{frozen:?}");
    let used = || frozen.iter().map(|&(pid, _)| ticks(pid)).sum::<u64>();
    let before = used();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!((bench.processes(), used()), (frozen.clone(), before));
    assert_eq!(node.alive().await.unwrap() as usize, frozen.len());
    assert!(node.resume().await.unwrap());
    let grown = || bench.processes().iter().any(|process| !frozen.contains(process));
    eventually("it forks again", grown).await;
    assert!(node.kill().await.unwrap());
    assert_eq!(bench.processes(), []);
}

#[tokio::test]
async fn pausing_what_has_ended_is_no_pause() {
    let bench = Bench::new();
    let node = start(&bench.script("exit 0")).await;
    node.exited().await;
    assert!(!node.pause().await.unwrap());
    assert!(node.resume().await.unwrap());
    assert!(node.kill().await.unwrap());
}

#[tokio::test]
async fn exits_are_reported() {
    for (script, expected) in [
        ("exit 0", Exit::Code(0)),
        ("exit 7", Exit::Code(7)),
        ("kill -SEGV $$", Exit::Signal(11)),
        // Signals that the shim blocks, or that whoever started the harness ignored, reach the node.
        ("kill -INT $$", Exit::Signal(2)),
        ("kill -HUP $$", Exit::Signal(1)),
    ] {
        let bench = Bench::new();
        let node = start(&bench.script(script)).await;
        assert_eq!(node.exited().await, expected, "{script}");
        assert_eq!(node.exit(), Some(expected));
        assert!(node.kill().await.unwrap());
    }
}

#[tokio::test]
async fn a_polite_node_stops_by_itself() {
    let bench = Bench::new();
    let script = "trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done";
    let node = start(&bench.script(script)).await;
    eventually("it is ready", || bench.stdout().contains("ready")).await;
    // Being paused is no excuse: it is continued.
    assert!(node.pause().await.unwrap());
    let stopped = node.stop(PATIENCE).await;
    assert_eq!(stopped.exit, Exit::Code(3));
    assert!(!stopped.ignored_sigterm && stopped.daemons == 0 && stopped.gone, "{stopped:?}");
    assert!(bench.stdout().ends_with("bye\n"));
    // Stopping again changes nothing.
    assert_eq!(node.stop(PATIENCE).await, stopped);
}

#[tokio::test]
async fn a_stubborn_node_is_killed_and_named() {
    let bench = Bench::new();
    let node = start(&bench.script("trap '' TERM; echo ready; while :; do sleep 0.01; done")).await;
    eventually("it is ready", || bench.stdout().contains("ready")).await;
    let stopped = node.stop(Duration::from_millis(200)).await;
    assert_eq!(stopped.exit, Exit::Signal(9));
    assert!(stopped.ignored_sigterm && stopped.gone, "{stopped:?}");
    assert_eq!(bench.processes(), []);
}

#[tokio::test]
async fn daemons_are_found_counted_and_killed() {
    // One that dies of SIGTERM with the node is no daemon; one that does not is.
    for (script, daemons) in [
        ("setsid sleep 1000 & echo ready; wait", 0),
        ("(trap '' TERM; exec setsid sleep 1000) & echo ready; wait", 1),
        ("(setsid sh -c 'sleep 1000 & sleep 1000 &' &); echo ready; exit 5", 2),
    ] {
        let bench = Bench::new();
        let node = start(&bench.script(script)).await;
        eventually("it is ready", || bench.stdout().contains("ready")).await;
        if script.contains("exit 5") {
            assert_eq!(node.exited().await, Exit::Code(5));
            bench.until_processes(2).await;
        } else {
            bench.until_processes(2).await;
        }
        // `setsid` and the trap take a moment to happen inside the child.
        eventually("the sleeper sleeps", || {
            bench.processes().iter().any(|&(pid, _)| {
                std::fs::read(format!("/proc/{pid}/comm")).is_ok_and(|name| name == b"sleep\n")
            })
        })
        .await;
        let stopped = node.stop(PATIENCE).await;
        assert_eq!(stopped.daemons, daemons, "{script}: {stopped:?}");
        assert!(!stopped.ignored_sigterm && stopped.gone, "{script}: {stopped:?}");
        assert_eq!(bench.processes(), []);
    }
}

/// A lost supervisor is the bench's fault and must not look like the node's death, nor hang anyone.
#[tokio::test]
async fn a_lost_supervisor_is_told() {
    let bench = Bench::new();
    let node = family(&bench).await;
    let shim = nix::unistd::Pid::from_raw(parent(node.pid()).cast_signed());
    nix::sys::signal::kill(shim, nix::sys::signal::Signal::SIGKILL).unwrap();
    assert_eq!(node.exited().await, Exit::Lost);
    assert!(matches!(node.alive().await, Err(cluster::ControlError::Lost)));
    assert!(node.kill().await.unwrap(), "the guardian killed the tree and said so");
    assert_eq!(bench.processes(), []);
}

#[tokio::test]
async fn the_shim_ignores_the_terminal_and_sleeps_when_idle() {
    let bench = Bench::new();
    let node = start(&bench.script("exec sleep 1000")).await;
    let shim = parent(node.pid());
    let pid = nix::unistd::Pid::from_raw(shim.cast_signed());
    use nix::sys::signal::Signal::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
    for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP] {
        nix::sys::signal::kill(pid, signal).unwrap();
    }
    assert_eq!(node.alive().await.unwrap(), 1);
    assert_ne!(nix::unistd::getsid(Some(pid)).unwrap(), nix::unistd::getsid(None).unwrap());
    // One poll, no timer: a sleeping process is not switched to.
    eventually("the shim sleeps", || state(shim) == Some('S')).await;
    let switches = || {
        let status = std::fs::read_to_string(format!("/proc/{shim}/status")).unwrap();
        status
            .lines()
            .filter(|line| line.contains("ctxt_switches"))
            .map(String::from)
            .collect::<Vec<_>>()
    };
    let before = switches();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(switches(), before);
    // The figure does move when the shim has something to do.
    assert_eq!(node.alive().await.unwrap(), 1);
    eventually("the shim was awake", || switches() != before).await;
    assert!(node.kill().await.unwrap());
}

/// A listener that lives on in a node or its shim would accept connections for a dead node.
#[tokio::test]
async fn descriptors_are_not_inherited() {
    let bench = Bench::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    // Inheritable on purpose, as a careless library would leave it.
    nix::fcntl::fcntl(&listener, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty()))
        .unwrap();
    let node = start(&bench.script("exec sleep 1000")).await;
    let sockets = |pid: u32| {
        let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
        let links = entries.filter_map(|entry| std::fs::read_link(entry.path()).ok());
        links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
    };
    assert_eq!((sockets(node.pid()), sockets(parent(node.pid()))), (0, 0));
    assert!(sockets(std::process::id()) > 0);
    let stdin = std::fs::read_link(format!("/proc/{}/fd/0", node.pid())).unwrap();
    assert_eq!(stdin.to_str(), Some("/dev/null"));
    assert!(node.kill().await.unwrap());
}
