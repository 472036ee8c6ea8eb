//! Which version each read saw, given the version orders.

use std::collections::BTreeSet;

use super::{Case, VersionOrders};
use isolation::{Key, MicroOp, Seen, Transaction, Value};

/// What the committed transactions saw.
pub(super) struct Observations {
    /// The reads of versions that other transactions installed.
    pub(super) reads: Vec<Read>,
    /// Each read saw the last write of a committed transaction, or an earlier one of its own (no G1a, no G1b).
    pub(super) all_committed: bool,
    /// Each read agrees with what its transaction read and wrote before.
    pub(super) internally_consistent: bool,
    /// Where reads show the version orders, they show these ones, and no value from nowhere. That much is asked of
    /// uncommitted reads, too, though Adya demands nothing of them.
    pub(super) follow_the_orders: bool,
}

/// A read of another transaction's version.
pub(super) struct Read {
    pub(super) reader: usize,
    pub(super) key: Key,
    /// Its place in the version order; 0 is the initial version.
    pub(super) version: usize,
    /// Does the reader write the key afterwards?
    pub(super) updates: bool,
}

/// What one read saw.
enum Saw {
    Version(usize),
    /// Its own writes so far, or some of them.
    Own,
    /// An aborted, intermediate or future write, or a list that no state of the key ever was.
    Phenomenon,
}

impl Observations {
    pub(super) fn new(case: &Case<'_>, orders: &VersionOrders) -> Self {
        let mut seen = Self {
            reads: Vec::new(),
            all_committed: true,
            internally_consistent: true,
            follow_the_orders: true,
        };
        for (reader, transaction) in case.committed.iter().enumerate() {
            for (at, micro_op) in transaction.micro_ops.iter().enumerate() {
                if let MicroOp::Read { key, seen: result } = micro_op
                    && *result != Seen::Unknown
                {
                    let look = Look { case, orders, reader, at, key: *key, result };
                    seen.add(&look);
                }
            }
        }
        seen
    }

    fn add(&mut self, look: &Look<'_>) {
        self.internally_consistent &= look.agrees_with_what_came_before();
        self.follow_the_orders &= look.follows_the_orders();
        match look.saw() {
            Saw::Phenomenon => self.all_committed = false,
            Saw::Own => {}
            Saw::Version(version) => {
                let (reader, key, updates) = (look.reader, look.key, look.is_updated_later());
                self.reads.push(Read { reader, key, version, updates });
            }
        }
    }

    /// Two transactions read the same version and both wrote the key.
    pub(super) fn has_lost_update(&self) -> bool {
        let updates = self.reads.iter().filter(|read| read.updates);
        let each_once: BTreeSet<_> =
            updates.map(|read| (read.key, read.version, read.reader)).collect();
        let mut read_and_overwritten = BTreeSet::new();
        each_once.into_iter().any(|(key, version, _)| !read_and_overwritten.insert((key, version)))
    }

    /// A transaction saw one write of another transaction, but of another key an older version than that one's.
    pub(super) fn has_fractured_read(&self, orders: &VersionOrders) -> bool {
        self.reads.iter().any(|visible| {
            let Some(writer) = visible.version.checked_sub(1).map(|i| orders[&visible.key][i])
            else {
                return false;
            };
            self.reads.iter().filter(|read| read.reader == visible.reader).any(|read| {
                let writers = orders.get(&read.key).map_or(&[][..], Vec::as_slice);
                writers
                    .iter()
                    .position(|other| *other == writer)
                    .is_some_and(|place| read.version <= place)
            })
        })
    }
}

/// One read with a result.
struct Look<'a> {
    case: &'a Case<'a>,
    orders: &'a VersionOrders,
    reader: usize,
    /// Its place among the micro-operations.
    at: usize,
    key: Key,
    result: &'a Seen,
}

