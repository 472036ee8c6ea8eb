//! Phase 2, and the heartbeats that hold the cluster together.

use contract::{Answer, NodeId, Request};
use node::{Application, Effects};

use super::{Paxos, Role, Timer};
use single_decree::{Ballot, Refused};

use crate::{
    message::Message,
    slot::{Batch, ChosenSlot, Slot},
};

impl<A: Application<Command = Request, Output = Answer>> Paxos<A> {
    /// Phase 2a for as much as the pipeline holds. This node's own vote is asked for like any other: the message
    /// to itself arrives after its promise is durable, and its answer after the vote is.
    pub(super) fn propose(&mut self, effects: &mut Effects<Self>) {
        if self.prepares_anew(effects) {
            return;
        }
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
    pub(super) fn on_accept(
        &mut self,
        from: &NodeId,
        ballot: &Ballot,
        (slot, batch): (Slot, &Batch),
        commit: Slot,
        effects: &mut Effects<Self>,
    ) {
        let record = match self.acceptor.accept(slot, ballot, batch) {
            Ok(record) => record,
            Err(Refused(ballot)) => return effects.send(from, Message::Reject { ballot }),
        };
        if record.is_some() {
            self.persist(record, effects);
            self.record_commit(effects);
            // Once a proposal. One that was long under way shows the life of a leader that may be dead by now: that delays
            // the next election by a turn at most, and only as many of them can be as the pipeline holds.
            self.hear(ballot, None, effects);
        }
        effects.send(from, Message::Accepted { ballot: ballot.clone(), slot });
        self.catch_up(ballot, commit, effects);
    }

    pub(super) fn on_accepted(
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
        leader.followers.hear_from(from, effects.now_ms());
        if let Some(batch) = leader.on_accepted(from, slot, self.config.majority()) {
            self.learn([(slot, batch)], effects);
        }
    }

    /// Sends again what was not answered, and shows that the leader lives.
    pub(super) fn on_heartbeat_timer(&mut self, effects: &mut Effects<Self>) {
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
                leader.followers.look_around(now_ms, self.config.heartbeat_ms);
                let followers = leader.followers.count(now_ms, self.config.patience_ms);
                if followers < self.config.majority() {
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

    pub(super) fn send_heartbeat(&mut self, effects: &mut Effects<Self>) {
        let Role::Leader(leader) = &mut self.role else { return };
        let (successors, round) = (leader.successors(), leader.reads.next_round());
        let commit = self.learner.commit();
        for peer in self.config.peers() {
            let ballot = leader.ballot.clone();
            let successors = successors.clone();
            effects.send(peer, Message::Heartbeat { ballot, commit, round, successors });
        }
    }

    pub(super) fn on_heartbeat(
        &mut self,
        from: &NodeId,
        ballot: &Ballot,
        commit: Slot,
        (round, successors): (u64, Vec<NodeId>),
        effects: &mut Effects<Self>,
    ) {
        let promised = self.acceptor.promised();
        let known = self.leader.as_ref().map_or(promised, |leader| leader.max(promised));
        if ballot < known {
            return effects.send(from, Message::Reject { ballot: known.clone() });
        }
        effects.send(from, Message::HeartbeatAck { ballot: ballot.clone(), round });
        // What was chosen before the last heartbeat and is still missing now, is lost rather than late.
        let is_behind = self.learner.commit() < self.told_commit;
        // One that was overtaken, or comes twice, does not show that its sender still lives.
        if (&self.heard.0, self.heard.1) < (ballot, round) {
            self.hear(ballot, Some((round, successors)), effects);
        }
        self.catch_up(ballot, commit, effects);
        if is_behind {
            self.fetch(from, effects);
        }
    }

    pub(super) fn on_heartbeat_ack(
        &mut self,
        from: &NodeId,
        ballot: &Ballot,
        round: u64,
        effects: &mut Effects<Self>,
    ) {
        let Role::Leader(leader) = &mut self.role else { return };
        if leader.ballot == *ballot {
            leader.followers.hear_from(from, effects.now_ms());
            leader.reads.acknowledge(from, round);
            self.answer_reads(effects);
            // Some of them perhaps had to go into the log.
            self.propose(effects);
        }
    }

    /// A leader lives: follows it. A heartbeat says besides which one it is and who should succeed.
    fn hear(
        &mut self,
        ballot: &Ballot,
        heartbeat: Option<(u64, Vec<NodeId>)>,
        effects: &mut Effects<Self>,
    ) {
        if ballot.node == self.config.node || *ballot < self.heard.0 {
            return;
        }
        // Another node's rhythm and successors say nothing about this one's.
        if ballot.node != self.heard.0.node {
            self.detector.forget();
            self.successors.clear();
        }
        if *ballot != self.heard.0 {
            self.heard = (ballot.clone(), 0);
        }
        if let Some((round, successors)) = heartbeat {
            self.heard.1 = round;
            self.successors = successors;
        }
        self.detector.hear(effects.now_ms());
        match self.role {
            Role::Follower => {
                self.leader = Some(ballot.clone());
                self.await_leader(effects);
            }
            _ => self.step_down(Some(ballot.clone()), effects),
        }
    }

    /// The leader has seen everything up to `commit` chosen.
    fn catch_up(&mut self, ballot: &Ballot, commit: Slot, effects: &mut Effects<Self>) {
        if ballot.node == self.config.node {
            return;
        }
        self.told_commit = self.told_commit.max(commit);
        // One ballot proposes one value per slot: a vote in the leader's own ballot is for what was chosen.
        let votes = self.acceptor.votes_from(self.learner.commit() + 1);
        let chosen: Vec<ChosenSlot> = votes
            .take_while(|(slot, _)| *slot <= commit)
            .filter(|(_, vote)| vote.ballot == *ballot)
            .map(|(slot, vote)| (slot, vote.value.clone()))
            .collect();
        self.learn(chosen, effects);
    }
}
