//! Why an edge between two transactions on registers is there.

use std::cell::OnceCell;

use super::sessions::Sessions;
use crate::budget::Budget;
use crate::explain::{Reason, Reasons, Relation};
use crate::graph::Edges;
use crate::history::{History, Micro};
use crate::ids::{Txn, Version};
use crate::links::Dependency;
use crate::registers::{Lives, Readers};
use crate::writers::Writers;

pub(crate) struct RegisterReasons<'a> {
    history: &'a History,
    writers: &'a Writers,
    lives: &'a Lives,
    readers: &'a Readers,
    /// A key of which not all versions were compared in time.
    crowded: Option<u32>,
    /// Known once somebody asked for it.
    sessions: OnceCell<Sessions>,
}

impl<'a> RegisterReasons<'a> {
    pub(crate) fn new(
        history: &'a History,
        writers: &'a Writers,
        lives: &'a Lives,
        readers: &'a Readers,
        crowded: Option<u32>,
    ) -> Self {
        Self { history, writers, lives, readers, crowded, sessions: OnceCell::new() }
    }
}

impl Reasons for RegisterReasons<'_> {
    fn reason(&self, from: Txn, to: Txn, dependency: Dependency) -> Option<Reason> {
        let mut of_to = self.history.span(to);
        let mut of_from = self.history.span(from);
        match dependency {
            Dependency::Ww => of_from.find_map(|micro| self.overwrote(micro, to)),
            Dependency::Wr => of_to.find_map(|micro| self.saw(from, micro)),
            Dependency::Rw => of_from.find_map(|micro| self.missed(micro, to)),
            Dependency::Process | Dependency::Realtime => None,
        }
    }

    fn crowded(&self) -> Option<u32> {
        let in_process = || {
            let version = self.sessions.get()?.crowded()?;
            Some(self.history.micros[self.writers.micro(version)].key())
        };
        self.crowded.or_else(in_process)
    }

    fn add_in_processes(&self, concerned: &[bool], edges: &mut Edges, budget: &mut Budget<'_>) {
        let (history, writers) = (self.history, self.writers);
        let sessions = || Sessions::new(history, writers, concerned, budget);
        let sessions = self.sessions.get_or_init(sessions);
        self.readers.add_sessions(history, writers, sessions, concerned, edges, budget);
    }
}

impl RegisterReasons<'_> {
    /// Only time shows such an edge: whoever reads a version before it overwrites it has a wr edge from its writer.
    fn overwrote(&self, from_micro: usize, to: Txn) -> Option<Reason> {
        let Micro::Write { key, version: first } = self.history.micros[from_micro] else {
            return None;
        };
        let (second, shown_by) = self.later(key, first, to)?;
        let relation = Relation::Overwrote {
            first,
            second,
            known: self.order_in_words(first, second, shown_by),
        };
        let (to_micro, shown_by) = (self.writers.micro(second), shown_by.to_vec());
        Some(Reason { key, from_micro, to_micro, relation, shown_by })
    }

    fn saw(&self, from: Txn, to_micro: usize) -> Option<Reason> {
        let Micro::Value { key, version } = self.history.micros[to_micro] else { return None };
        let relation = Relation::Saw { version, seen: "it".to_owned() };
        let is_writer = self.writers.txn(self.history, version) == from;
        is_writer.then(|| Reason {
            key,
            from_micro: self.writers.micro(version),
            to_micro,
            relation,
            shown_by: Vec::new(),
        })
    }

    fn missed(&self, from_micro: usize, to: Txn) -> Option<Reason> {
        let history = self.history;
        let Micro::Value { key, version: seen } = history.micros[from_micro] else { return None };
        let of_key = |micro: &usize| history.micros[*micro].key() == key;
        let is_write = |micro: &usize| matches!(history.micros[*micro], Micro::Write { .. });
        let to_micro = history.span(to).filter(of_key).find(is_write)?;
        let Micro::Write { version, .. } = history.micros[to_micro] else { return None };
        let value = history.value_name(seen);
        let first = history.span(to).find(of_key).map(|micro| history.micros[micro]);
        let mut shown_by = Vec::new();
        let known = if first == Some(Micro::Value { key, version: seen }) {
            format!(", written by one that had read {value}, too")
        } else if history.names.is_initial(seen) {
            ": nil is what was there before all writes".to_owned()
        } else {
            let (later, by) = self.later(key, seen, to)?;
            shown_by.extend(by);
            format!(": {}", self.order_in_words(seen, later, by))
        };
        let relation = Relation::Missed { seen: value, version, known };
        Some(Reason { key, from_micro, to_micro, relation, shown_by })
    }

    /// A version of the key that the transaction wrote and that comes after another one in time, and the two transactions
    /// whose order shows that: of one process if possible.
    fn later(&self, key: u32, earlier: Version, writer: Txn) -> Option<(Version, [Txn; 2])> {
        let versions = self.history.micros_of(writer).iter().filter_map(|micro| match micro {
            Micro::Write { key: other, version } if *other == key => Some(*version),
            _ => None,
        });
        let in_process = |later| self.sessions.get()?.precedes(earlier, later);
        let shown = |later| in_process(later).or_else(|| self.lives.precedes(earlier, later));
        let (later, (before, after)) =
            versions.filter_map(|later| Some((later, shown(later)?))).next()?;
        Some((later, [before, after]))
    }

    fn order_in_words(&self, earlier: Version, later: Version, shown_by: [Txn; 2]) -> String {
        let did = |txn: Txn, version: Version| {
            let is_its_own = self.writers.txn(self.history, version) == txn;
            let verb = if is_its_own { "wrote" } else { "read" };
            let event = self.history.header(txn).call;
            format!("that of event {event} {verb} {}", self.history.value_name(version))
        };
        let [before, after] = shown_by;
        format!(
            "of two transactions one after the other, {} and {}",
            did(before, earlier),
            did(after, later)
        )
    }
}
