//! The simulated clients' history as operations of a record, for checkers that judge those.

use contract::Outcome;
use node::sim::{Completion, History};

/// Every operation, in the order of the invocations.
#[must_use]
pub fn recorded(history: &History) -> Vec<history::Operation> {
    let time_ns = |index: u64| {
        let event = usize::try_from(index).ok().and_then(|index| history.events().get(index));
        event.map_or(0, |event| event.time_us * 1000)
    };
    let result = |outcome: &Outcome| serde_json::to_value(outcome).unwrap_or_default();
    let operations = history.operations().into_iter().map(|operation| {
        let (completion, returned) = match operation.completion {
            Completion::Ok(at, outcome) => {
                (history::Completion::Ok(at, result(&outcome)), Some(at))
            }
            Completion::Fail(at, _) => (history::Completion::Fail(at, None), Some(at)),
            Completion::Info(_) => (history::Completion::Info(None), None),
        };
        history::Operation {
            call: operation.call,
            process: operation.process,
            f: operation.operation.name().into(),
            arguments: operation.operation.arguments(),
            completion,
            call_ns: time_ns(operation.call),
            return_ns: returned.map(time_ns),
            node: None,
            phase: String::new(),
        }
    });
    operations.collect()
}
