//! From what was found, and what could not be looked for, to the report.

use history::Verdict;

use crate::budget::Budget;
use crate::certificate::Certificates;
use crate::cycles::Cycles;
use crate::finding::Finding;
use crate::findings::Findings;
use crate::history::History;
use crate::registers::COMPARED;
use crate::report::{Report, Statistics, clearest};
use crate::writers::Writers;
use crate::{Anomaly, Certificate, Consistency, Datatype, Order, Outcome, Ruling};

/// The report.
pub(crate) fn conclude(
    history: &History,
    writers: &Writers,
    cycles: &Cycles,
    certificates: &Certificates,
    findings: Findings<'_>,
    budget: &Budget<'_>,
) -> Report {
    let consistency = budget.options().consistency;
    let is_tested = findings.is_tested;
    let (anomalies, counts) = findings.finish();
    let unfinished = kinds(cycles.unfinished.iter().map(|class| class.anomaly()));
    let found: Vec<Anomaly> = counts.iter().map(|&(anomaly, _)| anomaly).collect();
    let is_tested = !found.is_empty() || is_tested;
    let crowded = cycles.crowded.map(|key| crowded(history, key));
    let mut notes = doubts(history, writers, &unfinished, is_tested, certificates, budget);
    let certificate = certificates.of(consistency).copied();
    let is_unordered = |model| respects_time(model) && certificates.of(model).is_none();
    notes.extend(crowded.iter().filter(|_| is_unordered(consistency)).cloned());
    let models = Ruling::where_known(&found, Order::Realtime, |model| {
        let may_be_broken = unfinished.iter().any(|anomaly| model.forbids(*anomaly))
            || crowded.is_some() && is_unordered(model)
            || certificates.is_unknown(model);
        let is_shown = certificates.of(model).is_some() || !may_be_broken;
        is_tested && writers.ambiguous.is_none() && is_shown
    });
    let statistics = statistics(history, cycles, counts);
    let (verdict, sentence) =
        verdict(history, consistency, &anomalies, notes.first(), certificate, &statistics);
    let certificate = certificate.filter(|_| verdict == Verdict::Valid);
    let shorter = kinds(cycles.not_shortest.iter().map(|class| class.anomaly()));
    notes.extend(shorter.iter().map(|kind| format!("There may be shorter cycles of {kind}.")));
    let passed_over = kinds(cycles.passed_over.iter().map(|class| class.anomaly()));
    if !passed_over.is_empty() {
        let names: Vec<String> = passed_over.iter().map(|kind| kind.name()).collect();
        notes.push(format!(
            "There may be more of {}: they would rule out nothing more, so that they were not looked for everywhere.",
            names.join(", ")
        ));
    }
    Report { verdict, sentence, consistency, anomalies, models, certificate, notes, statistics }
}

/// That not all versions of a key were put in the order that time gives them.
fn crowded(history: &History, key: u32) -> String {
    format!(
        "Key {} had more than {COMPARED} versions next to each other in time, of which only {COMPARED} were put in the \
         order that time tells: with fewer clients for each key, all are.",
        history.key_name(key)
    )
}

/// Does it make a difference when things happened?
fn respects_time(consistency: Consistency) -> bool {
    consistency.order() > Order::Data
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
    history: &History,
    consistency: Consistency,
    anomalies: &[Finding],
    doubt: Option<&String>,
    certificate: Option<Certificate>,
    statistics: &Statistics,
) -> (Verdict, String) {
    match (clearest(anomalies, consistency), doubt) {
        (Some(finding), _) => {
            let (title, words) = (finding.title(), &finding.sentence);
            (Verdict::Violation, format!("The history is not {consistency}: {title}. {words}"))
        }
        (None, Some(doubt)) => (Verdict::Inconclusive, doubt.clone()),
        (None, None) => {
            let Statistics { ok, info, .. } = statistics;
            let but = match (certificate, history.datatype) {
                (Some(certificate), _) => format!(": {}", certificate.words()),
                (None, Datatype::ListAppend) => String::new(),
                (None, Datatype::Register) => {
                    ", as far as reads and time tell the order of writes".to_owned()
                }
            };
            let sentence = format!(
                "{ok} committed transactions, and {info} in doubt, hold nothing that {consistency} forbids{but}."
            );
            (Verdict::Valid, sentence)
        }
    }
}

/// Why nothing found does not mean that nothing is there.
fn doubts(
    history: &History,
    writers: &Writers,
    unfinished: &[Anomaly],
    is_tested: bool,
    certificates: &Certificates,
    budget: &Budget<'_>,
) -> Vec<String> {
    let consistency = budget.options().consistency;
    let mut doubts = Vec::new();
    if !is_tested {
        doubts.push(
            "No committed transaction read a key that another one wrote, so that nothing was tested."
                .to_owned(),
        );
    }
    if !consistency.is_tested() {
        doubts.push(format!(
            "Only a part of what {consistency} forbids shows in transactions like these, and nothing of that part was found.",
        ));
    }
    doubts.extend(writers.doubt(history));
    if let Some(reason) = budget.reason() {
        doubts.push(reason);
        return doubts;
    }
    let steps = budget.options().work;
    if certificates.of(consistency).is_some() {
        return doubts;
    }
    for anomaly in unfinished.iter().filter(|anomaly| consistency.forbids(**anomaly)) {
        doubts.push(format!(
            "The search for {anomaly} did not finish within its share of {steps} steps; allow it more work, which is more time."
        ));
    }
    if certificates.is_unknown(consistency) {
        doubts.push(format!(
            "Neither a cycle that {consistency} forbids nor an order that shows it to hold was found within {steps} steps; allow \
             it more work, which is more time."
        ));
    }
    doubts
}

fn statistics(history: &History, cycles: &Cycles, anomalies: Vec<(Anomaly, u64)>) -> Statistics {
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
        work: cycles.work,
    }
}
