//! From what was found, and what could not be looked for, to the report.

use history::Verdict;

use crate::budget::Budget;
use crate::cycles::Cycles;
use crate::finding::Finding;
use crate::findings::Findings;
use crate::history::{History, Micro};
use crate::report::{Report, Statistics, clearest};
use crate::writers::Writers;
use crate::{Anomaly, Consistency, Order, Outcome, Ruling};

/// The report.
pub(crate) fn conclude(
    history: &History,
    writers: &Writers,
    cycles: &Cycles,
    findings: Findings<'_>,
    budget: &Budget<'_>,
) -> Report {
    let consistency = budget.options().consistency;
    let (anomalies, counts) = findings.finish();
    let unfinished = kinds(cycles.unfinished.iter().map(|class| class.anomaly()));
    let mut notes = doubts(history, writers, consistency, &unfinished, budget);
    let found: Vec<Anomaly> = counts.iter().map(|&(anomaly, _)| anomaly).collect();
    let models = Ruling::where_known(&found, Order::Realtime, |model| {
        let may_be_broken = unfinished.iter().any(|anomaly| model.forbids(*anomaly));
        writers.ambiguous.is_none() && !may_be_broken
    });
    let statistics = statistics(history, cycles, counts, budget);
    let (verdict, sentence) = verdict(consistency, &anomalies, notes.first(), &statistics);
    let shorter = kinds(cycles.not_shortest.iter().map(|class| class.anomaly()));
    notes.extend(shorter.iter().map(|kind| format!("There may be shorter cycles of {kind}.")));
    Report { verdict, sentence, consistency, anomalies, models, notes, statistics }
}

/// Each of them once, in order.
fn kinds(anomalies: impl Iterator<Item = Anomaly>) -> Vec<Anomaly> {
    let mut kinds: Vec<Anomaly> = anomalies.collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// A violation, whatever else is in doubt; valid only where nothing is.
fn verdict(
    consistency: Consistency,
    anomalies: &[Finding],
    doubt: Option<&String>,
    statistics: &Statistics,
) -> (Verdict, String) {
    match (clearest(anomalies, consistency), doubt) {
        (Some(finding), _) => {
            let (kind, words) = (finding.anomaly, &finding.sentence);
            (Verdict::Violation, format!("The history is not {consistency}: {kind}. {words}"))
        }
        (None, Some(doubt)) => (Verdict::Inconclusive, doubt.clone()),
        (None, None) => {
            let Statistics { ok, info, .. } = statistics;
            let sentence = format!(
                "{ok} committed transactions, and {info} in doubt, hold nothing that {consistency} forbids."
            );
            (Verdict::Valid, sentence)
        }
    }
}

/// Why nothing found does not mean that nothing is there.
fn doubts(
    history: &History,
    writers: &Writers,
    consistency: Consistency,
    unfinished: &[Anomaly],
    budget: &Budget<'_>,
) -> Vec<String> {
    let mut doubts = Vec::new();
    if !reads_what_was_written(history) {
        doubts.push(
            "No committed transaction read a key that one wrote, so that nothing was tested."
                .to_owned(),
        );
    }
    if !consistency.is_tested() {
        doubts.push(format!(
            "Only a part of what {consistency} forbids shows in transactions like these, and nothing of that part was found.",
        ));
    }
    if let Some((version, first, second)) = writers.ambiguous {
        let key = history.key_name(history.micros[writers.micro(version)].key());
        let (first, second) = (history.header(first).call, history.header(second).call);
        doubts.push(format!(
            "The transactions of events {first} and {second} both write {} to {key}: only unique values tell who wrote what.",
            history.value_name(version)
        ));
    }
    if let Some(reason) = budget.reason() {
        doubts.push(reason);
        return doubts;
    }
    for anomaly in unfinished.iter().filter(|anomaly| consistency.forbids(**anomaly)) {
        let steps = budget.options().work;
        doubts.push(format!(
            "The search for {anomaly} did not finish within its share of {steps} steps; allow it more work, which is more time."
        ));
    }
    doubts
}

/// Did anybody see a key that may hold something?
fn reads_what_was_written(history: &History) -> bool {
    let mut written = vec![false; history.keys()];
    for txn in history.txns().filter(|&txn| history.outcome(txn) != Outcome::Fail) {
        for micro in history.micros_of(txn) {
            if let Micro::Write { key, .. } = micro {
                written[*key as usize] = true;
            }
        }
    }
    history.micros.iter().any(|micro| {
        !matches!(micro, Micro::Write { .. } | Micro::Unknown { .. })
            && written[micro.key() as usize]
    })
}

fn statistics(
    history: &History,
    cycles: &Cycles,
    anomalies: Vec<(Anomaly, u64)>,
    budget: &Budget<'_>,
) -> Statistics {
    let count = |outcome| history.outcomes.iter().filter(|&&other| other == outcome).count();
    Statistics {
        ok: count(Outcome::Ok),
        failed: count(Outcome::Fail),
        info: count(Outcome::Info),
        micro_ops: history.micros.len(),
        keys: history.keys(),
        edges: cycles.edges,
        components: cycles.components,
        largest_component: cycles.largest,
        anomalies,
        work: budget.used(),
    }
}
