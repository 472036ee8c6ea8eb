//! The check of a whole history.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use history::Verdict;

use crate::cycles::{Cycles, Dependencies};
use crate::explain::{Reasons, explain};
use crate::findings::Findings;
use crate::graph::Edges;
use crate::history::{History, Micro};
use crate::lists::{self, ListReasons, Orders};
use crate::realtime::{add_timeline, events, successors};
use crate::registers::{self, KeyOrder, Known, Promise, RegisterReasons};
use crate::report::{Report, Statistics};
use crate::writers::Writers;
use crate::{Anomaly, Consistency, Datatype, Order, Outcome, Ruling};

/// What to check, and how much that may cost.
#[derive(Clone, Debug)]
pub struct Options {
    /// What must hold. Everything found is told; this decides the verdict.
    pub consistency: Consistency,
    /// How many edges the searches for cycles may follow, some ten million a second. It bounds what comes after the
    /// linear part, which finds out whether there is any cycle.
    pub work: u64,
    /// Of registers: each key by itself is promised to be linearizable, from which an order of its versions follows.
    pub linearizable_keys: bool,
    /// Of registers: each key by itself is promised to be sequentially consistent.
    pub sequential_keys: bool,
    /// Set from another thread, this ends the check soon.
    pub cancel: Option<Arc<AtomicBool>>,
}

impl Options {
    fn promises(&self) -> Vec<Promise> {
        let linearizable = self.linearizable_keys.then_some(Promise::Linearizable);
        let sequential = self.sequential_keys.then_some(Promise::Sequential);
        linearizable.into_iter().chain(sequential).collect()
    }
}

impl Default for Options {
    /// Strict serializability; work for some ten seconds at most.
    fn default() -> Self {
        Self {
            consistency: Consistency::StrictSerializable,
            work: 200_000_000,
            linearizable_keys: false,
            sequential_keys: false,
            cancel: None,
        }
    }
}

/// Finds the anomalies of a history.
#[must_use]
pub fn check(history: &History, options: &Options) -> Report {
    let writers = Writers::new(history);
    let mut findings = Findings::new(history);
    let expected = 2 * history.micros.len() + 2 * history.len();
    let mut edges = Edges::new(history.len(), expected);
    let cycles = match history.datatype {
        Datatype::ListAppend => {
            let orders = Orders::new(history, &writers);
            orders.scan(history, &writers, &mut findings);
            lists::scan(history, &writers, &orders, &mut findings);
            lists::add_edges(history, &writers, &orders, &mut edges);
            let reasons = ListReasons { history, writers: &writers, orders: &orders };
            find_cycles(history, edges, &reasons, options, &mut findings)
        }
        Datatype::Register => {
            registers::scan(history, &writers, &mut findings);
            let key_order = KeyOrder::new(history, &writers, &options.promises(), &mut findings);
            let known = Known::new(history, &writers, &key_order);
            known.add_edges(history, &writers, &key_order, &mut edges);
            let reasons = RegisterReasons { history, writers: &writers, key_order: &key_order };
            find_cycles(history, edges, &reasons, options, &mut findings)
        }
    };
    report(history, &writers, &cycles, findings, options)
}

fn find_cycles(
    history: &History,
    mut edges: Edges,
    reasons: &dyn Reasons,
    options: &Options,
    findings: &mut Findings<'_>,
) -> Cycles {
    let first_moment = edges.nodes;
    add_timeline(&mut edges, events(history));
    let graph = edges.into_graph();
    let successors = successors(history);
    let dependencies =
        Dependencies { history, graph: &graph, first_moment, successors: &successors };
    let cycles = dependencies.cycles(options.work, options.cancel.as_deref());
    for cycle in &cycles.found {
        let txns: Vec<_> = cycle.edges.iter().map(|&(txn, _)| txn).collect();
        findings.add_cycle(cycle.class.anomaly(), &txns, || explain(history, reasons, cycle));
    }
    Cycles { edges: graph.edges(), ..cycles }
}

fn report(
    history: &History,
    writers: &Writers,
    cycles: &Cycles,
    findings: Findings<'_>,
    options: &Options,
) -> Report {
    let consistency = options.consistency;
    let (anomalies, counts) = findings.finish();
    let kinds: Vec<Anomaly> = counts.iter().map(|&(anomaly, _)| anomaly).collect();
    let mut doubts = doubts(history, writers, cycles, options);
    let statistics = statistics(history, cycles, counts);
    let forbidden = anomalies.iter().filter(|finding| consistency.forbids(finding.anomaly));
    let clearest = forbidden.min_by_key(|finding| finding.transactions.len());
    let (verdict, sentence) = match (clearest, doubts.first()) {
        (Some(finding), _) => {
            let (kind, words) = (finding.anomaly, &finding.sentence);
            (Verdict::Violation, format!("The history is not {consistency}: {kind}. {words}"))
        }
        (None, Some(doubt)) => (Verdict::Inconclusive, doubt.clone()),
        (None, None) => {
            let (ok, info) = (statistics.ok, statistics.info);
            let sentence = format!(
                "{ok} committed transactions, and {info} in doubt, hold nothing that {consistency} forbids."
            );
            (Verdict::Valid, sentence)
        }
    };
    let mut shorter: Vec<String> =
        cycles.not_shortest.iter().map(|class| class.anomaly().name()).collect();
    shorter.dedup();
    doubts.extend(shorter.iter().map(|kind| format!("There may be shorter cycles of {kind}.")));
    let models = Ruling::new(&kinds, Order::Realtime);
    Report { verdict, sentence, consistency, anomalies, models, notes: doubts, statistics }
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

/// Why nothing found does not mean that nothing is there.
fn doubts(history: &History, writers: &Writers, cycles: &Cycles, options: &Options) -> Vec<String> {
    let mut doubts = Vec::new();
    if !reads_what_was_written(history) {
        doubts.push(
            "No committed transaction read a key that one wrote, so that nothing was tested."
                .to_owned(),
        );
    }
    if !options.consistency.is_tested() {
        doubts.push(format!(
            "Only a part of what {} forbids shows in transactions like these, and nothing of that part was found.",
            options.consistency
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
    if options.cancel.as_ref().is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
        doubts.push("The check was cancelled.".to_owned());
    }
    let mut unfinished: Vec<Anomaly> =
        cycles.unfinished.iter().map(|class| class.anomaly()).collect();
    unfinished.sort_unstable();
    unfinished.dedup();
    let matters = |anomaly: &&Anomaly| options.consistency.forbids(**anomaly);
    for anomaly in unfinished.iter().filter(matters) {
        doubts.push(format!("The search for {anomaly} did not finish; allow it more work."));
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
