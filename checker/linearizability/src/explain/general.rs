//! What to say where no circle of a few operations shows it.

use super::possible;
use crate::call::sort_by_call;
use crate::describe::{describe, describe_briefly, elided};
use crate::problem::Item;
use crate::refutation::Refutation;
use crate::{Anomaly, CallOf, Model};

/// The most operations that a sentence names besides the one that fits nowhere.
const NAMED_MAX: usize = 4;

/// The most operations of a witness.
const LISTED_MAX: usize = 12;

/// Operations that no order explains, those that count in full first and in the order of their returns,
/// the last one being the one that broke it. The others may take effect or not.
pub(crate) fn impossible_result<'a, M: Model>(
    model: &M,
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
    let about = core.iter().rev().chain(others.iter().filter(|_| few));
    let mut listed: Vec<usize> = about.take(LISTED_MAX).map(|item| item.source as usize).collect();
    sort_by_call(calls, &mut listed);
    let operations = listed.iter().map(|&at| at as u32);
    let listed: Vec<&CallOf<M>> = listed.iter().map(|&at| &calls[at]).collect();
    let text = describe_briefly(model, stuck.call);
    let why = match possible.as_slice() {
        [] => "fits no order".to_owned(),
        [only] => format!("could only have been {only}"),
        some => format!("could only have been {}", some.join(" or ")),
    };
    let count = if few { all.len() } else { core.len() } - 1;
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

/// The operations around it.
fn with<M: Model>(model: &M, listed: &[&CallOf<M>], stuck: &CallOf<M>, count: usize) -> String {
    let others: Vec<&&CallOf<M>> = listed.iter().filter(|call| call.id != stuck.id).collect();
    let first = others.len().saturating_sub(NAMED_MAX);
    let names: Vec<String> =
        others[first..].iter().map(|call| describe_briefly(model, call)).collect();
    let more = count - names.len();
    match (names.as_slice(), more) {
        ([], _) => ", whatever the others did".to_owned(),
        (names, 0) => format!(", whatever the order of {}", names.join("; ")),
        (names, more) => {
            format!(", whatever the order of {}; and {more} more before", names.join("; "))
        }
    }
}
