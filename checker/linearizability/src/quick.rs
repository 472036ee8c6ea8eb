//! The same question about many variants of one history, each asked with little effort.

use std::time::Instant;

use crate::limits::Budget;
use crate::parallel::ALONE;
use crate::problem::{Prepared, items};
use crate::search::search;
use crate::{CallOf, Limits, Model};

/// Whether the calls have an order that the model accepts and that respects real time; `None` where so many
/// configurations, or the limits, do not suffice to tell. Those that were visited are taken from `nodes`.
///
/// A yes has been found step by step; a no rests on the search, as a violation of [`crate::check()`] does.
pub fn has_order<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    nodes: &mut u64,
    limits: &Limits,
) -> Option<bool> {
    let budget = Budget {
        deadline: crate::check::deadline(Instant::now(), limits),
        memory_bytes: limits.memory_bytes,
        nodes: *nodes,
        cancel: limits.cancel.as_deref(),
        race: None,
        threads: &ALONE,
    };
    let items = items::<M>(calls);
    let found = search(Prepared::new(model, &items), &budget);
    *nodes = nodes.saturating_sub(found.spent.nodes);
    found.answer.ok().map(|order| order.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Call;
    use crate::models::kv::{Kv, KvInput, KvOutput};

    #[test]
    fn the_answer_is_that_of_the_check_or_none_where_it_takes_too_long() {
        let call = |id: u64, input, output| Call {
            id,
            process: id,
            input,
            output: Some(output),
            call: 2 * id,
            ret: Some(2 * id + 1),
            call_ns: 2 * id,
            return_ns: Some(2 * id + 1),
            failed: false,
        };
        let put = call(0, KvInput::Put("a".into()), KvOutput::Done);
        let get = |value: &str| call(1, KvInput::Get, KvOutput::Value(Some(value.into())));
        let limits = Limits::default();
        let ask =
            |value, mut nodes| has_order(&Kv, &[put.clone(), get(value)], &mut nodes, &limits);
        assert_eq!((ask("a", 1000), ask("b", 1000), ask("a", 0)), (Some(true), Some(false), None));
        let mut left = 1000;
        has_order(&Kv, &[put.clone(), get("a")], &mut left, &limits);
        assert!(left < 1000);
    }
}
