//! A refutation as a cycle, with the reasons that were derived.

use super::level::{Level, Shape};
use super::proof::{Derived, Refutation, Step};
use crate::budget::Budget;
use crate::class::Class;
use crate::cycles::FoundCycle;
use crate::explain::{Reason, Reasons, Relation};
use crate::graph::Edges;
use crate::history::{History, Micro};
use crate::ids::Txn;
use crate::links::{Dependency, Link};
use crate::writers::Writers;
use crate::{Cycle, Order};

impl Refutation {
    /// The cycle. One that needs a derived order of versions is of the class that rules out no more than the level.
    pub(crate) fn cycle(&self, history: &History, level: Level) -> FoundCycle {
        let Self(steps) = self;
        let class = if steps.iter().any(|step| step.derived.is_some()) {
            let cycle = match level.shape {
                Shape::Serial => Cycle::G2Item,
                Shape::Snapshot => Cycle::GNonadjacentItem,
            };
            Class { cycle, order: level.order }
        } else {
            let link = |step: &Step| match step.dependency {
                Dependency::Process => Link::PROCESS,
                Dependency::Realtime => Link::REALTIME,
                data => Link::shown_by(Order::Data, data),
            };
            Class::of(&steps.iter().map(link).collect::<Vec<_>>())
        };
        let mut edges: Vec<_> = steps.iter().map(|step| (step.from, step.dependency)).collect();
        let call = |&(_, &(txn, _)): &(usize, &(Txn, Dependency))| history.calls[txn as usize];
        let first = edges.iter().enumerate().min_by_key(call).map_or(0, |(at, _)| at);
        edges.rotate_left(first);
        FoundCycle { class, edges }
    }
}

/// The reasons of a refutation: those that were derived, and else those that data shows.
pub(crate) struct DerivedReasons<'a> {
    pub(crate) history: &'a History,
    pub(crate) writers: &'a Writers,
    pub(crate) refutation: &'a Refutation,
    pub(crate) shown: &'a dyn Reasons,
}

impl Reasons for DerivedReasons<'_> {
    fn reason(&self, from: Txn, to: Txn, dependency: Dependency) -> Option<Reason> {
        let is_it = |step: &&Step| (step.from, step.to, step.dependency) == (from, to, dependency);
        let step = self.refutation.0.iter().find(is_it)?;
        match &step.derived {
            Some(derived) => self.derived(step, derived),
            None => self.shown.reason(from, to, dependency),
        }
    }

    fn crowded(&self) -> Option<u32> {
        None
    }

    fn add_in_processes(&self, _: &[bool], _: &mut Edges, _: &mut Budget<'_>) {}
}

impl DerivedReasons<'_> {
    fn derived(&self, step: &Step, derived: &Derived) -> Option<Reason> {
        let history = self.history;
        let &Derived { earlier, later, .. } = derived;
        let to_micro = self.writers.micro(later);
        let key = history.micros[to_micro].key();
        let known = self.known(derived);
        let (from_micro, relation) = if step.dependency == Dependency::Ww {
            let relation = Relation::Overwrote { first: earlier, second: later, known };
            (self.writers.micro(earlier), relation)
        } else {
            let saw = Micro::Value { key, version: earlier };
            let from_micro = history.span(step.from).find(|&at| history.micros[at] == saw)?;
            let (seen, known) = (history.value_name(earlier), format!(": {known}"));
            (from_micro, Relation::Missed { seen, version: later, known })
        };
        let shown_by = derived.circle.clone();
        Some(Reason { key, from_micro, to_micro, relation, shown_by })
    }

    /// Why the one version came first.
    fn known(&self, derived: &Derived) -> String {
        let (earlier, later) =
            (self.history.value_name(derived.earlier), self.history.value_name(derived.later));
        if derived.circle.is_empty() {
            return format!("with {later} before {earlier} no order of the other writes is left");
        }
        let events: Vec<String> =
            derived.circle.iter().map(|&txn| self.history.header(txn).call.to_string()).collect();
        let events = match events.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => events.concat(),
        };
        format!(
            "with {later} before {earlier} the transactions of events {events} would have to come before one another"
        )
    }
}
