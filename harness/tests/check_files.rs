//! `harness check` on histories that other tools recorded.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

mod common;

use common::{HARNESS, Ran, finish};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A folder with one history.
struct File {
    place: tempfile::TempDir,
    name: &'static str,
}

impl File {
    fn new(name: &'static str, text: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join(name), text).unwrap();
        Self { place, name }
    }

    fn path(&self) -> PathBuf {
        self.place.path().join(self.name)
    }

    fn check(&self, arguments: &[&str]) -> Ran {
        finish(Command::new(HARNESS).arg("check").arg(self.path()).args(arguments))
    }
}

const VALID: &str = "[{:process 0 :type :invoke :f :write :value 1}
 {:process 1 :type :invoke :f :read :value nil}
 {:process 1 :type :ok :f :read :value 1}
 {:process 0 :type :ok :f :write :value 1}]";

/// A read of what nobody wrote, beside a write of something else.
const STALE: &str = "{:process 0 :type :invoke :f :write :value 1 :time 1000000}
{:process 0 :type :ok :f :write :value 1 :time 2000000}

{:process 1 :type :invoke :f :read :value nil :time 3000000}
{:process 1 :type :ok :f :read :value nil :time 4000000}
";

#[test]
fn a_valid_history_is_0() {
    let valid = File::new("a.edn", VALID);
    valid.check(&["--model", "register"]).expect(0, "VALID: a.edn is linearizable as a register");
    let other_start = ["--model", "register", "--initial", "5"];
    valid.check(&other_start).expect(0, "2 operations");
}

#[test]
fn a_violation_is_1_with_its_operations_in_a_table() {
    let stale = File::new("a.edn", STALE);
    let ran = stale.check(&["--model", "register"]);
    assert!(ran.stdout.contains("line  process"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("   4        1  0.003000 s  0.004000 s  read → nil"),
        "{}",
        ran.stdout
    );
    ran.expect(1, "VIOLATION: a.edn is not linearizable as a register");
}

#[test]
fn json_is_one_document() {
    let answer = File::new("a.edn", STALE).check(&["--model", "register", "--json"]).expect(1, "");
    let answer = answer.json();
    assert_eq!(answer["verdict"], "violation");
    assert_eq!((&answer["format"], &answer["model"]), (&"edn".into(), &"register".into()));
    assert_eq!(answer["checks"][0]["checker"], "linearizability");
    let read = answer["witness"].as_array().unwrap().last().unwrap();
    assert_eq!((&read["line"], &read["f"], &read["event"]), (&4.into(), &"read".into(), &2.into()));
    assert_eq!(answer["operations"]["write"]["ok"], 1);
    let failed = File::new("a.edn", "[5]").check(&["--model", "register", "--json"]).expect(2, "");
    assert!(failed.json()["error"].as_str().unwrap().contains("line 1, column 2"));
}

#[test]
fn a_page_is_written_where_it_is_asked_for() {
    let stale = File::new("a.edn", STALE);
    let page = stale.place.path().join("page.html");
    stale
        .check(&["--model", "register", "--report", page.to_str().unwrap()])
        .expect(1, "page.html");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("not linearizable as a register"), "the sentence is missing");
    assert!(page.contains("a.edn"), "the file is missing");
}

/// Several files in one folder, all checked by one command.
fn check_all(place: &Path, arguments: &[&str]) -> Ran {
    finish(Command::new(HARNESS).arg("check").args(arguments).current_dir(place))
}

