//! One server: Figure 2's state, and what comes to it.
//!
//! The rules are beside: [`crate::election`], [`crate::replication`] (a leader's side), [`crate::append_entries`] (a
//! follower's side), [`crate::reads`], [`crate::install_snapshot`], [`crate::membership`], [`crate::transfer`].

use std::{collections::BTreeSet, ops::Range};

use contract::{Answer, ErrorCode, LogEntry, NodeId, Refusal, Request, digest};
use node::{Application, Effects, LogSize, Protocol, Token};
use serde_json::{Value, json};

use crate::{
    config::Config,
    configuration::{Configuration, Configurations},
    leader::Leader,
    log::{Log, LogIndex, Payload, Term},
    message::Message,
    snapshot::{Receiving, Snapshot},
    storage::Record,
};

/// The timers of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer {
    /// No leader was heard of for too long.
    Election,
    /// Time for heartbeats, or to ask for votes again.
    Heartbeat,
    /// A leader's requests go into its log: those that came together go together.
    Flush,
}

/// What a server is doing about leadership (§5.1). The box keeps a follower small.
#[derive(Debug)]
pub(crate) enum Role {
    Follower,
    /// Asks whether an election makes sense; with those who say so.
    PreCandidate(BTreeSet<NodeId>),
    /// Asks for votes; with those who gave theirs.
    Candidate {
        votes: BTreeSet<NodeId>,
        leadership_transfer: bool,
    },
    Leader(Box<Leader>),
}

/// A server of Raft that replicates the application `A`, its state machine.
#[derive(Debug)]
pub struct Raft<A> {
    pub(crate) config: Config,

    // Persistent state on all servers, updated on stable storage before responding to RPCs.
    /// The latest term that this server has seen.
    pub(crate) current_term: Term,
    /// The candidate that got this server's vote in the current term.
    pub(crate) voted_for: Option<NodeId>,
    /// The entries, but for those that the snapshot stands for.
    pub(crate) log: Log,
    /// The configurations in it.
    pub(crate) configurations: Configurations,
    /// The last snapshot taken or installed.
    pub(crate) snapshot: Snapshot,

    // Volatile state on all servers.
    /// The highest entry known to be committed.
    pub(crate) commit_index: LogIndex,
    /// The highest entry applied to the state machine.
    pub(crate) last_applied: LogIndex,
    pub(crate) application: A,
    pub(crate) role: Role,
    /// Who is believed to lead.
    pub(crate) leader_id: Option<NodeId>,
    /// The last term in which it led in this life: for `GET /v1/status`.
    pub(crate) led: Option<Term>,
    /// When that leader was last heard of.
    pub(crate) heard_ms: u64,
    /// A snapshot on its way to this server.
    pub(crate) receiving: Receiving,
    pub(crate) log_size: LogSize,
}

impl<A: Application<Command = Request, Output = Answer>> Raft<A> {
    /// A server that comes up with what its earlier lives persisted.
    ///
    /// # Errors
    /// The records cannot be understood; the server must then not run.
    pub fn new(config: Config, application: A, records: Vec<Record>) -> Result<Self, String> {
        let configuration: Configuration = config.members.iter().cloned().collect();
        let mut server = Self {
            config,
            current_term: 0,
            voted_for: None,
            log: Log::default(),
            configurations: Configurations::new(configuration),
            snapshot: Snapshot::default(),
            commit_index: 0,
            last_applied: 0,
            application,
            role: Role::Follower,
            leader_id: None,
            led: None,
            heard_ms: 0,
            receiving: Receiving::default(),
            log_size: LogSize::default(),
        };
        server.recover(records)?;
        Ok(server)
    }

    /// The latest term that this server has seen.
    #[must_use]
    pub fn current_term(&self) -> Term {
        self.current_term
    }

    /// Whether it leads in that term, as far as it knows.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The highest entry known to be committed.
    #[must_use]
    pub fn commit_index(&self) -> LogIndex {
        self.commit_index
    }

    /// The cluster's servers, as far as it knows.
    #[must_use]
    pub fn configuration(&self) -> &Configuration {
        self.configurations.latest()
    }

    /// The state machine.
    #[must_use]
    pub fn application(&self) -> &A {
        &self.application
    }

