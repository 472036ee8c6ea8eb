//! Who wrote each version, and which transactions in doubt happened after all.

use crate::Outcome;
use crate::history::{History, Micro};
use crate::ids::{NONE, Txn, Version, id};

/// The writers of all versions.
#[derive(Debug)]
pub(crate) struct Writers {
    /// The position of the write in `micros`, by version.
    micros: Vec<u32>,
    /// The transaction, by version.
    txns: Vec<Txn>,
    /// Versions that their own transaction wrote over.
    intermediate: Vec<bool>,
    /// The transaction that may have written each key, if only one.
    keys: Vec<Txn>,
    /// Committed transactions, and those in doubt of which somebody saw something.
    happened: Vec<bool>,
    /// A version that two transactions wrote, both of which may have happened: nobody knows whose it is.
    pub(crate) ambiguous: Option<(Version, Txn, Txn)>,
}

/// The writer of a version, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    /// A transaction that happened, if the version was seen.
    Happened(Txn),
    Aborted(Txn),
    /// Nobody in the history.
    Nobody,
    /// More than one, or nobody at all: a register's initial version.
    Unclear,
}

/// In the place of a transaction: more than one.
const SEVERAL: u32 = NONE - 1;

impl History {
    /// Of each transaction, in their order, whether it certainly happened: it committed, or it is in doubt and somebody
    /// saw what it wrote.
    ///
    /// # Errors
    /// Two that may both have happened wrote the same value to a key: nobody knows whose it is.
    pub fn happened(&self) -> Result<Vec<bool>, String> {
        let writers = Writers::new(self);
        writers.doubt(self).map_or(Ok(writers.happened), Err)
    }
}

impl Writers {
    pub(crate) fn new(history: &History) -> Self {
        let versions = history.names.versions();
        let mut writers = Self {
            micros: vec![NONE; versions],
            txns: vec![NONE; versions],
            intermediate: vec![false; versions],
            keys: vec![NONE; history.keys()],
            happened: history.outcomes.iter().map(|&outcome| outcome == Outcome::Ok).collect(),
            ambiguous: None,
        };
        // The last write to each key that was met, going backwards through a transaction.
        let mut overwritten = vec![NONE; history.keys()];
        for txn in history.txns() {
            for position in history.span(txn).rev() {
                let Micro::Write { key, version } = history.micros[position] else { continue };
                let is_last = overwritten[key as usize] != txn;
                overwritten[key as usize] = txn;
                writers.add(history, version, txn, id(position), is_last);
                if history.outcome(txn) != Outcome::Fail {
                    let known = &mut writers.keys[key as usize];
                    *known = if *known == NONE || *known == txn { txn } else { SEVERAL };
                }
            }
        }
        writers.observe(history);
        writers
    }

    /// Why it is not known who wrote what, if it is not.
    pub(crate) fn doubt(&self, history: &History) -> Option<String> {
        let (version, first, second) = self.ambiguous?;
        let key = history.key_name(history.micros[self.micro(version)].key());
        let (first, second) = (history.header(first).call, history.header(second).call);
        Some(format!(
            "The transactions of events {first} and {second} both write {} to {key}: only unique values tell who wrote what.",
            history.value_name(version)
        ))
    }

    /// What they take.
    pub(crate) fn bytes(&self) -> usize {
        let numbers = self.micros.len() + self.txns.len() + self.keys.len();
        numbers * size_of::<u32>() + self.intermediate.len() + self.happened.len()
    }

    fn add(&mut self, history: &History, version: Version, txn: Txn, micro: u32, is_last: bool) {
        let at = version as usize;
        let failed = |txn| history.outcome(txn) == Outcome::Fail;
        match self.txns[at] {
            known if known == NONE || (known != SEVERAL && failed(known)) => {
                self.txns[at] = txn;
                self.micros[at] = micro;
                self.intermediate[at] = !is_last;
            }
            SEVERAL => {}
            _ if failed(txn) => {}
            known => {
                self.txns[at] = SEVERAL;
                self.ambiguous.get_or_insert((version, known, txn));
            }
        }
    }

    /// What was seen was written. So a transaction in doubt of which a committed one saw something happened; and if it
    /// happened, what it read (see [`Micro::Value`]) was written, too.
    fn observe(&mut self, history: &History) {
        let mut found = Vec::new();
        for version in history.order.iter().chain(history.divergent.iter().flatten()) {
            found.extend(self.reveal(history, *version));
        }
        for txn in history.committed() {
            self.reveal_read(history, txn, &mut found);
        }
        while let Some(txn) = found.pop() {
            self.reveal_read(history, txn, &mut found);
        }
    }

    fn reveal_read(&mut self, history: &History, txn: Txn, found: &mut Vec<Txn>) {
        for micro in history.micros_of(txn) {
            if let Micro::Value { version, .. } = *micro {
                found.extend(self.reveal(history, version));
            }
        }
    }

    /// Notes that somebody saw the version. Its writer, if it was not known before that this one happened.
    fn reveal(&mut self, history: &History, version: Version) -> Option<Txn> {
        let Writer::Happened(txn) = self.writer(history, version) else { return None };
        let is_news = !std::mem::replace(&mut self.happened[txn as usize], true);
        is_news.then_some(txn)
    }

    pub(crate) fn writer(&self, history: &History, version: Version) -> Writer {
        match self.txns[version as usize] {
            NONE if history.names.is_initial(version) => Writer::Unclear,
            NONE => Writer::Nobody,
            SEVERAL => Writer::Unclear,
            txn if history.outcome(txn) == Outcome::Fail => Writer::Aborted(txn),
            txn => Writer::Happened(txn),
        }
    }

    /// The transaction that wrote the version, where it may have happened; else `NONE`.
    pub(crate) fn txn(&self, history: &History, version: Version) -> Txn {
        match self.writer(history, version) {
            Writer::Happened(txn) => txn,
            Writer::Aborted(_) | Writer::Nobody | Writer::Unclear => NONE,
        }
    }

    /// Whether another transaction than this may have written the key.
    pub(crate) fn may_be_others(&self, key: u32, txn: Txn) -> bool {
        let writer = self.keys[key as usize];
        writer != NONE && writer != txn
    }

    /// Where in `micros` the version was written.
    pub(crate) fn micro(&self, version: Version) -> usize {
        self.micros[version as usize] as usize
    }

    /// Whether its transaction wrote over it.
    pub(crate) fn is_intermediate(&self, version: Version) -> bool {
        self.intermediate[version as usize]
    }

    /// Whether it is certain that the transaction happened.
    pub(crate) fn happened(&self, txn: Txn) -> bool {
        self.happened[txn as usize]
    }
}
