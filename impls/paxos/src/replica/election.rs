//! How a node comes to lead, and how it ceases to.

use contract::{Answer, ErrorCode, NodeId, Refusal, Request};
use node::{Application, Effects, Token};

use super::{Paxos, Role, Timer};
use single_decree::{Ballot, Refused};

use crate::{
    candidate::{Candidate, Canvass},
    leader::Leader,
    message::Message,
    pipeline::Queue,
    slot::{ChosenSlot, Slot, Vote},
    snapshot::Snapshot,
};

impl<A: Application<Command = Request, Output = Answer>> Paxos<A> {
    /// Waits for this node's turn to stand for election, where the leader said whose turn it is, and at random otherwise, so that
    /// competing proposers seldom meet again: there is no progress while two keep outbidding each other ("Paxos Made
    /// Simple" §2.4).
    pub(super) fn await_leader(&mut self, effects: &mut Effects<Self>) {
        let limit_ms = self.config.election_ms;
        let at_random = || limit_ms + effects.random_below(limit_ms);
        self.wait_ms = self.turn_ms().unwrap_or_else(at_random).min(2 * limit_ms);
        self.wait(effects);
    }

    /// After how long a silence of the leader this node stands for election: the first successor as soon as that is suspicious,
    /// each other one half a heartbeat later than the one before. A successor leads by then if its canvass, its own promise
    /// and those of a majority take no longer: two round trips and two fsyncs. Otherwise the next one may be in its way,
    /// which costs time.
    fn turn_ms(&self) -> Option<u64> {
        self.leader.as_ref().filter(|leader| leader.node != self.config.node)?;
        let rank = self.successors.iter().position(|node| *node == self.config.node)?;
        Some(self.detector.patience_ms() + rank as u64 * self.config.heartbeat_ms / 2)
    }

    /// Waits in pieces. A node that stands still in the meantime, perhaps with the whole cluster, has then waited for one piece
    /// only, however long it was: it hears its leader again before it deposes it.
    fn wait(&mut self, effects: &mut Effects<Self>) {
        let piece_ms = self.wait_ms.min(self.config.heartbeat_ms);
        self.wait_ms -= piece_ms;
        effects.set_timer(Timer::Election, piece_ms);
    }

    pub(super) fn on_election_timer(&mut self, effects: &mut Effects<Self>) {
        match self.wait_ms {
            0 => self.canvass(effects),
            _ => self.wait(effects),
        }
    }

    /// No leader in sight: asks whether an election makes sense.
    pub(super) fn canvass(&mut self, effects: &mut Effects<Self>) {
        self.leader = None;
        self.refuse_queue(effects);
        let ballot = self.highest.next_for(&self.config.node);
        let granted = [self.config.node.clone()].into();
        self.role = Role::Canvass(Canvass { ballot, granted });
        self.await_leader(effects);
        self.on_heartbeat_timer(effects);
        self.campaign_if_wanted(effects);
    }

