//! A violation in words: a proof of a few operations where there is one, else what the search could not place.

mod circle;
mod effort;
mod general;
mod order;
mod possible;
mod sources;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use effort::{Effort, WORK_MAX};
pub(crate) use general::{impossible_result, no_order};

use crate::refutation::Refutation;
use crate::{CallOf, Model};
use order::Orders;

/// Of so many suspects, the first ones, circles of more than two operations are looked for: that takes longer, and what
/// blocked first is most often to blame.
const LONGER_MAX: usize = 2;

/// Why one of these operations (positions) fits no order, where a few operations show it; also `None` where looking for
/// that takes more than it may.
///
/// It is a proof: of a history that has an order, nothing is ever explained.
pub(crate) fn explain<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    suspects: impl Iterator<Item = usize>,
    effort: &Effort<'_>,
) -> Option<Refutation> {
    let returned = |&suspect: &usize| calls[suspect].ret.is_some() && !calls[suspect].failed;
    let suspects: Vec<usize> = suspects.filter(returned).collect();
    let whole = calls.len() as u64;
    let mut affordable = suspects.iter().take_while(|_| effort.spend(whole));
    if let Some(found) = affordable.find_map(|&suspect| model.explain(suspect, calls)) {
        return Some(found);
    }
    if !effort.spend(whole) {
        return None;
    }
    let effects: Vec<_> =
        calls.iter().map(|call| model.effects(&call.input, call.output.as_ref())).collect();
    let orders = Orders::new(model, calls, &effects);
    let simple = |&suspect: &usize| {
        let impossible = orders.impossible(suspect);
        let impossible = impossible.map(|seen| words::of_impossible(&orders, seen));
        impossible.or_else(|| {
            let circle = circle::of_two(&orders, suspect, effort)?;
            Some(words::of_circle(&orders, &circle))
        })
    };
    let longer = |&suspect: &usize| {
        let circle = circle::longer(&orders, suspect, effort)?;
        Some(words::of_circle(&orders, &circle))
    };
    let first = || suspects.iter().take(LONGER_MAX);
    suspects.iter().find_map(simple).or_else(|| first().find_map(longer))
}
