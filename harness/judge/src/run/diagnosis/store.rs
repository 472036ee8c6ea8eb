//! A few keys as the contract says that they behave, for the checker of linearizability; and operations that are carried
//! out in two steps, as the contract says that they are not.

use std::collections::BTreeMap;

use contract::{Operation as Asked, Outcome};
use linearizability::{Effects, Model};
use workloads::store::{self, Values, Written};

/// A few keys of a store.
pub(super) struct Store;

/// An operation, or a half of one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// All of it, at one moment.
    Whole(Asked),
    /// It finds what it needs, and what it is to write is kept under its number.
    Finds(u64, Asked),
    /// What was kept under this number is written.
    Writes(u64),
}

/// What the keys hold, and what halves of operations are still to write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct State {
    values: Values,
    kept: BTreeMap<u64, Written>,
}

impl Model for Store {
    type Input = Step;
    type Output = Outcome;
    type State = State;

    fn initial(&self) -> State {
        State::default()
    }

    fn step(&self, state: &State, step: &Step, output: Option<&Outcome>) -> Option<State> {
        let mut next = state.clone();
        match step {
            Step::Whole(asked) => {
                store::write(&mut next.values, store::answered(&state.values, asked, output)?);
            }
            Step::Finds(number, asked) => {
                next.kept.insert(*number, store::answered(&state.values, asked, output)?);
            }
            Step::Writes(number) => store::write(&mut next.values, next.kept.remove(number)?),
        }
        Some(next)
    }

    fn describe(&self, step: &Step, _output: Option<&Outcome>) -> String {
        match step {
            Step::Whole(asked) | Step::Finds(_, asked) => asked.name().to_owned(),
            Step::Writes(_) => "write".to_owned(),
        }
    }

    fn effects<'a>(&'a self, step: &'a Step, output: Option<&'a Outcome>) -> Effects<'a> {
        match step {
            Step::Whole(asked) => store::effects(asked, output),
            Step::Finds(..) | Step::Writes(_) => Effects::unknown(),
        }
    }

    fn state_bytes(&self, state: &State) -> usize {
        let of_kept = state
            .kept
            .values()
            .flatten()
            .map(|(key, value)| key.len() + value.as_ref().map_or(0, String::len) + 48);
        size_of::<State>() + store::bytes(&state.values) + of_kept.sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_found_is_written_later_and_once() {
        let asked = Asked::from_parts("append", &json!({ "key": "x", "value": "b" })).unwrap();
        let put = Asked::from_parts("put", &json!({ "key": "x", "value": "a" })).unwrap();
        let steps = [Step::Finds(7, asked), Step::Whole(put), Step::Writes(7)];
        let end =
            steps.iter().try_fold(State::default(), |state, step| Store.step(&state, step, None));
        let end = end.expect("all are possible");
        assert_eq!(end.values, Values::from([("x".to_owned(), "b".to_owned())]));
        assert_eq!(Store.step(&end, &Step::Writes(7), None), None);
    }
}