#[test]
fn several_histories_get_a_line_each_and_a_summary() {
    let place = tempfile::tempdir().unwrap();
    let files = [("a.edn", VALID), ("b.edn", STALE), ("c.edn", "[]"), ("d.edn", "[5]")];
    for (name, text) in files {
        std::fs::write(place.path().join(name), text).unwrap();
    }
    let ran = check_all(place.path(), &["a.edn", "b.edn", "c.edn", "d.edn", "--model", "register"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[0], "VALID         a.edn is linearizable as a register: 2 operations.");
    assert!(lines[1].starts_with("VIOLATION     b.edn is not linearizable as a register: "));
    assert!(lines[2].starts_with("INCONCLUSIVE  c.edn as a register: There is no operation"));
    assert_eq!(lines[3], "4 checks: 1 valid, 1 violation, 1 inconclusive, 1 not checked.");
    assert!(ran.stderr.starts_with("NOT CHECKED   d.edn: "), "{}", ran.stderr);
    ran.expect(1, "");
    // Without a violation, one that is not checked keeps the others from being green.
    let ran = check_all(place.path(), &["d.edn", "a.edn", "--model", "register"]);
    ran.expect(2, "2 checks: 1 valid");
    check_all(place.path(), &["a.edn", "c.edn", "--model", "register"]).expect(3, "");
    check_all(place.path(), &["a.edn", "a.edn", "--model", "register"]).expect(0, "2 valid");
    let ran = check_all(place.path(), &["a.edn", "d.edn", "--model", "register", "--json"]);
    let answer = ran.expect(2, "").json();
    assert_eq!(answer["verdict"], serde_json::Value::Null, "one has no verdict");
    assert_eq!(answer["answers"][0]["verdict"], "valid");
    assert_eq!(answer["answers"][1]["exit"], 2);
    let page = ["a.edn", "b.edn", "--model", "register", "--report", "page.html"];
    check_all(place.path(), &page).expect(2, "for one history");
}

#[test]
fn an_initial_value_is_suggested_where_it_decides() {
    let read = |value: u8| {
        format!(
            "{{:process 0 :type :invoke :f :read}}{{:process 0 :type :ok :f :read :value {value}}}"
        )
    };
    let write =
        "{:process 0 :type :invoke :f :write :value 1}{:process 0 :type :ok :f :write :value 1}";
    let decides = File::new("a.edn", &format!("{}{write}", read(7)));
    let ran = decides.check(&["--model", "register"]).expect(1, "phantom value");
    assert!(ran.stdout.contains("With --initial '7' the history is valid"), "{}", ran.stdout);
    decides.check(&["--model", "register", "--initial", "7"]).expect(0, "VALID");
    // Here it would not help.
    let ran = File::new("a.edn", &format!("{}{write}{}", read(7), read(7)));
    let ran = ran.check(&["--model", "register"]).expect(1, "phantom value");
    assert!(!ran.stdout.contains("--initial"), "{}", ran.stdout);
}

#[test]
fn every_violation_is_in_the_text() {
    let add = |value: u8| {
        format!(
            "{{:process 0 :type :invoke :f :add :value {value}}}{{:process 0 :type :ok :f :add :value {value}}}"
        )
    };
    let read = "{:process 1 :type :invoke :f :read}{:process 1 :type :ok :f :read :value [1 9]}";
    let file = File::new("a.edn", &format!("{}{}{read}", add(1), add(2)));
    let ran = file.check(&["--model", "set-full"]).expect(1, "breaks `set-full`");
    assert_eq!(ran.stdout.matches("\n  also: ").count(), 1, "{}", ran.stdout);
}

#[test]
fn several_levels_get_a_verdict_each() {
    let place = tempfile::tempdir().unwrap();
    let generated = ["generate", "a.edn", "--inject", "G-single-item", "--transactions", "100"];
    let ran = finish(Command::new(HARNESS).args(generated).current_dir(place.path()));
    ran.expect(0, "");
    let levels =
        ["a.edn", "--model", "list-append", "--consistency", "serializable,read-committed"];
    let ran = check_all(place.path(), &levels).expect(1, "1 valid, 1 violation");
    assert!(ran.stdout.contains("VIOLATION     a.edn (serializable): "), "{}", ran.stdout);
    assert!(ran.stdout.contains("VALID         a.edn (read-committed): "), "{}", ran.stdout);
    let as_json = [&levels[..], &["--json"]].concat();
    let answer: serde_json::Value =
        serde_json::from_str(&check_all(place.path(), &as_json).stdout).unwrap();
    let [first, second] = [0, 1].map(|level| &answer["answers"][level]["reading_ms"]);
    assert!(first.is_f64() && first == second, "the file was read twice: {first}, {second}");
}

#[test]
fn a_history_may_come_on_stdin() {
    let check = |text: &str, arguments: &[&str]| {
        let place = File::new("in", text);
        let stdin = std::fs::File::open(place.path()).unwrap();
        finish(Command::new(HARNESS).args(["check", "-"]).args(arguments).stdin(stdin))
    };
    check(VALID, &["--model", "register"]).expect(0, "VALID: stdin is linearizable");
    check(STALE, &["--model", "register"]).expect(1, "VIOLATION: stdin is not linearizable");
    check("", &["--model", "register"]).expect(2, "stdin resembles no format");
}

/// What was kept of it once stayed behind in the folder for temporary files.
#[test]
fn nothing_is_left_of_stdin_when_the_check_is_killed() {
    let place = tempfile::tempdir().unwrap();
    let mut check = Command::new(HARNESS)
        .args(["check", "-", "--model", "register"])
        .env("TMPDIR", place.path())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    // More than a pipe holds: some of it has been read.
    let text = VALID.repeat((1 << 20) / VALID.len());
    check.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    check.kill().unwrap();
    check.wait().unwrap();
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

/// A page once replaced the history that it was about.
#[test]
fn a_page_never_replaces_the_history() {
    let stale = File::new("a.edn", STALE);
    let (path, link) = (stale.path(), stale.place.path().join("link.html"));
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for report in [&path, &link] {
        let asked = ["--model", "register", "--report", report.to_str().unwrap()];
        stale.check(&asked).expect(2, "is the history itself");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), STALE);
    }
}

