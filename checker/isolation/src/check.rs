//! The check of a whole history.

use crate::budget::Budget;
use crate::certificate::{Certificates, DerivedReasons};
use crate::conclusion::conclude;
use crate::cycles::Cycles;
use crate::dependencies::Dependencies;
use crate::explain::{Reasons, explain};
use crate::findings::Findings;
use crate::graph::Edges;
use crate::history::History;
use crate::lists::{self, ListReasons, Orders};
use crate::realtime::{add_successors, add_timeline, events};
use crate::registers::{self, Lives, Readers, RegisterReasons};
use crate::writers::Writers;
use crate::{Consistency, Datatype, Options, Report};

/// Finds the anomalies of a history.
#[must_use]
pub fn check(history: &History, options: &Options) -> Report {
    let mut budget = Budget::new(options);
    let writers = Writers::new(history);
    // It is there in any case, like all that scans need; if that is too much, what follows is refused.
    budget.hold(writers.bytes());
    let mut findings = Findings::new(history);
    let cycles = match history.datatype {
        Datatype::ListAppend => list_cycles(history, &writers, &mut budget, &mut findings),
        Datatype::Register => register_cycles(history, &writers, &mut budget, &mut findings),
    };
    let (cycles, certificates) =
        cycles.unwrap_or_else(|| (Cycles::not_looked_for(), Certificates::default()));
    conclude(history, &writers, &cycles, &certificates, findings, &budget)
}

/// What came of looking for cycles, and then for orders.
type Found = (Cycles, Certificates);

fn list_cycles(
    history: &History,
    writers: &Writers,
    budget: &mut Budget<'_>,
    findings: &mut Findings<'_>,
) -> Option<Found> {
    let orders = Orders::new(history, writers);
    budget.hold(orders.bytes());
    orders.scan(history, writers, findings);
    lists::scan(history, writers, &orders, findings);
    if let Some(found) = shown_at_once(history, writers, Some(&orders), budget, findings) {
        return Some(found);
    }
    let mut edges = room(history, 2 * history.micros.len(), budget)?;
    lists::add_edges(history, writers, &orders, &mut edges);
    let reasons = ListReasons { history, writers, orders: &orders };
    let cycles = find_cycles(history, edges, &reasons, budget, findings)?;
    let certificates = certify(history, writers, Some(&orders), &reasons, budget, findings);
    Some((cycles, certificates))
}

fn register_cycles(
    history: &History,
    writers: &Writers,
    budget: &mut Budget<'_>,
    findings: &mut Findings<'_>,
) -> Option<Found> {
    registers::scan(history, writers, findings);
    if let Some(found) = shown_at_once(history, writers, None, budget, findings) {
        return Some(found);
    }
    if !budget.hold(Lives::bytes(history) + Readers::bytes(history)) {
        return None;
    }
    let lives = Lives::new(history, writers);
    let readers = Readers::new(history, writers);
    // Time adds to what data shows.
    let mut edges = room(history, 3 * history.micros.len(), budget)?;
    let crowded = readers.add_edges(history, writers, &lives, &mut edges, budget);
    let reasons = RegisterReasons::new(history, writers, &lives, &readers, crowded);
    let cycles = find_cycles(history, edges, &reasons, budget, findings)?;
    Some((cycles, certify(history, writers, None, &reasons, budget, findings)))
}

/// An order that shows all levels, if it is found at once: each dependency leads from the earlier to the later in it, so
/// that there are no cycles.
fn shown_at_once(
    history: &History,
    writers: &Writers,
    orders: Option<&Orders>,
    budget: &mut Budget<'_>,
    findings: &Findings<'_>,
) -> Option<Found> {
    let is_clean = findings.kinds().next().is_none();
    let certificates =
        is_clean.then(|| Certificates::at_once(history, writers, orders, budget)).flatten()?;
    Some((Cycles::default(), certificates))
}

/// Room for so many edges of data, and for those of time.
fn room(history: &History, data: usize, budget: &mut Budget<'_>) -> Option<Edges> {
    let expected = data + 2 * history.len();
    budget.allows(expected * Edges::EDGE_BYTES).then(|| Edges::new(history.len(), expected))
}

fn find_cycles(
    history: &History,
    mut edges: Edges,
    reasons: &dyn Reasons,
    budget: &mut Budget<'_>,
    findings: &mut Findings<'_>,
) -> Option<Cycles> {
    /// What the search for components takes, and then their list.
    const NODE_BYTES: usize = 32;
    if !budget.goes_on() {
        return None;
    }
    let first_moment = edges.nodes;
    add_timeline(&mut edges, events(history));
    let nodes_bytes = edges.nodes as usize * NODE_BYTES;
    if !budget.allows(edges.bytes() + edges.graph_bytes())
        || !budget.hold(edges.graph_bytes() + nodes_bytes)
    {
        return None;
    }
    let graph = edges.into_graph();
    if !budget.goes_on() {
        return Some(Cycles { edges: graph.edges(), ..Cycles::not_looked_for() });
    }
    let in_processes = |concerned: &[bool], budget: &mut Budget<'_>| {
        let mut edges = Edges::new(graph.nodes(), 0);
        add_successors(history, concerned, &mut edges);
        reasons.add_in_processes(concerned, &mut edges, budget);
        budget.hold(edges.bytes() + edges.graph_bytes());
        edges.into_graph()
    };
    let dependencies =
        Dependencies { history, graph: &graph, first_moment, in_processes: &in_processes };
    let cycles = dependencies.cycles(budget);
    for cycle in &cycles.found {
        let txns: Vec<_> = cycle.edges.iter().map(|&(txn, _)| txn).collect();
        findings.add_cycle(cycle.class.anomaly(), &txns, || explain(history, reasons, cycle));
    }
    let (edges, work) = (graph.edges(), budget.used());
    Some(Cycles { edges, work, crowded: reasons.crowded(), ..cycles })
}

/// Looks for orders that show the levels which nothing found so far rules out.
fn certify(
    history: &History,
    writers: &Writers,
    orders: Option<&Orders>,
    shown: &dyn Reasons,
    budget: &mut Budget<'_>,
    findings: &mut Findings<'_>,
) -> Certificates {
    let is_broken = |model: Consistency| findings.kinds().any(|anomaly| model.forbids(anomaly));
    let certificates = Certificates::new(history, writers, orders, is_broken, budget);
    for (level, refutation) in &certificates.refuted {
        let cycle = refutation.cycle(history, *level);
        let reasons = DerivedReasons { history, writers, refutation, shown };
        let txns: Vec<_> = cycle.edges.iter().map(|&(txn, _)| txn).collect();
        findings.add_cycle(cycle.class.anomaly(), &txns, || explain(history, &reasons, &cycle));
    }
    certificates
}
