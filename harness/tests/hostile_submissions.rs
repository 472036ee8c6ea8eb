//! Broken and hostile submissions: exit 4 and one clear sentence, bounded disks, nothing left behind.

mod common;

use common::Bench;

const SHORT: &str = "--workload register --faults none --time-limit 2s --clients 4 --seed 1";

/// The toy store that misbehaves in this way is found broken, with this sentence.
#[track_caller]
fn broken(misbehaviour: &str, sentence: &str) {
    let bench = Bench::with_toy(misbehaviour);
    bench.run(SHORT).expect(4, sentence);
    bench.assert_nothing_left();
}

#[test]
fn one_that_does_not_build() {
    let bench = Bench::with_manifest(
        "name = \"x\"\nbuild = [\"sh\", \"-c\", \"echo missing semicolon; exit 3\"]\nrun = [\"./x\"]\n\
         serves = [\"replicated-kv\"]\n",
    );
    bench.run(SHORT).expect(4, "missing semicolon");
    bench.assert_nothing_left();
}

#[test]
fn one_whose_build_makes_no_program() {
    let bench = Bench::with_manifest(
        "name = \"x\"\nbuild = [\"true\"]\nrun = [\"./not-there\"]\nserves = [\"replicated-kv\"]\n",
    );
    bench.run(SHORT).expect(4, "./not-there, which is not there after the build");
}

#[test]
fn one_whose_build_tool_is_missing() {
    let bench = Bench::with_manifest(
        "name = \"x\"\nbuild = [\"no-such-tool\"]\nrun = [\"./x\"]\nserves = [\"replicated-kv\"]\n",
    );
    bench.run(SHORT).expect(4, "no-such-tool");
}

#[test]
fn a_manifest_with_a_typo_names_the_key_and_the_line() {
    let bench =
        Bench::with_manifest("name = \"x\"\nrunn = [\"./x\"]\nserves = [\"replicated-kv\"]\n");
    let ran = bench.run(SHORT).expect(4, "runn");
    assert!(ran.stderr.contains("line 2"), "{}", ran.stderr);
}

#[test]
fn a_folder_without_a_manifest() {
    let bench = Bench::with_toy("");
    std::fs::remove_file(bench.store().join("submission.toml")).unwrap();
    bench.run(SHORT).expect(4, "submission.toml");
}

#[test]
fn one_that_exits_at_start_is_quoted() {
    broken("exit", "I do not feel like it");
}

#[test]
fn one_that_never_binds() {
    broken("mute", "did not answer GET /healthz");
}

#[test]
fn one_that_never_gets_ready() {
    broken("unready", "never got ready");
}

#[test]
fn one_that_does_not_speak_http() {
    broken("not-http", "does not speak HTTP");
}

#[test]
fn one_that_answers_garbage_cannot_colour_the_terminal() {
    let bench = Bench::with_toy("garbage");
    let ran = bench.run(SHORT).expect(4, "without a JSON object");
    assert!(!ran.stderr.contains('\u{1b}') && !ran.stdout.contains('\u{1b}'), "{}", ran.stderr);
}

#[test]
fn one_that_answers_with_redirects() {
    broken("redirect", "redirects are not followed");
}

#[test]
fn one_whose_answers_have_the_wrong_shape() {
    broken("wrong-shape", "the result of");
}

#[test]
fn a_gigabyte_of_output_stays_small_on_disk_and_breaks_nothing() {
    let bench = Bench::with_toy("flood");
    bench.run(SHORT).expect(0, "VALID");
    let log = bench.latest().join("nodes/n1/stdout.log");
    let bytes = std::fs::metadata(&log).unwrap().len();
    assert!((1 << 20..8 << 20).contains(&bytes), "{bytes} bytes");
    bench.assert_nothing_left();
}

#[test]
fn daemons_are_killed_and_noted() {
    let bench = Bench::with_toy("daemon");
    bench.run(SHORT).expect(0, "left 1 processes behind");
    bench.assert_nothing_left();
}

#[test]
fn ignoring_sigterm_does_not_help_and_is_noted() {
    let bench = Bench::with_toy("stubborn");
    bench.run(SHORT).expect(0, "ignored SIGTERM");
    bench.assert_nothing_left();
}
