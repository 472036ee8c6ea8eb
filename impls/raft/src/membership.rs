//! Changes of the cluster's servers, one at a time (dissertation §4.1): the majorities of two configurations that differ
//! by one server share a server.
//!
//! That holds for two that follow each other. So a leader begins a change only once the one before it is committed, *and*
//! once it has committed an entry of its own term: else an earlier leader's change, which it never saw, could still be
//! committed beside its own (Ongaro, "bug in single-server membership changes", raft-dev, July 2015).

use contract::{Answer, NodeId, Request};
use node::{Application, Effects};

use crate::{
    configuration::Configuration,
    leader::Follower,
    log::{LogIndex, Payload},
    raft::{Raft, Role},
};

/// How many rounds a new server has to catch up with the log; each begins where the log ended at the end of the one
/// before, so they grow shorter (dissertation §4.2.1).
const ROUNDS: u32 = 10;

/// A new server that catches up before it counts, so that the cluster does not wait for it.
#[derive(Debug)]
pub struct CatchUp {
    server: NodeId,
    /// Where the log ended when the round began.
    goal: LogIndex,
    began_ms: u64,
    rounds_left: u32,
}

/// Why a change does not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoChange {
    /// Another server leads, or none.
    NotLeader,
    /// Another change is under way, or the leader is new.
    NotYet,
    /// The server is in the cluster already, or not in it, or the last one.
    Pointless,
}

impl<A: Application<Command = Request, Output = Answer>> Raft<A> {
    /// `AddServer` of the dissertation's Figure 4.1: the server gets the log, and then a vote. Its progress is the
    /// configuration's; a server that does not catch up is not added.
    ///
    /// # Errors
    /// No change begins.
    pub fn add_server(
        &mut self,
        server: &NodeId,
        effects: &mut Effects<Self>,
    ) -> Result<(), NoChange> {
        self.may_change()?;
        if self.configuration().contains(server) {
            return Err(NoChange::Pointless);
        }
        let goal = self.log.last_index();
        let Role::Leader(leader) = &mut self.role else { return Err(NoChange::NotLeader) };
        let began_ms = effects.now_ms();
        leader.followers.insert(server.clone(), Follower::new(goal, began_ms));
        leader.catch_up =
            Some(CatchUp { server: server.clone(), goal, began_ms, rounds_left: ROUNDS });
        self.replicate(true, effects);
        Ok(())
    }

    /// `RemoveServer` of the dissertation's Figure 4.1. A leader that removes itself leads until that is committed, and
    /// does not count its own copies meanwhile (dissertation §4.2.2).
    ///
    /// # Errors
    /// No change begins.
    pub fn remove_server(
        &mut self,
        server: &NodeId,
        effects: &mut Effects<Self>,
    ) -> Result<(), NoChange> {
        self.may_change()?;
        let fewer = self.configuration().without(server);
        if fewer == *self.configuration() || fewer.servers().next().is_none() {
            return Err(NoChange::Pointless);
        }
        self.change(&fewer, effects);
        Ok(())
    }

    fn may_change(&self) -> Result<(), NoChange> {
        let Role::Leader(leader) = &self.role else { return Err(NoChange::NotLeader) };
        let is_settled = self.configurations.latest_index() <= self.commit_index
            && leader.noop_index <= self.commit_index;
        if is_settled && leader.catch_up.is_none() { Ok(()) } else { Err(NoChange::NotYet) }
    }

    /// The new configuration counts as soon as it is in the log.
    fn change(&mut self, configuration: &Configuration, effects: &mut Effects<Self>) {
        tracing::info!(?configuration, "changes the cluster");
        self.append_to_own_log([Payload::Configuration(configuration.clone())], effects);
        if let Role::Leader(leader) = &mut self.role {
            let own = &self.config.node;
            leader.followers.retain(|server, _| server == own || configuration.contains(server));
        }
        self.replicate(false, effects);
    }

    /// The new server has come further. It is added where a round took less than an election timeout: so long at most
    /// the cluster could have to wait for it.
    pub(crate) fn catch_up(&mut self, from: &NodeId, effects: &mut Effects<Self>) {
        let last_index = self.log.last_index();
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(catch_up) = leader.catch_up.as_mut().filter(|it| it.server == *from) else {
            return;
        };
        let match_index = leader.followers.get(from).map_or(0, |follower| follower.match_index);
        if match_index < catch_up.goal {
            return;
        }
        let now_ms = effects.now_ms();
        if now_ms < catch_up.began_ms + self.config.election_ms {
            leader.catch_up = None;
            let more = self.configuration().with(from);
            self.change(&more, effects);
        } else {
            (catch_up.goal, catch_up.began_ms) = (last_index, now_ms);
            catch_up.rounds_left = catch_up.rounds_left.saturating_sub(1);
        }
    }

    /// A transfer that did not succeed, and a new server that is silent or too slow.
    pub(crate) fn give_up_what_takes_too_long(&mut self, effects: &mut Effects<Self>) {
        self.give_up_transfer(effects);
        let now_ms = effects.now_ms();
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(CatchUp { server, rounds_left, .. }) = &leader.catch_up else { return };
        let heard_ms = leader.followers.get(server).map_or(0, |follower| follower.heard_ms);
        if *rounds_left == 0 || now_ms >= heard_ms + self.config.election_ms {
            leader.followers.remove(server);
            leader.catch_up = None;
        }
    }

    /// "A server that is not part of its own latest configuration should still start new elections, as it might still be needed
    /// until the Cnew entry is committed" (dissertation §4.2.2): it may have this entry alone, and so the longest log. Its own
    /// vote does not count.
    pub(crate) fn may_stand(&self) -> bool {
        // After a restart nothing is known to be committed: a server that is gone asks again, and those with a leader ignore it.
        let is_committed = self.configurations.latest_index() <= self.commit_index;
        !is_committed || self.configuration().contains(&self.config.node)
    }

    /// "A leader that is removed from the configuration steps down once the Cnew entry is committed" (dissertation §4.2.2).
    pub(crate) fn step_down_if_removed(&mut self, effects: &mut Effects<Self>) {
        if !self.may_stand() {
            self.step_down(effects);
        }
    }
}
