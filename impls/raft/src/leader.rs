//! What a leader knows besides what every server knows: Figure 2's "volatile state on leaders", and who waits for answers.

use std::collections::{BTreeMap, VecDeque};

use contract::{NodeId, Request};
use node::Token;

use crate::{
    configuration::Configuration, log::LogIndex, membership::CatchUp, reads::Reads,
    snapshot::Sending, transfer::Transfer,
};

/// How many `AppendEntries` with entries are under way to a follower at most: wide enough to hide a round trip, narrow
/// enough that requests gather in batches behind it.
const WINDOW_MESSAGES: usize = 8;

/// What a leader knows.
#[derive(Debug)]
pub struct Leader {
    /// The no-op at the beginning of its term: once that is committed, it knows what is.
    pub noop_index: LogIndex,
    /// Every server it sends entries to, and itself.
    pub followers: BTreeMap<NodeId, Follower>,
    /// Reads and the heartbeats that confirm them.
    pub reads: Reads,
    /// Requests that are not in the log yet.
    pub queue: Vec<(Token, Request)>,
    /// Who waits for the answer to which entry.
    pub waiting: BTreeMap<LogIndex, Token>,
    /// Whether the queue is about to be emptied.
    pub flushes_soon: bool,
    /// To whom it is handing over.
    pub transfer: Option<Transfer>,
    /// A server that is to be added once its log has caught up.
    pub catch_up: Option<CatchUp>,
}

impl Leader {
    /// A leader that was just elected; its log ends at `last_index`, and the no-op comes next.
    #[must_use]
    pub fn new<'a>(
        servers: impl Iterator<Item = &'a NodeId>,
        last_index: LogIndex,
        now_ms: u64,
    ) -> Self {
        let follower = |server: &NodeId| (server.clone(), Follower::new(last_index, now_ms));
        Self {
            noop_index: last_index + 1,
            followers: servers.map(follower).collect(),
            reads: Reads::default(),
            queue: Vec::new(),
            waiting: BTreeMap::new(),
            flushes_soon: false,
            transfer: None,
            catch_up: None,
        }
    }

    /// The last entry that a majority holds.
    #[must_use]
    pub fn replicated_index(&self, configuration: &Configuration) -> LogIndex {
        configuration.reached_by_majority(|server| self.of(server, |known| known.match_index))
    }

    /// The last round of heartbeats that a majority has answered.
    #[must_use]
    pub fn confirmed_round(&self, configuration: &Configuration) -> u64 {
        configuration.reached_by_majority(|server| self.of(server, |known| known.round))
    }

    /// When a majority was last heard of.
    #[must_use]
    pub fn heard_majority_ms(&self, configuration: &Configuration) -> u64 {
        configuration.reached_by_majority(|server| self.of(server, |known| known.heard_ms))
    }

    fn of(&self, server: &NodeId, value: impl Fn(&Follower) -> u64) -> u64 {
        self.followers.get(server).map_or(0, value)
    }

    /// Begins a round of heartbeats. `node` is the leader itself, which need not answer.
    pub fn begin_round(&mut self, node: &NodeId) {
        let round = self.reads.begin_round();
        if let Some(own) = self.followers.get_mut(node) {
            own.round = round;
        }
    }
}

/// What a leader knows of one server.
#[derive(Debug)]
pub struct Follower {
    /// The next entry to send to it. Runs ahead of the answers: that is the pipeline (dissertation §10.2.2).
    pub next_index: LogIndex,
    /// The last entry that it is known to hold.
    pub match_index: LogIndex,
    /// The last entry of each `AppendEntries` under way.
    in_flight: VecDeque<LogIndex>,
    /// Where its log parts from the leader's is being found out: one message at a time.
    probes: bool,
    /// When it last answered in this term.
    pub heard_ms: u64,
    /// The last round of heartbeats that it answered.
    pub round: u64,
    /// The snapshot that it gets instead of entries that were compacted away.
    pub sending: Option<Sending>,
}

impl Follower {
    /// Figure 2: `nextIndex` begins at the leader's last index + 1, `matchIndex` at 0.
    #[must_use]
    pub fn new(last_index: LogIndex, now_ms: u64) -> Self {
        Self {
            next_index: last_index + 1,
            match_index: 0,
            in_flight: VecDeque::new(),
            probes: true,
            heard_ms: now_ms,
            round: 0,
            sending: None,
        }
    }

    /// It answered.
    pub fn hear(&mut self, round: u64, now_ms: u64) {
        self.heard_ms = now_ms;
        self.round = self.round.max(round);
    }

    /// Whether more entries may leave before an answer comes.
    #[must_use]
    pub fn may_send(&self) -> bool {
        self.in_flight.len() < if self.probes { 1 } else { WINDOW_MESSAGES }
    }

