//! Paxos as it stands in the paper, for comparison: both phases for every command, one command at a time.
//!
//! It is as safe as the rest, for each command gets a ballot of its own, like that of a new leader. What it costs is what
//! the leader of Multi-Paxos saves ("Paxos Made Simple" §3).

use contract::{Answer, Request};
use node::{Application, Effects};

use super::{Paxos, Role};

impl<A: Application<Command = Request, Output = Answer>> Paxos<A> {
    /// Whether phase 1 must be run before the next command; if so, it has begun.
    pub(super) fn prepares_anew(&mut self, effects: &mut Effects<Self>) -> bool {
        let Role::Leader(leader) = &mut self.role else { return false };
        if !self.config.naive {
            return false;
        }
        let Some(queue) = leader.take_queue_for_phase_1() else { return false };
        let ballot = self.highest.next_for(&self.config.node);
        self.await_leader(effects);
        self.prepare(ballot, queue, effects);
        true
    }
}
