//! One node: acceptor, learner and, when it comes to it, candidate or leader.
//!
//! The handlers only connect the parts to messages and timers; the rules of Paxos are in
//! [`crate::acceptor`], [`crate::candidate`] and [`crate::leader`].

mod election;
mod learning;
mod naive;
mod replication;

use contract::{Answer, Launch, NodeId, Request};
use node::{Application, Effects, LogSize, Protocol, Token};
use serde_json::{Value, json};
use single_decree::Ballot;

use crate::{
    acceptor::Acceptor,
    candidate::{Candidate, Canvass},
    detector::Detector,
    leader::Leader,
    learner::Learner,
    message::{Message, Record},
    slot::Slot,
    storage,
};

/// Who this node is, and its timing.
#[derive(Clone, Debug)]
pub struct Config {
    /// This node.
    pub node: NodeId,
    /// Every member, this node included, sorted.
    pub members: Vec<NodeId>,
    /// How often a leader shows that it lives, and everything unanswered is sent again.
    pub heartbeat_ms: u64,
    /// How long a silence is suspicious where the leader's rhythm is not known. A node stands for election after two times this
    /// at the latest.
    pub election_ms: u64,
    /// How long a leader stays in office without hearing from a majority. Only spares clients a leader that can
    /// do nothing for them: safety does not rest on it.
    pub patience_ms: u64,
    /// Compact the log past this size; `None`: never.
    pub snapshot_bytes: Option<u64>,
    /// Run both phases for every command: what a stable leader saves.
    pub naive: bool,
}

impl From<&Launch> for Config {
    fn from(launch: &Launch) -> Self {
        let millis = |duration: std::time::Duration| {
            u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
        };
        let mut members = launch.members.clone();
        members.sort_unstable();
        Self {
            node: launch.node.clone(),
            members,
            heartbeat_ms: millis(launch.heartbeat),
            election_ms: millis(launch.election),
            patience_ms: millis(launch.election),
            snapshot_bytes: launch.snapshot_bytes,
            naive: false,
        }
    }
}

impl Config {
    fn majority(&self) -> usize {
        self.members.len() / 2 + 1
    }

    fn peers(&self) -> impl Iterator<Item = &NodeId> {
        self.members.iter().filter(|member| **member != self.node)
    }
}

/// The timers of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer {
    /// No leader was heard of for too long.
    Election,
    /// Time to show oneself, and to send again what was not answered.
    Heartbeat,
}

/// What a node is doing about leadership. The boxes keep a follower small.
#[derive(Debug)]
enum Role {
    Follower,
    Canvass(Canvass),
    Candidate(Box<Candidate>),
    Leader(Box<Leader>),
}

impl Role {
    fn ballot(&self) -> Option<&Ballot> {
        match self {
            Self::Follower => None,
            Self::Canvass(canvass) => Some(&canvass.ballot),
            Self::Candidate(candidate) => Some(&candidate.ballot),
            Self::Leader(leader) => Some(&leader.ballot),
        }
    }
}

/// A node of Multi-Paxos that replicates the application `A`.
#[derive(Debug)]
pub struct Paxos<A> {
    config: Config,
    acceptor: Acceptor,
    learner: Learner<A>,
    role: Role,
    /// The ballot of the leader that is believed to be alive.
    leader: Option<Ballot>,
    /// The last sign of life of a leader, whoever sent it: its ballot, and the round of its last heartbeat.
    heard: (Ballot, u64),
    /// Whether the silence since then is suspicious.
    detector: Detector,
    /// In which order the nodes should stand for election, as the leader said in that heartbeat.
    successors: Vec<NodeId>,
    /// For how long this node still waits before it stands for election, besides what the timer is set to.
    wait_ms: u64,
    /// The highest ballot ever heard of: the next one of this node goes above it.
    highest: Ballot,
    /// How far the log is chosen according to the leader.
    told_commit: Slot,
    /// How far it is chosen according to the last such record.
    recorded_commit: Slot,
    log_size: LogSize,
}

impl<A: Application<Command = Request, Output = Answer>> Paxos<A> {
    /// A node that comes up with what its earlier lives persisted.
    ///
    /// # Errors
    /// The records cannot be understood; the node must then not run.
    pub fn new(config: Config, application: A, records: Vec<Record>) -> Result<Self, String> {
        let mut log_size = LogSize::default();
        records.iter().for_each(|record| log_size.add(record));
        let mut learner = Learner::new(application);
        let acceptor = storage::recover(records, &mut learner)?;
        Ok(Self {
            highest: acceptor.promised().clone(),
            recorded_commit: learner.commit(),
            detector: Detector::new(config.heartbeat_ms, config.election_ms),
            config,
            acceptor,
            learner,
            role: Role::Follower,
            leader: None,
            heard: (Ballot::default(), 0),
            successors: Vec::new(),
            wait_ms: 0,
            told_commit: 0,
            log_size,
        })
    }

    /// What this node knows to be chosen, and the application.
    #[must_use]
    pub fn learner(&self) -> &Learner<A> {
        &self.learner
    }

