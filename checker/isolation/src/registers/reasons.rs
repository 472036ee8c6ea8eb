//! Why an edge between two transactions on registers is there.

use crate::explain::{Because, Reason, Reasons};
use crate::graph::Dependency;
use crate::history::{History, Micro, Txn, Version};
use crate::registers::KeyOrder;
use crate::registers::key_order::Pair;
use crate::writers::Writers;

pub(crate) struct RegisterReasons<'a> {
    pub(crate) history: &'a History,
    pub(crate) writers: &'a Writers,
    pub(crate) key_order: &'a KeyOrder,
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
}

impl RegisterReasons<'_> {
    /// Time alone shows such a thing: who reads a version and overwrites it depends on its writer by wr, too.
    fn overwrote(&self, from_micro: usize, to: Txn) -> Option<Reason> {
        let Micro::Write { key, version: first } = self.history.micros[from_micro] else {
            return None;
        };
        let leads_there = |pair: &&Pair| self.writers.txn(self.history, pair.later) == to;
        let pair = self.key_order.after(first).find(leads_there)?;
        let (second, known) = (pair.later, self.told_by(pair));
        let because = Because::Overwrote { first, second, known };
        Some(Reason { key, from_micro, to_micro: self.writers.micro(second), because })
    }

    fn saw(&self, from: Txn, to_micro: usize) -> Option<Reason> {
        let Micro::Value { key, version } = self.history.micros[to_micro] else { return None };
        let because = Because::Saw { version, seen: "it".to_owned() };
        let is_writer = self.writers.txn(self.history, version) == from;
        is_writer.then(|| Reason {
            key,
            from_micro: self.writers.micro(version),
            to_micro,
            because,
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
        let known = if first == Some(Micro::Value { key, version: seen }) {
            format!(", written by one that had read {value}, too")
        } else if history.names.is_initial(seen) {
            ": nil is what was there before all writes".to_owned()
        } else {
            let leads_there = |pair: &&Pair| self.writers.txn(history, pair.later) == to;
            format!(": {}", self.told_by(self.key_order.after(seen).find(leads_there)?))
        };
        let because = Because::Missed { seen: value, version, known };
        Some(Reason { key, from_micro, to_micro, because })
    }

    /// The two transactions whose order decides that of the versions.
    fn told_by(&self, pair: &Pair) -> String {
        let event = |txn: Txn| self.history.header(txn).call;
        let name = |version: Version| self.history.value_name(version);
        let (before, after) = (event(pair.by.0), event(pair.by.1));
        let (earlier, later) = (name(pair.earlier), name(pair.later));
        format!(
            "the transaction of event {before} left {earlier}, and that of event {after}, which came after it, found {later}"
        )
    }
}
