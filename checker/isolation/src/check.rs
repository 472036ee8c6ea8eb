//! The check of a whole history.

use crate::budget::Budget;
use crate::conclusion::conclude;
use crate::cycles::{Cycles, Dependencies};
use crate::explain::{Reasons, explain};
use crate::findings::Findings;
use crate::graph::Edges;
use crate::history::History;
use crate::lists::{self, ListReasons, Orders};
use crate::realtime::{add_successors, add_timeline, events};
use crate::registers::{self, Lives, Readers, RegisterReasons};
use crate::writers::Writers;
use crate::{Datatype, Options, Report};

/// Finds the anomalies of a history.
#[must_use]
pub fn check(history: &History, options: &Options) -> Report {
    let mut budget = Budget::new(options);
    let writers = Writers::new(history);
    let mut findings = Findings::new(history);
    let expected = 2 * history.micros.len() + 2 * history.len();
    let cycles = match history.datatype {
        Datatype::ListAppend => {
            let orders = Orders::new(history, &writers);
            orders.scan(history, &writers, &mut findings);
            lists::scan(history, &writers, &orders, &mut findings);
            let reasons = ListReasons { history, writers: &writers, orders: &orders };
            budget.hold(graph_bytes(expected, history)).then(|| {
                let mut edges = Edges::new(history.len(), expected);
                lists::add_edges(history, &writers, &orders, &mut edges);
                find_cycles(history, edges, &reasons, &mut budget, &mut findings)
            })
        }
        Datatype::Register => {
            registers::scan(history, &writers, &mut findings);
            // Time adds more.
            let expected = expected + history.micros.len();
            let lives = Lives::new(history, &writers);
            let readers = Readers::new(history, &writers);
            let reasons = RegisterReasons::new(history, &writers, &lives, &readers);
            budget.hold(graph_bytes(expected, history)).then(|| {
                let mut edges = Edges::new(history.len(), expected);
                readers.add_edges(history, &writers, &lives, &mut edges);
                find_cycles(history, edges, &reasons, &mut budget, &mut findings)
            })
        }
    };
    let cycles = cycles.unwrap_or_else(Cycles::not_looked_for);
    conclude(history, &writers, &cycles, findings, &budget)
}

/// What so many edges take, before and after they are sorted, and what the search for components adds.
fn graph_bytes(edges: usize, history: &History) -> usize {
    const EDGE: usize = 18;
    const NODE: usize = 32;
    let moments = history.len();
    edges * EDGE + (history.len() + moments) * NODE
}

fn find_cycles(
    history: &History,
    mut edges: Edges,
    reasons: &dyn Reasons,
    budget: &mut Budget<'_>,
    findings: &mut Findings<'_>,
) -> Cycles {
    let first_moment = edges.nodes;
    add_timeline(&mut edges, events(history));
    let graph = edges.into_graph();
    if !budget.goes_on() {
        return Cycles { edges: graph.edges(), ..Cycles::not_looked_for() };
    }
    let in_processes = |concerned: &[bool]| {
        let mut edges = Edges::new(graph.nodes(), 0);
        add_successors(history, concerned, &mut edges);
        reasons.add_in_processes(concerned, &mut edges);
        edges.into_graph()
    };
    let dependencies =
        Dependencies { history, graph: &graph, first_moment, in_processes: &in_processes };
    let cycles = dependencies.cycles(budget);
    for cycle in &cycles.found {
        let txns: Vec<_> = cycle.edges.iter().map(|&(txn, _)| txn).collect();
        findings.add_cycle(cycle.class.anomaly(), &txns, || explain(history, reasons, cycle));
    }
    Cycles { edges: graph.edges(), ..cycles }
}