/// A page that could not be written once took the verdict with it.
#[test]
fn a_verdict_is_printed_though_its_page_cannot_be_written() {
    let stale = File::new("a.edn", STALE);
    // No folder and no file, so that it looks like a place for a page until it is written to.
    let page = "/proc/self/page.html";
    let ran = stale.check(&["--model", "register", "--report", page]);
    assert!(ran.stdout.contains("VIOLATION: a.edn is not linearizable"), "{}", ran.stdout);
    // A violation is proven, whatever else went wrong.
    ran.expect(1, "no report in /proc/self/page.html");
    let ran = stale.check(&["--model", "register", "--json", "--report", page]);
    assert_eq!(ran.expect(1, "no report").json()["verdict"], "violation");
    // But not all that was asked for was done, so the code is not green.
    let ran = File::new("a.edn", VALID).check(&["--model", "register", "--report", page]);
    assert!(ran.stdout.contains("VALID: a.edn is linearizable"), "{}", ran.stdout);
    ran.expect(5, "no report in /proc/self/page.html");
}

#[test]
fn what_makes_no_sense_is_2_and_says_what_would() {
    let valid = File::new("a.edn", VALID);
    valid.check(&[]).expect(2, "cas-register");
    valid.check(&["--model", "nonsense"]).expect(2, "multi-register");
    valid.check(&["--model", "register", "--format", "nonsense"]).expect(2, "jepsen-log");
    valid.check(&["--model", "register", "--memory-limit", "4"]).expect(2, "512MB");
    valid.check(&["--model", "register", "--initial", "x"]).expect(2, "quotes");
    valid
        .check(&["--model", "queue"])
        .expect(2, "line 1: `write` with 1 is no operation of a FIFO queue");
    valid.check(&["--model", "set", "--initial", "1"]).expect(2, "no initial value");
    valid.check(&["--model", "register", "--format", "json"]).expect(
        2,
        "line 1, column 3: expected a name in quotes, found `:process`; it looks like edn",
    );
    let unclosed = File::new("a.edn", "[{:type :invoke}\n {:type}");
    unclosed.check(&["--model", "register"]).expect(2, "line 2, column 2");
    File::new("a.txt", "hello").check(&["--model", "kv"]).expect(2, "--format");
    valid.check(&["--model", "register", "--report", "/nowhere/page.html"]).expect(2, "--report");
    let folder =
        finish(Command::new(HARNESS).arg("check").arg(valid.place.path()).args(["--model", "kv"]));
    folder.expect(2, "a folder without a history.jsonl");
    let nowhere = finish(Command::new(HARNESS).args(["check", "/nowhere.edn", "--model", "kv"]));
    nowhere.expect(2, "/nowhere.edn");
}

