//! The backup: takes the primary's state, then its operations in its order.

use std::collections::BTreeMap;

use contract::{Answer, NodeId, Request};
use node::Application;

use super::{Role, Server};
use crate::{
    message::Message,
    node::Effects,
    transfer::{Chunk, Receiving},
    view::View,
};

/// What a backup remembers until it is complete. It is gone after a restart, and the primary sends it again.
#[derive(Debug, Default)]
pub(super) struct Backup {
    receiving: Receiving,
    /// Operations that came before their predecessors, by position: messages overtake each other.
    early: BTreeMap<u64, Request>,
}

impl<A: Application<Command = Request, Output = Answer>> Server<A> {
    /// A part of the primary's state. A state that the backup is already past, in this view, is acknowledged as it is.
    pub(super) fn on_transfer(
        &mut self,
        from: &NodeId,
        view: &View,
        chunk: Chunk,
        effects: &mut Effects<A>,
    ) {
        if view.num > self.view().num && view.is_primary(from) && view.is_backup(&self.config.node)
        {
            self.enter(view.clone(), effects);
        }
        if self.is_over(view.num, from, effects) {
            return;
        }
        let Role::Backup(backup) = &mut self.role else { return };
        let standing = self.durable.standing();
        if *view != standing.view {
            return;
        }
        let (num, position) = (view.num, chunk.position);
        if !(standing.has_state && self.durable.position() >= position) {
            let Some(state) = backup.receiving.take(chunk) else {
                let (position, bytes) = backup.receiving.progress();
                return effects.send(from, Message::Received { num, position, bytes });
            };
            if let Err(error) = self.durable.install(position, &state, effects) {
                return tracing::error!(%from, position, error, "the state that was transferred");
            }
        }
        self.carry_out(from, effects);
    }

    /// Operations of the primary. Refused in an old view; of no use before the state is here.
    pub(super) fn on_forward(
        &mut self,
        from: &NodeId,
        num: u64,
        first: u64,
        requests: Vec<Request>,
        effects: &mut Effects<A>,
    ) {
        if self.is_over(num, from, effects) {
            return;
        }
        let standing = self.durable.standing();
        if num > standing.view.num || !standing.has_state {
            return;
        }
        if let Role::Backup(backup) = &mut self.role {
            backup.early.extend((first..).zip(requests));
            self.carry_out(from, effects);
        }
    }

    /// Carries out what has all its predecessors, and says how far that goes.
    fn carry_out(&mut self, primary: &NodeId, effects: &mut Effects<A>) {
        let Role::Backup(backup) = &mut self.role else { return };
        while let Some(request) = backup.early.remove(&(self.durable.position() + 1)) {
            self.durable.apply(request, effects);
        }
        // What is left behind came twice.
        backup.early = backup.early.split_off(&(self.durable.position() + 1));
        let (num, position) = (self.view().num, self.durable.position());
        effects.send(primary, Message::Forwarded { num, position });
    }

    /// Whether the sender's view is over; it is told so.
    fn is_over(&self, num: u64, from: &NodeId, effects: &mut Effects<A>) -> bool {
        let current = self.view().num;
        if num < current {
            effects.send(from, Message::Refused { num: current });
        }
        num < current
    }
}
