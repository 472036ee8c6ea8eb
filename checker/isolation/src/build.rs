//! Histories, transaction by transaction. Lists are compared as they come, so that long ones need no room.

use crate::history::{Header, History, Micro, NONE, id};
use crate::names::{Datum, Names};
use crate::pairing::Pairing;
use crate::{Datatype, MicroOp, Outcome, Seen, Transaction};

/// Builds a history.
#[derive(Debug)]
pub struct Builder {
    pub(crate) datatype: Datatype,
    pub(crate) names: Names,
    /// What the events so far left open.
    pub(crate) pairing: Pairing,
    headers: Vec<Header>,
    outcomes: Vec<Outcome>,
    calls: Vec<u32>,
    returns: Vec<u32>,
    starts: Vec<u32>,
    micros: Vec<Micro>,
    /// The longest list so far, by key.
    longest: Vec<Vec<Datum>>,
    /// Lists that were no prefix of the longest when they came, nor it of them.
    divergent: Vec<Divergent>,
}

#[derive(Debug)]
struct Divergent {
    key: u32,
    list: Vec<Datum>,
}

/// How one transaction lies in the history.
pub(crate) struct Frame {
    pub(crate) header: Header,
    pub(crate) outcome: Outcome,
    pub(crate) call: u32,
    /// Ignored unless the transaction committed.
    pub(crate) ret: u32,
}

impl Builder {
    pub(crate) fn new(datatype: Datatype) -> Self {
        Self {
            datatype,
            names: Names::default(),
            pairing: Pairing::default(),
            headers: Vec::new(),
            outcomes: Vec::new(),
            calls: Vec::new(),
            returns: Vec::new(),
            starts: vec![0],
            micros: Vec::new(),
            longest: Vec::new(),
            divergent: Vec::new(),
        }
    }

    pub(crate) fn of_transactions(datatype: Datatype, transactions: &[Transaction]) -> History {
        let mut builder = Self::new(datatype);
        for (transaction, (call, ret)) in transactions.iter().zip(ranks(transactions)) {
            let Transaction { process, ret: event, call_ns, return_ns, outcome, .. } = *transaction;
            let header = Header { process, call: transaction.call, ret: event, call_ns, return_ns };
            builder.begin(&Frame { header, outcome, call, ret });
            for micro_op in &transaction.micro_ops {
                builder.micro_op(micro_op);
            }
            builder.end();
        }
        builder.settle()
    }

    /// The micro-operations that follow, until `end`, are this transaction's.
    pub(crate) fn begin(&mut self, frame: &Frame) {
        self.headers.push(frame.header);
        self.outcomes.push(frame.outcome);
        self.calls.push(frame.call);
        self.returns.push(if frame.outcome == Outcome::Ok { frame.ret } else { NONE });
    }

    pub(crate) fn end(&mut self) {
        self.starts.push(id(self.micros.len()));
    }

    fn micro_op(&mut self, micro_op: &MicroOp) {
        match micro_op {
            MicroOp::Write { key, value } => self.write((*key).into(), (*value).into()),
            MicroOp::Read { key, seen } => {
                let key = (*key).into();
                match seen {
                    Seen::Unknown => self.read_unknown(key),
                    Seen::Register(value) => self.read_value(key, value.map(Datum::from)),
                    Seen::List(list) => {
                        self.read_list(key, list.iter().map(|&element| element.into()).collect());
                    }
                }
            }
        }
    }

    pub(crate) fn write(&mut self, key: Datum, value: Datum) {
        let key = self.key(key);
        let version = self.names.version(key, Some(value));
        self.micros.push(Micro::Write { key, version });
    }

    pub(crate) fn read_unknown(&mut self, key: Datum) {
        let key = self.key(key);
        self.micros.push(Micro::Unknown { key });
    }

    pub(crate) fn read_value(&mut self, key: Datum, value: Option<Datum>) {
        let key = self.key(key);
        let read = self.does_committed(|builder| {
            let version = builder.names.version(key, value);
            Micro::Value { key, version }
        });
        self.micros.push(read.unwrap_or(Micro::Unknown { key }));
    }

