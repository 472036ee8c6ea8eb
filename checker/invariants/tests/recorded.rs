//! Recorded histories with known verdicts, from the folder that `BENCH_HISTORIES` names: prints one table.
//!
//! ```text
//! BENCH_HISTORIES=…/histories cargo test -p invariants --test recorded -- --nocapture
//! ```
//!
//! The folder's `expected.tsv` lists file, format, model and verdict; rows for other checkers are passed over.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use std::fs::{self, File};
use std::path::Path;

use history::{Events, Format, Operation, Pairing, Verdict};
use invariants::Invariant;

fn read(path: &Path, format: Format) -> Vec<Operation> {
    let mut pairing = Pairing::default();
    for located in Events::new(File::open(path).unwrap(), format) {
        pairing.add(located.unwrap().event).unwrap();
    }
    pairing.finish()
}

/// The checker that a row is for. Its names are those of Jepsen's tests.
fn checker(about: &str) -> Option<Invariant> {
    match about {
        "bank (negative balances allowed)" => Some(Invariant::BankNegative),
        "set" => Some(Invariant::SetFinal),
        "counter" => Some(Invariant::CounterBounds),
        about => Invariant::by_name(about.split(' ').next().unwrap_or_default()),
    }
}

#[test]
fn recorded_histories_get_their_known_verdicts() {
    let Some(folder) = std::env::var_os("BENCH_HISTORIES") else {
        println!("skipped: BENCH_HISTORIES names no folder with recorded histories");
        return;
    };
    let folder = Path::new(&folder);
    let expected = fs::read_to_string(folder.join("expected.tsv")).unwrap();
    let mut checked = 0;
    let mut wrong = Vec::new();
    // Its additions are never read: nothing shows that it counts.
    let says_nothing = "elle-cli/jepsen/counter.edn";
    for line in expected.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let [file, format, about, verdict] =
            line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let Some(invariant) = checker(about) else { continue };
        let verdict = if file == says_nothing { "inconclusive" } else { verdict };
        let operations = read(&folder.join(file), Format::by_name(format).unwrap());
        let result = invariant.check(&operations);
        let got = match result.verdict {
            Verdict::Valid => "valid",
            Verdict::Violation => "violation",
            Verdict::Inconclusive => "inconclusive",
        };
        println!("{file:<45} {:<16} {verdict:<10} {got:<10} {}", invariant.name(), result.summary);
        checked += 1;
        if got != verdict {
            wrong.push(format!("{file}: expected {verdict}, got {result:#?}"));
        }
    }
    assert!(checked > 0, "expected.tsv lists no history for a checker that is here");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
