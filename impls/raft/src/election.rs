//! Leader election (§5.2, §5.4.1), with the question before it (dissertation §9.6) and loyalty to a leader that lives
//! (dissertation §4.2.3).
//!
//! Pre-vote and loyalty keep a server that was cut off from deposing a healthy leader on its return. They are needed for
//! progress only: safety rests on terms and votes.

use std::collections::BTreeSet;

use contract::{Answer, ErrorCode, NodeId, Refusal, Request};
use node::{Application, Effects};

use crate::{
    leader::Leader,
    log::{Payload, Term},
    message::{Message, PreVoteReply, RequestVote, RequestVoteReply},
    raft::{Raft, Role, Timer},
};

impl<A: Application<Command = Request, Output = Answer>> Raft<A> {
    /// Election timeouts are random, so that split votes are rare and soon resolved (§5.2).
    pub(crate) fn reset_election_timer(&self, effects: &mut Effects<Self>) {
        let timeout_ms = self.config.election_ms;
        let after_ms = timeout_ms + effects.random_below(timeout_ms);
        effects.set_timer(Timer::Election, after_ms);
    }

    /// No leader in sight: asks whether others would vote for this server. Its term stays as it is.
    pub(crate) fn on_election_timeout(&mut self, effects: &mut Effects<Self>) {
        self.reset_election_timer(effects);
        self.leader_id = None;
        if self.may_stand() {
            self.role = Role::PreCandidate([self.config.node.clone()].into());
            self.keep_asking_for_votes(effects);
            self.campaign_if_welcome(effects);
        }
    }

    fn campaign_if_welcome(&mut self, effects: &mut Effects<Self>) {
        if let Role::PreCandidate(grants) = &self.role
            && self.configuration().is_majority(grants)
        {
            self.campaign(false, effects);
        }
    }

    /// "On conversion to candidate, start election: increment currentTerm, vote for self, reset election timer, send
    /// RequestVote RPCs to all other servers."
    ///
    /// The own vote counts once it is durable, like any other: it comes as a message to itself.
    pub(crate) fn campaign(&mut self, leadership_transfer: bool, effects: &mut Effects<Self>) {
        self.current_term += 1;
        self.voted_for = Some(self.config.node.clone());
        self.persist_term_and_vote(effects);
        self.leader_id = None;
        self.role = Role::Candidate { votes: BTreeSet::new(), leadership_transfer };
        self.reset_election_timer(effects);
        let own = RequestVoteReply { term: self.current_term, vote_granted: true };
        effects.send(&self.config.node, Message::RequestVoteReply(own));
        self.keep_asking_for_votes(effects);
    }

    /// Asks those who have not granted anything, and again after a while: messages may be lost.
    pub(crate) fn keep_asking_for_votes(&self, effects: &mut Effects<Self>) {
        self.ask_for_votes(effects);
        effects.set_timer(Timer::Heartbeat, self.config.heartbeat_ms);
    }

    fn ask_for_votes(&self, effects: &mut Effects<Self>) {
        let request = |term, leadership_transfer| RequestVote {
            term,
            last_log_index: self.log.last_index(),
            last_log_term: self.log.last_term(),
            leadership_transfer,
        };
        let (message, grants) = match &self.role {
            Role::PreCandidate(grants) => {
                (Message::PreVote(request(self.current_term + 1, false)), grants)
            }
            Role::Candidate { votes, leadership_transfer } => {
                (Message::RequestVote(request(self.current_term, *leadership_transfer)), votes)
            }
            Role::Follower | Role::Leader(_) => return,
        };
        let others = self.configuration().servers().filter(|server| **server != self.config.node);
        for server in others.filter(|server| !grants.contains(*server)) {
            effects.send(server, message.clone());
        }
    }

    /// Dissertation §4.2.3: "if a server receives a RequestVote request within the minimum election timeout of hearing
    /// from a current leader, it does not update its term or grant its vote", unless that leader wants it. Whether that is
    /// the case; the candidate is told then.
    pub(crate) fn sticks_to_its_leader(
        &self,
        from: &NodeId,
        message: &Message,
        effects: &mut Effects<Self>,
    ) -> bool {
        let is_asked = matches!(message, Message::RequestVote(ask) if !ask.leadership_transfer);
        let sticks = is_asked && self.hears_a_leader(effects.now_ms());
        if sticks {
            self.reply_to_request_vote(from, false, effects);
        }
        sticks
    }

    fn hears_a_leader(&self, now_ms: u64) -> bool {
        let heard_lately = now_ms < self.heard_ms + self.config.election_ms;
        self.is_leader() || (self.leader_id.is_some() && heard_lately)
    }

