//! Why a queue or a stack cannot have answered as it did, whatever its order: too much taken out, or wrongly empty.

use super::Datum;
use crate::call::sort_by_call;
use crate::describe::describe;
use crate::refutation::Refutation;
use crate::{Anomaly, CallOf, Model};

/// An operation on a collection that values are put into and taken from.
pub(super) enum Use<'a, V> {
    Put(&'a V),
    Took(&'a V),
    FoundNothing,
    /// It may have taken anything.
    TookUnknown,
}

/// Why `stuck` fits no order, by counting alone. `verbs`: what was done to a value that was put in, and taken out.
pub(super) fn explain<'a, M: Model, V: Datum + 'a>(
    model: &M,
    stuck: usize,
    calls: &'a [CallOf<M>],
    used: impl Fn(&'a CallOf<M>) -> Use<'a, V>,
    verbs: [&str; 2],
) -> Option<Refutation> {
    let [put, taken] = verbs;
    let (begin, end) = (calls[stuck].call, calls[stuck].ret?);
    let by_end = || (0..calls.len()).filter(|&at| calls[at].call <= end && !calls[at].failed);
    let is_over = |at: &usize| calls[*at].ret.is_some_and(|ret| ret < begin);
    let operation = describe(model, &calls[stuck]);
    let (kind, text, mut operations) = match used(&calls[stuck]) {
        Use::Took(value) => {
            let puts: Vec<usize> = by_end()
                .filter(|&at| matches!(used(&calls[at]), Use::Put(other) if other == value))
                .collect();
            let took = |&at: &usize| {
                matches!(used(&calls[at]), Use::Took(other) if other == value)
                    && calls[at].ret.is_some_and(|ret| ret <= end)
            };
            let takes: Vec<usize> = by_end().filter(took).collect();
            if takes.len() <= puts.len() {
                return None;
            }
            let (shown, times) =
                (
                    value.shown(),
                    |n: usize| if n == 1 { "once".to_owned() } else { format!("{n} times") },
                );
            match puts.len() {
                0 => (
                    Anomaly::PhantomValue,
                    format!("{operation} returned {shown}, which nobody had {put}"),
                    takes,
                ),
                n => {
                    let text = format!(
                        "{operation} returned {shown}, {taken} {} by then and {put} only {}",
                        times(takes.len()),
                        times(n)
                    );
                    (Anomaly::TakenTwice, text, [puts, takes].concat())
                }
            }
        }
        Use::FoundNothing => {
            let puts: Vec<usize> = by_end()
                .filter(is_over)
                .filter(|&at| matches!(used(&calls[at]), Use::Put(_)))
                .collect();
            let takes: Vec<usize> = by_end()
                .filter(|&at| matches!(used(&calls[at]), Use::Took(_) | Use::TookUnknown))
                .collect();
            if puts.len() <= takes.len() {
                return None;
            }
            let text = format!(
                "{operation} began when {} had been {put}, and at most {} can have been {taken} by its end",
                counted(puts.len()),
                takes.len()
            );
            (Anomaly::WronglyEmpty, text, [puts, takes].concat())
        }
        Use::Put(_) | Use::TookUnknown => return None,
    };
    // Of many the last ones will do to see it.
    const LISTED_MAX: usize = 11;
    operations.retain(|&at| at != stuck);
    sort_by_call(calls, &mut operations);
    operations.drain(..operations.len().saturating_sub(LISTED_MAX));
    let operations = operations.into_iter().chain([stuck]).map(|at| at as u32);
    Some(Refutation::new(calls, kind, &text, operations))
}

fn counted(values: usize) -> String {
    if values == 1 { "1 value".to_owned() } else { format!("{values} values") }
}
