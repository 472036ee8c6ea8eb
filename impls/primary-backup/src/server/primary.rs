//! The primary: puts operations in order, and answers once the backup has them.
//!
//! Until it has acknowledged its view it answers alone: rule 1 of the view service says that nobody can follow it before
//! that. It acknowledges as soon as the backup has everything that was answered alone; from then on nothing is answered,
//! reads included, that the backup has not acknowledged in this view.

use std::collections::VecDeque;

use contract::{Answer, ErrorCode, NodeId, Refusal, Request};
use node::{Application, Token};

use super::{Role, Server};
use crate::{
    message::{Message, Standing},
    node::Effects,
    transfer::{Chunk, Sending},
};

/// The most operations that wait for the backup.
const UNFORWARDED_MAX: usize = 1024;
/// The most of them that one message repeats.
const REPEATED_MAX: usize = 128;

/// What a primary remembers. It is gone after a restart, and begins with a new transfer then.
#[derive(Debug)]
pub(super) struct Primary {
    /// What the backup does not have of the state; `None` once it has it.
    transfer: Option<Sending>,
    /// The backup has every operation up to here.
    forwarded: u64,
    /// The operations after that, in order.
    unforwarded: VecDeque<Operation>,
    /// The last operation that was answered without the backup.
    answered_alone: u64,
    /// How many pings ago the backup was heard, where it owes an answer.
    silent_pings: u32,
}

/// An operation that the primary has carried out and the backup has not.
#[derive(Debug)]
struct Operation {
    request: Request,
    /// The client that waits for that; `None` where it has its answer.
    waiting: Option<(Token, Answer)>,
}

impl Primary {
    fn owes_nothing(&self) -> bool {
        self.transfer.is_none() && self.unforwarded.is_empty()
    }

    /// Whoever waits for the backup.
    fn into_waiting(self) -> impl Iterator<Item = (Token, Answer)> {
        self.unforwarded.into_iter().filter_map(|operation| operation.waiting)
    }
}

impl<A: Application<Command = Request, Output = Answer>> Server<A> {
    /// Begins to serve in the view that it is primary of: alone, or with a transfer of its state as it is now. It does so
    /// again where the backup does not take the state. Clients that wait for a backup get their answers: nobody can follow
    /// this primary before it acknowledges the view.
    pub(super) fn lead(&mut self, effects: &mut Effects<A>) {
        if let Role::Primary(primary) = std::mem::replace(&mut self.role, Role::Idle) {
            primary.into_waiting().for_each(|(token, answer)| effects.reply(token, answer));
        }
        let position = self.durable.position();
        let has_backup = self.view().backup.is_some();
        let transfer = has_backup.then(|| {
            let state = self.durable.application().snapshot();
            Sending::new(position, state, self.config.chunk_bytes)
        });
        self.role = Role::Primary(Primary {
            transfer,
            forwarded: position,
            unforwarded: VecDeque::new(),
            answered_alone: position,
            silent_pings: 0,
        });
        if !has_backup {
            self.acknowledge_view(effects);
        }
        self.repeat(effects);
    }

    /// Carries out a client's operation, in its place in the order of all.
    pub(super) fn serve(&mut self, token: Token, request: Request, effects: &mut Effects<A>) {
        let Standing { view, acknowledged, .. } = self.durable.standing();
        let (num, acknowledged, has_backup) = (view.num, *acknowledged, view.backup.is_some());
        if self.unforwarded() >= UNFORWARDED_MAX {
            if acknowledged {
                let message = "too much waits for the backup already: never carried out";
                return self.refuse(token, ErrorCode::NotReady, message, effects);
            }
            self.lead(effects);
        }
        let Role::Primary(primary) = &mut self.role else { return };
        let answer = self.durable.apply(request.clone(), effects);
        if !has_backup {
            return effects.reply(token, answer);
        }
        let first = self.durable.position();
        let is_alone = !acknowledged && primary.transfer.is_some();
        let waiting = if is_alone {
            primary.answered_alone = first;
            effects.reply(token, answer);
            None
        } else {
            Some((token, answer))
        };
        primary.unforwarded.push_back(Operation { request: request.clone(), waiting });
        if primary.transfer.is_none() {
            self.to_backup(Message::Forward { num, first, requests: vec![request] }, effects);
        }
    }

    fn unforwarded(&self) -> usize {
        match &self.role {
            Role::Primary(primary) => primary.unforwarded.len(),
            Role::Backup(_) | Role::Idle => 0,
        }
    }