    pub(crate) fn on_pre_vote(
        &mut self,
        from: &NodeId,
        request: &RequestVote,
        effects: &mut Effects<Self>,
    ) {
        let vote_granted =
            !self.hears_a_leader(effects.now_ms()) && self.would_vote_for(from, request);
        let (term, proposed_term) = (self.current_term, request.term);
        let reply = PreVoteReply { term, proposed_term, vote_granted };
        effects.send(from, Message::PreVoteReply(reply));
    }

    /// The rules of `RequestVote` (Figure 2): the term is current, this server has not voted for another one in it, and
    /// "candidate's log is at least as up-to-date as receiver's log".
    fn would_vote_for(&self, candidate: &NodeId, request: &RequestVote) -> bool {
        let is_free = request.term > self.current_term
            || (request.term == self.current_term
                && self.voted_for.as_ref().is_none_or(|voted_for| voted_for == candidate));
        is_free && self.log.is_outdone_by(request.last_log_term, request.last_log_index)
    }

    pub(crate) fn on_pre_vote_reply(
        &mut self,
        from: &NodeId,
        reply: &PreVoteReply,
        effects: &mut Effects<Self>,
    ) {
        if let Role::PreCandidate(grants) = &mut self.role
            && reply.vote_granted
            && reply.proposed_term == self.current_term + 1
        {
            grants.insert(from.clone());
            self.campaign_if_welcome(effects);
        }
    }

    pub(crate) fn on_request_vote(
        &mut self,
        from: &NodeId,
        request: &RequestVote,
        effects: &mut Effects<Self>,
    ) {
        let vote_granted = self.would_vote_for(from, request);
        if vote_granted {
            self.reset_election_timer(effects);
            if self.voted_for.is_none() {
                self.voted_for = Some(from.clone());
                self.persist_term_and_vote(effects);
            }
        }
        self.reply_to_request_vote(from, vote_granted, effects);
    }

    fn reply_to_request_vote(
        &self,
        candidate: &NodeId,
        vote_granted: bool,
        effects: &mut Effects<Self>,
    ) {
        let reply = RequestVoteReply { term: self.current_term, vote_granted };
        effects.send(candidate, Message::RequestVoteReply(reply));
    }

    pub(crate) fn on_request_vote_reply(
        &mut self,
        from: &NodeId,
        reply: &RequestVoteReply,
        effects: &mut Effects<Self>,
    ) {
        // A vote of an earlier term is for an earlier election.
        if let Role::Candidate { votes, .. } = &mut self.role
            && reply.vote_granted
            && reply.term == self.current_term
        {
            votes.insert(from.clone());
            let is_elected = self.configurations.latest().is_majority(votes);
            if is_elected {
                self.lead(effects);
            }
        }
    }

    /// Becomes leader: tells everyone, with a no-op as the first entry of its term, "as leaders can only commit entries of
    /// their term" (§8; dissertation §6.4).
    fn lead(&mut self, effects: &mut Effects<Self>) {
        tracing::info!(term = self.current_term, "leads");
        self.leader_id = Some(self.config.node.clone());
        self.led = Some(self.current_term);
        let servers = self.configuration().servers();
        let leader = Leader::new(servers, self.log.last_index(), effects.now_ms());
        self.role = Role::Leader(Box::new(leader));
        effects.cancel_timer(Timer::Election);
        self.append_to_own_log([Payload::Noop], effects);
        self.on_heartbeat_timer(effects);
    }

    /// A later term has begun. No vote was given in it yet.
    pub(crate) fn enter_term(&mut self, term: Term, effects: &mut Effects<Self>) {
        self.current_term = term;
        self.voted_for = None;
        self.persist_term_and_vote(effects);
        self.leader_id = None;
        self.step_down(effects);
    }

    /// Becomes a follower, and answers those who waited for this leader. The election timer of a candidate runs on.
    pub(crate) fn step_down(&mut self, effects: &mut Effects<Self>) {
        let role = std::mem::replace(&mut self.role, Role::Follower);
        if !matches!(role, Role::Follower) {
            effects.cancel_timer(Timer::Heartbeat);
        }
        let Role::Leader(leader) = role else { return };
        tracing::info!(term = self.current_term, "leads no more");
        self.leader_id = None;
        self.reset_election_timer(effects);
        let orphans = leader.into_orphans();
        orphans.refused.into_iter().for_each(|token| self.refuse(token, effects));
        for token in orphans.unknown {
            let why = "the leader lost its office before the outcome was known";
            effects.reply(token, Answer::Error(Refusal::new(ErrorCode::Timeout, why)));
        }
    }
}
