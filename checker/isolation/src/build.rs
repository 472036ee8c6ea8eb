//! Histories, transaction by transaction. Lists are compared as they come, so that long ones need no room.

use history::by_index;

use crate::history::{Header, History, Micro};
use crate::ids::{NONE, id};
use crate::names::{Datum, Names, is_itself};
use crate::{Datatype, MicroOp, Outcome, Seen, Transaction, Unfit};

/// Builds a history.
#[derive(Debug)]
pub(crate) struct Builder {
    pub(crate) datatype: Datatype,
    pub(crate) names: Names,
    headers: Vec<Header>,
    outcomes: Vec<Outcome>,
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

impl History {
    /// The history of these transactions.
    ///
    /// # Errors
    /// A read that saw the value of a register where the keys hold lists, or the other way round.
    pub fn from_transactions(
        datatype: Datatype,
        transactions: &[Transaction],
    ) -> Result<Self, Unfit> {
        let mut builder = Builder::new(datatype);
        for transaction in transactions {
            let Transaction { process, call, ret, call_ns, return_ns, outcome, .. } = *transaction;
            let return_ns = return_ns.unwrap_or(call_ns);
            builder.begin(Header { process, call, ret, call_ns, return_ns }, outcome);
            for micro_op in &transaction.micro_ops {
                let added = builder.micro_op(micro_op);
                added.map_err(|problem| Unfit { index: call, problem })?;
            }
            builder.end();
        }
        Ok(builder.finish())
    }
}

impl Builder {
    pub(crate) fn new(datatype: Datatype) -> Self {
        Self {
            datatype,
            names: Names::default(),
            headers: Vec::new(),
            outcomes: Vec::new(),
            starts: vec![0],
            micros: Vec::new(),
            longest: Vec::new(),
            divergent: Vec::new(),
        }
    }

    /// The micro-operations that follow, until `end`, are this transaction's.
    pub(crate) fn begin(&mut self, header: Header, outcome: Outcome) {
        self.headers.push(header);
        self.outcomes.push(outcome);
    }

    pub(crate) fn end(&mut self) {
        self.starts.push(id(self.micros.len()));
    }

    /// Whether the transaction that began last committed.
    pub(crate) fn has_committed(&self) -> bool {
        self.outcomes.last() == Some(&Outcome::Ok)
    }

