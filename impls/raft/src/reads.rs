//! Linearizable reads that do not go through the log: the read index of the dissertation's §6.4.
//!
//! A leader may have been deposed without knowing it, so its state alone answers no read. Instead:
//!
//! 1. It waits until an entry of its own term is committed: before, it does not know which entries are.
//! 2. It remembers its commit index, the read's *read index*.
//! 3. A round of heartbeats, begun after that, is answered by a majority: at that time no later leader existed.
//! 4. It waits until the state machine has applied as much as the read index, and
//! 5. answers from the state machine.
//!
//! No clock is trusted: there are no leases (dissertation §6.4.1).

use std::collections::VecDeque;

use contract::{Answer, Request};
use node::{Application, Effects, Token};

use crate::{
    log::LogIndex,
    raft::{Raft, Role},
};

/// A read that waits.
#[derive(Debug)]
pub struct Read {
    /// Who asked.
    pub token: Token,
    /// What.
    pub request: Request,
    /// What must be applied.
    read_index: LogIndex,
    /// The round that must be answered: the first one that began after the read came.
    round: u64,
}

/// The reads of a leader, and the rounds of heartbeats that confirm them. All reads that come while a round is under way
/// share the next one.
#[derive(Debug, Default)]
pub struct Reads {
    round: u64,
    waiting: VecDeque<Read>,
}

impl Reads {
    /// A read came.
    pub fn add(&mut self, token: Token, request: Request, read_index: LogIndex) {
        self.waiting.push_back(Read { token, request, read_index, round: self.round + 1 });
    }

    /// The round under way.
    #[must_use]
    pub fn round(&self) -> u64 {
        self.round
    }

    /// Begins a round; gives its number.
    pub fn begin_round(&mut self) -> u64 {
        self.round += 1;
        self.round
    }

    /// Whether reads wait for a round that has not begun, and none is under way. `confirmed` is the last round that a
    /// majority has answered.
    #[must_use]
    pub fn need_round(&self, confirmed: u64) -> bool {
        confirmed == self.round && self.waiting.back().is_some_and(|read| read.round > self.round)
    }

    /// Takes the reads that may be answered from a state in which everything up to `last_applied` is applied.
    pub fn take_ready(&mut self, confirmed: u64, last_applied: LogIndex) -> Vec<Read> {
        let is_ready = |read: &Read| read.round <= confirmed && read.read_index <= last_applied;
        let count = self.waiting.iter().take_while(|read| is_ready(read)).count();
        self.waiting.drain(..count).collect()
    }

    /// Takes all reads: the leader steps down.
    pub fn take_all(&mut self) -> impl Iterator<Item = Token> {
        std::mem::take(&mut self.waiting).into_iter().map(|read| read.token)
    }
}

impl<A: Application<Command = Request, Output = Answer>> Raft<A> {
    /// A read came to the leader.
    pub(crate) fn read(&mut self, token: Token, request: Request, effects: &mut Effects<Self>) {
        let Role::Leader(leader) = &mut self.role else { return self.refuse(token, effects) };
        // Before the leader's no-op is committed, the commit index may be too low.
        let read_index = self.commit_index.max(leader.noop_index);
        leader.reads.add(token, request, read_index);
        self.flush_soon(effects);
    }

    /// Answers the reads that are confirmed, and has a round begin for those that wait for one.
    pub(crate) fn answer_reads(&mut self, effects: &mut Effects<Self>) {
        let Role::Leader(leader) = &mut self.role else { return };
        let confirmed = leader.confirmed_round(self.configurations.latest());
        let mut goes_on = leader.reads.need_round(confirmed);
        for read in leader.reads.take_ready(confirmed, self.last_applied) {
            if let Some(answer) = self.application.query(&read.request) {
                effects.reply(read.token, answer);
            } else {
                leader.queue.push((read.token, read.request));
                goes_on = true;
            }
        }
        if goes_on {
            self.flush_soon(effects);
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::Operation;

    use super::*;

    fn get() -> Request {
        Request { client: "c1".to_owned(), seq: 1, op: Operation::Get { key: "x".to_owned() } }
    }

    fn ready(reads: &mut Reads, confirmed: u64, last_applied: LogIndex) -> Vec<Token> {
        reads.take_ready(confirmed, last_applied).iter().map(|read| read.token).collect()
    }

    #[test]
    fn a_round_that_began_before_the_read_confirms_nothing() {
        let mut reads = Reads::default();
        let before = reads.begin_round();
        reads.add(1, get(), 0);
        assert!(ready(&mut reads, before, 9).is_empty());
        assert!(reads.need_round(before));
        let after = reads.begin_round();
        assert_eq!(ready(&mut reads, after, 9), [1]);
    }

    #[test]
    fn a_confirmed_read_still_waits_until_its_index_is_applied() {
        let mut reads = Reads::default();
        reads.add(1, get(), 5);
        let round = reads.begin_round();
        assert!(ready(&mut reads, round, 4).is_empty());
        assert_eq!(ready(&mut reads, round, 5), [1]);
    }

    #[test]
    fn reads_that_come_during_a_round_share_the_next() {
        let mut reads = Reads::default();
        reads.add(1, get(), 0);
        let round = reads.begin_round();
        reads.add(2, get(), 0);
        reads.add(3, get(), 0);
        assert!(!reads.need_round(round - 1), "one round at a time");
        assert_eq!(ready(&mut reads, round, 0), [1]);
        assert!(reads.need_round(round));
        let round = reads.begin_round();
        assert_eq!(ready(&mut reads, round, 0), [2, 3]);
        assert!(!reads.need_round(round));
    }
}
