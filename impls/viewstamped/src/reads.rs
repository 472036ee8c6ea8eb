//! Reads at the primary that cannot be stale, without an operation of their own (§6.3).
//!
//! A primary may have been replaced without knowing it, so its state alone answers no read. The paper lets the backups
//! promise, by leases, to start no view change for a while. That needs clocks which run at nearly the same speed, and a
//! paused process or a slow virtual machine breaks it without a trace. Here no clock is trusted: the primary remembers how far
//! the log was committed when the read came, asks a quorum of the view *after that* whether they are still in it (a round
//! of `Commit` and `CommitOk`), and answers once it has executed that much.
//!
//! Why that is right: a later view starts with the `DoViewChange`s of a quorum, which shares a replica with the one that
//! confirmed. That replica sent its `DoViewChange` after it confirmed, as it had left the view otherwise, whatever crashes
//! lie in between (see [`crate::recovery`]). So the later view had not started when the read came, and whatever was
//! committed in it was not answered before.

use std::collections::{BTreeMap, VecDeque};

use contract::{NodeId, Request};
use node::Token;

use crate::log::OpNumber;

/// A read that waits.
#[derive(Debug)]
pub struct Read {
    /// Who asked.
    pub token: Token,
    /// What.
    pub request: Request,
    /// The round that must be confirmed: the first one that left after the read came.
    round: u64,
    /// The operation that must be executed.
    op_number: OpNumber,
}

/// The primary's reads, and the rounds that confirm them. Reads that come while a round is under way share the next one.
#[derive(Debug, Default)]
pub struct Reads {
    /// The last round that left.
    round: u64,
    /// The last round that each backup confirmed.
    confirmed: BTreeMap<NodeId, u64>,
    waiting: VecDeque<Read>,
}

impl Reads {
    /// A read came when the log was committed up to `op_number`.
    pub fn add(&mut self, token: Token, request: Request, op_number: OpNumber) {
        self.waiting.push_back(Read { token, request, round: self.round + 1, op_number });
    }

    /// Starts a round: its number.
    pub fn next_round(&mut self) -> u64 {
        self.round += 1;
        self.round
    }

    /// A backup confirmed a round.
    pub fn confirm(&mut self, backup: &NodeId, round: u64) {
        let last = self.confirmed.entry(backup.clone()).or_default();
        *last = round.max(*last);
    }

    /// The last round that a quorum, the primary included, has confirmed.
    fn confirmed(&self, quorum: usize) -> u64 {
        let mut rounds: Vec<u64> = self.confirmed.values().copied().collect();
        rounds.push(self.round);
        rounds.sort_unstable_by(|one, other| other.cmp(one));
        rounds.get(quorum - 1).copied().unwrap_or(0)
    }

    /// Whether reads wait for a round that has not left yet, and the one before is confirmed.
    #[must_use]
    pub fn need_round(&self, quorum: usize) -> bool {
        self.waiting.back().is_some_and(|read| read.round > self.round)
            && self.confirmed(quorum) == self.round
    }

    /// Takes the reads that may be answered by a primary that has executed everything up to `commit_number`.
    pub fn take_ready(&mut self, commit_number: OpNumber, quorum: usize) -> Vec<Read> {
        let confirmed = self.confirmed(quorum);
        let is_ready = |read: &Read| read.round <= confirmed && read.op_number <= commit_number;
        let count = self.waiting.iter().take_while(|read| is_ready(read)).count();
        self.waiting.drain(..count).collect()
    }

    /// Takes all reads, to be refused.
    pub fn take_all(&mut self) -> Vec<Token> {
        self.waiting.drain(..).map(|read| read.token).collect()
    }
}
