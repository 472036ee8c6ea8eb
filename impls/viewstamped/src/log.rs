//! The log: the operations since the checkpoint, by op-number (§4).

use std::{collections::VecDeque, sync::Arc};

use contract::Request;
use node::log_size::encoded_bytes;
use serde::{Deserialize, Serialize};

/// A place in the log, counted 1, 2, 3…
pub type OpNumber = u64;

/// What one op-number stands for: several requests, to share one round of messages (§6.2).
pub type Batch = Arc<Vec<Request>>;

/// A log without its executed part: what a replica may have beyond what it knows to be committed. The pipeline bounds it,
/// so that it fits into one message (§5.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSuffix {
    /// The paper's *commit-number* k: what comes before is committed, and not in here.
    pub commit_number: OpNumber,
    /// The operations after it.
    pub batches: Vec<Batch>,
}

impl LogSuffix {
    /// The paper's *op-number* n: the last one in the log.
    #[must_use]
    pub fn op_number(&self) -> OpNumber {
        self.commit_number + self.batches.len() as u64
    }
}

/// The operations after the checkpoint.
#[derive(Debug, Default)]
pub struct Log {
    /// Operations up to here are in the checkpoint.
    truncated: OpNumber,
    entries: VecDeque<(Batch, u64)>,
    bytes: u64,
    /// What was left after the last truncation, and truncating again would not free.
    carried_bytes: u64,
}

impl Log {
    /// The last op-number.
    #[must_use]
    pub fn op_number(&self) -> OpNumber {
        self.truncated + self.entries.len() as u64
    }

    /// The last op-number that is no longer in the log.
    #[must_use]
    pub fn truncated(&self) -> OpNumber {
        self.truncated
    }

    /// How long the log is as JSON.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many bytes were added since the last truncation.
    #[must_use]
    pub fn added_bytes(&self) -> u64 {
        self.bytes.saturating_sub(self.carried_bytes)
    }

    /// An operation, if it is in the log.
    #[must_use]
    pub fn get(&self, op_number: OpNumber) -> Option<&Batch> {
        let index = op_number.checked_sub(self.truncated + 1)?;
        self.entries.get(usize::try_from(index).ok()?).map(|(batch, _)| batch)
    }

    /// The operations from `first` on.
    pub fn from(&self, first: OpNumber) -> impl Iterator<Item = (OpNumber, &Batch)> {
        let skipped = first.saturating_sub(self.truncated + 1);
        let entries = self.entries.iter().skip(usize::try_from(skipped).unwrap_or(usize::MAX));
        (first.max(self.truncated + 1)..).zip(entries.map(|(batch, _)| batch))
    }

    /// What follows on `commit_number`.
    #[must_use]
    pub fn suffix(&self, commit_number: OpNumber) -> LogSuffix {
        let batches = self.from(commit_number + 1).map(|(_, batch)| batch.clone()).collect();
        LogSuffix { commit_number, batches }
    }

    /// Appends an operation.
    pub fn append(&mut self, batch: Batch) {
        let bytes = encoded_bytes(&*batch);
        self.bytes += bytes;
        self.entries.push_back((batch, bytes));
    }

    /// Puts an operation that is committed into its place: one of the log, or the next one.
    pub fn set(&mut self, op_number: OpNumber, batch: Batch) {
        let Some(index) = op_number.checked_sub(self.truncated + 1) else { return };
        match usize::try_from(index).ok().and_then(|index| self.entries.get_mut(index)) {
            Some((old, bytes)) if *old != batch => {
                let new_bytes = encoded_bytes(&*batch);
                self.bytes = self.bytes + new_bytes - *bytes;
                (*old, *bytes) = (batch, new_bytes);
            }
            Some(_) => {}
            None => self.append(batch),
        }
    }

    /// Replaces what follows on `commit_number` by what a suffix has there.
    pub fn replace_after(&mut self, commit_number: OpNumber, suffix: &LogSuffix) {
        while self.op_number() > commit_number
            && let Some((_, bytes)) = self.entries.pop_back()
        {
            self.bytes -= bytes;
        }
        let known = commit_number.saturating_sub(suffix.commit_number);
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        suffix.batches.iter().skip(known).for_each(|batch| self.append(batch.clone()));
    }

    /// Forgets the operations up to `op_number`: a checkpoint stands for them (§5.1).
    pub fn truncate(&mut self, op_number: OpNumber) {
        while self.truncated < op_number {
            let Some((_, bytes)) = self.entries.pop_front() else { break };
            self.bytes -= bytes;
            self.truncated += 1;
        }
        self.truncated = self.truncated.max(op_number);
        self.carried_bytes = self.bytes;
    }
}

#[cfg(test)]
mod tests {
    use contract::Operation;

    use super::*;

    fn batch(seq: u64) -> Batch {
        let op = Operation::Get { key: "x".to_owned() };
        Arc::new(vec![Request { client: "c1".to_owned(), seq, op }])
    }

    fn log(count: u64) -> Log {
        let mut log = Log::default();
        (1..=count).for_each(|seq| log.append(batch(seq)));
        log
    }

    fn content(log: &Log) -> Vec<(OpNumber, u64)> {
        log.from(0).map(|(number, batch)| (number, batch[0].seq)).collect()
    }

    #[test]
    fn a_suffix_replaces_what_is_not_committed() {
        let mut log = log(5);
        let suffix = LogSuffix { commit_number: 1, batches: vec![batch(2), batch(30), batch(40)] };
        log.replace_after(2, &suffix);
        assert_eq!(content(&log), [(1, 1), (2, 2), (3, 30), (4, 40)]);
        assert_eq!((log.op_number(), suffix.op_number()), (4, 4));
        log.replace_after(4, &suffix);
        assert_eq!(log.op_number(), 4);
    }

    #[test]
    fn truncation_keeps_the_numbers_and_counts_the_bytes() {
        let mut log = log(4);
        let one = log.bytes() / 4;
        log.truncate(3);
        assert_eq!(content(&log), [(4, 4)]);
        assert_eq!((log.op_number(), log.truncated(), log.bytes()), (4, 3, one));
        assert_eq!(log.added_bytes(), 0);
        assert_eq!(log.get(3), None);
        log.truncate(9);
        assert_eq!((log.op_number(), log.bytes()), (9, 0));
        log.append(batch(10));
        assert_eq!(log.get(10), Some(&batch(10)));
        assert_eq!(log.suffix(9).batches, [batch(10)]);
    }

    #[test]
    fn what_is_committed_takes_its_place_and_leaves_what_follows() {
        let mut log = log(3);
        log.set(2, batch(200));
        log.set(4, batch(4));
        assert_eq!(content(&log), [(1, 1), (2, 200), (3, 3), (4, 4)]);
        let bytes: u64 = [1, 200, 3, 4].map(|seq| encoded_bytes(&*batch(seq))).iter().sum();
        assert_eq!(log.bytes(), bytes);
    }
}
