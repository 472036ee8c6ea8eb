//! What to say where no circle of a few operations shows it.

use super::possible;
use crate::call::sort_by_call;
use crate::describe::{describe, describe_briefly, elided};
use crate::problem::{Item, Sample};
use crate::refutation::Refutation;
use crate::{Anomaly, CallOf, Model};

/// The most operations that a sentence names besides the one that fits nowhere.
const NAMED_MAX: usize = 4;

/// So few are all listed, whether they matter or not.
const GLANCE_MAX: usize = 6;

/// The most operations of a witness.
const LISTED_MAX: usize = 12;

/// Operations that no order explains, those that count in full first and in the order of their returns,
/// the last one being the one that broke it. The others may take effect or not.
pub(crate) fn impossible_result<'a, M: Model>(
    model: &'a M,
    core: &[Item<'a, M>],
    others: &[Item<'a, M>],
    calls: &[CallOf<M>],
) -> Refutation {
    let Some((stuck, before)) = core.split_last() else { return no_order(model, calls, &[]) };
    let few = core.len() + others.len() <= LISTED_MAX;
    // Few enough to be seen as they are: what matters is then easier to follow.
    let full = |item: &Item<'a, M>| Item {
        ret: item.call.ret,
        output: item.call.output.as_ref(),
        ..*item
    };
    let others: Vec<Item<'_, M>> =
        others.iter().map(|item| if few { full(item) } else { *item }).collect();
    let all: Vec<Item<'_, M>> = core.iter().chain(&others).copied().collect();
    let possible = possible::results(model, &all, before.len()).unwrap_or_default();
    let possible: Vec<String> = possible
        .iter()
        .map(|result| elided(&model.describe(&stuck.call.input, Some(result))))
        .collect();
    // What nobody knows of may have happened and brought about what is told: that it did not help is part of the proof.
    let matters = |other: &&Item<'a, M>| {
        let may_help = || core.iter().any(|item| may_enable(model, other, item));
        all.len() <= GLANCE_MAX || (few || other.call.ret.is_none()) && may_help()
    };
    let in_doubt = others.iter().filter(matters).take(if few { LISTED_MAX } else { NAMED_MAX });
    let in_doubt: Vec<usize> = in_doubt.map(|item| item.source as usize).collect();
    let in_full = core.iter().rev().take(LISTED_MAX - in_doubt.len().min(LISTED_MAX - 1));
    let mut listed: Vec<usize> =
        in_full.map(|item| item.source as usize).chain(in_doubt.iter().copied()).collect();
    sort_by_call(calls, &mut listed);
    let operations = listed.iter().map(|&at| at as u32);
    let listed: Vec<&CallOf<M>> = listed.iter().map(|&at| &calls[at]).collect();
    let text = describe_briefly(model, stuck.call);
    let why = match possible.as_slice() {
        [] => "fits no order".to_owned(),
        [only] => format!("could only have been {only}"),
        some => format!("could only have been {}", some.join(" or ")),
    };
    let count = if few { all.len() } else { core.len() + in_doubt.len() } - 1;
    let with = with(model, &listed, stuck.call, count);
    Refutation::new(calls, Anomaly::ImpossibleResult, &format!("{text} {why}{with}"), operations)
}

/// Where the history could not be made smaller: at which operations the search ended.
pub(crate) fn no_order<M: Model>(model: &M, calls: &[CallOf<M>], suspects: &[usize]) -> Refutation {
    let end = match suspects.first() {
        Some(&first) => {
            format!("; none that was tried gets past {}", describe(model, &calls[first]))
        }
        None => String::new(),
    };
    let sentence = format!("no order of the operations explains all their results{end}.");
    let operations = suspects.iter().take(LISTED_MAX).map(|&at| at as u32).collect();
    Refutation { kind: Anomaly::ImpossibleResult, sentence, operations }
}

/// Could the one be legal right after the other?
fn may_enable<'a, M: Model>(model: &'a M, other: &Item<'a, M>, item: &Item<'a, M>) -> bool {
    let of = |item: &Item<'a, M>| Sample::<M>::of(model, item.call);
    of(other).may_enable(model, &of(item))
}

/// The operations around it; those first whose end nobody knows, for nobody would guess that it depends on them.
fn with<M: Model>(model: &M, listed: &[&CallOf<M>], stuck: &CallOf<M>, count: usize) -> String {
    let (unknown, known): (Vec<&CallOf<M>>, Vec<&CallOf<M>>) = listed
        .iter()
        .copied()
        .filter(|call| call.id != stuck.id)
        .partition(|call| call.ret.is_none());
    let last = known.len().saturating_sub(NAMED_MAX.saturating_sub(unknown.len()).max(1));
    let mut named: Vec<&CallOf<M>> = unknown.into_iter().take(NAMED_MAX).collect();
    named.extend(&known[last..]);
    named.sort_by_key(|call| call.call);
    let names: Vec<String> = named.iter().map(|call| describe_briefly(model, call)).collect();
    let more = count - names.len();
    match (names.as_slice(), more) {
        ([], _) => ", whatever the others did".to_owned(),
        (names, 0) => format!(", whatever the order of {}", names.join("; ")),
        (names, more) => {
            format!(", whatever the order of {}; and {more} more before", names.join("; "))
        }
    }
}