    /// The backup has so much of a state.
    pub(super) fn on_received(
        &mut self,
        num: u64,
        position: u64,
        bytes: usize,
        effects: &mut Effects<A>,
    ) {
        let is_current = num == self.view().num;
        let Role::Primary(primary) = &mut self.role else { return };
        if is_current && let Some(transfer) = &mut primary.transfer {
            primary.silent_pings = 0;
            if transfer.received(position, bytes) {
                self.repeat(effects);
            }
        }
    }

    /// The backup has everything up to `position`.
    pub(super) fn on_forwarded(&mut self, num: u64, position: u64, effects: &mut Effects<A>) {
        let is_current = num == self.view().num;
        let Role::Primary(primary) = &mut self.role else { return };
        if !is_current || position < primary.forwarded {
            return; // An old message, or of a state before the one that is being transferred.
        }
        primary.silent_pings = 0;
        while primary.forwarded < position
            && let Some(operation) = primary.unforwarded.pop_front()
        {
            primary.forwarded += 1;
            if let Some((token, answer)) = operation.waiting {
                effects.reply(token, answer);
            }
        }
        let is_complete = primary.forwarded >= primary.answered_alone;
        if primary.transfer.take().is_some() {
            self.repeat(effects);
        }
        if is_complete {
            self.acknowledge_view(effects);
        }
    }

    /// From here on it answers nothing without the backup, and the backup may follow it.
    fn acknowledge_view(&mut self, effects: &mut Effects<A>) {
        let standing = self.durable.standing();
        if !standing.acknowledged {
            self.durable.stand(Standing { acknowledged: true, ..standing.clone() }, effects);
            self.ping(effects);
        }
    }

    /// Another server has heard of a later view: whatever this one is about to answer may be stale.
    pub(super) fn on_refused(&mut self, num: u64, effects: &mut Effects<A>) {
        if num > self.view().num && matches!(self.role, Role::Primary(_)) {
            self.step_down(effects);
        }
    }

    /// Serves no more. What waited for the backup may be lost, or it may not.
    pub(super) fn step_down(&mut self, effects: &mut Effects<A>) {
        if let Role::Primary(primary) = std::mem::replace(&mut self.role, Role::Idle) {
            for (token, _) in primary.into_waiting() {
                let message = "another primary took over: nobody knows yet whether this happened";
                self.refuse(token, ErrorCode::Timeout, message, effects);
            }
        }
    }

    /// A ping later: what the backup has not answered is sent again. One that stays silent during the transfer holds up
    /// nobody; after that only the view service can help.
    pub(super) fn remind_backup(&mut self, effects: &mut Effects<A>) {
        let acknowledged = self.durable.standing().acknowledged;
        let Role::Primary(primary) = &mut self.role else { return };
        if primary.owes_nothing() {
            return;
        }
        primary.silent_pings = primary.silent_pings.saturating_add(1);
        let is_silent = primary.silent_pings >= self.config.dead_pings;
        if is_silent && !acknowledged && primary.transfer.is_none() {
            return self.lead(effects);
        }
        self.repeat(effects);
    }

    /// Whether the backup has been silent for so long that it must be taken for dead.
    pub(super) fn backup_is_silent(&self) -> bool {
        let Role::Primary(primary) = &self.role else { return false };
        primary.silent_pings >= self.config.dead_pings
    }

    /// Sends what the backup lacks.
    fn repeat(&self, effects: &mut Effects<A>) {
        let Role::Primary(primary) = &self.role else { return };
        let view = self.view();
        if let Some(transfer) = &primary.transfer {
            let Chunk { position, offset, bytes, is_last } = transfer.chunk();
            let view = view.clone();
            let message = Message::Transfer { view, position, offset, bytes, is_last };
            self.to_backup(message, effects);
        } else if !primary.unforwarded.is_empty() {
            let oldest = primary.unforwarded.iter().take(REPEATED_MAX);
            let requests = oldest.map(|operation| operation.request.clone()).collect();
            let (num, first) = (view.num, primary.forwarded + 1);
            self.to_backup(Message::Forward { num, first, requests }, effects);
        }
    }

    fn to_backup(&self, message: Message, effects: &mut Effects<A>) {
        if let Some(backup) = &self.view().backup {
            effects.send(backup, message);
        }
    }

    /// Refuses a request, and names the primary.
    pub(super) fn refuse(
        &self,
        token: Token,
        code: ErrorCode,
        message: &str,
        effects: &mut Effects<A>,
    ) {
        let hint: Option<NodeId> = self.view().primary.clone();
        let hint = hint.filter(|primary| *primary != self.config.node);
        effects.reply(token, Answer::Error(Refusal { hint, ..Refusal::new(code, message) }));
    }
}
