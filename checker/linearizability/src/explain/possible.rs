//! Which results an operation could have had.

use rustc_hash::FxHashSet;

use crate::Model;
use crate::problem::Item;

/// More results than this are no help to a reader.
const RESULTS_MAX: usize = 4;

/// Configurations to visit.
const NODES_MAX: usize = 1000;

/// All results that this operation (a place among the items) could have had after any legal order of others that
/// came before it; `None` where there are many, or too much to try.
pub(super) fn results<M: Model>(
    model: &M,
    items: &[Item<'_, M>],
    stuck: usize,
) -> Option<Vec<M::Output>> {
    let first = model.initial();
    let mut results = Vec::new();
    let mut seen = FxHashSet::default();
    let mut stack = vec![(0_u64, first)];
    while let Some((placed, state)) = stack.pop() {
        if seen.len() > NODES_MAX || items.len() > 64 {
            return None;
        }
        if !seen.insert((placed, state.clone())) {
            continue;
        }
        let is_placed = |at: usize| placed & (1 << at) != 0;
        // What returned first comes first.
        let end =
            (0..items.len()).filter(|&at| !is_placed(at)).filter_map(|at| items[at].ret).min();
        for (at, item) in items.iter().enumerate() {
            if is_placed(at) || end.is_some_and(|end| end < item.call.call) {
                continue;
            }
            if at == stuck {
                let result = model.answer(&state, &item.call.input)?;
                if !results.contains(&result) {
                    results.push(result);
                }
                if results.len() > RESULTS_MAX {
                    return None;
                }
            } else if let Some(next) = model.step(&state, &item.call.input, item.output) {
                stack.push((placed | (1 << at), next));
            }
        }
    }
    Some(results)
}
