//! Recorded histories of transactions with known verdicts, from the folder that `BENCH_HISTORIES` names.
//!
//! ```text
//! BENCH_HISTORIES=…/histories cargo test -p isolation --test recorded -- --nocapture
//! ```
//!
//! The folder's `expected.tsv` lists file, format, model and verdict.
//!
//! One row is not followed. Elle passes over values in registers that nobody wrote, so that its own `rw-register.edn` is
//! "valid": a write of 2, then reads of 3 and of 2. No serial order explains a 3, and a store that invents values must
//! not be called right, so that here this is a garbage read.

use std::fs::{self, File};
use std::path::Path;

use history::{Events, Format, Verdict};
use isolation::{Anomaly, Datatype, History, Options, Report, check};

const PASSED_BY_ELLE: &str = "elle/rw-register.edn";

fn judge(path: &Path, format: Format, datatype: Datatype) -> Report {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut builder = History::builder(datatype);
    for located in Events::new(file, format) {
        let located = located.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        builder.event(located.event).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    let history = builder.finish().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    check(&history, &Options::default())
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
    for line in expected.lines().filter(|line| !line.starts_with('#')) {
        let [file, format, model, verdict] = line.split('\t').collect::<Vec<_>>()[..] else {
            continue;
        };
        let Some(datatype) = Datatype::by_name(model) else { continue };
        let report = judge(&folder.join(file), Format::by_name(format).expect(format), datatype);
        println!("{file}: {} {:?}", report.sentence, report.models.standing);
        let found: Vec<_> = report.anomalies.iter().map(|finding| finding.anomaly).collect();
        if file.ends_with(PASSED_BY_ELLE) {
            assert_eq!(
                (report.verdict, found),
                (Verdict::Violation, vec![Anomaly::GarbageRead]),
                "{file}"
            );
        } else {
            let expected = if verdict == "valid" { Verdict::Valid } else { Verdict::Violation };
            assert_eq!(report.verdict, expected, "{file}: {found:?}");
        }
        checked += 1;
    }
    assert!(checked > 0, "no history of transactions in {}", folder.display());
}
