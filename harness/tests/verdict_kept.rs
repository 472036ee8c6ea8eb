//! Nothing that fails beside a verdict takes it away, and nobody is blamed for what the machine lacks.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use common::{Bench, HARNESS, Ran, at_most_a_minute, finish, limited, make_pipe, wait_until};

const SHORT: &str = "--workload register --faults none --time-limit 1s --clients 4 --seed 1";
/// Far longer than any test waits for it.
const LONG: &str = "--workload register --faults none --time-limit 10m --clients 4 --seed 1";

const WRITE: &str = "{:process 0 :type :invoke :f :write :value 1}
{:process 0 :type :ok :f :write :value 1}
";
const READ: &str = "{:process 1 :type :invoke :f :read :value nil}
{:process 1 :type :ok :f :read :value 1}
";
const STALE_READ: &str = "{:process 1 :type :invoke :f :read :value nil}
{:process 1 :type :ok :f :read :value nil}
";

/// A history of a register, valid or not.
fn history(place: &Path, is_valid: bool) -> PathBuf {
    let path = place.join(if is_valid { "valid.edn" } else { "stale.edn" });
    let read = if is_valid { READ } else { STALE_READ };
    fs::write(&path, format!("{WRITE}{read}")).unwrap();
    path
}

fn check(path: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(HARNESS);
    command.arg("check").arg(path).args(arguments);
    command
}

/// Runs the command with a stdout that takes nothing.
fn into_full(command: &mut Command) -> Ran {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output();
    let output = output.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), stdout: String::new(), stderr }
}

#[test]
fn what_stdout_does_not_take_is_on_stderr_and_the_code_is_not_green() {
    let place = tempfile::tempdir().unwrap();
    let (valid, stale) = (history(place.path(), true), history(place.path(), false));
    let model = ["--model", "register"];
    into_full(&mut check(&valid, &model)).expect(5, "VALID: valid.edn is linearizable");
    into_full(&mut check(&valid, &["--model", "register", "--json"]))
        .expect(5, "\"verdict\": \"valid\"")
        .expect(5, "stdout takes nothing");
    into_full(&mut check(&stale, &["--model", "register", "--json"]))
        .expect(1, "\"verdict\": \"violation\"");
    into_full(Command::new(HARNESS).args(["doctor", "--json"])).expect(5, "abilities");
    into_full(Command::new(HARNESS).arg("--help")).expect(5, "Usage");
    let bench = Bench::with_toy("");
    into_full(&mut bench.command(&format!("{SHORT} --json"))).expect(5, "\"verdict\": \"valid\"");
}

/// A report that is never drawn to its end: its place is a pipe that nobody reads.
#[test]
fn the_verdict_is_out_before_a_report_is_drawn() {
    let place = tempfile::tempdir().unwrap();
    let (stale, pipe) = (history(place.path(), false), place.path().join("pipe"));
    make_pipe(&pipe);
    let asked = ["--model", "register", "--json", "--report", pipe.to_str().unwrap()];
    let mut harness = check(&stale, &asked).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdout = harness.stdout.take().unwrap();
    let mut told = Vec::new();
    let mut chunk = [0; 4096];
    while !told.ends_with(b"\n}\n") {
        let count = stdout.read(&mut chunk).unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&told));
        told.extend_from_slice(&chunk[..count]);
    }
    assert!(harness.try_wait().unwrap().is_none(), "the report is still to come");
    assert!(String::from_utf8(told).unwrap().contains("\"verdict\": \"violation\""));
    assert!(fs::read_to_string(&pipe).unwrap().starts_with("<!doctype html>"));
    assert_eq!(harness.wait().unwrap().code(), Some(1));
}

/// A run whose record was changed afterwards: a read returned what nobody wrote.
fn forge_a_violation(run: &Path) {
    let path = run.join("history.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let is_read = |line: &&str| line.contains("\"type\":\"ok\",\"f\":\"get\"");
    let read = text.lines().find(is_read).unwrap();
    let mut event: serde_json::Value = serde_json::from_str(read).unwrap();
    event["value"]["value"] = "never written".into();
    fs::write(&path, text.replace(read, &event.to_string())).unwrap();
}

/// What cannot be written into the folder once took the verdict with it, or ended the program by a signal.
#[test]
fn a_folder_that_takes_nothing_costs_the_report_and_not_the_verdict() {
    let bench = Bench::with_toy("");
    bench.run(SHORT).expect(0, "VALID");
    let run = bench.latest();
    let full = || finish(&mut limited("-f 0", &check(&run, &[])));
    let ran = full().expect(5, "ulimit -f");
    assert!(ran.stdout.contains("VALID: "), "{}", ran.stdout);
    // In the way for whoever is root, too.
    fs::remove_file(run.join("results.json")).unwrap();
    fs::create_dir(run.join("results.json")).unwrap();
    let ran = bench.check().expect(5, "no results.json");
    assert!(ran.stdout.contains("VALID: "), "{}", ran.stdout);
    forge_a_violation(&run);
    let ran = full().expect(1, "no results.json");
    assert!(ran.stdout.contains("VIOLATION: "), "{}", ran.stdout);
    let ran = finish(&mut check(&run, &["--json"])).expect(1, "no results.json");
    assert_eq!(ran.json()["verdict"], "violation");
}

