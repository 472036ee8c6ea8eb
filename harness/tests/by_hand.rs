//! Sessions that a script plays by hand: what was typed is recorded and judged like a run.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use std::{
    io::Write,
    process::{Child, Command, Stdio},
    time::Duration,
};

use common::{Bench, HARNESS, Ran, descendants, is_alive, wait_until};

fn start(bench: &Bench, arguments: &str) -> Child {
    let mut command = Command::new(HARNESS);
    command.arg("up").arg(bench.store()).arg("--out").arg(bench.out());
    command.args(arguments.split_whitespace()).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn play(bench: &Bench, arguments: &str, script: &str) -> Ran {
    let mut harness = start(bench, arguments);
    harness.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = harness.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap_or(-1);
    let ran = Ran { code, stdout: text(&output.stdout), stderr: text(&output.stderr) };
    println!("{}{}", ran.stdout, ran.stderr);
    bench.assert_nothing_left();
    ran
}

fn of_latest(bench: &Bench, file: &str) -> String {
    std::fs::read_to_string(bench.latest().join(file)).unwrap()
}

/// The reference store, and clients that wait through any election on a busy machine.
fn patient_reference_store() -> Bench {
    let bench = Bench::with_reference_store();
    let manifest = bench.store().join("submission.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    assert!(!text.contains("[timeouts]"));
    let patient = format!("{text}\n[timeouts]\noperation_ms = 15000\nrecovery_ms = 30000\n");
    std::fs::write(manifest, patient).unwrap();
    bench
}

/// Right answers, but few: no green for that, and no red because a majority was not asked for anything.
#[test]
fn a_few_right_answers_of_the_reference_store_are_inconclusive() {
    let bench = patient_reference_store();
    let script = "
        # n1 is alone for longer than a run would bear without progress
        put x 1
        get x
        status
        cut n1 | n2 n3
        sleep 2500
        put x 2 &
        heal
        wait
        kill n2
        append x 3
        start n2
        pause n3
        get x
        resume n3
        multiput x=4 y=5
        txn if x=4 w y 6 r x
        multiget x y
        quit
        put x this-is-never-asked";
    let ran = play(&bench, "", script).expect(
        3,
        "INCONCLUSIVE: No answer was wrong: what was played by hand, 8 answers, is linearizable",
    );
    for told in [
        "put x 1 → ok",
        "get x → \"1\"",
        "n3    running",
        "cut: n1>n2 n1>n3 n2>n1 n3>n1",
        "every link is open",
        "n2 is killed",
        "append x 3 → \"23\"",
        "started again: n2",
        "n3 is paused",
        "n3 goes on",
        "multiget x y → {\"values\":{\"x\":\"4\",\"y\":\"6\"}}",
        "/v1/op -H 'Content-Type: application/json' -d '{\"client\":",
        "operations that succeeded: 8 of at least 100",
    ] {
        assert!(ran.stdout.contains(told), "{told}");
    }
    assert!(!ran.stdout.contains("without n1"), "nobody asked for progress");
    let faults = of_latest(&bench, "faults.jsonl");
    for form in ["\"form\":\"chosen\"", "\"form\":\"kill-chosen\"", "\"form\":\"pause-chosen\""] {
        let steps = faults.lines().filter(|line| line.contains(form));
        let steps: Vec<&str> = ["planned", "started", "healing", "healed"]
            .into_iter()
            .filter(|step| steps.clone().any(|line| line.contains(&format!("\"step\":\"{step}\""))))
            .collect();
        assert_eq!(steps, ["planned", "started", "healing", "healed"], "{form}: {faults}");
    }
    assert!(!of_latest(&bench, "history.jsonl").contains("never-asked"));
    assert!(of_latest(&bench, "report.html").contains("by-hand"));
    bench.check().expect(3, "No answer was wrong");
}

#[test]
fn a_long_script_of_right_answers_is_valid() {
    let bench = Bench::with_toy("");
    let script: String = (0..60).map(|i| format!("put k{} {i}\nget k{}\n", i % 7, i % 7)).collect();
    play(&bench, "", &script).expect(0, "VALID: 120 successful operations without faults");
    bench.check().expect(0, "VALID");
}

#[test]
fn a_read_of_what_was_overwritten_is_a_violation_however_little_was_played() {
    let bench = Bench::with_toy("late");
    let script = "put x old\nget x\nput x new\nget x\n";
    let ran = play(&bench, "", script).expect(1, "VIOLATION: Not linearizable:");
    assert!(ran.stdout.contains("get x → \"old\""), "{}", ran.stdout);
    assert!(ran.stdout.contains("Key x: stale read"), "{}", ran.stdout);
    bench.check().expect(1, "VIOLATION");
}

#[test]
fn what_was_acknowledged_and_forgotten_is_found_at_the_end_though_nobody_asked() {
    let bench = Bench::with_toy("");
    let ran = play(&bench, "", "put x 1\nkill n1\nstart n1\n");
    ran.expect(1, "VIOLATION: Not linearizable:");
}

#[test]
fn a_typing_error_ends_nothing_and_asks_nothing() {
    let bench = Bench::with_toy("");
    let script = "put x\nsteal x\nget x @n2\nkill v1\nresume n1\nstart n1\nheal\ncut n1\nput x 1\n";
    let ran = play(&bench, "", script).expect(3, "1 answer, is linearizable");
    for told in [
        "expected: put KEY VALUE",
        "there is no command `steal`",
        "there is no node `n2`",
        "there is no node `v1`",
        "n1 is not paused",
        "n1 was not killed",
        "no link is cut",
        "there is nothing left to cut",
    ] {
        assert!(ran.stdout.contains(told), "{told}");
    }
}

#[test]
fn an_operation_for_one_node_is_not_asked_of_another_and_does_not_hold_up_what_follows() {
    let bench = patient_reference_store();
    let script = "put x 1\npause n3\nget x @n3 &\nput x 2\nget x\nkill n3\n";
    let ran = play(&bench, "", script).expect(3, "is linearizable");
    let at = |told: &str| ran.stdout.find(told).unwrap_or_else(|| panic!("{told}"));
    // The next client asks what is typed meanwhile.
    assert!(at("c1: put x 2 → ok") < at("c0: get x → no answer"), "{}", ran.stdout);
}

/// What curl writes is in no history: a read that shows it is no proof against the store.
#[test]
fn what_came_past_the_record_makes_the_answers_undecided() {
    let bench = Bench::with_toy("");
    let mut harness = start(&bench, "");
    let mut stdin = harness.stdin.take().unwrap();
    let mut stdout = std::io::BufReader::new(harness.stdout.take().unwrap());
    let mut told = String::new();
    while !told.contains("curl -s ") {
        std::io::BufRead::read_line(&mut stdout, &mut told).unwrap();
    }
    let words = shlex::split(told.lines().last().unwrap()).unwrap();
    let url = words.iter().find_map(|word| word.strip_prefix("http://")).unwrap();
    let (address, path) = url.split_once('/').unwrap();
    let (header, body) = (&words[words.len() - 3], words.last().unwrap());
    let put =
        body.replace(r#"{"type":"get","key":"x"}"#, r#"{"type":"put","key":"x","value":"9"}"#);
    assert_ne!(*body, put);
    let mut node = std::net::TcpStream::connect(address).unwrap();
    let length = put.len();
    write!(node, "POST /{path} HTTP/1.1\r\nHost: {address}\r\n{header}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{put}")
        .unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut node, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with(r#"{"ok":{}}"#), "{answer}");
    stdin.write_all(b"get x\n").unwrap();
    drop(stdin);
    std::io::Read::read_to_string(&mut stdout, &mut told).unwrap();
    let code = harness.wait().unwrap().code();
    assert!(told.contains("get x → \"9\""), "{told}");
    assert!(told.contains("INCONCLUSIVE: 1 request went to the nodes by `curl`"), "{told}");
    assert_eq!(code, Some(3));
    bench.check().expect(3, "past the record");
}

#[test]
fn killed_with_9_a_session_leaves_no_process_and_a_record_that_can_be_judged() {
    let bench = Bench::with_toy("");
    let mut harness = start(&bench, "");
    let mut stdin = harness.stdin.take().unwrap();
    stdin.write_all(b"put x 1\nget x\npause n1\n").unwrap();
    wait_until(Duration::from_secs(30), || {
        let read = |file| std::fs::read_to_string(bench.latest().join(file)).unwrap_or_default();
        read("faults.jsonl").contains("started")
            && read("history.jsonl").contains("\"type\":\"ok\"")
    });
    let tree = descendants(harness.id());
    assert!(tree.len() >= 2, "shim and node: {tree:?}");
    harness.kill().unwrap();
    harness.wait().unwrap();
    wait_until(Duration::from_secs(10), || !tree.iter().any(|pid| is_alive(*pid)));
    bench.assert_nothing_left();
    bench.check().expect(3, "The run ended before the store could show that it recovers");
}

#[test]
fn a_store_that_promises_less_or_does_not_restart_is_told_so() {
    let weak = Bench::with_toy_and("", "promises = \"snapshot-isolation\"\n");
    play(&weak, "", "").expect(2, "judged by what a linearizable store promises");
    let toy = common::example("toy_store");
    let mortal = Bench::with_manifest(&format!(
        "name = \"mortal\"\nrun = [{toy:?}]\nserves = [\"replicated-kv\"]\ncaps = [\"exactly-once\"]\n[timeouts]\noperation_ms = 1000\nrecovery_ms = 1000\n"
    ));
    let ran = play(&mortal, "--nodes 1", "put x 1\nkill n1\nstart n1\n");
    let ran = ran.expect(3, "1 of 1 nodes were killed, and the store does not restart");
    assert!(
        ran.stdout.contains("mortal has neither `restart` nor `rejoin` in its caps"),
        "{}",
        ran.stdout
    );
}
