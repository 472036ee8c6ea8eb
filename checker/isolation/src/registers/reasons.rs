//! Why an edge between two transactions on registers is there.

use crate::explain::{Because, Reason, Reasons};
use crate::graph::Dependency;
use crate::history::{History, Micro, Txn, Version};
use crate::registers::KeyOrder;
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
            Dependency::Ww => of_to.find_map(|micro| self.overwrote(from, micro)),
            Dependency::Wr => of_to.find_map(|micro| self.saw(from, micro)),
            Dependency::Rw => of_from.find_map(|micro| self.missed(micro, to)),
            Dependency::Process | Dependency::Realtime => None,
        }
    }
}

impl RegisterReasons<'_> {
    fn overwrote(&self, from: Txn, to_micro: usize) -> Option<Reason> {
        let Micro::Write { key, version: second } = self.history.micros[to_micro] else {
            return None;
        };
        let is_pair = |earlier: Version| self.writers.txn(self.history, earlier) == from;
        let pairs = self.key_order.pairs().iter();
        let pair = pairs.filter(|pair| pair.later == second).find(|pair| is_pair(pair.earlier))?;
        let from_micro = self.writers.micro(pair.earlier);
        let known = self.promised(pair.by);
        let because = Because::Overwrote { first: pair.earlier, second, known };
        Some(Reason { key, from_micro, to_micro, because })
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
        let pairs = self.key_order.pairs().iter();
        let mut pairs = pairs.filter(|pair| pair.earlier == seen);
        let known = if first == Some(Micro::Value { key, version: seen }) {
            format!(", written by one that had read {value}, too")
        } else if history.names.is_initial(seen) {
            ": nil is what was there before all writes".to_owned()
        } else {
            let pair = pairs.find(|pair| self.writers.txn(history, pair.later) == to)?;
            format!(": {}", self.promised(pair.by))
        };
        let because = Because::Missed { seen: value, version, known };
        Some(Reason { key, from_micro, to_micro, because })
    }

    /// The two transactions whose order decides that of the versions.
    fn promised(&self, (before, after): (Txn, Txn)) -> String {
        let (before, after) = (self.history.header(before).call, self.history.header(after).call);
        format!(
            "the transaction of event {before} left the one, that of event {after}, which came later, found the other"
        )
    }
}
