//! Every read of a counter lies between what must have been added and what can have been.
//!
//! `add` adds a whole number, `increment` and `decrement` one, `read` gives the value.

use history::{
    Findings, Operation,
    words::{counted, shown, who},
};
use serde_json::json;

use crate::judgement::Judgement;
use crate::shape::{failed, integer, misfit, only, returned, succeeded};

/// Each read must lie within its bounds, from 0 before the first operation on.
///
/// Additions that ended before a read began count in full, those that began before it ended may have taken effect or
/// not, the others not at all. What only a particular selection of them could give is not looked for.
pub(crate) fn judge(operations: &[Operation]) -> Result<Judgement, String> {
    only(operations, &["add", "increment", "decrement", "read"])?;
    let additions = additions(operations)?;
    let begun = Sums::new(additions.iter().map(|(operation, n)| (operation.call, *n)));
    let ended = Sums::new(additions.iter().filter_map(|(op, n)| Some((returned(op)?, *n))));
    let mut findings = Findings::default();
    let mut reads = 0;
    let mut widest = 0;
    for (read, result) in succeeded(operations, "read") {
        let value = integer(result).ok_or_else(|| misfit(read, result, "a whole number"))?;
        let (certain, possible) =
            (ended.before(read.call), begun.before(returned(read).unwrap_or(u64::MAX)));
        // What is certain is among what is possible: its negative part is counted there, its positive part here.
        let low = certain.positive.saturating_add(possible.negative);
        let high = certain.negative.saturating_add(possible.positive);
        reads += 1;
        widest = widest.max(high.saturating_sub(low));
        if (low..=high).contains(&value) {
            continue;
        }
        findings.add("counter out of bounds", suspects(read, &additions), || {
            let (is, bound) = if value < low {
                ("too low: what had been added before it began comes to at least", low)
            } else {
                ("too high: what was added before it ended comes to at most", high)
            };
            format!("{} saw {}, which is {is} {bound}", who(read), shown(result))
        });
    }
    let untested =
        (reads == 0).then(|| "No read succeeded, so the counter was not seen.".to_owned());
    let checked = format!(
        "{} must lie within bounds, at most {widest} wide, through {}.",
        counted(reads, "read"),
        counted(additions.len(), "addition")
    );
    Ok(Judgement::of(findings, &checked, untested).with_statistics(
        json!({ "reads": reads, "additions": additions.len(), "widest_bounds": widest.to_string() }),
    ))
}

/// What was added, or may have been.
fn additions(operations: &[Operation]) -> Result<Vec<(&Operation, i128)>, String> {
    let made = operations.iter().filter(|operation| operation.f != "read" && !failed(operation));
    let amount = |operation: &Operation| match operation.f.as_str() {
        "increment" => Ok(1),
        "decrement" => Ok(-1),
        _ => integer(&operation.arguments)
            .ok_or_else(|| misfit(operation, &operation.arguments, "a whole number")),
    };
    made.map(|operation| Ok((operation, amount(operation)?))).collect()
}

/// The read, and the latest additions that began before it.
fn suspects(read: &Operation, additions: &[(&Operation, i128)]) -> impl Iterator<Item = u64> {
    const SUSPECTS: usize = 4;
    let before = additions.partition_point(|(addition, _)| addition.call < read.call);
    let latest = additions[..before].iter().rev().map(|(addition, _)| addition.call);
    std::iter::once(read.call).chain(latest.take(SUSPECTS))
}

/// Sums of amounts, negative and positive ones apart.
#[derive(Clone, Copy, Default)]
struct Sum {
    negative: i128,
    positive: i128,
}

/// The sum of all amounts before any event.
struct Sums {
    events: Vec<u64>,
    sums: Vec<Sum>,
}

impl Sums {
    fn new(amounts: impl Iterator<Item = (u64, i128)>) -> Self {
        let mut amounts: Vec<(u64, i128)> = amounts.collect();
        amounts.sort_unstable();
        let mut sums = vec![Sum::default()];
        let mut sum = Sum::default();
        for (_, amount) in &amounts {
            sum.negative = sum.negative.saturating_add((*amount).min(0));
            sum.positive = sum.positive.saturating_add((*amount).max(0));
            sums.push(sum);
        }
        Self { events: amounts.into_iter().map(|(event, _)| event).collect(), sums }
    }

    fn before(&self, event: u64) -> Sum {
        self.sums[self.events.partition_point(|&at| at < event)]
    }
}
