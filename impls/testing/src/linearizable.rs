//! Whether simulated clients saw a linearizable store.

use std::collections::BTreeMap;

use contract::Outcome;
use history::Verdict;
use linearizability::{
    Call, Limits, check_by_key,
    models::kv::{Kv, KvInput, KvOutput},
};
use node::sim::{Completion, History};

/// Checks the clients' history, key by key.
///
/// # Errors
/// It is not linearizable, or the check did not come to an end.
pub fn linearizable(history: &History) -> Result<(), String> {
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
            call_ns: operation.call,
            return_ns: ret,
            failed,
        });
    }
    let report = check_by_key(&Kv, groups.into_iter().collect(), &Limits::default());
    match report.verdict {
        Verdict::Valid => Ok(()),
        _ => Err(format!("{:?}: {:?} {:?}", report.verdict, report.reason, report.witness)),
    }
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
