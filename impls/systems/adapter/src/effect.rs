//! For databases that only compare and write: what an operation would do, worked out beside the database.
//!
//! Such an adapter reads all keys of an operation, works out its effect, and writes that on the condition that what it read
//! has not changed. The meaning of the operations is that of the reference store.

use std::collections::BTreeMap;

use contract::{Answer, Operation, Outcome, Refusal};
use kv::Store;
use node::Application;

/// The keys of an operation with their values, `None` where a key is missing.
pub type State = BTreeMap<String, Option<String>>;

/// What an operation comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Its outcome.
    pub outcome: Outcome,
    /// The keys whose values change, with the new ones.
    pub writes: State,
}

/// What the operation comes to in this state, which has each of its keys.
///
/// # Errors
/// The operation is none of a store of keys.
pub fn effect(operation: &Operation, state: &State) -> Result<Effect, Refusal> {
    let mut store = Store::default();
    for (key, value) in state {
        store.set(key, value.clone());
    }
    let outcome = match store.apply(operation) {
        Answer::Ok(outcome) => outcome,
        Answer::Error(refusal) => return Err(refusal),
    };
    let changed = |(key, before): (&String, &Option<String>)| {
        let after = store.get(key);
        (after != before.as_deref()).then(|| (key.clone(), after.map(str::to_owned)))
    };
    Ok(Effect { outcome, writes: state.iter().filter_map(changed).collect() })
}

#[cfg(test)]
mod tests {
    use contract::MicroOperation;

    use super::*;

    fn state(pairs: &[(&str, Option<&str>)]) -> State {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect()
    }

    #[test]
    fn only_what_changes_is_written() {
        let before = state(&[("x", Some("1")), ("y", None)]);
        let swap = Operation::Swap { a: "x".to_owned(), b: "y".to_owned() };
        let swapped = effect(&swap, &before).unwrap();
        assert_eq!(swapped.writes, state(&[("x", None), ("y", Some("1"))]));
        let txn = Operation::Txn {
            guards: state(&[("y", None)]),
            ops: vec![MicroOperation::Append("x".to_owned(), "2".to_owned())],
        };
        let appended = effect(&txn, &before).unwrap();
        assert_eq!(appended.writes, state(&[("x", Some("12"))]));
        let guarded = Operation::Txn { guards: state(&[("x", None)]), ops: Vec::new() };
        let refused = effect(&guarded, &before).unwrap();
        assert_eq!(refused.outcome, Outcome::Committed { committed: false, results: None });
        assert_eq!(refused.writes, State::new());
    }

    #[test]
    fn operations_of_controllers_are_refused() {
        let query = Operation::Query { num: -1 };
        assert!(effect(&query, &State::new()).is_err());
    }
}