    /// The ballot in which this node leads, as far as it knows.
    #[must_use]
    pub fn leading(&self) -> Option<&Ballot> {
        match &self.role {
            Role::Leader(leader) => Some(&leader.ballot),
            _ => None,
        }
    }
}

impl<A: Application<Command = Request, Output = Answer>> Protocol for Paxos<A> {
    type Message = Message;
    type Record = Record;
    type Timer = Timer;

    fn on_start(&mut self, effects: &mut Effects<Self>) {
        self.await_leader(effects);
    }

    fn on_message(&mut self, from: &NodeId, message: Message, effects: &mut Effects<Self>) {
        if !self.config.members.contains(from) {
            return;
        }
        if let Some(ballot) = message.ballot()
            && *ballot > self.highest
        {
            self.highest = ballot.clone();
        }
        match message {
            Message::PreVote { ballot } => self.on_pre_vote(from, ballot, effects),
            Message::PreVoteGranted { ballot } => self.on_pre_vote_granted(from, &ballot, effects),
            Message::Prepare { ballot, first } => self.on_prepare(from, ballot, first, effects),
            Message::Promise { ballot, snapshot, chosen, votes } => {
                self.on_promise(from, &ballot, snapshot, chosen, votes, effects);
            }
            Message::Reject { ballot } => self.on_reject(&ballot, effects),
            Message::Accept { ballot, slot, batch, commit } => {
                self.on_accept(from, &ballot, (slot, &batch), commit, effects);
            }
            Message::Accepted { ballot, slot } => self.on_accepted(from, &ballot, slot, effects),
            Message::Heartbeat { ballot, commit, round, successors } => {
                self.on_heartbeat(from, &ballot, commit, (round, successors), effects);
            }
            Message::HeartbeatAck { ballot, round } => {
                self.on_heartbeat_ack(from, &ballot, round, effects);
            }
            Message::Fetch { first } => self.on_fetch(from, first, effects),
            // A leader learns only from votes: whoever waits for a slot waits for what it proposed there.
            Message::Chosen { .. } | Message::Install { .. } if self.leading().is_some() => {}
            Message::Chosen { slots } => {
                self.learn(slots, effects);
                self.fetch(from, effects);
            }
            Message::Install { snapshot } => {
                if self.install(snapshot, effects) {
                    self.learn([], effects);
                    self.fetch(from, effects);
                }
            }
        }
    }

    fn on_timer(&mut self, timer: Timer, effects: &mut Effects<Self>) {
        match timer {
            Timer::Election => self.on_election_timer(effects),
            Timer::Heartbeat => self.on_heartbeat_timer(effects),
        }
    }

    fn on_request(&mut self, token: Token, request: Request, effects: &mut Effects<Self>) {
        let leader = match &mut self.role {
            Role::Leader(leader) => leader,
            Role::Candidate(candidate) if self.config.naive => {
                return candidate.queue.push_back((token, request));
            }
            _ => return self.refuse(token, effects),
        };
        if request.op.is_read_only() && !self.config.naive {
            let index = self.learner.commit().max(leader.barrier);
            leader.reads.add(token, request, index);
            self.answer_reads(effects);
        } else {
            leader.enqueue(token, request);
        }
        self.propose(effects);
    }

    fn is_ready(&self) -> bool {
        self.leader.is_some()
    }

    fn status(&self) -> Value {
        let role = match self.role {
            Role::Follower => "follower",
            Role::Canvass(_) | Role::Candidate(_) => "candidate",
            Role::Leader(_) => "leader",
        };
        // Whoever leads says its own ballot, which is nobody else's.
        let known = self.leading().or(self.leader.as_ref());
        let ballot = known.unwrap_or(self.acceptor.promised());
        json!({
            "role": role,
            "term": ballot.term(&self.config.members),
            "leader": self.leader.as_ref().map(|ballot| &ballot.node),
            "promised": self.acceptor.promised().term(&self.config.members),
            "commit": self.learner.commit(),
            "applied": self.learner.commit(),
            "log_bytes": self.log_size.bytes,
            "snapshot_bytes": self.learner.snapshot().state.len(),
        })
    }

    fn chosen(
        &self,
        slots: std::ops::Range<Slot>,
    ) -> Option<Box<dyn Iterator<Item = contract::LogEntry> + '_>> {
        let known = self.learner.chosen_from(slots.start);
        let asked = known.take_while(move |(slot, _)| *slot < slots.end);
        Some(Box::new(
            asked.map(|(slot, batch)| contract::LogEntry { slot, value: contract::digest(batch) }),
        ))
    }

    fn message_kind(message: &Message) -> &'static str {
        message.kind()
    }

    fn message_term(message: &Message) -> Option<u64> {
        message.ballot().map(|ballot| ballot.round)
    }
}

impl<A: Application<Command = Request, Output = Answer>> node::Replicates for Paxos<A> {
    type Application = A;

    fn application(&self) -> &A {
        self.learner.application()
    }

    fn leads(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }
}
