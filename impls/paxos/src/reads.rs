//! Linearizable reads without a slot of their own.
//!
//! A leader may have been deposed without knowing it, so its state alone answers no read ("Paxos Made
//! Live" §5.2 uses leases against that; here no clock is trusted). Instead, as in Ongaro's dissertation
//! §6.4 (read index): remember how far the log was chosen when the read came, let a majority confirm
//! *after that* that it has promised no higher ballot, and answer once that much is applied.
//!
//! Why it is right: a later leader needs promises of a majority, which shares a node with the one that
//! confirmed. That node promised after it confirmed, hence after the read came; so whatever a later
//! leader had chosen was not complete when the read began.

use std::collections::{BTreeMap, VecDeque};

use contract::{NodeId, Request};
use node::Token;

use crate::slot::Slot;

/// A read that waits.
#[derive(Debug)]
pub struct Read {
    /// Who asked.
    pub token: Token,
    /// What.
    pub request: Request,
    /// The heartbeat round that must be acknowledged: the first one sent after the read came.
    round: u64,
    /// The slot that must be applied.
    index: Slot,
}

/// The leader's reads and the heartbeat rounds that confirm them. All reads that come while a round is
/// under way share the next one.
#[derive(Debug)]
pub struct Reads {
    majority: usize,
    /// The last heartbeat round that was sent.
    round: u64,
    /// The last round each peer acknowledged.
    acknowledged: BTreeMap<NodeId, u64>,
    waiting: VecDeque<Read>,
}

impl Reads {
    /// No reads, no rounds.
    #[must_use]
    pub fn new(majority: usize) -> Self {
        Self { majority, round: 0, acknowledged: BTreeMap::new(), waiting: VecDeque::new() }
    }

    /// A read came when the log was chosen up to `index`.
    pub fn add(&mut self, token: Token, request: Request, index: Slot) {
        self.waiting.push_back(Read { token, request, round: self.round + 1, index });
    }

    /// Starts a heartbeat round: its number.
    pub fn next_round(&mut self) -> u64 {
        self.round += 1;
        self.round
    }

    /// A peer acknowledged a round.
    pub fn acknowledge(&mut self, from: &NodeId, round: u64) {
        let last = self.acknowledged.entry(from.clone()).or_default();
        *last = round.max(*last);
    }

    /// The last round that a peer acknowledged.
    #[must_use]
    pub fn acknowledged(&self, peer: &NodeId) -> u64 {
        self.acknowledged.get(peer).copied().unwrap_or_default()
    }

    /// Whether reads wait for a round that was not sent yet, and the one under way is confirmed.
    #[must_use]
    pub fn needs_round(&self) -> bool {
        self.waiting.back().is_some_and(|read| read.round > self.round)
            && self.confirmed() == self.round
    }

    /// The last round that a majority, this node included, has acknowledged.
    fn confirmed(&self) -> u64 {
        let mut rounds: Vec<u64> = self.acknowledged.values().copied().collect();
        rounds.push(self.round);
        rounds.sort_unstable_by(|a, b| b.cmp(a));
        rounds.get(self.majority - 1).copied().unwrap_or(0)
    }

    /// Takes the reads that may be answered from a state in which everything up to `applied` is applied.
    pub fn take_ready(&mut self, applied: Slot) -> Vec<Read> {
        let confirmed = self.confirmed();
        let is_ready = |read: &Read| read.round <= confirmed && read.index <= applied;
        let count = self.waiting.iter().take_while(|read| is_ready(read)).count();
        self.waiting.drain(..count).collect()
    }

    /// Takes all reads: the leader steps down.
    pub fn take_all(&mut self) -> impl Iterator<Item = Token> {
        std::mem::take(&mut self.waiting).into_iter().map(|read| read.token)
    }
}

#[cfg(test)]
mod tests {
    use contract::Operation;

    use super::*;

    fn get() -> Request {
        Request { client: "c1".to_owned(), seq: 1, op: Operation::Get { key: "x".to_owned() } }
    }

    fn ready(reads: &mut Reads, applied: Slot) -> Vec<Token> {
        reads.take_ready(applied).iter().map(|read| read.token).collect()
    }

    #[test]
    fn a_round_sent_before_the_read_confirms_nothing() {
        let mut reads = Reads::new(2);
        let before = reads.next_round();
        reads.add(1, get(), 0);
        reads.acknowledge(&"n2".to_owned(), before);
        assert!(ready(&mut reads, 9).is_empty());
        assert!(reads.needs_round());
        let after = reads.next_round();
        reads.acknowledge(&"n2".to_owned(), after);
        assert_eq!(ready(&mut reads, 9), [1]);
    }

    #[test]
    fn a_minority_confirms_nothing() {
        let mut reads = Reads::new(3);
        reads.add(1, get(), 0);
        let round = reads.next_round();
        reads.acknowledge(&"n2".to_owned(), round);
        reads.acknowledge(&"n2".to_owned(), round);
        assert!(ready(&mut reads, 9).is_empty());
        reads.acknowledge(&"n3".to_owned(), round);
        assert_eq!(ready(&mut reads, 9), [1]);
    }

    #[test]
    fn a_confirmed_read_still_waits_until_its_index_is_applied() {
        let mut reads = Reads::new(1);
        reads.add(1, get(), 5);
        reads.next_round();
        assert!(ready(&mut reads, 4).is_empty());
        assert_eq!(ready(&mut reads, 5), [1]);
    }

    #[test]
    fn reads_that_come_during_a_round_share_the_next() {
        let mut reads = Reads::new(2);
        reads.add(1, get(), 0);
        let round = reads.next_round();
        reads.add(2, get(), 0);
        reads.add(3, get(), 0);
        assert!(!reads.needs_round(), "one round at a time");
        reads.acknowledge(&"n2".to_owned(), round);
        assert_eq!(ready(&mut reads, 0), [1]);
        assert!(reads.needs_round());
        let round = reads.next_round();
        reads.acknowledge(&"n2".to_owned(), round);
        assert_eq!(ready(&mut reads, 0), [2, 3]);
        assert!(!reads.needs_round());
    }
}
