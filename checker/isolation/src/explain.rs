//! Cycles in words. Edges do not keep their reasons, to save memory: each is found again in the two transactions.

use history::words::seconds;

use crate::budget::Budget;
use crate::cycles::FoundCycle;
use crate::elision::{gap, left_out, name, shown, shown_with_next};
use crate::finding::{Basis, CycleStep};
use crate::graph::Edges;
use crate::history::History;
use crate::ids::{Txn, Version};
use crate::links::Dependency;

/// Why data makes one transaction come before another.
#[derive(Debug)]
pub(crate) struct Reason {
    pub(crate) key: u32,
    /// Positions in `History::micros`.
    pub(crate) from_micro: usize,
    pub(crate) to_micro: usize,
    pub(crate) relation: Relation,
    /// Further transactions that show it.
    pub(crate) shown_by: Vec<Txn>,
}

#[derive(Debug)]
pub(crate) enum Relation {
    /// The one wrote the first version, the other the second, and this is how we know which came first.
    Overwrote { first: Version, second: Version, known: String },
    /// The one wrote what the other saw.
    Saw { version: Version, seen: String },
    /// The one saw this, and so not the version that the other wrote.
    Missed { seen: String, version: Version, known: String },
}

/// What finds the reason of an edge between two transactions.
pub(crate) trait Reasons {
    fn reason(&self, from: Txn, to: Txn, dependency: Dependency) -> Option<Reason>;

    /// A key that had too many versions at a time for all of them to be put in the order of time.
    fn crowded(&self) -> Option<u32>;

    /// Adds the edges that only the order of processes shows, between the transactions that they may concern, as far as
    /// memory allows. Real time shows more, so that this is needed only where real time makes a cycle.
    fn add_in_processes(&self, concerned: &[bool], edges: &mut Edges, budget: &mut Budget<'_>);
}

/// The sentence and the steps of a cycle, of a long one the first and the last.
pub(crate) fn explain(
    history: &History,
    reasons: &dyn Reasons,
    cycle: &FoundCycle,
) -> (String, Vec<CycleStep>) {
    let len = cycle.edges.len();
    let step = |position: usize| {
        let next = (position + 1) % len;
        let ((from, dependency), (to, _)) = (cycle.edges[position], cycle.edges[next]);
        let edge = Edge { history, from, to, names: [&name(position), &name(next)] };
        edge.step(dependency, reasons.reason(from, to, dependency).as_ref())
    };
    let steps: Vec<CycleStep> = shown_with_next(len).map(step).collect();
    (sentence(&steps, len), steps)
}

/// Of cycles up to this length every step gets its reason in the sentence.
const EXPLAINED_MAX: usize = 5;

/// One or two sentences: all reasons of a short cycle, the first and last of a long one.
fn sentence(steps: &[CycleStep], len: usize) -> String {
    match steps {
        [before @ .., last] if (2..=EXPLAINED_MAX).contains(&len) => {
            let step = |step: &CycleStep| {
                let [from, to] = &step.names;
                format!("{from} must come before {to}, because {}.", step.reason)
            };
            let before: Vec<String> = before.iter().map(step).collect();
            format!("{} Yet {}", before.join(" "), step(last))
        }
        [first, .., last] => {
            let mut names: Vec<String> = shown(len).map(name).collect();
            if let Some(gap) = gap(left_out(len)) {
                names.insert(gap, "…".to_owned());
            }
            let (order, end) = (names.join(" before "), name(len - 1));
            format!(
                "{order}: so their dependencies say, and T1 before T2, because {}. Yet {end} must come before T1, because {}.",
                first.reason, last.reason
            )
        }
        [] | [_] => String::new(),
    }
}

struct Edge<'a> {
    history: &'a History,
    from: Txn,
    to: Txn,
    names: [&'a str; 2],
}

impl Edge<'_> {
    fn step(&self, dependency: Dependency, reason: Option<&Reason>) -> CycleStep {
        let words = match (reason, dependency) {
            (Some(reason), _) => self.data(reason),
            (None, Dependency::Process) => {
                let process = self.history.header(self.from).process;
                format!("process {process} did one after the other")
            }
            (None, _) => self.time(),
        };
        let offset = |txn: Txn, micro: usize| micro - self.history.span(txn).start;
        CycleStep {
            from: self.history.header(self.from).call,
            to: self.history.header(self.to).call,
            dependency,
            key: reason.map(|reason| self.history.key_name(reason.key)),
            from_micro_op: reason.map(|reason| offset(self.from, reason.from_micro)),
            to_micro_op: reason.map(|reason| offset(self.to, reason.to_micro)),
            shown_by: reason.map_or_else(Vec::new, |reason| {
                reason.shown_by.iter().map(|&txn| self.history.header(txn).call).collect()
            }),
            names: self.names.map(str::to_owned),
            basis: match reason.map(|reason| &reason.relation) {
                Some(Relation::Overwrote { .. }) => Basis::Overwrote,
                Some(Relation::Saw { .. }) => Basis::Saw,
                Some(Relation::Missed { .. }) => Basis::Missed,
                None => Basis::Time,
            },
            reason: words,
        }
    }

    fn data(&self, reason: &Reason) -> String {
        let (history, [from, to]) = (self.history, self.names);
        let key = history.key_name(reason.key);
        let wrote = |version| history.wrote_words(reason.key, version);
        match &reason.relation {
            Relation::Overwrote { first, second, known } => {
                format!(
                    "{from} {} and {to} then {}: {known}",
                    wrote(*first),
                    history.value_name(*second)
                )
            }
            Relation::Saw { version, seen } => {
                format!("{from} {} and {to} read {seen}", wrote(*version))
            }
            Relation::Missed { seen, version, known } => {
                let value = history.value_name(*version);
                format!("{from} read {seen} in {key}, without {to}'s {value}{known}")
            }
        }
    }

    /// By events, and by times where the history has them.
    fn time(&self) -> String {
        let [from, to] = self.names;
        let (earlier, later) = (self.history.header(self.from), self.history.header(self.to));
        let at = |event: u64, ns: u64| match later.call_ns {
            0 => format!("event {event}"),
            _ => format!("event {event}, at {} s", seconds(ns, 6)),
        };
        let returned = at(earlier.ret.unwrap_or(earlier.call), earlier.return_ns);
        let called = at(later.call, later.call_ns);
        format!("{from} had returned ({returned}) before {to} was invoked ({called})")
    }
}