/// What a program asked for is a document, also where the question made no sense.
#[test]
fn json_is_a_document_even_of_a_wrong_command_line() {
    for wrong in [&["--nonsense"][..], &["--model"], &["--time-limit", "x"]] {
        let valid = File::new("a.edn", VALID);
        let ran = valid.check(&[&["--json"], wrong].concat()).expect(2, wrong[0]);
        let answer = ran.json();
        assert!(answer["verdict"].is_null() && answer["exit"] == 2, "{answer}");
        assert!(answer["error"].as_str().unwrap().contains(wrong[0]), "{answer}");
    }
}

/// A page about somebody's history speaks of no nodes, logs or faults, and invents no times.
#[test]
fn a_page_about_a_foreign_history_tells_of_no_run() {
    let untimed = STALE.lines().map(|line| match line.split_once(" :time") {
        Some((event, _)) => format!("{event}}}\n"),
        None => String::new(),
    });
    for (text, times) in [(STALE.to_owned(), true), (untimed.collect(), false)] {
        let file = File::new("a.edn", &text);
        let page = file.place.path().join("page.html");
        file.check(&["--model", "register", "--report", page.to_str().unwrap()]).expect(1, "");
        let page = std::fs::read_to_string(page).unwrap();
        let body = &page[page.find("<main>").unwrap()..page.find("</main>").unwrap()];
        for of_a_run in ["fault", "nodes'", "<th>Node", "Node logs", "main phase"] {
            assert!(!body.contains(of_a_run), "{of_a_run}: {body}");
        }
        assert!(body.contains("stale read"), "{body}");
        assert_eq!(body.contains("These operations span"), times, "{body}");
        assert_eq!(body.contains("Latency of successful"), times, "{body}");
    }
}

#[test]
fn what_cannot_be_decided_is_3() {
    let empty = File::new("a.edn", "[]");
    empty.check(&["--model", "register"]).expect(3, "nothing was tested");
    let overlap = File::new("a.edn", "{:type :invoke :f :read}\n{:type :invoke :f :read}");
    overlap.check(&["--model", "register"]).expect(3, "line 2: process 0 invokes");
    let log = File::new("a.log", "nothing here\n");
    log.check(&["--model", "kv", "--format", "jepsen-log"]).expect(3, "1 line holds no operation");
}

#[test]
fn every_format_reaches_its_model() {
    let porcupine = "{:process 0, :type :invoke, :f :get, :key \"k\", :value nil}
{:process 0, :type :ok, :f :get, :key \"k\", :value \"\"}\n";
    File::new("c01.txt", porcupine).check(&["--model", "kv"]).expect(0, "key-value store");
    let log = "INFO  jepsen.util - 0\t:invoke\t:cas\t[1 2]\nINFO  jepsen.util - 0\t:info\t:cas\t:timed-out\n";
    File::new("etcd.log", log)
        .check(&["--model", "cas-register"])
        .expect(3, "Nothing was tested: no operation succeeded.");
    let json = r#"[{"process":0,"type":"invoke","f":"acquire"},{"process":0,"type":"ok","f":"acquire"},
        {"process":1,"type":"invoke","f":"acquire"},{"process":1,"type":"ok","f":"acquire"}]"#;
    File::new("a.json", json).check(&["--model", "mutex"]).expect(1, "VIOLATION");
    let keyed = "{:process 0 :type :invoke :f :write :value [:x 1]}
        {:process 0 :type :ok :f :write :value [:x 1]}
        {:process 0 :type :invoke :f :read :value [:y nil]}
        {:process 0 :type :ok :f :read :value [:y nil]}";
    File::new("a.edn", keyed).check(&["--model", "register"]).expect(0, "2 independent keys");
}

