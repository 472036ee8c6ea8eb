//! Runs that end before their time: the record survives, the processes do not.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use std::{fs::OpenOptions, io::Write, process::Child, time::Duration};

use common::{Bench, descendants, is_alive, wait_until};

const LONG: &str = "--workload bank --faults pause,client --fault-interval 1s --time-limit 60s --clients 4 --seed 1";

fn signal(child: &Child, signal: libc::c_int) {
    let pid = libc::pid_t::try_from(child.id()).unwrap();
    #[allow(unsafe_code)]
    // SAFETY: kill(2) takes any numbers; the child has not been waited for, so its pid is still its own.
    let result = unsafe { libc::kill(pid, signal) };
    assert_eq!(result, 0);
}

#[test]
fn killed_with_9_in_mid_run_the_harness_leaves_no_process_and_a_record_that_can_be_judged() {
    let bench = Bench::with_toy("");
    let mut harness = bench.spawn(LONG);
    bench.wait_for_history("\"value\":\"main\"");
    bench.wait_for_history("\"f\":\"txn\"");
    let tree = descendants(harness.id());
    assert!(tree.len() >= 2, "shim and node: {tree:?}");
    signal(&harness, libc::SIGKILL);
    harness.wait().unwrap();
    wait_until(Duration::from_secs(10), || !tree.iter().any(|pid| is_alive(*pid)));
    bench.assert_nothing_left();
    // Nothing is known about recovery, so this cannot be valid; and nothing is wrong with what was recorded.
    bench.check().expect(3, "The run ended before the store could show that it recovers");
    assert!(bench.latest().join("report.html").is_file());
}

#[test]
fn ctrl_c_stops_everything_and_leaves_a_record_that_can_be_judged() {
    let bench = Bench::with_toy("");
    let mut harness = bench.spawn(LONG);
    bench.wait_for_history("\"f\":\"txn\"");
    signal(&harness, libc::SIGINT);
    let status = harness.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    bench.assert_nothing_left();
    bench.check().expect(3, "INCONCLUSIVE");
}

#[test]
fn a_record_cut_off_in_the_middle_of_a_line_is_judged_without_that_line() {
    let bench = Bench::with_toy("");
    bench
        .run("--workload bank --faults none --time-limit 1s --clients 4 --seed 1")
        .expect(0, "VALID");
    let history = bench.latest().join("history.jsonl");
    let mut file = OpenOptions::new().append(true).open(history).unwrap();
    file.write_all(b"{\"index\":99999999,\"time\":12,\"proc").unwrap();
    bench.check().expect(0, "was cut off");
}

#[test]
fn a_record_that_breaks_the_rules_of_a_history_is_inconclusive_never_valid() {
    let bench = Bench::with_toy("");
    bench
        .run("--workload bank --faults none --time-limit 1s --clients 4 --seed 1")
        .expect(0, "VALID");
    let path = bench.latest().join("history.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let without_invocation: Vec<&str> = {
        let mut lines: Vec<&str> = text.lines().collect();
        let invoke = lines.iter().position(|line| line.contains("\"type\":\"invoke\"")).unwrap();
        lines.remove(invoke);
        lines
    };
    std::fs::write(&path, without_invocation.join("\n") + "\n").unwrap();
    bench.check().expect(3, "breaks the rules of a history");
}

#[test]
fn a_node_that_dies_by_itself_is_noted() {
    let bench = Bench::with_toy("");
    let mut harness =
        bench.command("--workload bank --faults none --time-limit 3s --clients 2 --seed 1");
    let harness = harness
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    bench.wait_for_history("\"f\":\"txn\"");
    let node = bench.processes().into_iter().find(|line| {
        line.split(": ")
            .nth(1)
            .is_some_and(|command| command.contains("toy_store") && !command.contains("__shim"))
    });
    let pid: libc::pid_t = node.expect("a node").split(':').next().unwrap().parse().unwrap();
    #[allow(unsafe_code)]
    // SAFETY: kill(2) takes any numbers; the pid was just read and the run keeps its node for seconds.
    unsafe {
        libc::kill(pid, libc::SIGKILL);
    }
    let output = harness.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    // Killed from outside: the store cannot be blamed, and what was left of it was not revived to look healthy.
    assert!(said.contains("ended by itself") && said.contains("INCONCLUSIVE"), "{said}");
    assert_eq!(output.status.code(), Some(3));
    wait_until(Duration::from_secs(5), || bench.processes().is_empty());
}