impl Look<'_> {
    fn transaction(&self) -> &Transaction {
        self.case.committed[self.reader]
    }

    fn writers(&self) -> &[usize] {
        self.orders.get(&self.key).map_or(&[], Vec::as_slice)
    }

    /// What a transaction wrote to the key.
    fn values(&self, writer: usize) -> Vec<Value> {
        values(&self.case.committed[writer].micro_ops, self.key)
    }

    fn own_so_far(&self) -> Vec<Value> {
        values(&self.transaction().micro_ops[..self.at], self.key)
    }

    fn is_updated_later(&self) -> bool {
        !values(&self.transaction().micro_ops[self.at..], self.key).is_empty()
    }

    fn saw(&self) -> Saw {
        match self.result {
            Seen::List(list) => self.saw_list(list),
            Seen::Register(value) => self.saw_value(*value),
            Seen::Unknown => Saw::Own,
        }
    }

    fn saw_list(&self, list: &[Value]) -> Saw {
        let mut left = list;
        for (version, writer) in self.writers().iter().enumerate() {
            if left.is_empty() {
                return Saw::Version(version);
            }
            let installed = self.values(*writer);
            if *writer == self.reader {
                let own = self.own_so_far();
                if own.starts_with(left) {
                    return Saw::Own;
                }
                if own != installed {
                    return Saw::Phenomenon;
                }
            }
            let Some(rest) = left.strip_prefix(installed.as_slice()) else {
                return Saw::Phenomenon;
            };
            left = rest;
        }
        if left.is_empty() { Saw::Version(self.writers().len()) } else { Saw::Phenomenon }
    }

    fn saw_value(&self, value: Option<Value>) -> Saw {
        let Some(value) = value else { return Saw::Version(0) };
        let Some(place) = self.place_of(value) else { return Saw::Phenomenon };
        let writer = self.writers()[place];
        if writer == self.reader && self.own_so_far().contains(&value) {
            Saw::Own
        } else if writer != self.reader && self.values(writer).last() == Some(&value) {
            Saw::Version(place + 1)
        } else {
            Saw::Phenomenon
        }
    }

    /// The place of the committed writer of this value in the version order.
    fn place_of(&self, value: Value) -> Option<usize> {
        self.writers().iter().position(|writer| self.values(*writer).contains(&value))
    }

    fn agrees_with_what_came_before(&self) -> bool {
        let before = &self.transaction().micro_ops[..self.at];
        let last_read = before.iter().enumerate().rev().find_map(|(at, micro_op)| match micro_op {
            MicroOp::Read { key, seen } if *key == self.key && *seen != Seen::Unknown => {
                Some((at, seen))
            }
            MicroOp::Read { .. } | MicroOp::Write { .. } => None,
        });
        let written = values(&before[last_read.map_or(0, |(at, _)| at)..], self.key);
        match (self.result, last_read) {
            (Seen::List(list), Some((_, Seen::List(earlier)))) => {
                *list == [earlier.as_slice(), &written].concat()
            }
            (Seen::List(list), _) => list.ends_with(&written),
            (result, _) if !written.is_empty() => {
                *result == Seen::Register(written.last().copied())
            }
            (result, Some((_, earlier))) => result == earlier,
            (_, None) => true,
        }
    }

    fn follows_the_orders(&self) -> bool {
        let visible = |value: &Value| self.case.visible.contains(&(self.key, *value));
        match self.result {
            Seen::List(list) => {
                let once: BTreeSet<_> = list.iter().collect();
                let show = |values: &[Value]| -> Vec<Value> {
                    list.iter().copied().filter(|value| values.contains(value)).collect()
                };
                let written: Vec<_> =
                    self.writers().iter().map(|writer| self.values(*writer)).collect();
                // Of what a transaction appended only the last is a version, but the rest has an order, too.
                let installed: Vec<_> =
                    written.iter().filter_map(|values| values.last().copied()).collect();
                let is_prefix = |values: &[Value]| values.starts_with(&show(values));
                let in_order =
                    is_prefix(&installed) && written.iter().all(|values| is_prefix(values));
                list.iter().all(visible) && once.len() == list.len() && in_order
            }
            Seen::Register(Some(value)) => visible(value),
            Seen::Register(None) | Seen::Unknown => true,
        }
    }
}

/// What these micro-operations wrote to the key.
fn values(micro_ops: &[MicroOp], key: Key) -> Vec<Value> {
    let written = micro_ops.iter().filter_map(|micro_op| match micro_op {
        MicroOp::Write { key: other, value } if *other == key => Some(*value),
        MicroOp::Write { .. } | MicroOp::Read { .. } => None,
    });
    written.collect()
}
