//! Files that a store or somebody else put where the bench reads: links, pipes, devices, sizes without end.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod common;

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    path::Path,
    process::Command,
};

use common::{Bench, HARNESS, Ran, at_most_a_minute, finish, make_pipe};

const SHORT: &str = "--workload register --faults none --time-limit 1s --clients 4 --seed 1";
const SECRET: &str = "root:x:0:0";

fn check(path: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(HARNESS);
    finish(&mut at_most_a_minute(command.arg("check").arg(path).args(arguments)))
}

#[track_caller]
fn refused(put_manifest: impl FnOnce(&Path), sentence: &str) {
    let bench = Bench::with_toy("");
    let manifest = bench.store().join("submission.toml");
    fs::remove_file(&manifest).unwrap();
    fs::write(bench.store().join("secret"), SECRET).unwrap();
    put_manifest(&manifest);
    let ran = finish(&mut at_most_a_minute(&bench.command(SHORT))).expect(4, sentence);
    assert!(!ran.stderr.contains(SECRET) && !ran.stderr.contains('\0'), "{}", ran.stderr);
}

#[test]
fn a_manifest_is_read_only_where_it_is_a_file_of_bounded_size() {
    refused(
        |path| File::create(path).unwrap().set_len(1 << 40).unwrap(),
        "at most 1048576 are read",
    );
    refused(make_pipe, "submission.toml is a pipe");
    refused(|path| symlink("secret", path).unwrap(), "submission.toml is a symbolic link");
}

#[test]
fn a_manifest_cannot_speak_to_the_terminal() {
    let rest = "serves = [\"replicated-kv\"]\n";
    let nul = format!("name = \"x\"\nrun = [\"./a\\u0000b\"]\n{rest}");
    refused(|path| fs::write(path, nul).unwrap(), "NUL");
    let bench = Bench::with_manifest(&format!("name = \"x\"\nrun = [\"./a\\u001b[31mb\"]\n{rest}"));
    let ran = bench.run(SHORT).expect(4, "./a\\u{1b}[31mb, which is not there");
    assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
}

#[test]
fn a_run_is_judged_from_files_only_and_its_report_needs_none_of_the_others() {
    let bench = Bench::with_toy("");
    bench.run(SHORT).expect(0, "VALID");
    let run = bench.latest().canonicalize().unwrap();
    for what in ["is a symbolic link", "is a pipe"] {
        let put = |path: &Path| match what {
            "is a pipe" => make_pipe(path),
            _ => symlink("/dev/zero", path).unwrap(),
        };
        for name in ["run.json", "history.jsonl", "faults.jsonl"] {
            let (path, aside) = (run.join(name), run.join("aside"));
            fs::rename(&path, &aside).unwrap();
            put(&path);
            check(&run, &[]).expect(2, &format!("{name} {what}"));
            fs::rename(&aside, &path).unwrap();
        }
        for name in ["messages.jsonl", "results.json", "report.html", "nodes/n1/stdout.log"] {
            let path = run.join(name);
            fs::remove_file(&path).unwrap();
            put(&path);
            check(&run, &[]).expect(0, "VALID: ");
        }
        let page = fs::read_to_string(run.join("report.html")).unwrap();
        assert!(page.contains(&format!("messages.jsonl {what}")), "{what}");
    }
    // Too large to be read, though hardly a block of it is on the disk.
    File::create(run.join("faults.jsonl")).unwrap().set_len(1 << 40).unwrap();
    check(&run, &[]).expect(2, "faults.jsonl has 1099511627776 bytes");
}

#[test]
fn a_report_quotes_no_logs_from_outside_of_the_folder() {
    let bench = Bench::with_toy("");
    bench.run(SHORT).expect(0, "VALID");
    let (run, elsewhere) = (bench.latest().canonicalize().unwrap(), bench.out().join("elsewhere"));
    fs::rename(run.join("nodes"), &elsewhere).unwrap();
    fs::write(elsewhere.join("n1/stdout.log"), SECRET).unwrap();
    symlink(&elsewhere, run.join("nodes")).unwrap();
    check(&run, &[]).expect(0, "VALID: ");
    assert!(!fs::read_to_string(run.join("report.html")).unwrap().contains(SECRET));
}

#[test]
fn results_are_written_through_no_link() {
    let bench = Bench::with_toy("");
    bench.run(SHORT).expect(0, "VALID");
    let (run, precious) = (bench.latest().canonicalize().unwrap(), bench.store().join("precious"));
    fs::write(&precious, SECRET).unwrap();
    for name in ["results.json", "report.html"] {
        fs::remove_file(run.join(name)).unwrap();
    }
    for name in ["results.json", ".results.json.tmp", "report.html", ".report.html.tmp"] {
        symlink(&precious, run.join(name)).unwrap();
    }
    check(&run, &[]).expect(0, "VALID: ");
    assert_eq!(fs::read_to_string(&precious).unwrap(), SECRET);
    assert!(run.join("results.json").symlink_metadata().unwrap().is_file());
}

#[test]
fn a_history_is_a_file() {
    let place = tempfile::tempdir().unwrap();
    let pipe = place.path().join("history.jsonl");
    make_pipe(&pipe);
    check(&pipe, &["--model", "register"]).expect(2, "is a pipe");
    check(place.path(), &["--model", "register"]).expect(2, "is a pipe");
    let device = ["--model", "register", "--format", "jsonl"];
    check(Path::new("/dev/zero"), &device).expect(2, "is a device");
}

#[test]
fn a_store_that_makes_its_log_a_pipe_holds_nobody_up() {
    let bench = Bench::with_manifest(
        "name = \"x\"\nrun = [\"sh\", \"-c\", \"cd $DS_DATA/.. && rm stderr.log && mkfifo stderr.log; exit 7\"]\n\
         serves = [\"replicated-kv\"]\n",
    );
    let ran = finish(&mut at_most_a_minute(&bench.command(SHORT)));
    ran.expect(4, "ended while it was starting (exited with code 7)");
    bench.assert_nothing_left();
}