#[test]
fn a_results_folder_can_be_checked_against_a_model_too() {
    let lines = r#"{"index":0,"time":0,"process":0,"type":"invoke","f":"put","value":{"key":"x","value":"1"}}
{"index":1,"time":1,"process":0,"type":"ok","f":"put","value":{}}
{"index":2,"time":2,"process":0,"type":"invoke","f":"get","value":{"key":"x"}}
{"index":3,"time":3,"process":0,"type":"ok","f":"get","value":{"value":null}}
"#;
    let folder = File::new("history.jsonl", lines);
    let check = |model| {
        finish(Command::new(HARNESS).arg("check").arg(folder.place.path()).args(["--model", model]))
    };
    check("kv").expect(1, "Key x");
    check("stack").expect(2, "push V, pop");
}

/// Sixty appends at once, and a read that fits none of their orders, which only trying them all would show.
fn hard() -> String {
    let event = |process: u64, kind: &str, f: &str, value: &str| {
        format!("{{\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"value\":{value}}}\n")
    };
    let append = |i: u64| format!("{{\"key\":\"k\",\"value\":\"{i:02}\"}}");
    let mut lines: Vec<String> =
        (0..60).map(|i| event(i, "invoke", "append", &append(i))).collect();
    lines.extend((0..60).map(|i| event(i, "ok", "append", "null")));
    let scrambled: String = (0..60).map(|i| format!("{:02}", (i * 7 + 3) % 59)).collect();
    lines.push(event(60, "invoke", "get", "{\"key\":\"k\"}"));
    lines.push(event(60, "ok", "get", &format!("{{\"value\":\"{scrambled}\"}}")));
    lines.concat()
}

#[test]
fn limits_end_a_search_with_what_to_do_about_it() {
    let hard = File::new("hard.json", &hard());
    let check = |limit: &str, value: &str| hard.check(&["--model", "kv", limit, value]);
    let ran = check("--time-limit", "1s");
    assert!(ran.stdout.contains("INCONCLUSIVE"), "{}", ran.stdout);
    assert!(ran.stderr.is_empty(), "no terminal, no bar: {}", ran.stderr);
    ran.expect(3, "did not finish within 1.0 s; allow it more time");
    check("--memory-limit", "64MB").expect(3, "more than 64 MB of memory; allow it more");
}

#[test]
fn limits_hold_for_transactions_too() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("valid.edn");
    // So many that no machine is done with them within a millisecond.
    let generate = ["generate", "--transactions", "100000"];
    let generated = Command::new(HARNESS).args(generate).arg(&path).output().unwrap();
    assert!(generated.status.success(), "{generated:?}");
    let check = |limit: &str, value: &str| {
        let model = ["--model", "list-append", limit, value];
        finish(Command::new(HARNESS).arg("check").arg(&path).args(model))
    };
    check("--time-limit", "1m").expect(0, "VALID: valid.edn");
    check("--time-limit", "1ms").expect(3, "did not finish within 1ms; allow it more time");
    check("--memory-limit", "1MB").expect(3, "more than 1 MB of memory; allow it more");
}

#[test]
fn what_a_history_takes_is_limited_too() {
    let write = |i: u64| {
        let event = |kind| format!("{{:process 0 :type :{kind} :f :write :value {i}}}\n");
        event("invoke") + &event("ok")
    };
    let long = File::new("long.edn", &(0..20_000).map(write).collect::<String>());
    let check = |limit: &str| long.check(&["--model", "register", "--memory-limit", limit]);
    check("1MB").expect(3, "operations alone take more than 1 MB of memory; allow it more");
    check("100MB").expect(3, "Nothing was tested");
}

/// With the name of what is packed, or with any other.
#[test]
fn packed_files_are_read_as_they_are() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(STALE.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(STALE.as_bytes(), 0).unwrap();
    let place = tempfile::tempdir().unwrap();
    for (name, bytes) in [("a.edn.gz", &gzip), ("a.edn.zst", &zstd), ("a.edn", &gzip), ("b", &zstd)]
    {
        let path = place.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let check = |path| {
            finish(Command::new(HARNESS).arg("check").arg(path).args(["--model", "register"]))
        };
        let ran = check(&path);
        assert!(ran.stdout.contains("   4        1  0.003000 s"), "{}", ran.stdout);
        ran.expect(1, "read 4 events (edn)");
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        check(&path).expect(2, name);
    }
}

