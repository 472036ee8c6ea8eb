//! What nodes print, and commands that run to their end.
#![cfg(target_os = "linux")] // Processes are found in /proc.
#![allow(clippy::unwrap_used)] // Tests say what they expect by unwrapping it.

mod common;

use std::fs;
use std::time::{Duration, Instant};

use cluster::{Exit, logs, run_to_completion};
use common::{Bench, PATIENCE, eventually, shim, start, words};

#[tokio::test]
async fn a_flood_is_drained_and_stays_bounded() {
    let bench = Bench::new();
    let script = "echo first; yes 0123456789abcdef | head -c 300000000; echo last; echo oops >&2";
    let node = start(&bench.script(script)).await;
    assert_eq!(node.exited().await, Exit::Code(0));
    let bytes = fs::read(bench.path("stdout.log")).unwrap();
    assert!(bytes.len() as u64 <= logs::MAX_BYTES, "{}", bytes.len());
    assert!(bytes.starts_with(b"first\n0123456789abcdef\n"));
    assert!(bytes.ends_with(b"last\n"));
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains(" bytes of this log were cut here"));
    assert_eq!(bench.stderr(), "oops\n");
    assert!(node.kill().await.unwrap());
}

#[tokio::test]
async fn a_flood_does_not_keep_commands_from_being_heard() {
    let bench = Bench::new();
    let node = start(&bench.script("yes >&2 & exec yes")).await;
    eventually("it prints", || bench.stdout().len() > 1000).await;
    assert!(node.pause().await.unwrap());
    assert!(node.resume().await.unwrap());
    assert!(node.kill().await.unwrap());
    assert!(fs::metadata(bench.path("stdout.log")).unwrap().len() <= logs::MAX_BYTES);
}

#[tokio::test]
async fn a_restarted_node_goes_on_in_the_same_log() {
    let bench = Bench::new();
    for life in 1..=2 {
        let node = start(&bench.script(&format!("echo life {life}"))).await;
        node.exited().await;
        assert!(node.kill().await.unwrap());
    }
    let log = bench.stdout();
    assert!(log.starts_with("life 1\n"), "{log}");
    assert!(log.contains("n1 was started again"), "{log}");
    assert!(log.ends_with("life 2\n"), "{log}");
}

#[tokio::test]
async fn lines_are_stamped_with_their_arrival_over_all_lives() {
    let bench = Bench::new();
    let begin = Instant::now();
    let mut spec = bench.script("echo first; sleep 0.3; printf 'no end'");
    spec.stamps_since = Some(begin);
    for _ in 1..=2 {
        let node = start(&spec).await;
        node.exited().await;
        assert!(node.kill().await.unwrap());
    }
    let end = begin.elapsed().as_secs_f64();
    let log = bench.stdout();
    let stamped: Vec<(f64, &str)> = log
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(stamp, text)| (stamp.parse().unwrap(), text))
        .collect();
    let texts: Vec<&str> = stamped.iter().map(|(_, text)| *text).collect();
    assert!(texts[2].starts_with("[--- n1 was started again"), "{log}");
    assert_eq!([texts[0], texts[1], texts[3], texts[4]], ["first", "no end", "first", "no end"]);
    let times: Vec<f64> = stamped.iter().map(|(at, _)| *at).collect();
    assert!(times.is_sorted() && times[0] > 0.0 && times[4] < end, "{times:?} within {end}");
    assert!(times[1] - times[0] > 0.25, "the second line came later: {times:?}");
}

#[tokio::test]
async fn what_is_printed_shows_at_once() {
    let bench = Bench::new();
    let node = start(&bench.script("echo now; exec sleep 1000")).await;
    eventually("the line is in the file", || bench.stdout() == "now\n").await;
    assert!(node.kill().await.unwrap());
}

#[tokio::test]
async fn a_command_runs_to_its_end() {
    let bench = Bench::new();
    let log = bench.path("build.log");
    let run = async |script: &str, limit| {
        let _ = fs::remove_file(&log);
        let argv = words(&["sh", "-c", script]);
        run_to_completion(&argv, bench.folder.path(), &bench.environment(), &log, limit, &shim())
            .await
            .unwrap()
    };

    let done = run("echo out; echo err >&2; echo out; exit 4", PATIENCE).await;
    assert_eq!((done.exit, done.timed_out, done.daemons), (Exit::Code(4), false, 0));
    assert_eq!(done.log_tail, "out\nerr\nout\n", "both streams, in order");

    let done = run("(setsid sleep 1000 &); sleep 0.1", PATIENCE).await;
    assert_eq!((done.exit, done.timed_out, done.daemons), (Exit::Code(0), false, 1));
    assert_eq!(bench.processes(), []);

    let slow = "trap '' TERM; (setsid sleep 1000 &); echo started; sleep 1000; sleep 1000";
    let done = run(slow, Duration::from_millis(300)).await;
    assert_eq!((done.exit, done.timed_out), (Exit::Signal(9), true));
    assert_eq!(done.log_tail, "started\n");
    assert_eq!(bench.processes(), []);
}
