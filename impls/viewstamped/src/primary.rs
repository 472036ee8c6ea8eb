//! What a primary knows besides what every replica knows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use contract::{NodeId, Request};
use node::Token;

use crate::{
    log::{Batch, OpNumber},
    reads::Reads,
};

/// How many operations may be under way: enough to hide a round trip, few enough for requests to gather in batches
/// behind them. It also bounds what a backup's log may hold beyond its commit-number.
pub const PIPELINE_MAX: u64 = 8;
/// How many requests share an operation at most.
const BATCH_REQUESTS_MAX: usize = 32;
/// How many bytes they may have together, unless a single one has more: a whole pipeline must fit into one message.
const BATCH_BYTES_MAX: u64 = 256 << 10;

/// What a primary knows of its view, its backups and its clients.
#[derive(Debug)]
pub struct Primary {
    /// The last operation of the views before. Which of them were committed is known once this one is: reads wait for it.
    pub first_commit: OpNumber,
    /// Reads and the rounds that confirm them.
    pub reads: Reads,
    /// Up to which operation each backup's log is like the primary's. Missing: not known to be in this view.
    prepared: BTreeMap<NodeId, OpNumber>,
    /// When each backup last showed that it is in this view.
    heard_ms: BTreeMap<NodeId, u64>,
    /// Backups that are not heard, or have lost their memory. What they are sent would only stand in the way of what they
    /// need to come back.
    away: BTreeSet<NodeId>,
    /// When the view started here.
    started_ms: u64,
    /// Requests that have no op-number yet.
    queue: VecDeque<(Token, Request)>,
    /// Who waits for the answers of which operation, in the order of its batch.
    waiting: BTreeMap<OpNumber, Vec<Token>>,
    /// When operations that are not committed were sent last.
    sent_ms: BTreeMap<OpNumber, u64>,
}

impl Primary {
    /// The primary of a view that starts with a log up to `op_number`.
    #[must_use]
    pub fn new(op_number: OpNumber, now_ms: u64) -> Self {
        Self {
            first_commit: op_number,
            reads: Reads::default(),
            prepared: BTreeMap::new(),
            heard_ms: BTreeMap::new(),
            away: BTreeSet::new(),
            started_ms: now_ms,
            queue: VecDeque::new(),
            waiting: BTreeMap::new(),
            sent_ms: BTreeMap::new(),
        }
    }

    /// A request that needs an op-number.
    pub fn enqueue(&mut self, token: Token, request: Request) {
        self.queue.push_back((token, request));
    }

    /// The requests that share the operation `op_number`, if any wait (§6.2).
    pub fn next_batch(&mut self, op_number: OpNumber, now_ms: u64) -> Option<Batch> {
        let (mut tokens, mut requests, mut bytes) = (Vec::new(), Vec::new(), 0);
        while requests.len() < BATCH_REQUESTS_MAX
            && let Some((_, request)) = self.queue.front()
        {
            bytes += node::log_size::encoded_bytes(request);
            if bytes > BATCH_BYTES_MAX && !requests.is_empty() {
                break;
            }
            let (token, request) = self.queue.pop_front()?;
            tokens.push(token);
            requests.push(request);
        }
        if requests.is_empty() {
            return None;
        }
        self.waiting.insert(op_number, tokens);
        self.sent_ms.insert(op_number, now_ms);
        Some(Batch::new(requests))
    }

    /// A backup shows that it is in this view, with a log that is like the primary's up to `op_number`.
    pub fn acknowledge(&mut self, backup: &NodeId, op_number: OpNumber, now_ms: u64) {
        let known = self.prepared.entry(backup.clone()).or_default();
        *known = op_number.max(*known);
        self.heard_ms.insert(backup.clone(), now_ms);
        self.away.remove(backup);
    }

    /// A backup is away: until it shows itself, it gets nothing but the view's start now and then.
    pub fn lose(&mut self, backup: &NodeId) {
        self.away.insert(backup.clone());
        self.prepared.remove(backup);
        self.heard_ms.remove(backup);
    }

    /// Loses a backup that was not heard for `patience_ms`.
    pub fn lose_if_silent(&mut self, backup: &NodeId, now_ms: u64, patience_ms: u64) {
        let heard_ms = self.heard_ms.get(backup).unwrap_or(&self.started_ms);
        if now_ms >= heard_ms + patience_ms {
            self.lose(backup);
        }
    }

    /// Whether a backup is taken to be away.
    #[must_use]
    pub fn is_away(&self, backup: &NodeId) -> bool {
        self.away.contains(backup)
    }

    /// Up to which operation a backup's log is like the primary's, where it is known to be in this view.
    #[must_use]
    pub fn prepared(&self, backup: &NodeId) -> Option<OpNumber> {
        self.prepared.get(backup).copied()
    }

    /// What is in the logs of a quorum, if the primary's own ends at `op_number` (§4.1, step 5).
    #[must_use]
    pub fn prepared_by(&self, quorum: usize, op_number: OpNumber) -> OpNumber {
        let mut numbers: Vec<OpNumber> = self.prepared.values().copied().collect();
        numbers.push(op_number);
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        numbers.get(quorum - 1).copied().unwrap_or(0)
    }

