//! Faults that were asked for must have taken hold.

use std::collections::BTreeMap;

use history::CheckResult;
use record::{FaultCounts, FaultRecord, FaultStep, SCENARIOS};

/// How many faults of each family were planned, and how many took hold.
pub(super) type ByFamily = BTreeMap<String, FaultCounts>;

/// Counts the faults.
pub(super) fn count(faults: &[FaultRecord]) -> ByFamily {
    let mut counts = ByFamily::new();
    for record in faults {
        let count = counts.entry(record.family.clone()).or_default();
        match record.step {
            FaultStep::Planned => count.planned += 1,
            FaultStep::Started => count.effective += 1,
            FaultStep::Missed | FaultStep::Healing | FaultStep::Healed => {}
        }
    }
    counts
}

/// How many faults took hold. Scenarios are none besides the faults that they are made of.
pub(super) fn held(counts: &ByFamily) -> u64 {
    let faults = counts.iter().filter(|(family, _)| *family != SCENARIOS);
    faults.map(|(_, count)| count.effective).sum()
}

/// When a fault came to this step.
pub(super) fn time_ns(faults: &[FaultRecord], number: u64, step: FaultStep) -> Option<u64> {
    let at_step = |fault: &&FaultRecord| fault.fault == number && fault.step == step;
    faults.iter().find(at_step).map(|fault| fault.time_ns)
}

/// From when on a fault may be over.
pub(super) fn over_ns(faults: &[FaultRecord], number: u64) -> Option<u64> {
    let begun = time_ns(faults, number, FaultStep::Healing);
    begun.or_else(|| time_ns(faults, number, FaultStep::Healed))
}

/// The check, where faults were asked for: without them a valid run says little.
pub(super) fn check(families: &[String], counts: &ByFamily) -> Option<CheckResult> {
    let lacking = |family: &&String| counts.get(*family).is_none_or(|count| count.effective == 0);
    let lacking: Vec<&str> = families.iter().filter(lacking).map(String::as_str).collect();
    if families.is_empty() {
        return None;
    }
    if lacking.is_empty() {
        let held = held(counts);
        return Some(CheckResult::valid(
            "faults",
            format!("Every family of faults took hold ({held} faults in all)."),
        ));
    }
    let planned: u64 =
        lacking.iter().filter_map(|family| counts.get(*family)).map(|count| count.planned).sum();
    let why = if planned == 0 {
        "there is none to plan with so few nodes, so short a time limit or a store that cannot restart"
    } else {
        "none of those planned was seen to take hold: see faults.jsonl"
    };
    Some(CheckResult::inconclusive(
        "faults",
        format!("Asked for {}, but {why}.", lacking.join(", ")),
    ))
}