    fn micro_op(&mut self, micro_op: &MicroOp) -> Result<(), String> {
        match micro_op {
            MicroOp::Write { key, value } => self.write((*key).into(), (*value).into()),
            MicroOp::Read { key, seen } => {
                let key = (*key).into();
                match (seen, self.datatype) {
                    (Seen::Unknown, _) => self.read_unknown(key),
                    (Seen::Register(value), Datatype::Register) => {
                        self.read_value(key, value.map(Datum::from));
                    }
                    (Seen::List(list), Datatype::ListAppend) => {
                        self.read_list(key, list.iter().map(|&element| element.into()).collect());
                    }
                    (Seen::Register(_), Datatype::ListAppend) => {
                        return Err("a read of a list saw the value of a register".to_owned());
                    }
                    (Seen::List(_), Datatype::Register) => {
                        return Err("a read of a register saw a list".to_owned());
                    }
                }
            }
        }
        Ok(())
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

    /// What a failed transaction read counts for nothing.
    pub(crate) fn read_value(&mut self, key: Datum, value: Option<Datum>) {
        let key = self.key(key);
        let micro = if self.outcomes.last() == Some(&Outcome::Fail) {
            Micro::Unknown { key }
        } else {
            Micro::Value { key, version: self.names.version(key, value) }
        };
        self.micros.push(micro);
    }

    /// Lists decide the order of a key's versions, so that only what a committed transaction read counts.
    pub(crate) fn read_list(&mut self, key: Datum, list: Vec<Datum>) {
        let key = self.key(key);
        let micro =
            if self.has_committed() { self.place(key, list) } else { Micro::Unknown { key } };
        self.micros.push(micro);
    }

    /// The same for a list as it was recorded. Nearly always it goes on where the longest one ended, and needs no copy.
    pub(crate) fn read_elements(&mut self, key: Datum, elements: &[history::Datum]) {
        if self.has_committed() {
            let key = self.key(key);
            let longest = &mut self.longest[key as usize];
            let is_same = |(element, known): (&history::Datum, &Datum)| matches!(element, history::Datum::Int(number) if number == known && is_itself(*number));
            if elements.iter().zip(longest.iter()).all(is_same) {
                let news = elements.iter().skip(longest.len());
                longest.extend(news.map(|element| self.names.datum(element)));
                self.micros.push(Micro::Prefix { key, len: id(elements.len()) });
                return;
            }
        }
        let list = elements.iter().map(|element| self.names.datum(element)).collect();
        self.read_list(key, list);
    }

    /// The same for a list of integers.
    pub(crate) fn read_integers(&mut self, key: Datum, elements: &[i64]) {
        if self.has_committed() && elements.iter().all(|&element| is_itself(element)) {
            let key = self.key(key);
            let longest = &mut self.longest[key as usize];
            let common = elements.len().min(longest.len());
            let (known, news) = elements.split_at(common);
            if longest[..common] == *known {
                longest.extend_from_slice(news);
                self.micros.push(Micro::Prefix { key, len: id(elements.len()) });
                return;
            }
        }
        let datum = |&element| self.names.datum(&history::Datum::Int(element));
        let list = elements.iter().map(datum).collect();
        self.read_list(key, list);
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

    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        let lists =
            self.longest.iter().chain(self.divergent.iter().map(|divergent| &divergent.list));
        let elements: usize = lists.map(Vec::len).sum();
        elements * size_of::<Datum>()
            + self.headers.len() * (size_of::<Header>() + size_of::<Outcome>() + size_of::<u32>())
            + self.micros.len() * size_of::<Micro>()
            + self.names.bytes()
    }

    /// Puts the transactions in the order of their invocations.
    fn sort(&mut self) {
        if self.headers.is_sorted_by_key(|header| header.call) {
            return;
        }
        let order = by_index(self.headers.iter().map(|header| header.call).zip(0..));
        let mut micros = Vec::with_capacity(self.micros.len());
        let mut starts = vec![0];
        for &txn in &order {
            let (start, end) = (self.starts[txn as usize], self.starts[txn as usize + 1]);
            micros.extend_from_slice(&self.micros[start as usize..end as usize]);
            starts.push(id(micros.len()));
        }
        self.headers = order.iter().map(|&txn| self.headers[txn as usize]).collect();
        self.outcomes = order.iter().map(|&txn| self.outcomes[txn as usize]).collect();
        (self.micros, self.starts) = (micros, starts);
    }

    /// The history, once all lists are known.
    pub(crate) fn finish(mut self) -> History {
        self.prefer_longest();
        let names = &mut self.names;
        let mut order = Vec::new();
        let mut order_starts = vec![0];
        for (key, list) in std::mem::take(&mut self.longest).into_iter().enumerate() {
            order.extend(list.into_iter().map(|value| names.version(id(key), Some(value))));
            order_starts.push(id(order.len()));
        }
        let versions = |Divergent { key, list }: Divergent| {
            list.into_iter().map(|value| names.version(key, Some(value))).collect()
        };
        let divergent = std::mem::take(&mut self.divergent).into_iter().map(versions).collect();
        self.names.forget_lookups();
        self.sort();
        let (calls, returns) = ranks(&self.headers, &self.outcomes);
        History {
            datatype: self.datatype,
            names: self.names,
            headers: self.headers,
            outcomes: self.outcomes,
            calls,
            returns,
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

/// The rank among all events of each transaction's invocation, and of its completion where it committed.
fn ranks(headers: &[Header], outcomes: &[Outcome]) -> (Vec<u32>, Vec<u32>) {
    const RETURN: u32 = 1;
    let of = |(txn, Header { call, ret, .. }): (u32, &Header)| {
        [Some((*call, txn << 1)), ret.map(|ret| (ret, txn << 1 | RETURN))]
    };
    let events = (0..).zip(headers).flat_map(of).flatten();
    let mut calls = vec![NONE; headers.len()];
    let mut returns = calls.clone();
    for (rank, event) in by_index(events).into_iter().enumerate() {
        let txn = (event >> 1) as usize;
        if event & RETURN == 0 {
            calls[txn] = id(rank);
        } else if outcomes[txn] == Outcome::Ok {
            returns[txn] = id(rank);
        }
    }
    (calls, returns)
}
