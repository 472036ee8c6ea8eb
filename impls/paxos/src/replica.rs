//! One node: acceptor, learner and, when it comes to it, candidate or leader.
//!
//! The handlers of this file only connect the parts; the rules of Paxos are in [`crate::acceptor`],
//! [`crate::candidate`] and [`crate::leader`].

use contract::{Answer, ErrorCode, Launch, NodeId, Refusal, Request};
use node::{Application, Effects, Protocol, Token};
use serde_json::{Value, json};

use crate::{
    acceptor::{Acceptor, Refused, Vote},
    ballot::Ballot,
    candidate::{Candidate, Canvass},
    leader::Leader,
    learner::Learner,
    message::{Batch, ChosenSlot, Message, Record, Slot},
    snapshot::Snapshot,
    storage::{self, LogSize},
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
    /// How long a silence is suspicious: an election starts after one to two times this.
    pub election_ms: u64,
    /// Compact the log past this size; `None`: never.
    pub snapshot_bytes: Option<u64>,
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
            snapshot_bytes: launch.snapshot_bytes,
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
    /// When that leader was last heard of.
    heard_ms: u64,
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
            config,
            acceptor,
            learner,
            role: Role::Follower,
            leader: None,
            heard_ms: 0,
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

    // ---- Elections -----------------------------------------------------------------------------

    /// Sets the election timer at random, so that competing proposers seldom meet again: there is no
    /// progress while two keep outbidding each other ("Paxos Made Simple" §2.4).
    fn await_leader(&self, effects: &mut Effects<Self>) {
        let patience_ms = self.config.election_ms;
        let after_ms = patience_ms + effects.random_below(patience_ms);
        effects.set_timer(Timer::Election, after_ms);
    }

    /// No leader in sight: asks whether an election makes sense.
    fn canvass(&mut self, effects: &mut Effects<Self>) {
        self.leader = None;
        let ballot = self.highest.next_for(&self.config.node);
        let granted = [self.config.node.clone()].into();
        self.role = Role::Canvass(Canvass { ballot, granted });
        self.await_leader(effects);
        self.on_heartbeat_timer(effects);
        self.campaign_if_wanted(effects);
    }

    fn on_pre_vote(&mut self, from: &NodeId, ballot: Ballot, effects: &mut Effects<Self>) {
        let hears_another = self.leader.as_ref().is_some_and(|leader| leader.node != *from)
            && effects.now_ms() < self.heard_ms + self.config.election_ms;
        if self.leading().is_some() || hears_another {
            return;
        }
        let promised = self.acceptor.promised();
        if ballot > *promised {
            effects.send(from, Message::PreVoteGranted { ballot });
        } else {
            effects.send(from, Message::Reject { ballot: promised.clone() });
        }
    }

    fn on_pre_vote_granted(&mut self, from: &NodeId, ballot: &Ballot, effects: &mut Effects<Self>) {
        if let Role::Canvass(canvass) = &mut self.role
            && canvass.ballot == *ballot
        {
            canvass.granted.insert(from.clone());
            self.campaign_if_wanted(effects);
        }
    }

    /// Phase 1a, once a majority would promise.
    ///
    /// The own promise is durable before any `Prepare` leaves: a candidate that lost it in a crash could run
    /// with the same ballot again, and propose a second value in it.
    fn campaign_if_wanted(&mut self, effects: &mut Effects<Self>) {
        let Role::Canvass(canvass) = &self.role else { return };
        if canvass.granted.len() < self.config.majority() {
            return;
        }
        let ballot = canvass.ballot.clone();
        let Ok(record) = self.acceptor.prepare(&ballot) else { return };
        self.persist(record, effects);
        let mut candidate = Candidate::new(ballot);
        let votes = self.acceptor.votes_from(self.learner.commit() + 1);
        candidate.add_promise(
            &self.config.node,
            votes.map(|(slot, vote)| (slot, vote.clone())).collect::<Vec<_>>(),
        );
        self.role = Role::Candidate(Box::new(candidate));
        self.on_heartbeat_timer(effects);
        self.lead_if_elected(effects);
    }

    /// Phase 1b.
    fn on_prepare(
        &mut self,
        from: &NodeId,
        ballot: Ballot,
        first: Slot,
        effects: &mut Effects<Self>,
    ) {
        let record = match self.acceptor.prepare(&ballot) {
            Ok(record) => record,
            Err(Refused(ballot)) => return effects.send(from, Message::Reject { ballot }),
        };
        if record.is_some() {
            self.persist(record, effects);
            self.step_down(None, effects); // whoever led below this ballot, leads no more
        }
        effects.send(from, self.promise(ballot, first));
    }

    /// Everything this node knows of the slots from `first` on. What is known to be chosen goes along, so that
    /// the new leader need not find it out slot by slot.
    fn promise(&self, ballot: Ballot, first: Slot) -> Message {
        let snapshot = self.learner.snapshot();
        let snapshot = (snapshot.slot >= first).then(|| snapshot.clone());
        let chosen = self.learner.chosen_from(first);
        let votes = self.acceptor.votes_from(first);
        Message::Promise {
            ballot,
            snapshot,
            chosen: chosen.map(|(slot, batch)| (slot, batch.clone())).collect(),
            votes: votes
                .filter(|(slot, _)| !self.learner.is_chosen(*slot))
                .map(|(slot, vote)| (slot, vote.clone()))
                .collect(),
        }
    }

    fn on_promise(
        &mut self,
        from: &NodeId,
        ballot: &Ballot,
        snapshot: Option<Snapshot>,
        chosen: Vec<ChosenSlot>,
        votes: Vec<(Slot, Vote)>,
        effects: &mut Effects<Self>,
    ) {
        // A promise of an earlier candidacy promises nothing for this one.
        if !matches!(&self.role, Role::Candidate(candidate) if candidate.ballot == *ballot) {
            return;
        }
        if let Some(snapshot) = snapshot
            && !self.install(snapshot, effects)
        {
            return; // without what it stands for, the votes of this acceptor are incomplete
        }
        self.learn(chosen, effects);
        if let Role::Candidate(candidate) = &mut self.role {
            candidate.add_promise(from, votes);
        }
        self.lead_if_elected(effects);
    }

    /// A majority has promised: proposes again what may have been chosen, fills the holes, and leads.
    fn lead_if_elected(&mut self, effects: &mut Effects<Self>) {
        let Role::Candidate(candidate) = &self.role else { return };
        if candidate.promised.len() < self.config.majority() {
            return;
        }
        let ballot = candidate.ballot.clone();
        let last = candidate.last_voted().max(self.learner.last_chosen());
        let mut recovered = candidate.proposals(self.learner.commit() + 1, last);
        recovered.retain(|(slot, _)| !self.learner.is_chosen(*slot));
        tracing::info!(?ballot, recovered = recovered.len(), "leads");
        self.leader = Some(ballot.clone());
        self.role = Role::Leader(Box::new(Leader::new(
            ballot,
            recovered,
            last,
            self.config.peers().cloned(),
            self.config.majority(),
            effects.now_ms(),
        )));
        effects.cancel_timer(Timer::Election);
        self.on_heartbeat_timer(effects);
        self.propose(effects);
    }

    /// Becomes a follower, of `leader` where one is known, and answers those who waited.
    fn step_down(&mut self, leader: Option<Ballot>, effects: &mut Effects<Self>) {
        self.leader = leader;
        self.await_leader(effects);
        effects.cancel_timer(Timer::Heartbeat);
        if let Role::Leader(leader) = std::mem::replace(&mut self.role, Role::Follower) {
            tracing::info!(ballot = ?leader.ballot, "leads no more");
            let orphans = leader.into_orphans();
            orphans.refused.into_iter().for_each(|token| self.refuse(token, effects));
            for token in orphans.unknown {
                let why = "the leader lost its office before the outcome was known";
                let refusal = Refusal::new(ErrorCode::Timeout, why);
                effects.reply(token, Answer::Error(refusal));
            }
        }
    }

    /// "I do not lead": a definite error, allowed only where nothing was proposed.
    fn refuse(&self, token: Token, effects: &mut Effects<Self>) {
        let mut refusal = Refusal::new(ErrorCode::NotLeader, "this node does not lead");
        refusal.hint = self.leader.as_ref().map(|ballot| ballot.node.clone());
        effects.reply(token, Answer::Error(refusal));
    }

    /// A higher ballot stands in the way of what this node tried.
    fn on_reject(&mut self, ballot: &Ballot, effects: &mut Effects<Self>) {
        if self.role.ballot().is_some_and(|own| own < ballot) {
            self.step_down(None, effects);
        }
    }

    // ---- Phase 2 -------------------------------------------------------------------------------

    /// Phase 2a for as much as the pipeline holds. This node's own vote is asked for like any other: the message
    /// to itself arrives after its promise is durable, and its answer after the vote is.
    fn propose(&mut self, effects: &mut Effects<Self>) {
        let Role::Leader(leader) = &mut self.role else { return };
        let commit = self.learner.commit();
        for (slot, batch) in leader.propose(commit, effects.now_ms()) {
            for member in &self.config.members {
                let (ballot, batch) = (leader.ballot.clone(), batch.clone());
                effects.send(member, Message::Accept { ballot, slot, batch, commit });
            }
        }
    }

    /// Phase 2b.
    fn on_accept(
        &mut self,
        from: &NodeId,
        ballot: Ballot,
        (slot, batch): (Slot, &Batch),
        commit: Slot,
        effects: &mut Effects<Self>,
    ) {
        let record = match self.acceptor.accept(slot, &ballot, batch) {
            Ok(record) => record,
            Err(Refused(ballot)) => return effects.send(from, Message::Reject { ballot }),
        };
        if record.is_some() {
            self.persist(record, effects);
            self.record_commit(effects);
        }
        effects.send(from, Message::Accepted { ballot: ballot.clone(), slot });
        self.follow(ballot, commit, effects);
    }

    fn on_accepted(
        &mut self,
        from: &NodeId,
        ballot: &Ballot,
        slot: Slot,
        effects: &mut Effects<Self>,
    ) {
        let Role::Leader(leader) = &mut self.role else { return };
        if leader.ballot != *ballot {
            return;
        }
        leader.hear_from(from, effects.now_ms());
        if let Some(batch) = leader.on_accepted(from, slot, self.config.majority()) {
            self.learn([(slot, batch)], effects);
        }
    }

    // ---- Leadership ----------------------------------------------------------------------------

    /// Sends again what was not answered, and shows that the leader lives.
    fn on_heartbeat_timer(&mut self, effects: &mut Effects<Self>) {
        match &mut self.role {
            Role::Follower => return,
            Role::Canvass(canvass) => {
                let missing = self.config.peers().filter(|peer| !canvass.granted.contains(*peer));
                for peer in missing {
                    effects.send(peer, Message::PreVote { ballot: canvass.ballot.clone() });
                }
            }
            Role::Candidate(candidate) => {
                let first = self.learner.commit() + 1;
                let missing =
                    self.config.peers().filter(|peer| !candidate.promised.contains(*peer));
                for peer in missing {
                    let ballot = candidate.ballot.clone();
                    effects.send(peer, Message::Prepare { ballot, first });
                }
            }
            Role::Leader(leader) => {
                let now_ms = effects.now_ms();
                if leader.followers(now_ms, self.config.election_ms) < self.config.majority() {
                    return self.step_down(None, effects); // cut off: the others will elect another
                }
                let commit = self.learner.commit();
                let (members, age_ms) = (&self.config.members, self.config.heartbeat_ms);
                for (to, slot, batch) in leader.overdue(members, now_ms, age_ms) {
                    let ballot = leader.ballot.clone();
                    effects.send(&to, Message::Accept { ballot, slot, batch, commit });
                }
                self.send_heartbeat(effects);
            }
        }
        effects.set_timer(Timer::Heartbeat, self.config.heartbeat_ms);
    }

    fn send_heartbeat(&mut self, effects: &mut Effects<Self>) {
        let Role::Leader(leader) = &mut self.role else { return };
        let round = leader.reads.next_round();
        let commit = self.learner.commit();
        for peer in self.config.peers() {
            let ballot = leader.ballot.clone();
            effects.send(peer, Message::Heartbeat { ballot, commit, round });
        }
    }

    fn on_heartbeat(
        &mut self,
        from: &NodeId,
        ballot: Ballot,
        commit: Slot,
        round: u64,
        effects: &mut Effects<Self>,
    ) {
        let promised = self.acceptor.promised();
        let known = self.leader.as_ref().map_or(promised, |leader| leader.max(promised));
        if ballot < *known {
            return effects.send(from, Message::Reject { ballot: known.clone() });
        }
        effects.send(from, Message::HeartbeatAck { ballot: ballot.clone(), round });
        // What was chosen before the last heartbeat and is still missing now, is lost rather than late.
        let is_behind = self.learner.commit() < self.told_commit;
        self.follow(ballot, commit, effects);
        if is_behind {
            self.fetch(from, effects);
        }
    }

    fn on_heartbeat_ack(
        &mut self,
        from: &NodeId,
        ballot: &Ballot,
        round: u64,
        effects: &mut Effects<Self>,
    ) {
        let Role::Leader(leader) = &mut self.role else { return };
        if leader.ballot == *ballot {
            leader.hear_from(from, effects.now_ms());
            leader.reads.acknowledge(from, round);
            self.answer_reads(effects);
        }
    }

    /// A leader lives, and has seen everything up to `commit` chosen.
    fn follow(&mut self, ballot: Ballot, commit: Slot, effects: &mut Effects<Self>) {
        let is_old = self.leader.as_ref().is_some_and(|leader| ballot < *leader);
        if ballot.node == self.config.node || is_old {
            return;
        }
        self.heard_ms = effects.now_ms();
        match self.role {
            Role::Follower => {
                self.leader = Some(ballot.clone());
                self.await_leader(effects);
            }
            _ => self.step_down(Some(ballot.clone()), effects),
        }
        self.told_commit = self.told_commit.max(commit);
        // One ballot proposes one value per slot: a vote in the leader's own ballot is for what was chosen.
        let votes = self.acceptor.votes_from(self.learner.commit() + 1);
        let chosen: Vec<ChosenSlot> = votes
            .take_while(|(slot, _)| *slot <= commit)
            .filter(|(_, vote)| vote.ballot == ballot)
            .map(|(slot, vote)| (slot, vote.batch.clone()))
            .collect();
        self.learn(chosen, effects);
    }

    // ---- Learning ------------------------------------------------------------------------------

    /// These values are chosen: applies what can be applied, answers who waits for it, and goes on.
    fn learn(&mut self, chosen: impl IntoIterator<Item = ChosenSlot>, effects: &mut Effects<Self>) {
        for (slot, batch) in chosen {
            let voted = self.acceptor.vote(slot).is_some_and(|vote| vote.batch == batch);
            if self.learner.learn(slot, batch.clone()) && !voted {
                self.persist(Some(Record::Learned { slot, batch }), effects);
            }
        }
        while let Some((slot, answers)) = self.learner.apply_next() {
            if let Role::Leader(leader) = &mut self.role {
                let answered = leader.take_waiting(slot).into_iter().zip(answers);
                answered.for_each(|(token, answer)| effects.reply(token, answer));
            }
        }
        self.compact_if_due(effects);
        self.answer_reads(effects);
        self.propose(effects);
    }

    /// Asks `from` for what is missing.
    fn fetch(&self, from: &NodeId, effects: &mut Effects<Self>) {
        if self.learner.commit() < self.told_commit {
            effects.send(from, Message::Fetch { first: self.learner.commit() + 1 });
        }
    }

    fn on_fetch(&self, from: &NodeId, first: Slot, effects: &mut Effects<Self>) {
        match self.learner.fetch(first) {
            Some(slots) if slots.is_empty() => {}
            Some(slots) => effects.send(from, Message::Chosen { slots }),
            None => {
                let snapshot = self.learner.snapshot().clone();
                effects.send(from, Message::Install { snapshot });
            }
        }
    }

    /// Replaces the state by a snapshot that is further on. Says whether the state is now that far.
    fn install(&mut self, snapshot: Snapshot, effects: &mut Effects<Self>) -> bool {
        let slot = snapshot.slot;
        match self.learner.install(snapshot) {
            Ok(false) => true,
            Ok(true) => {
                tracing::info!(slot, "installed a snapshot");
                self.rewrite(effects);
                true
            }
            Err(error) => {
                tracing::warn!(slot, error, "ignored a snapshot that cannot be restored");
                false
            }
        }
    }

    // ---- Reads ---------------------------------------------------------------------------------

    /// Answers the reads that are confirmed, and starts a round for those that wait for one.
    fn answer_reads(&mut self, effects: &mut Effects<Self>) {
        while let Role::Leader(leader) = &mut self.role {
            for read in leader.reads.take_ready(self.learner.commit()) {
                match self.learner.application().query(&read.request) {
                    Some(answer) => effects.reply(read.token, answer),
                    None => leader.enqueue(read.token, read.request),
                }
            }
            if !leader.reads.needs_round() {
                return;
            }
            self.send_heartbeat(effects); // alone in the cluster, this confirms itself at once
        }
    }

    // ---- Storage -------------------------------------------------------------------------------

    fn persist(&mut self, record: Option<Record>, effects: &mut Effects<Self>) {
        if let Some(record) = record {
            self.log_size.add(&record);
            effects.persist(record);
        }
    }

    /// Notes how far the log is chosen, on the occasion of another write: alone it is not worth an fsync.
    fn record_commit(&mut self, effects: &mut Effects<Self>) {
        let commit = self.learner.commit();
        if commit > self.recorded_commit {
            self.recorded_commit = commit;
            self.persist(Some(Record::Committed { commit }), effects);
        }
    }

    fn compact_if_due(&mut self, effects: &mut Effects<Self>) {
        let is_due = self.config.snapshot_bytes.is_some_and(|limit| self.log_size.exceeds(limit));
        if is_due && self.learner.commit() > self.learner.snapshot().slot {
            self.learner.take_snapshot();
            self.rewrite(effects);
        }
    }

    /// Puts the snapshot in the place of the log that led to it, atomically: in between lies no state in which
    /// a promise or a vote is missing.
    fn rewrite(&mut self, effects: &mut Effects<Self>) {
        self.acceptor.compact(self.learner.snapshot().slot);
        let records = storage::compacted(&self.acceptor, &self.learner);
        self.log_size.reset(&records);
        self.recorded_commit = self.learner.commit();
        effects.rewrite(records);
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
                self.on_accept(from, ballot, (slot, &batch), commit, effects);
            }
            Message::Accepted { ballot, slot } => self.on_accepted(from, &ballot, slot, effects),
            Message::Heartbeat { ballot, commit, round } => {
                self.on_heartbeat(from, ballot, commit, round, effects);
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
            Timer::Election => self.canvass(effects),
            Timer::Heartbeat => self.on_heartbeat_timer(effects),
        }
    }

    fn on_request(&mut self, token: Token, request: Request, effects: &mut Effects<Self>) {
        let Role::Leader(leader) = &mut self.role else { return self.refuse(token, effects) };
        if request.op.is_read_only() {
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
        let ballot = self.leader.as_ref().unwrap_or(self.acceptor.promised());
        json!({
            "role": role,
            "term": ballot.term(&self.config.members),
            "leader": self.leader.as_ref().map(|ballot| &ballot.node),
            "commit": self.learner.commit(),
            "applied": self.learner.commit(),
            "log_bytes": self.log_size.bytes,
            "snapshot_bytes": self.learner.snapshot().state.len(),
        })
    }

    fn message_kind(message: &Message) -> &'static str {
        message.kind()
    }
}