#[test]
fn a_record_that_is_removed_or_replaced_ends_the_run_at_once() {
    for (how, replaced) in [("was removed", false), ("was replaced", true)] {
        let bench = Bench::with_toy("");
        let harness = bench.command(LONG).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn();
        bench.wait_for_history("\"f\":\"get\"");
        let run = bench.latest().canonicalize().unwrap();
        if replaced {
            fs::write(run.join("other"), "").unwrap();
            fs::rename(run.join("other"), run.join("history.jsonl")).unwrap();
        } else {
            fs::remove_file(run.join("history.jsonl")).unwrap();
        }
        let changed = Instant::now();
        let output = harness.unwrap().wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{told}");
        assert!(told.contains(how), "{told}");
        assert!(changed.elapsed() < Duration::from_secs(60), "{:?}", changed.elapsed());
        bench.assert_nothing_left();
    }
}

#[test]
fn a_full_disk_ends_the_run_with_a_reason() {
    let bench = Bench::with_toy("");
    let ran = finish(&mut at_most_a_minute(&limited("-f 64", &bench.command(LONG))));
    ran.expect(5, "history.jsonl: File too large").expect(5, "ulimit -f");
    bench.assert_nothing_left();
}

/// The record is complete up to the moment when the disk was full, and what it proves stays proven.
#[test]
fn a_full_disk_hides_no_violation_that_was_recorded_before() {
    let bench = Bench::with_toy("");
    let forgetful = "--workload register --faults kill --fault-interval 1s --clients 4 --rate 200 \
                     --time-limit 10m --seed 1 --to-the-end";
    // The toy forgets everything at each kill. The longer the record, the more kills are in it.
    let run =
        |limit: &str| finish(&mut at_most_a_minute(&limited(limit, &bench.command(forgetful))));
    let ran = ["-f 800", "-f 3200"].iter().map(|limit| run(limit)).find(|ran| ran.code == 1);
    let ran = ran.expect("a violation").expect(1, "The run ended early");
    assert!(ran.stdout.contains("VIOLATION: "), "{}", ran.stdout);
}

#[test]
fn runs_that_had_ended_before_an_interruption_are_told() {
    let bench = Bench::with_toy("");
    let runs =
        "--workload register --faults none --time-limit 3s --clients 4 --seed 1 --repeat 50 --json";
    let mut command = bench.command(runs);
    let harness = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let first = |name: &str| {
        let folders = fs::read_dir(bench.out()).into_iter().flatten().flatten();
        folders.filter(|folder| folder.path().join(name).is_file()).count()
    };
    // The link to the newest counts, too.
    wait_until(Duration::from_secs(60), || first("results.json") == 1 && first("run.json") == 3);
    bench.wait_for_history("\"value\":\"main\"");
    let pid = harness.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let output = harness.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["verdict"].is_null(), "one run of fifty is no verdict on fifty: {document}");
    assert_eq!(document["runs"].as_array().unwrap().len(), 1, "{document}");
    assert_eq!((&document["exit"], &document["violations"]), (&130.into(), &0.into()));
    assert!(document["error"].as_str().unwrap().contains("Interrupted"), "{document}");
}

#[test]
fn too_few_open_files_are_the_machines_fault() {
    let bench = Bench::with_reference_store();
    let started = Instant::now();
    let command = bench.command("--workload register --nodes 3 --clients 10 --time-limit 2s");
    finish(&mut limited("-n 64", &command)).expect(5, "ulimit -n");
    assert!(started.elapsed() < Duration::from_secs(10), "it is known before anything starts");
}

#[test]
fn a_network_that_is_down_is_the_machines_fault() {
    let bench = Bench::with_toy("");
    let command = bench.command(SHORT);
    let within = |program: &str, arguments: Vec<&std::ffi::OsStr>| {
        let mut unshare = Command::new("unshare");
        unshare.args(["--map-root-user", "--net", program]).args(arguments);
        unshare
    };
    if !within("true", Vec::new()).output().is_ok_and(|output| output.status.success()) {
        eprintln!("not tested: this machine lets nobody have a network of his own");
        return;
    }
    finish(&mut within(HARNESS, command.get_args().collect())).expect(5, "127.0.0.1");
    finish(&mut within(HARNESS, vec!["doctor".as_ref()])).expect(0, "NO   loopback");
}

/// Nobody else ended it, so what does not work any more is its own doing.
#[test]
fn a_store_that_crashes_by_itself_is_named_with_how_it_ended() {
    let toy = common::example("toy_store");
    let bench = Bench::with_manifest(&format!(
        "name = \"crashing\"\nrun = [\"sh\", \"-c\", \"timeout 2 {}; exit 101\"]\n\
         serves = [\"exactly-once-kv\"]\ncaps = [\"exactly-once\"]\n",
        toy.display()
    ));
    bench
        .run("--workload register --faults none --time-limit 4s --clients 2 --seed 1")
        .expect(1, "Node n1 ended by itself (exited with code 101)");
}