const HALF_SEEN: &str =
    "{:process 0 :type :invoke :f :txn :value [[:w :x 1] [:w :y 1]] :time 1000000}
{:process 1 :type :invoke :f :txn :value [[:r :x nil] [:r :y nil]] :time 2000000}
{:process 1 :type :ok :f :txn :value [[:r :x 1] [:r :y nil]] :time 3000000}
{:process 0 :type :ok :f :txn :value [[:w :x 1] [:w :y 1]] :time 4000000}
";

#[test]
fn a_violation_of_transactions_is_told_in_words() {
    let half_seen = File::new("a.edn", HALF_SEEN);
    half_seen.check(&["--model", "multi-register"]).expect(
        1,
        "not linearizable as a multi-register: torn read: txn read :x = 1, read :y = nil by process 1 (0.0020–0.0030 s) \
         saw :x = 1 of txn write :x 1, write :y 1 by process 0 (0.0010–0.0040 s), but the initial :y = nil, which that \
         replaced.",
    );
}

/// Two reads of a bank, the second of which lacks money.
const BANK: &str = "{:process 0 :type :invoke :f :read :value nil}
{:process 0 :type :ok :f :read :value {0 10, 1 10}}
{:process 0 :type :invoke :f :read :value nil}
{:process 0 :type :ok :f :read :value {0 10, 1 9}}
";

#[test]
fn invariants_are_models_too() {
    let bank = File::new("bank.edn", BANK);
    let ran = bank.check(&["--model", "bank"]);
    assert!(ran.stdout.contains("line  event  process"), "{}", ran.stdout);
    ran.expect(1, "VIOLATION: bank.edn breaks `bank`: the read of process 0");
    let right = BANK.replace("1 9", "1 10");
    File::new("bank.edn", &right)
        .check(&["--model", "bank"])
        .expect(0, "VALID: bank.edn keeps the accounts' total and none overdrawn.");
    bank.check(&["--model", "set-full"])
        .expect(3, "INCONCLUSIVE: bank.edn, checked for `set-full`");
    bank.check(&["--model", "bank", "--initial", "5"]).expect(2, "no initial value");
}

/// The second transaction saw one append of the first, but not the other.
const SKEW: &str = "{:process 0 :type :invoke :f :txn :value [[:append :x 1] [:append :y 1]]}
{:process 0 :type :ok :f :txn :value [[:append :x 1] [:append :y 1]]}
{:process 1 :type :invoke :f :txn :value [[:r :x nil] [:r :y nil]]}
{:process 1 :type :ok :f :txn :value [[:r :x [1]] [:r :y []]]}
";

#[test]
fn transactions_keep_the_level_that_is_asked_for() {
    let skew = File::new("a.edn", SKEW);
    let page = skew.place.path().join("page.html");
    let ran = skew.check(&["--model", "list-append", "--report", page.to_str().unwrap()]);
    for told in [
        "However, T2 < T1, because T2 read [] in y, without T1's 1: a contradiction!",
        "violated: consistent-view, repeatable-read and all stronger levels",
        "   3      2        1",
    ] {
        assert!(ran.stdout.contains(told), "{}", ran.stdout);
    }
    ran.expect(1, "VIOLATION: a.edn: The history is not strict-serializable: G-single-item");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(
        page.contains("data:image/svg+xml,%3Csvg class=%27cycle%27")
            && page.contains("T2 &lt; T1, because")
    );
    let asked = ["--model", "list-append", "--consistency", "read-committed"];
    skew.check(&asked).expect(0, "VALID: a.edn");
    let json = skew.check(&["--model", "list-append", "--json"]).expect(1, "").json();
    assert_eq!(json["isolation"]["anomalies"][0]["steps"][1]["dependency"], "rw");
    skew.check(&["--model", "rw-register"]).expect(2, "line 1: [:append :x 1] is neither");
    skew.check(&["--model", "list-append", "--consistency", "none"]).expect(2, "serializable");
    skew.check(&["--model", "kv", "--consistency", "serializable"]).expect(2, "list-append");
}
