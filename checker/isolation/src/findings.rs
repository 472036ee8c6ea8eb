//! Anomalies as they are found: all are counted, of each kind a few are told.

use std::collections::BTreeMap;

use crate::finding::{Finding, Step};
use crate::history::History;
use crate::ids::Txn;
use crate::{Anomaly, Outcome, elision};

/// How many of each kind are told.
pub(crate) const LISTED: u64 = 10;

#[derive(Debug)]
pub(crate) struct Findings<'h> {
    history: &'h History,
    /// Somebody looked where another one may have written: what a transaction reads of its own writes is no test.
    pub(crate) is_tested: bool,
    counts: BTreeMap<Anomaly, u64>,
    told: BTreeMap<Anomaly, Vec<Finding>>,
}

impl<'h> Findings<'h> {
    pub(crate) fn new(history: &'h History) -> Self {
        Self { history, is_tested: false, counts: BTreeMap::new(), told: BTreeMap::new() }
    }

    /// Counts an anomaly. Told are those listed first: the sentence names the transactions T1, T2… in their order.
    pub(crate) fn add(&mut self, anomaly: Anomaly, tell: impl FnOnce() -> (Vec<Txn>, String)) {
        if self.count(anomaly) {
            let (txns, sentence) = tell();
            self.tell(anomaly, &txns, sentence, Vec::new());
        }
    }

    /// Counts a cycle.
    pub(crate) fn add_cycle(
        &mut self,
        anomaly: Anomaly,
        txns: &[Txn],
        tell: impl FnOnce() -> (String, Vec<Step>),
    ) {
        if self.count(anomaly) {
            let (sentence, steps) = tell();
            self.tell(anomaly, txns, sentence, steps);
        }
    }

    /// Whether it is one of those to be told.
    fn count(&mut self, anomaly: Anomaly) -> bool {
        let count = self.counts.entry(anomaly).or_default();
        *count += 1;
        *count <= LISTED
    }

    fn tell(&mut self, anomaly: Anomaly, txns: &[Txn], sentence: String, steps: Vec<Step>) {
        let told: Vec<Txn> = elision::told(txns.len()).map(|position| txns[position]).collect();
        let transactions = told.iter().map(|&txn| self.history.header(txn).call).collect();
        let operations = told.iter().map(|&txn| describe(self.history, txn)).collect();
        let left_out = elision::left_out(txns.len());
        let finding = Finding { anomaly, sentence, steps, transactions, operations, left_out };
        self.told.entry(anomaly).or_default().push(finding);
    }

    /// Everything told, and how many there are of each kind.
    pub(crate) fn finish(self) -> (Vec<Finding>, Vec<(Anomaly, u64)>) {
        (self.told.into_values().flatten().collect(), self.counts.into_iter().collect())
    }
}

/// `event 17, process 3: append x 3, r y []`.
fn describe(history: &History, txn: Txn) -> String {
    let header = history.header(txn);
    let end = match history.outcome(txn) {
        Outcome::Ok => "",
        Outcome::Fail => " (failed)",
        Outcome::Info => " (outcome unknown)",
    };
    let (call, process, words) = (header.call, header.process, history.txn_words(txn));
    format!("event {call}, process {process}: {words}{end}")
}
