//! Whether simulated clients saw a linearizable store.

use std::collections::BTreeMap;

use contract::Outcome;
use history::Verdict;
use linearizability::{
    Call, Limits, Witness, check_by_key,
    models::kv::{Kv, KvInput, KvOutput},
};
use node::sim::{Completion, History, Operation, operation_text, outcome_text};

use crate::{Failure, failure::seconds};

/// Checks the clients' history, key by key.
///
/// # Errors
/// It is not linearizable, or the check did not come to an end.
pub fn linearizable(history: &History) -> Result<(), Failure> {
    let time_us = |index: u64| time_us(history, index);
    let mut groups: BTreeMap<String, Vec<Call<KvInput, KvOutput>>> = BTreeMap::new();
    for operation in history.operations() {
        let (key, input) = key_and_input(operation.operation);
        let (ret, output, failed) = match operation.completion {
            Completion::Ok(at, outcome) => (Some(at), Some(output(outcome)), false),
            Completion::Fail(at, _) => (Some(at), None, true),
            Completion::Info(_) => (None, None, false),
        };
        groups.entry(key).or_default().push(Call {
            id: operation.call,
            process: operation.process,
            input,
            output,
            call: operation.call,
            ret,
            call_ns: time_us(operation.call) * 1000,
            return_ns: ret.map(|index| time_us(index) * 1000),
            failed,
        });
    }
    let report = check_by_key(&Kv, groups.into_iter().collect(), &Limits::default());
    match (report.verdict, report.witness) {
        (Verdict::Valid, _) => Ok(()),
        (_, Some(witness)) => Err(proof(history, &witness)),
        (verdict, None) => {
            let ended_us = history.events().last().map_or(0, |event| event.time_us);
            Err(Failure::new(ended_us, format!("{verdict:?}: {:?}", report.reason)))
        }
    }
}

/// The witness with its operations, each on a line.
fn proof(history: &History, witness: &Witness) -> Failure {
    let operations = history.operations();
    let proof = operations.iter().filter(|operation| witness.operations.contains(&operation.call));
    let completed_us = |operation: &Operation| match operation.completion {
        Completion::Ok(index, _) | Completion::Fail(index, _) => Some(time_us(history, index)),
        Completion::Info(_) => None,
    };
    let line = |operation: &Operation| {
        let invoked = seconds(time_us(history, operation.call));
        let completed = completed_us(operation).map_or_else(|| "never".to_owned(), seconds);
        let outcome = match &operation.completion {
            Completion::Ok(_, outcome) => outcome_text(outcome),
            Completion::Fail(_, reason) => format!("failed, {reason}"),
            Completion::Info(reason) => format!("unknown, {reason}"),
        };
        let (client, seq) = (operation.client(), operation.seq);
        let operation = operation_text(&operation.operation);
        format!("\n  {invoked} to {completed}: request {seq} of {client}, {operation}: {outcome}")
    };
    let showed_us = proof.clone().filter_map(completed_us).max().unwrap_or_default();
    let lines: String = proof.clone().map(line).collect();
    Failure::of(proof, showed_us, format!("not linearizable. {}{lines}", witness.sentence))
}

fn time_us(history: &History, index: u64) -> u64 {
    let event = usize::try_from(index).ok().and_then(|index| history.events().get(index));
    event.map_or(0, |event| event.time_us)
}

fn key_and_input(operation: contract::Operation) -> (String, KvInput) {
    use contract::Operation::{Append, Cas, Get, Put, PutHash};
    match operation {
        Get { key } => (key, KvInput::Get),
        Put { key, value } => (key, KvInput::Put(value.into())),
        Append { key, value } => (key, KvInput::Append(value.into())),
        PutHash { key, value } => (key, KvInput::PutHash(value.into())),
        Cas { key, expect, value } => {
            (key, KvInput::Cas { expect: expect.map(Into::into), value: value.into() })
        }
        other => panic!("the simulated clients do not ask for {other:?}"),
    }
}

fn output(outcome: Outcome) -> KvOutput {
    match outcome {
        Outcome::Value { value } => KvOutput::Value(value.map(Into::into)),
        Outcome::Previous { previous } => KvOutput::Previous(previous.into()),
        Outcome::Swapped { swapped, value } => {
            KvOutput::Cas { swapped, current: value.map(|value| value.map(Into::into)) }
        }
        Outcome::Done {} => KvOutput::Done,
        other => panic!("no operation of the simulated clients has the outcome {other:?}"),
    }
}