    /// "If commitIndex > lastApplied: increment lastApplied, apply log\[lastApplied\] to state machine" (Figure 2). A leader
    /// "responds after entry applied to state machine".
    pub(crate) fn apply_committed(&mut self, effects: &mut Effects<Self>) {
        while self.last_applied < self.commit_index {
            let Some(entry) = self.log.entry(self.last_applied + 1) else { break };
            self.last_applied += 1;
            let Payload::Command(request) = &entry.payload else { continue };
            let answer = self.application.apply(request);
            if let Role::Leader(leader) = &mut self.role
                && let Some(token) = leader.waiting.remove(&self.last_applied)
            {
                effects.reply(token, answer);
            }
        }
        self.compact_if_due(effects);
    }

    /// "I do not lead": a definite error, allowed only where nothing went into the log.
    pub(crate) fn refuse(&self, token: Token, effects: &mut Effects<Self>) {
        let mut refusal = Refusal::new(ErrorCode::NotLeader, "this server does not lead");
        refusal.hint = self.leader_id.clone();
        effects.reply(token, Answer::Error(refusal));
    }
}

impl<A: Application<Command = Request, Output = Answer>> Protocol for Raft<A> {
    type Message = Message;
    type Record = Record;
    type Timer = Timer;

    fn on_start(&mut self, effects: &mut Effects<Self>) {
        self.reset_election_timer(effects);
    }

    fn on_message(&mut self, from: &NodeId, message: Message, effects: &mut Effects<Self>) {
        if self.sticks_to_its_leader(from, &message, effects) {
            return;
        }
        // "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower".
        if let Some(term) = message.term()
            && term > self.current_term
        {
            self.enter_term(term, effects);
        }
        match message {
            Message::PreVote(request) => self.on_pre_vote(from, &request, effects),
            Message::PreVoteReply(reply) => self.on_pre_vote_reply(from, &reply, effects),
            Message::RequestVote(request) => self.on_request_vote(from, &request, effects),
            Message::RequestVoteReply(reply) => self.on_request_vote_reply(from, &reply, effects),
            Message::AppendEntries(request) => self.on_append_entries(from, request, effects),
            Message::AppendEntriesReply(reply) => {
                self.on_append_entries_reply(from, &reply, effects);
            }
            Message::InstallSnapshot(request) => self.on_install_snapshot(from, request, effects),
            Message::InstallSnapshotReply(reply) => {
                self.on_install_snapshot_reply(from, &reply, effects);
            }
            Message::TimeoutNow { term } => self.on_timeout_now(term, effects),
        }
    }

    fn on_timer(&mut self, timer: Timer, effects: &mut Effects<Self>) {
        match timer {
            Timer::Election => self.on_election_timeout(effects),
            Timer::Heartbeat => self.on_heartbeat_timer(effects),
            Timer::Flush => self.flush(effects),
        }
    }

    fn on_request(&mut self, token: Token, request: Request, effects: &mut Effects<Self>) {
        if request.op.is_read_only() {
            return self.read(token, request, effects);
        }
        let Role::Leader(leader) = &mut self.role else { return self.refuse(token, effects) };
        match self.application.query(&request) {
            // A retry of what is applied already, hence committed: its answer is known.
            Some(answer) => effects.reply(token, answer),
            None => {
                leader.queue.push((token, request));
                self.flush_soon(effects);
            }
        }
    }

    fn is_ready(&self) -> bool {
        self.leader_id.is_some()
    }

    fn status(&self) -> Value {
        let role = match self.role {
            Role::Follower => "follower",
            Role::PreCandidate(_) | Role::Candidate { .. } => "candidate",
            Role::Leader(_) => "leader",
        };
        json!({
            "role": role,
            "term": self.current_term,
            "leader": self.leader_id,
            "led": self.led,
            "promised": self.current_term,
            "voted": self.voted_for,
            "commit": self.commit_index,
            "applied": self.last_applied,
            "log_bytes": self.log_size.bytes,
            "snapshot_bytes": self.snapshot.state.len(),
        })
    }

    fn chosen(&self, slots: Range<LogIndex>) -> Option<Box<dyn Iterator<Item = LogEntry> + '_>> {
        let end = slots.end.min(self.commit_index + 1);
        let entries = self.log.entries_from(slots.start).take_while(move |(index, _)| *index < end);
        Some(Box::new(entries.map(|(slot, entry)| LogEntry { slot, value: digest(entry) })))
    }

    fn message_kind(message: &Message) -> &'static str {
        message.kind()
    }

    fn message_term(message: &Message) -> Option<u64> {
        message.term()
    }
}

impl<A: Application<Command = Request, Output = Answer>> node::Replicates for Raft<A> {
    type Application = A;

    fn application(&self) -> &A {
        &self.application
    }

    fn leads(&self) -> bool {
        self.is_leader()
    }
}
