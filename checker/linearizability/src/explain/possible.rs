//! Which results an operation could have had.

use rustc_hash::FxHashSet;

use crate::Model;
use crate::problem::Item;

/// More results than this are no help to a reader.
const RESULTS_MAX: usize = 4;

/// Configurations to visit.
const NODES_MAX: usize = 300;

/// The operation in question is not placed yet.
const NONE: usize = usize::MAX;

/// All results that this operation (a place among the items) could have had in a legal order of everything that
/// returned; `None` where there are many, or too much to try.
pub(super) fn results<M: Model>(
    model: &M,
    items: &[Item<'_, M>],
    stuck: usize,
) -> Option<Vec<M::Output>> {
    if items.len() > 64 {
        return None;
    }
    let mut results: Vec<M::Output> = Vec::new();
    let mut lead_to_an_end = FxHashSet::default();
    let mut seen = FxHashSet::default();
    let mut stack = vec![(0_u64, model.initial(), NONE)];
    while let Some((placed, state, result)) = stack.pop() {
        if seen.len() > NODES_MAX {
            return None;
        }
        if !seen.insert((placed, state.clone(), result)) {
            continue;
        }
        let is_placed = |at: usize| placed & (1 << at) != 0;
        // What returned first comes first.
        let end =
            (0..items.len()).filter(|&at| !is_placed(at)).filter_map(|at| items[at].ret).min();
        if end.is_none() {
            lead_to_an_end.insert(result);
        }
        for (at, item) in items.iter().enumerate() {
            if is_placed(at) || end.is_none_or(|end| end < item.call.call) {
                continue;
            }
            let (output, result) = if at == stuck {
                let output = model.answer(&state, &item.call.input)?;
                let known = results.iter().position(|known| *known == output);
                let number = known.unwrap_or(results.len());
                if known.is_none() {
                    results.push(output.clone());
                }
                if results.len() > RESULTS_MAX {
                    return None;
                }
                (Some(output), number)
            } else {
                (item.output.cloned(), result)
            };
            if let Some(next) = model.step(&state, &item.call.input, output.as_ref()) {
                stack.push((placed | (1 << at), next, result));
            }
        }
    }
    let ends = results.into_iter().enumerate().filter(|(at, _)| lead_to_an_end.contains(at));
    Some(ends.map(|(_, result)| result).collect())
}
