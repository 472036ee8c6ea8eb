//! Why an edge between two transactions of a history of lists is there.

use crate::budget::Budget;
use crate::explain::{Reason, Reasons, Relation};
use crate::graph::Edges;
use crate::history::{History, Micro};
use crate::ids::{NONE, Txn, Version};
use crate::links::Dependency;
use crate::lists::Orders;
use crate::writers::Writers;

pub(crate) struct ListReasons<'a> {
    pub(crate) history: &'a History,
    pub(crate) writers: &'a Writers,
    pub(crate) orders: &'a Orders,
}

impl Reasons for ListReasons<'_> {
    fn reason(&self, from: Txn, to: Txn, dependency: Dependency) -> Option<Reason> {
        let mut of_to = self.history.span(to);
        let mut of_from = self.history.span(from);
        match dependency {
            Dependency::Ww => of_to.find_map(|micro| self.overwrote(from, micro)),
            Dependency::Wr => of_to.find_map(|micro| {
                self.saw(from, to, micro).or_else(|| self.overwrote(from, micro))
            }),
            Dependency::Rw => of_from.find_map(|micro| self.missed(to, micro)),
            Dependency::Process | Dependency::Realtime => None,
        }
    }

    /// Lists tell their order themselves.
    fn crowded(&self) -> Option<u32> {
        None
    }

    fn add_in_processes(&self, _: &[bool], _: &mut Edges, _: &mut Budget<'_>) {}
}

impl ListReasons<'_> {
    fn overwrote(&self, from: Txn, to_micro: usize) -> Option<Reason> {
        let history = self.history;
        let Micro::Write { key, version: second } = history.micros[to_micro] else { return None };
        let order = history.order_of(key);
        let position = self.orders.position(second).map(|position| position as usize);
        if position.is_none() && !self.orders.is_unobserved(second) {
            return None;
        }
        let writers = self.orders.writers(history, key);
        let before = &writers[..position.unwrap_or(writers.len())];
        let at = before.iter().rposition(|&writer| writer != NONE)?;
        let first = order[at];
        let known = match position {
            Some(position) => {
                format!("{} was read", history.list_words(order, Some(position)))
            }
            None => format!("the longest list read, {}, lacks it", history.list_words(order, None)),
        };
        let relation = Relation::Overwrote { first, second, known };
        let from_micro = self.writers.micro(first);
        let shown_by = Vec::new();
        (before[at] == from).then_some(Reason { key, from_micro, to_micro, relation, shown_by })
    }

    fn saw(&self, from: Txn, to: Txn, to_micro: usize) -> Option<Reason> {
        let history = self.history;
        let list = history.list(history.micros[to_micro])?;
        let writer = |version: &Version| self.writers.txn(history, *version);
        let is_other = |version: &Version| ![NONE, to].contains(&writer(version));
        let at = list.iter().rposition(is_other)?;
        let version = list[at];
        let seen = history.list_words(list, Some(at));
        let key = history.micros[to_micro].key();
        let from_micro = self.writers.micro(version);
        let relation = Relation::Saw { version, seen };
        let shown_by = Vec::new();
        (writer(&version) == from).then_some(Reason {
            key,
            from_micro,
            to_micro,
            relation,
            shown_by,
        })
    }

    fn missed(&self, to: Txn, from_micro: usize) -> Option<Reason> {
        let history = self.history;
        let Micro::Prefix { key, len } = history.micros[from_micro] else { return None };
        let order = history.order_of(key);
        let writers = self.orders.writers(history, key);
        let next = (len as usize..order.len()).find(|&at| writers[at] != NONE);
        let (version, to_micro) = match next {
            Some(at) if writers[at] == to => (order[at], self.writers.micro(order[at])),
            Some(_) => return None,
            None => self.unobserved(to, key)?,
        };
        let seen = history.list_words(&order[..len as usize], None);
        let relation = Relation::Missed { seen, version, known: String::new() };
        Some(Reason { key, from_micro, to_micro, relation, shown_by: Vec::new() })
    }

    /// An append of the transaction to the key that no list shows.
    fn unobserved(&self, txn: Txn, key: u32) -> Option<(Version, usize)> {
        self.history.span(txn).find_map(|micro| match self.history.micros[micro] {
            Micro::Write { key: other, version }
                if other == key && self.orders.is_unobserved(version) =>
            {
                Some((version, micro))
            }
            _ => None,
        })
    }
}
