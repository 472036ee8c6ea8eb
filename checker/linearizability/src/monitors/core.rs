//! A `violation` verdict's proof.

use super::{Refutation, Stop};
use crate::{Anomaly, CallOf, Model, describe, oracle};

/// The most operations that are tried in every order.
const VERIFIED_MAX: usize = 8;

/// The most operations that a sentence names.
const NAMED_MAX: usize = 12;

/// The violation that these operations prove: no order explains them, and leaving out all others cannot have made
/// that so. Where an order is found after all, nothing is claimed.
pub(crate) fn refuted<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    operations: impl IntoIterator<Item = u32>,
    kind: Anomaly,
    text: &str,
) -> Stop {
    refuted_by(model, calls, operations, Clone::clone, kind, text)
}

/// The same where only a part of these operations' results counts.
pub(crate) fn refuted_by<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    operations: impl IntoIterator<Item = u32>,
    part: impl Fn(&CallOf<M>) -> CallOf<M>,
    kind: Anomaly,
    text: &str,
) -> Stop {
    let refutation = Refutation::new(calls, kind, text, operations);
    let core: Vec<CallOf<M>> =
        refutation.operations.iter().map(|&i| part(&calls[i as usize])).collect();
    if core.len() <= VERIFIED_MAX && oracle::is_linearizable(model, &core) {
        return Stop::Outside;
    }
    Stop::Refuted(refutation)
}

/// An operation with its process and times.
pub(crate) fn describe<M: Model>(model: &M, calls: &[CallOf<M>], operation: u32) -> String {
    describe::describe(model, &calls[operation as usize])
}

/// The same without times and with less of its values, for sentences about several.
pub(crate) fn describe_briefly<M: Model>(model: &M, calls: &[CallOf<M>], operation: u32) -> String {
    describe::describe_briefly(model, &calls[operation as usize])
}

/// Several operations, in the order given.
pub(crate) fn listed<M: Model>(model: &M, calls: &[CallOf<M>], operations: &[u32]) -> String {
    let named = operations.iter().take(NAMED_MAX).map(|&i| describe_briefly(model, calls, i));
    let mut parts: Vec<String> = named.collect();
    let more = operations.len().saturating_sub(NAMED_MAX);
    if more > 0 {
        parts.push(format!("and {more} other operations"));
    }
    parts.join("; ")
}

/// Drops ever smaller chunks while the rest is still wrong (delta debugging).
pub(crate) fn shrink<T: Clone>(few: &mut Vec<T>, is_wrong: impl Fn(&[T]) -> bool) {
    let mut size = few.len();
    while size > 0 {
        let mut at = 0;
        while at < few.len() {
            let end = (at + size).min(few.len());
            let rest = [&few[..at], &few[end..]].concat();
            if is_wrong(&rest) { *few = rest } else { at = end }
        }
        size /= 2;
    }
}