    pub(crate) fn read_list(&mut self, key: Datum, list: Vec<Datum>) {
        let key = self.key(key);
        let read = self.does_committed(|builder| builder.place(key, list));
        self.micros.push(read.unwrap_or(Micro::Unknown { key }));
    }

    /// What a transaction read counts only where it committed.
    fn does_committed<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.outcomes.last() == Some(&Outcome::Ok)).then(|| act(self))
    }

    fn place(&mut self, key: u32, list: Vec<Datum>) -> Micro {
        let longest = &mut self.longest[key as usize];
        let len = id(list.len());
        if longest.starts_with(&list) {
            return Micro::Prefix { key, len };
        }
        if list.starts_with(longest) {
            *longest = list;
            return Micro::Prefix { key, len };
        }
        self.divergent.push(Divergent { key, list });
        Micro::Divergent { key, list: id(self.divergent.len() - 1) }
    }

    fn key(&mut self, key: Datum) -> u32 {
        let key = self.names.key(key);
        if key as usize == self.longest.len() {
            self.longest.push(Vec::new());
        }
        key
    }

    /// The history, once all lists are known.
    pub(crate) fn settle(mut self) -> History {
        self.prefer_longest();
        let names = &mut self.names;
        let mut order = Vec::new();
        let mut order_starts = vec![0];
        for (key, list) in self.longest.into_iter().enumerate() {
            order.extend(list.into_iter().map(|value| names.version(id(key), Some(value))));
            order_starts.push(id(order.len()));
        }
        let versions = |Divergent { key, list }: Divergent| {
            list.into_iter().map(|value| names.version(key, Some(value))).collect()
        };
        let divergent = self.divergent.into_iter().map(versions).collect();
        self.names.forget_lookups(self.datatype == Datatype::Register);
        History {
            datatype: self.datatype,
            names: self.names,
            headers: self.headers,
            outcomes: self.outcomes,
            calls: self.calls,
            returns: self.returns,
            starts: self.starts,
            micros: self.micros,
            order,
            order_starts,
            divergent,
        }
    }

    /// Where a divergent list turned out longer than the one it diverges from, it becomes the key's order.
    fn prefer_longest(&mut self) {
        let mut replaced = rustc_hash::FxHashMap::default();
        for Divergent { key, list } in &self.divergent {
            let longest = &mut self.longest[*key as usize];
            if list.len() > longest.len() {
                let old = std::mem::replace(longest, list.clone());
                replaced.entry(*key).or_insert(old);
            }
        }
        if replaced.is_empty() {
            return;
        }
        for micro in &mut self.micros {
            let Some(old) = replaced.get(&micro.key()) else { continue };
            let list = match *micro {
                Micro::Prefix { len, .. } => &old[..len as usize],
                Micro::Divergent { list, .. } => &self.divergent[list as usize].list,
                Micro::Write { .. } | Micro::Value { .. } | Micro::Unknown { .. } => continue,
            };
            let key = micro.key();
            if self.longest[key as usize].starts_with(list) {
                *micro = Micro::Prefix { key, len: id(list.len()) };
            } else if matches!(micro, Micro::Prefix { .. }) {
                let list = list.to_vec();
                *micro = Micro::Divergent { key, list: id(self.divergent.len()) };
                self.divergent.push(Divergent { key, list });
            }
        }
    }
}

/// The ranks of each transaction's invocation and, where it committed, of its completion.
fn ranks(transactions: &[Transaction]) -> Vec<(u32, u32)> {
    let mut events = Vec::with_capacity(2 * transactions.len());
    for (position, transaction) in transactions.iter().enumerate() {
        events.push((transaction.call, position, false));
        events.extend(transaction.ret.map(|ret| (ret, position, true)));
    }
    events.sort_unstable();
    let mut ranks = vec![(0, NONE); transactions.len()];
    for (rank, (_, position, is_return)) in events.into_iter().enumerate() {
        let (call, ret) = &mut ranks[position];
        *(if is_return { ret } else { call }) = id(rank);
    }
    ranks
}
