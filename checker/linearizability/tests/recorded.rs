//! Recorded histories with known verdicts, from the folder that `BENCH_HISTORIES` names: prints one table.
//!
//! ```text
//! BENCH_HISTORIES=…/histories cargo test --release -p linearizability --test recorded -- --nocapture
//! ```
//!
//! The folder's `expected.tsv` lists file, format, model and verdict. Rows whose model is not here are listed as
//! skipped.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

use history::{Events, Format, Operation, Pairing, Verdict};
use linearizability::{Limits, Named};
use serde_json::{Value, json};

fn read(path: &Path, format: Format) -> Vec<Operation> {
    let mut pairing = Pairing::default();
    for located in Events::new(File::open(path).unwrap(), format) {
        let located = located.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        pairing.add(located.event).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    pairing.finish()
}

/// What a history does not say itself.
fn initial(file: &str) -> Option<Value> {
    // Its first line: "A multi-register with x=0 and y=0".
    file.ends_with("multi-register.edn").then(|| json!(0))
}

#[test]
fn recorded_histories_get_their_known_verdicts() {
    let Some(folder) = std::env::var_os("BENCH_HISTORIES") else {
        println!("skipped: BENCH_HISTORIES names no folder with recorded histories");
        return;
    };
    let folder = Path::new(&folder);
    let expected = fs::read_to_string(folder.join("expected.tsv")).unwrap();
    let limits = Limits { threads: Some(1), ..Limits::default() };
    let (mut wrong, mut checked, mut skipped) = (Vec::new(), 0, 0);
    let (mut reading_ms, mut checking_ms) = (0.0, 0.0);
    let (mut logs_ms, mut logs_deciding_ms) = (0.0, 0.0);
    println!("{:<56} {:<14} {:<9}  {:<9} {:>8}", "file", "model", "expected", "got", "ms");
    for line in expected.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let [file, format, about, verdict] =
            line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let name = about.split(' ').next().unwrap_or_default();
        let Some(model) = Named::by_name(name) else {
            let reason = "skipped: no sequential object, for the checkers of transactions";
            println!("{file:<56} {name:<14} {verdict:<9}  {reason}");
            skipped += 1;
            continue;
        };
        let start = Instant::now();
        let operations = read(&folder.join(file), Format::by_name(format).unwrap());
        reading_ms += start.elapsed().as_secs_f64() * 1e3;
        let initial = initial(file);
        let start = Instant::now();
        let report = model.check(&operations, initial.as_ref(), &limits).unwrap();
        logs_deciding_ms += if format == "jepsen-log" {
            report.statistics.deciding.as_secs_f64() * 1e3
        } else {
            0.0
        };
        let ms = start.elapsed().as_secs_f64() * 1e3;
        checking_ms += ms;
        logs_ms += if format == "jepsen-log" { ms } else { 0.0 };
        let got = match report.verdict {
            Verdict::Valid => "valid",
            Verdict::Violation => "violation",
            Verdict::Inconclusive => "undecided",
        };
        let mark = if got == verdict { "" } else { "  WRONG" };
        println!("{file:<56} {name:<14} {verdict:<9}  {got:<9} {ms:>8.3}{mark}");
        checked += 1;
        if got != verdict {
            wrong.push(format!("{file}: expected {verdict}, got {report:?}"));
        }
    }
    println!(
        "{checked} checked, {} wrong, {skipped} skipped; reading {reading_ms:.1} ms, checking {checking_ms:.1} ms, \
         {logs_ms:.3} ms of that for the Jepsen logs: {logs_deciding_ms:.3} ms until the verdicts, the rest to turn JSON \
         into the model's calls and to explain each violation",
        wrong.len()
    );
    assert!(checked > 0, "expected.tsv lists no history for a model that is here");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