    pub(super) fn on_pre_vote(
        &mut self,
        from: &NodeId,
        ballot: Ballot,
        effects: &mut Effects<Self>,
    ) {
        let hears_another = self.leader.as_ref().is_some_and(|leader| leader.node != *from)
            && !self.detector.suspects(effects.now_ms());
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

    pub(super) fn on_pre_vote_granted(
        &mut self,
        from: &NodeId,
        ballot: &Ballot,
        effects: &mut Effects<Self>,
    ) {
        if let Role::Canvass(canvass) = &mut self.role
            && canvass.ballot == *ballot
        {
            canvass.granted.insert(from.clone());
            self.campaign_if_wanted(effects);
        }
    }

    /// Runs for leader, once a majority would promise.
    pub(super) fn campaign_if_wanted(&mut self, effects: &mut Effects<Self>) {
        let Role::Canvass(canvass) = &self.role else { return };
        if canvass.granted.len() < self.config.majority() {
            return;
        }
        self.prepare(canvass.ballot.clone(), Queue::new(), effects);
    }

    /// Phase 1a. `queue` waits for its end.
    ///
    /// The own promise is durable before any `Prepare` leaves: a candidate that lost it in a crash could run
    /// with the same ballot again, and propose a second value in it.
    pub(super) fn prepare(&mut self, ballot: Ballot, queue: Queue, effects: &mut Effects<Self>) {
        let Ok(record) = self.acceptor.prepare(&ballot) else {
            return queue.into_iter().for_each(|(token, _)| self.refuse(token, effects));
        };
        self.persist(record, effects);
        let mut candidate = Candidate::new(ballot);
        candidate.queue = queue;
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
    pub(super) fn on_prepare(
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
            // Whoever led below this ballot, leads no more; unless it is about to lead again.
            let leader = self.leader.take().filter(|leader| leader.node == *from);
            self.step_down(leader, effects);
        }
        effects.send(from, self.promise(ballot, first));
    }

    /// Everything this node knows of the slots from `first` on. What is known to be chosen goes along, so that
    /// the new leader need not find it out slot by slot.
    ///
    /// Nothing else bounds it than compaction: it holds the snapshot, the slots that were chosen since, `Config::snapshot_bytes`
    /// of them or a little more, and votes for as many slots as the pipeline has. It cannot come in parts, since it
    /// promises nothing before it is complete.
    pub(super) fn promise(&self, ballot: Ballot, first: Slot) -> Message {
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

    pub(super) fn on_promise(
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
    pub(super) fn lead_if_elected(&mut self, effects: &mut Effects<Self>) {
        let Role::Candidate(candidate) = &mut self.role else { return };
        if candidate.promised.len() < self.config.majority() {
            return;
        }
        let ballot = candidate.ballot.clone();
        let queue = std::mem::take(&mut candidate.queue);
        let last = candidate.last_voted().max(self.learner.last_chosen());
        let mut recovered = candidate.proposals(self.learner.commit() + 1, last);
        recovered.retain(|(slot, _)| !self.learner.is_chosen(*slot));
        tracing::info!(?ballot, recovered = recovered.len(), "leads");
        self.leader = Some(ballot.clone());
        let (peers, majority) = (self.config.peers().cloned(), self.config.majority());
        let mut leader = Leader::new(ballot, recovered, last, peers, majority, effects.now_ms());
        if self.config.naive {
            leader = leader.naive(queue);
        }
        self.role = Role::Leader(Box::new(leader));
        effects.cancel_timer(Timer::Election);
        self.on_heartbeat_timer(effects);
        self.propose(effects);
    }

    /// Becomes a follower, of `leader` where one is known, and answers those who waited.
    pub(super) fn step_down(&mut self, leader: Option<Ballot>, effects: &mut Effects<Self>) {
        self.leader = leader;
        self.await_leader(effects);
        effects.cancel_timer(Timer::Heartbeat);
        self.refuse_queue(effects);
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

    /// A candidate does not come to lead: what waited for that was never proposed.
    fn refuse_queue(&mut self, effects: &mut Effects<Self>) {
        let Role::Candidate(candidate) = &mut self.role else { return };
        let queue = std::mem::take(&mut candidate.queue);
        queue.into_iter().for_each(|(token, _)| self.refuse(token, effects));
    }

    /// "I do not lead": a definite error, allowed only where nothing was proposed.
    pub(super) fn refuse(&self, token: Token, effects: &mut Effects<Self>) {
        let mut refusal = Refusal::new(ErrorCode::NotLeader, "this node does not lead");
        refusal.hint = self.leader.as_ref().map(|ballot| ballot.node.clone());
        effects.reply(token, Answer::Error(refusal));
    }

    /// A higher ballot stands in the way of what this node tried.
    pub(super) fn on_reject(&mut self, ballot: &Ballot, effects: &mut Effects<Self>) {
        if self.role.ballot().is_some_and(|own| own < ballot) {
            self.step_down(None, effects);
        }
    }
}
