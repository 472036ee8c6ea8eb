//! A violation in words: a proof of a few operations where there is one, else what the search could not place.

mod circle;
mod general;
mod order;
mod possible;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use general::{describe, undescribed};
pub(crate) use words::told;

use crate::monitors::Refutation;
use crate::{CallOf, Model};
use order::Orders;

/// Why one of these operations (positions) fits no order, where a few operations show it.
///
/// It is a proof: of a history that has an order, nothing is ever explained.
pub(crate) fn explain<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    suspects: impl Iterator<Item = usize>,
) -> Option<Refutation> {
    let facts: Vec<_> =
        calls.iter().map(|call| model.facts(&call.input, call.output.as_ref())).collect();
    let orders = Orders::new(model, calls, &facts);
    let returned = |&suspect: &usize| calls[suspect].ret.is_some() && !calls[suspect].failed;
    suspects.filter(returned).find_map(|suspect| {
        let impossible =
            || orders.impossible(suspect).map(|seen| words::of_impossible(&orders, seen));
        let circle =
            || circle::find(&orders, suspect).map(|circle| words::of_circle(&orders, &circle));
        model.explain(suspect, calls).or_else(impossible).or_else(circle)
    })
}