    /// Entries up to `last` leave.
    pub fn on_sent(&mut self, last: LogIndex) {
        self.next_index = last + 1;
        self.in_flight.push_back(last);
    }

    /// Its log equals the leader's up to `match_index`.
    pub fn on_success(&mut self, match_index: LogIndex) {
        self.match_index = self.match_index.max(match_index);
        self.next_index = self.next_index.max(self.match_index + 1);
        self.in_flight.retain(|last| *last > match_index);
        self.probes = false;
    }

    /// Its log differs at `prev_log_index`; `next_index` is where to try again. What was sent behind is lost. An answer
    /// that speaks of entries which it holds by now is old and means nothing.
    pub fn on_conflict(&mut self, prev_log_index: LogIndex, next_index: LogIndex) {
        if prev_log_index > self.match_index {
            self.next_index = next_index.min(prev_log_index).max(self.match_index + 1);
            self.in_flight.clear();
            self.probes = true;
        }
    }
}

/// The clients that a leader leaves behind when it steps down.
#[derive(Debug, PartialEq, Eq)]
pub struct Orphans {
    /// Not in the log: a definite refusal is the truth.
    pub refused: Vec<Token>,
    /// In the log: a later leader may still commit it, so nobody knows.
    pub unknown: Vec<Token>,
}

impl Leader {
    /// Steps down: who still waits for an answer.
    #[must_use]
    pub fn into_orphans(mut self) -> Orphans {
        let queued = self.queue.into_iter().map(|(token, _)| token);
        // A read changes nothing, so refusing it is always the truth.
        let refused = queued.chain(self.reads.take_all()).collect();
        Orphans { refused, unknown: self.waiting.into_values().collect() }
    }
}

#[cfg(test)]
mod tests {
    use contract::Operation;

    use super::*;

    fn request() -> Request {
        Request { client: "c1".to_owned(), seq: 1, op: Operation::Get { key: "x".to_owned() } }
    }

    #[test]
    fn one_message_probes_and_the_pipeline_opens_once_the_logs_agree() {
        let mut follower = Follower::new(5, 0);
        assert_eq!((follower.next_index, follower.match_index), (6, 0));
        follower.on_sent(6);
        assert!(!follower.may_send());
        follower.on_success(6);
        for last in 7..=14 {
            assert!(follower.may_send());
            follower.on_sent(last);
        }
        assert!(!follower.may_send(), "the window is full");
        follower.on_success(8);
        assert!(follower.may_send());
        assert_eq!((follower.next_index, follower.match_index), (15, 8));
    }

    #[test]
    fn a_conflict_takes_back_what_was_sent_behind_it() {
        let mut follower = Follower::new(5, 0);
        follower.on_success(5);
        follower.on_sent(8);
        follower.on_sent(9);
        follower.on_conflict(8, 6);
        assert_eq!(follower.next_index, 6);
        follower.on_sent(9);
        assert!(!follower.may_send(), "it probes");
    }

    #[test]
    fn old_answers_neither_take_back_nor_lower_anything() {
        let mut follower = Follower::new(5, 0);
        follower.on_success(7);
        follower.on_success(3);
        follower.on_conflict(7, 1);
        assert_eq!((follower.next_index, follower.match_index), (8, 7));
        follower.on_conflict(8, 1);
        assert_eq!(follower.next_index, 8, "never below what it holds");
    }

    #[test]
    fn only_what_is_not_in_the_log_is_refused_for_certain() {
        let mut leader = Leader::new(std::iter::empty(), 0, 0);
        leader.waiting.insert(2, 1);
        leader.queue.push((2, request()));
        leader.reads.add(3, request(), 0);
        assert_eq!(leader.into_orphans(), Orphans { refused: vec![2, 3], unknown: vec![1] });
    }

    #[test]
    fn a_majority_of_the_configuration_counts() {
        let servers = ["n1", "n2", "n3"].map(str::to_owned);
        let mut leader = Leader::new(servers.iter(), 0, 0);
        let configuration: Configuration = servers.iter().cloned().collect();
        leader.followers.get_mut("n1").unwrap().on_success(9);
        assert_eq!(leader.replicated_index(&configuration), 0);
        leader.followers.get_mut("n3").unwrap().on_success(4);
        assert_eq!(leader.replicated_index(&configuration), 4);
        leader.begin_round(&"n1".to_owned());
        assert_eq!(leader.confirmed_round(&configuration), 0);
        leader.followers.get_mut("n2").unwrap().hear(1, 70);
        assert_eq!(leader.confirmed_round(&configuration), 1);
        assert_eq!(leader.heard_majority_ms(&configuration), 0);
    }
}
