//! Recorded histories with known verdicts, from the folder that `BENCH_HISTORIES` names.
//!
//! Its `expected.tsv` lists file, format, model and verdict.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use std::fs::{self, File};
use std::path::Path;

use history::{Operation, Verdict, operations, read_edn};
use linearizability::models::cas_register::{CasInput, CasOutput, CasRegister};
use linearizability::models::multi_register::{MultiInput, MultiOutput, MultiRegister};
use linearizability::{Call, CallOf, Limits, check};
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

/// Transactions of `[:read k v]` or `[:write k v]`, each all reads or all writes.
fn multi_call(operation: &Operation) -> CallOf<MultiRegister> {
    let done = operation.result().unwrap_or(&operation.arguments);
    let steps = done.as_array().unwrap().iter().map(|step| step.as_array().unwrap());
    let key = |step: &Vec<Value>| step[1].as_str().unwrap().to_owned();
    let reads = steps.clone().all(|step| step[0] == ":read");
    assert!(reads || steps.clone().all(|step| step[0] == ":write"), "mixed: {done}");
    let (input, output) = if reads {
        let value = |step: &Vec<Value>| (!step[2].is_null()).then(|| step[2].to_string());
        let values = steps.clone().map(|step| (key(step), value(step))).collect();
        (MultiInput::Read(steps.map(key).collect()), MultiOutput::Values(values))
    } else {
        let values = steps.map(|step| (key(step), step[2].to_string())).collect();
        (MultiInput::Write(values), MultiOutput::Done)
    };
    Call::from_operation(operation, input, Some(output))
}

/// The history's registers begin at 0: say so with a write before everything.
fn from_zero(mut calls: Vec<CallOf<MultiRegister>>) -> Vec<CallOf<MultiRegister>> {
    let zero = ["x", "y"].map(|key| (format!(":{key}"), "0".to_owned()));
    for call in &mut calls {
        call.call += 2;
        call.ret = call.ret.map(|ret| ret + 2);
    }
    calls.push(Call {
        id: u64::MAX,
        process: u64::MAX,
        input: MultiInput::Write(zero.into()),
        output: Some(MultiOutput::Done),
        call: 0,
        ret: Some(1),
        call_ns: 0,
        return_ns: Some(0),
        failed: false,
    });
    calls
}

fn judge(folder: &Path, file: &str, model: &str) -> linearizability::Report {
    let events = read_edn(File::open(folder.join(file)).unwrap()).unwrap();
    let operations = operations(&events).unwrap_or_else(|error| panic!("{file}: {error}"));
    let limits = Limits::default();
    if model == "multi-register" {
        let calls = operations.iter().map(multi_call).collect();
        check(&MultiRegister, &from_zero(calls), &limits)
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