    /// Takes those who wait for the answers of an operation, which is committed.
    pub fn committed(&mut self, op_number: OpNumber) -> Vec<Token> {
        self.sent_ms.remove(&op_number);
        self.waiting.remove(&op_number).unwrap_or_default()
    }

    /// The operations to send again, because they were sent `age_ms` ago or earlier.
    pub fn overdue(
        &mut self,
        first: OpNumber,
        last: OpNumber,
        now_ms: u64,
        age_ms: u64,
    ) -> Vec<OpNumber> {
        let mut overdue = Vec::new();
        for op_number in first..=last {
            let sent_ms = self.sent_ms.entry(op_number).or_insert(0);
            if now_ms >= *sent_ms + age_ms {
                *sent_ms = now_ms;
                overdue.push(op_number);
            }
        }
        overdue
    }

    /// Whether a quorum, the primary included, was heard of within the last `patience_ms`.
    #[must_use]
    pub fn hears_quorum(&self, quorum: usize, now_ms: u64, patience_ms: u64) -> bool {
        let lately = self.heard_ms.values().filter(|heard_ms| now_ms < **heard_ms + patience_ms);
        lately.count() + 1 >= quorum
    }

    /// Takes those whose requests have no op-number, and those who only read: refusing them is the truth.
    pub fn take_refused(&mut self) -> Vec<Token> {
        let queued = self.queue.drain(..).map(|(token, _)| token);
        queued.chain(self.reads.take_all()).collect()
    }

    /// Takes those whose requests may be committed by a later primary, or not: nobody knows.
    pub fn take_unknown(&mut self) -> Vec<Token> {
        std::mem::take(&mut self.waiting).into_values().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use contract::Operation;

    use super::*;

    fn request(seq: u64, bytes: usize) -> Request {
        let op = Operation::Put { key: "x".to_owned(), value: "v".repeat(bytes) };
        Request { client: "c1".to_owned(), seq, op }
    }

    fn name(number: usize) -> NodeId {
        format!("n{number}")
    }

    #[test]
    fn only_a_quorum_of_different_replicas_commits() {
        let mut primary = Primary::new(0, 0);
        assert_eq!(primary.prepared_by(1, 7), 7, "alone in the group");
        primary.acknowledge(&name(2), 5, 0);
        primary.acknowledge(&name(2), 6, 0);
        assert_eq!(primary.prepared_by(3, 7), 0);
        primary.acknowledge(&name(3), 4, 0);
        assert_eq!(primary.prepared_by(3, 7), 4);
        primary.acknowledge(&name(4), 7, 0);
        assert_eq!(primary.prepared_by(3, 7), 6);
        primary.acknowledge(&name(4), 1, 0);
        assert_eq!(primary.prepared(&name(4)), Some(7), "an old message");
    }

    #[test]
    fn requests_share_an_operation_up_to_a_number_and_a_size() {
        let mut primary = Primary::new(0, 0);
        for seq in 1..=40 {
            primary.enqueue(seq, request(seq, 10));
        }
        primary.enqueue(41, request(41, 300 << 10));
        primary.enqueue(42, request(42, 10));
        let mut sizes = Vec::new();
        while let Some(batch) = primary.next_batch(sizes.len() as u64 + 1, 0) {
            sizes.push(batch.len());
        }
        assert_eq!(sizes, [32, 8, 1, 1]);
        assert_eq!(primary.committed(3), [41]);
        assert_eq!(primary.committed(3), [] as [Token; 0]);
    }

    #[test]
    fn what_is_not_acknowledged_is_sent_again_after_a_while() {
        let mut primary = Primary::new(0, 0);
        primary.enqueue(1, request(1, 1));
        primary.next_batch(1, 100);
        assert_eq!(primary.overdue(1, 1, 149, 50), [] as [u64; 0]);
        assert_eq!(primary.overdue(1, 1, 150, 50), [1]);
        assert_eq!(primary.overdue(1, 1, 160, 50), [] as [u64; 0]);
    }

    #[test]
    fn only_what_has_no_op_number_is_refused_for_certain() {
        let mut primary = Primary::new(0, 0);
        primary.enqueue(1, request(1, 1));
        primary.next_batch(1, 0);
        primary.enqueue(2, request(2, 1));
        primary.reads.add(3, request(3, 1), 0);
        assert_eq!((primary.take_refused(), primary.take_unknown()), (vec![2, 3], vec![1]));
    }

    #[test]
    fn a_backup_is_away_until_it_shows_itself() {
        let mut primary = Primary::new(0, 100);
        primary.lose_if_silent(&name(2), 399, 300);
        assert!(!primary.is_away(&name(2)));
        primary.lose_if_silent(&name(2), 400, 300);
        assert!(primary.is_away(&name(2)));
        primary.acknowledge(&name(2), 3, 450);
        assert!(!primary.is_away(&name(2)));
        primary.lose(&name(2));
        assert_eq!((primary.is_away(&name(2)), primary.prepared(&name(2))), (true, None));
    }

    #[test]
    fn a_primary_counts_the_backups_that_it_heard_of_lately() {
        let mut primary = Primary::new(0, 0);
        assert!(!primary.hears_quorum(2, 0, 300));
        primary.acknowledge(&name(2), 0, 100);
        assert!(primary.hears_quorum(2, 399, 300));
        assert!(!primary.hears_quorum(2, 400, 300) && !primary.hears_quorum(3, 399, 300));
    }
}
