//! Leadership transfer (dissertation §3.10): the leader brings another server's log up to date and then has it start an
//! election at once, so that no election timeout passes.

use contract::{Answer, NodeId, Request};
use node::{Application, Effects};

use crate::{
    log::Term,
    message::Message,
    raft::{Raft, Role},
};

/// A transfer under way. New requests wait meanwhile.
#[derive(Debug)]
pub struct Transfer {
    /// Who is to lead.
    pub to: NodeId,
    /// When the leader goes on by itself, because the other one may have failed.
    until_ms: u64,
}

impl<A: Application<Command = Request, Output = Answer>> Raft<A> {
    /// Hands leadership over to another server of the cluster. Says whether that begins: only a leader can, and only one
    /// transfer at a time. It is given up after an election timeout.
    pub fn transfer_leadership(&mut self, to: &NodeId, effects: &mut Effects<Self>) -> bool {
        let is_other = *to != self.config.node && self.configuration().contains(to);
        let Role::Leader(leader) = &mut self.role else { return false };
        if leader.transfer.is_some() || !is_other {
            return false;
        }
        let until_ms = effects.now_ms() + self.config.election_ms;
        leader.transfer = Some(Transfer { to: to.clone(), until_ms });
        self.hand_over_if_ready(effects);
        true
    }

    /// "It sends a TimeoutNow request to the target server", once that one holds the whole log.
    pub(crate) fn hand_over_if_ready(&self, effects: &mut Effects<Self>) {
        if let Role::Leader(leader) = &self.role
            && let Some(Transfer { to, .. }) = &leader.transfer
            && let Some(follower) = leader.followers.get(to)
            && follower.match_index == self.log.last_index()
        {
            effects.send(to, Message::TimeoutNow { term: self.current_term });
        }
    }

    /// "The current leader resumes client requests" where the other one did not take over in time.
    pub(crate) fn give_up_transfer(&mut self, effects: &mut Effects<Self>) {
        if let Role::Leader(leader) = &mut self.role
            && leader.transfer.take_if(|transfer| transfer.until_ms <= effects.now_ms()).is_some()
        {
            self.flush_soon(effects);
        }
    }

    /// The leader of `term` wants this server to lead. It need not ask whether others would vote for it.
    pub(crate) fn on_timeout_now(&mut self, term: Term, effects: &mut Effects<Self>) {
        if term == self.current_term && self.may_stand() && matches!(self.role, Role::Follower) {
            self.campaign(true, effects);
        }
    }
}
