//! Recorded histories with known verdicts, judged as `harness check` does: those in `tests/histories` always, and those
//! that other projects recorded, with the verdicts of their own tests, where `BENCH_HISTORIES` names their folder. Each
//! row of a folder's `expected.tsv` is file, format, model and verdict.
//!
//! ```text
//! BENCH_HISTORIES=…/histories cargo test --release -p harness --test recorded -- --nocapture
//! ```
//!
//! prints one table, a line for each model of ours that can judge a row.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use history::{Datum, Format, Verdict};
use judge::foreign::{CheckedHistory, Model, Question, Source, check};
use linearizability::Limits;
use serde_json::json;

type Deviation = (&'static str, &'static str, Verdict, Option<&'static str>, &'static str);

/// Where we do not follow: file, model, our verdict, the kind of violation that we find, and why.
const DEVIATIONS: [Deviation; 5] = [
    (
        "elle-cli/elle/rw-register.edn",
        "rw-register",
        Verdict::Violation,
        Some("garbage-read"),
        "Elle passes over values that nobody wrote: a write of 2, then reads of 3 and of 2. No serial order explains a 3.",
    ),
    (
        "elle-cli/jepsen/counter.edn",
        "counter-bounds",
        Verdict::Inconclusive,
        None,
        "No read succeeded, so that nothing shows that it counts.",
    ),
    (
        "elle-cli/jepsen/counter.edn",
        "counter",
        Verdict::Inconclusive,
        None,
        "The same: any counter could have this history.",
    ),
    (
        "knossos/cas-register-good/mongodb-v0-ack-rollback-10.edn",
        "cas-register",
        Verdict::Inconclusive,
        None,
        "No operation succeeded, so that nothing was tested.",
    ),
    (
        "knossos/cas-register-good/mongodb-v0-ack-rollback-9.edn",
        "cas-register",
        Verdict::Inconclusive,
        None,
        "No operation succeeded, so that nothing was tested.",
    ),
];

/// The models that can judge a row, by the name that Jepsen's tests have for it.
fn models(about: &str) -> Vec<&str> {
    match about {
        "set" => vec!["set", "set-final"],
        "counter" => vec!["counter", "counter-bounds"],
        "bank (negative balances allowed)" => vec!["bank-neg"],
        about => about.split(' ').take(1).collect(),
    }
}

/// What a history does not say itself.
fn initial(file: &str) -> Option<Datum> {
    // Its first line: "A multi-register with x=0 and y=0".
    file.ends_with("multi-register.edn").then_some(Datum::Int(0))
}

fn judged(folder: &Path, file: &str, format: &str, model: &str) -> CheckedHistory {
    let question = Question {
        source: Source::at(folder.join(file)),
        format: Format::by_name(format).unwrap_or_else(|| panic!("{file}: no format {format}")),
        model: Model::by_name(model).unwrap_or_else(|| panic!("{file}: no model {model}")),
        initial: initial(file),
    };
    // One thread, so that figures compare.
    let limits = Limits { threads: Some(1), ..Limits::default() };
    check(&question, &limits, &()).unwrap_or_else(|failure| panic!("{file}: {failure}"))
}

/// A verdict as `expected.tsv` has it.
fn verdict(word: &str) -> Verdict {
    serde_json::from_value(json!(word)).unwrap_or_else(|_| panic!("`{word}` is no verdict"))
}

fn word(verdict: Verdict) -> String {
    json!(verdict).as_str().unwrap().to_owned()
}

/// What the whole table took.
#[derive(Default)]
struct Sums {
    reading: Duration,
    checking: Duration,
    /// Until the verdicts on the Jepsen logs.
    logs_deciding_us: u64,
    /// The same with the explanations.
    logs_us: u64,
}

impl Sums {
    fn add(&mut self, format: &str, checked: &CheckedHistory) {
        self.reading += checked.reading;
        self.checking += checked.checking;
        if format == "jepsen-log" {
            let figure = |name: &str| checked.result.statistics[name].as_u64().unwrap();
            self.logs_deciding_us += figure("deciding_us");
            self.logs_us += figure("elapsed_us");
        }
    }
}

#[test]
fn our_own_histories_get_their_known_verdicts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories");
    let deviations = get_their_known_verdicts(&folder);
    assert!(deviations.is_empty(), "these verdicts are ours");
}

#[test]
fn histories_of_others_get_their_known_verdicts() {
    let Some(folder) = std::env::var_os("BENCH_HISTORIES") else {
        println!("skipped: BENCH_HISTORIES names no folder with histories that others recorded");
        return;
    };
    let deviations = get_their_known_verdicts(Path::new(&folder));
    for deviation in &DEVIATIONS {
        let (file, model, ..) = deviation;
        assert!(deviations.contains(&deviation), "no line for the deviation of {file} as {model}");
    }
}

/// Checks every row and returns the deviations that were met.
fn get_their_known_verdicts(folder: &Path) -> Vec<&'static Deviation> {
    let expected = fs::read_to_string(folder.join("expected.tsv")).unwrap();
    let (mut count, mut deviations, mut wrong) = (0, Vec::<&Deviation>::new(), Vec::new());
    let mut sums = Sums::default();
    println!("{:<56} {:<14} {:<12}  {:<12} {:>8}", "file", "model", "expected", "found", "ms");
    for line in expected.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let [file, format, about, theirs] =
            line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        for model in models(about) {
            let checked = judged(folder, file, format, model);
            let deviation = DEVIATIONS.iter().find(|(of, by, ..)| (*of, *by) == (file, model));
            let ours = deviation.map_or_else(|| verdict(theirs), |deviation| deviation.2);
            let kind = checked.result.violations.first().map(|first| first.kind.as_str());
            let right = checked.result.verdict == ours
                && deviation.is_none_or(|&(.., expected, _)| kind == expected);
            let found = word(checked.result.verdict);
            let ms = checked.checking.as_secs_f64() * 1e3;
            let mark = match (right, deviation) {
                (false, _) => "  WRONG".to_owned(),
                (true, Some((.., why))) => format!("  deviates: {why}"),
                (true, None) => String::new(),
            };
            println!("{file:<56} {model:<14} {theirs:<12}  {found:<12} {ms:>8.3}{mark}");
            count += 1;
            deviations.extend(deviation);
            if !right {
                wrong.push(format!(
                    "{file} as {model}: expected {ours:?}, got {:?}",
                    checked.result
                ));
            }
            sums.add(format, &checked);
        }
    }
    let ms = |us: u64| us as f64 / 1e3;
    println!(
        "{count} checked, {} wrong, {} deviate with reason; reading {:.1} ms, checking {:.1} ms; of the \
         Jepsen logs {:.3} ms until the verdicts, {:.3} ms with every violation explained",
        wrong.len(),
        deviations.len(),
        sums.reading.as_secs_f64() * 1e3,
        sums.checking.as_secs_f64() * 1e3,
        ms(sums.logs_deciding_us),
        ms(sums.logs_us),
    );
    assert!(count > 0, "expected.tsv lists no history");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    deviations
}
