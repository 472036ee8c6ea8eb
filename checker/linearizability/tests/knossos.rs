//! Recorded histories with known verdicts, from the folder that `BENCH_HISTORIES` names.
//!
//! Its `expected.tsv` lists file, format, model and verdict.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use history::{Operation, Verdict, operations, read_edn};
use linearizability::models::cas_register::{CasInput, CasOutput, CasRegister};
use linearizability::{Call, CallOf, Limits, Model, check};
use serde_json::Value;

fn cas_call(operation: &Operation) -> CallOf<CasRegister> {
    let pair = operation.arguments.as_array();
    let (input, output) = match operation.f.as_str() {
        // Knossos takes a read of nil for one of unknown result.
        "read" => {
            let value = operation.result().filter(|value| !value.is_null());
            (CasInput::Read, value.cloned().map(CasOutput::Value))
        }
        "write" => (CasInput::Write(operation.arguments.clone()), Some(CasOutput::Done)),
        "cas" => {
            let pair = pair.unwrap();
            (CasInput::Cas(pair[0].clone(), pair[1].clone()), Some(CasOutput::Cas(true)))
        }
        other => panic!("unknown operation {other}"),
    };
    Call::from_operation(operation, input, output)
}

/// Registers under transactions of `[:read k v]` and `[:write k v]`, all 0 at first.
struct Transactions;

impl Model for Transactions {
    type Input = Vec<(String, String, Value)>;
    type Output = ();
    type State = BTreeMap<String, Value>;

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(
        &self,
        state: &Self::State,
        steps: &Self::Input,
        ok: Option<&()>,
    ) -> Option<Self::State> {
        let mut next = state.clone();
        for (kind, key, value) in steps {
            if kind == ":write" {
                next.insert(key.clone(), value.clone());
            } else if ok.is_some() && next.get(key).unwrap_or(&Value::from(0)) != value {
                return None;
            }
        }
        Some(next)
    }

    fn is_read_only(&self, steps: &Self::Input) -> bool {
        steps.iter().all(|(kind, ..)| kind == ":read")
    }

    fn describe(&self, steps: &Self::Input, _: Option<&()>) -> String {
        format!("{steps:?}")
    }
}

fn transaction(operation: &Operation) -> CallOf<Transactions> {
    let steps = operation.result().unwrap_or(&operation.arguments);
    let step = |step: &Value| {
        let text = |i: usize| step[i].as_str().unwrap().to_owned();
        (text(0), text(1), step[2].clone())
    };
    Call::from_operation(operation, steps.as_array().unwrap().iter().map(step).collect(), Some(()))
}

fn judge(folder: &Path, file: &str, model: &str) -> linearizability::Report {
    let events = read_edn(File::open(folder.join(file)).unwrap()).unwrap();
    let operations = operations(&events).unwrap_or_else(|error| panic!("{file}: {error}"));
    let limits = Limits::default();
    if model == "multi-register" {
        let calls: Vec<_> = operations.iter().map(transaction).collect();
        check(&Transactions, &calls, &limits)
    } else {
        let calls: Vec<_> = operations.iter().map(cas_call).collect();
        check(&CasRegister::default(), &calls, &limits)
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
    for line in expected.lines().filter(|line| line.starts_with("knossos/")) {
        let [file, _, model, verdict] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        if !matches!(model, "register" | "cas-register" | "multi-register") {
            continue;
        }
        let report = judge(folder, file, model);
        let expected = if verdict == "valid" { Verdict::Valid } else { Verdict::Violation };
        println!("{file}: {:?} in {:?}", report.verdict, report.statistics);
        if let Some(witness) = &report.witness {
            println!("  {}", witness.sentence);
        }
        assert_eq!(report.verdict, expected, "{file}: {report:?}");
        checked += 1;
    }
    assert!(checked > 0, "expected.tsv lists no register history");
}
