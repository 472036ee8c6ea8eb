//! Whether the store still has what it acknowledged.

use std::collections::BTreeSet;

use contract::Outcome;
use node::sim::{Completion, History, Operation, operation_text};

use crate::recorder::Applied;

/// What was acknowledged is durable: `applied`, what led to the state that is left, holds each write whose client was told
/// that it happened. A lost write shows in the history only where somebody read afterwards; here it shows in any case.
///
/// # Errors
/// The first write that is missing.
pub fn is_durable(history: &History, applied: &[Applied]) -> Result<(), String> {
    let applied: BTreeSet<(&str, u64)> =
        applied.iter().map(|(client, seq)| (client.as_str(), *seq)).collect();
    let lost = |write: &Operation| !applied.contains(&(write.client().as_str(), write.seq));
    match history.operations().iter().filter(|operation| wrote(operation)).find(|write| lost(write))
    {
        None => Ok(()),
        Some(write) => Err(format!(
            "an acknowledged write is lost: request {} of {}, {}",
            write.seq,
            write.client(),
            operation_text(&write.operation)
        )),
    }
}

/// Whether its client knows that it changed something.
fn wrote(operation: &Operation) -> bool {
    match &operation.completion {
        Completion::Ok(_, Outcome::Swapped { swapped, .. }) => *swapped,
        Completion::Ok(..) => !operation.operation.is_read_only(),
        Completion::Fail(..) | Completion::Info(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use contract::Operation as Op;
    use node::sim::EventKind;

    use super::*;

    fn put() -> EventKind {
        EventKind::Invoke(Op::Put { key: "x".to_owned(), value: "1".to_owned() })
    }

    /// One process: a read, a write that was acknowledged, one that failed, one of which nobody knows.
    fn history() -> History {
        let mut history = History::default();
        let node = "n1".to_owned();
        for kind in [
            EventKind::Invoke(Op::Get { key: "x".to_owned() }),
            EventKind::Ok(Outcome::Value { value: None }),
            put(),
            EventKind::Ok(Outcome::Done {}),
            put(),
            EventKind::Fail("not the leader".to_owned()),
            put(),
            EventKind::Info("no answer".to_owned()),
        ] {
            history.record(0, 7, &node, kind);
        }
        history
    }

    #[test]
    fn an_acknowledged_write_that_is_gone_is_found() {
        let request = |seq| ("c7".to_owned(), seq);
        assert_eq!(is_durable(&history(), &[request(2)]), Ok(()));
        let error = is_durable(&history(), &[request(3), request(4)]).unwrap_err();
        assert_eq!(error, "an acknowledged write is lost: request 2 of c7, put x 1");
    }

    #[test]
    fn a_refused_swap_need_not_be_applied() {
        let swap = |swapped| {
            let mut history = History::default();
            let op = Op::Cas { key: "x".to_owned(), expect: None, value: "1".to_owned() };
            history.record(0, 1, &"n1".to_owned(), EventKind::Invoke(op));
            let outcome = Outcome::Swapped { swapped, value: None };
            history.record(0, 1, &"n1".to_owned(), EventKind::Ok(outcome));
            is_durable(&history, &[])
        };
        assert_eq!(swap(false), Ok(()));
        assert!(swap(true).is_err());
    }
}
