//! Anomalies as they are found: all are counted, of each kind a few are listed.

use std::collections::BTreeMap;

use crate::finding::{CycleStep, Finding, TxnWords};
use crate::history::History;
use crate::ids::Txn;
use crate::{Anomaly, Outcome, elision};

/// How many of each kind are listed.
pub(crate) const LISTED: u64 = 10;

#[derive(Debug)]
pub(crate) struct Findings<'h> {
    history: &'h History,
    /// Whether a transaction read a key that another one may have written: reads of own writes test nothing.
    pub(crate) is_tested: bool,
    counts: BTreeMap<Anomaly, u64>,
    listed: BTreeMap<Anomaly, Vec<Finding>>,
}

impl<'h> Findings<'h> {
    pub(crate) fn new(history: &'h History) -> Self {
        Self { history, is_tested: false, counts: BTreeMap::new(), listed: BTreeMap::new() }
    }

    /// Counts an anomaly and lists it, if few of its kind are. The sentence calls the transactions T1, T2…, in their order.
    pub(crate) fn add(&mut self, anomaly: Anomaly, explain: impl FnOnce() -> (Vec<Txn>, String)) {
        if self.count(anomaly) {
            let (txns, sentence) = explain();
            self.list(anomaly, &txns, sentence, Vec::new());
        }
    }

    /// Counts a cycle.
    pub(crate) fn add_cycle(
        &mut self,
        anomaly: Anomaly,
        txns: &[Txn],
        explain: impl FnOnce() -> (String, Vec<CycleStep>),
    ) {
        if self.count(anomaly) {
            let (sentence, steps) = explain();
            self.list(anomaly, txns, sentence, steps);
        }
    }

    /// Whether it is one of those to be listed.
    fn count(&mut self, anomaly: Anomaly) -> bool {
        let count = self.counts.entry(anomaly).or_default();
        *count += 1;
        *count <= LISTED
    }

    fn list(&mut self, anomaly: Anomaly, txns: &[Txn], sentence: String, steps: Vec<CycleStep>) {
        let shown: Vec<Txn> = elision::shown(txns.len()).map(|position| txns[position]).collect();
        let transactions = shown.iter().map(|&txn| self.history.header(txn).call).collect();
        let operations = shown.iter().map(|&txn| describe(self.history, txn)).collect();
        let left_out = elision::left_out(txns.len());
        let finding = Finding { anomaly, sentence, steps, transactions, operations, left_out };
        self.listed.entry(anomaly).or_default().push(finding);
    }

    /// The kinds that were found.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = Anomaly> + '_ {
        self.counts.keys().copied()
    }

    /// Everything listed, and how many there are of each kind.
    pub(crate) fn finish(self) -> (Vec<Finding>, Vec<(Anomaly, u64)>) {
        (self.listed.into_values().flatten().collect(), self.counts.into_iter().collect())
    }
}

fn describe(history: &History, txn: Txn) -> TxnWords {
    let header = history.header(txn);
    let end = match history.outcome(txn) {
        Outcome::Ok => "",
        Outcome::Fail => " (failed)",
        Outcome::Info => " (outcome unknown)",
    };
    TxnWords {
        who: format!("event {}, process {}", header.call, header.process),
        what: format!("{}{end}", history.txn_words(txn)),
    }
}
