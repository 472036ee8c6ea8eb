//! State transfer (§5.2): a replica that is behind gets what it lacks from another one.
//!
//! Only what is *committed* is transferred: it is the same in every log of this view and all later ones, so that anybody
//! may give it, in whatever status. What may not be committed comes from the view's primary alone, with `Prepare`,
//! `StartView` or `RecoveryResponse`. Large states come in parts, each asked for by itself: who gives remembers nothing.

use std::sync::Arc;

use contract::{Answer, NodeId, Request};
use node::Application;

use crate::{
    log::{Batch, OpNumber},
    message::{Message, State, ViewNumber},
    replica::{Effects, Replica, Status},
};

/// How many operations one message holds at most.
const OPERATIONS_MAX: usize = 64;
/// How many bytes they have, unless a single one has more.
const OPERATIONS_BYTES_MAX: u64 = 1 << 20;

/// What a replica has got so far.
#[derive(Debug, Default)]
pub struct Transfer {
    /// The checkpoint that is coming in: its op-number and its first bytes. The bytes are the same whoever gives them: what
    /// a state is written as depends on the state alone.
    incoming: Option<(OpNumber, Vec<u8>)>,
    /// How many heartbeats brought nothing. Each time another replica is asked: some are away or behind.
    in_vain: usize,
}

/// After so many questions to each of the others in vain, a checkpoint begins anew: perhaps only a replica that is away
/// has just this one.
const IN_VAIN_MAX: usize = 2;

impl<A: Application<Command = Request, Output = Answer>> Replica<A> {
    /// Asks for what follows on what it has executed.
    pub(crate) fn get_state(&self, from: &NodeId, effects: &mut Effects<A>) {
        let incoming = self.transfer.incoming.as_ref();
        let checkpoint = incoming.map(|(op_number, bytes)| (*op_number, bytes.len()));
        effects.send(from, Message::GetState { commit_number: self.commit_number, checkpoint });
    }

    /// Asks one after the other.
    pub(crate) fn get_state_of_any(&mut self, effects: &mut Effects<A>) {
        let others: Vec<NodeId> = self.config.others().cloned().collect();
        self.transfer.in_vain += 1;
        if self.transfer.in_vain > IN_VAIN_MAX * others.len() {
            self.transfer = Transfer::default();
        }
        if let Some(other) = others.get(self.transfer.in_vain % others.len().max(1)) {
            self.get_state(other, effects);
        }
    }

    /// Gives what follows on `commit_number`, or the next part of the checkpoint where that was truncated.
    pub(crate) fn on_get_state(
        &mut self,
        from: &NodeId,
        commit_number: OpNumber,
        checkpoint: Option<(OpNumber, usize)>,
        effects: &mut Effects<A>,
    ) {
        if commit_number >= self.commit_number {
            return;
        }
        let state = if commit_number >= self.log.truncated() {
            State::Operations {
                first: commit_number + 1,
                batches: self.committed_after(commit_number),
            }
        } else {
            self.checkpoint.asked_ms = Some(effects.now_ms());
            let has = checkpoint.filter(|(op_number, _)| *op_number == self.checkpoint.op_number);
            self.checkpoint.part(has.map_or(0, |(_, bytes)| bytes), self.config.chunk_bytes)
        };
        effects.send(from, Message::NewState { view_number: self.view_number, state });
    }

    fn committed_after(&self, commit_number: OpNumber) -> Vec<Batch> {
        let mut bytes = 0;
        let committed = self.log.from(commit_number + 1);
        let committed = committed.take_while(|(op_number, _)| *op_number <= self.commit_number);
        let fitting = committed.take(OPERATIONS_MAX).take_while(|(_, batch)| {
            let is_first = bytes == 0;
            bytes += node::log_size::encoded_bytes(&***batch);
            is_first || bytes <= OPERATIONS_BYTES_MAX
        });
        fitting.map(|(_, batch)| batch.clone()).collect()
    }

    /// Takes over what is committed, and goes on with what waited for it.
    ///
    /// What was committed in a later view than the replica's own is none of its business: its log must stay that of
    /// its view's primary.
    pub(crate) fn on_new_state(
        &mut self,
        from: &NodeId,
        view_number: ViewNumber,
        state: State,
        effects: &mut Effects<A>,
    ) {
        let latest = self.start_of.as_ref().map_or(self.view_number, |start| start.view_number);
        if view_number > latest {
            self.start_of = None; // the group has gone on: its next primary will tell
            return;
        }
        let is_waiting = self.start_of.is_some() || !self.is_recovering();
        if self.primary.is_some() || !is_waiting {
            return;
        }
        let is_new = match state {
            State::Operations { first, batches } => self.take_operations(first, batches, effects),
            State::Checkpoint { op_number, offset, bytes, is_last } => {
                self.take_part(op_number, offset, &bytes, is_last)
            }
        };
        if !is_new {
            return;
        }
        self.transfer.in_vain = 0;
        if matches!(self.status, Status::ViewChange(_)) {
            self.suspicion.quiet_since_ms = effects.now_ms(); // it takes time, and goes on
        }
        self.go_on(from, effects);
    }

    /// Enters the view that waited, starts the one that it is to lead, or asks for more.
    fn go_on(&mut self, from: &NodeId, effects: &mut Effects<A>) {
        let is_behind = match &self.start_of {
            Some(start_of) => self.commit_number < start_of.log.commit_number,
            None => self.commit_number < self.told_commit,
        };
        if is_behind {
            return self.get_state(from, effects);
        }
        if let Some(start_of) = self.start_of.take() {
            let primary = self.config.primary(start_of.view_number).clone();
            self.start_from(&primary, start_of, effects);
        } else {
            self.start_view_if_possible(effects);
        }
    }

    fn take_operations(
        &mut self,
        first: OpNumber,
        batches: Vec<Batch>,
        effects: &mut Effects<A>,
    ) -> bool {
        let before = self.commit_number;
        for (op_number, batch) in (first..).zip(batches) {
            if op_number == self.commit_number + 1 {
                self.log.set(op_number, batch);
                self.execute_to(op_number, effects);
            }
        }
        self.told_commit = self.told_commit.max(self.commit_number);
        self.transfer.incoming.take_if(|(op_number, _)| *op_number <= self.commit_number);
        self.take_early();
        self.commit_number > before
    }

    /// Whether the part was the next one.
    fn take_part(
        &mut self,
        op_number: OpNumber,
        offset: usize,
        part: &[u8],
        is_last: bool,
    ) -> bool {
        if op_number <= self.commit_number {
            return false;
        }
        if self.transfer.incoming.as_ref().is_none_or(|(known, _)| *known < op_number) {
            self.transfer.incoming = Some((op_number, Vec::new()));
        }
        let Some((known, bytes)) = &mut self.transfer.incoming else { return false };
        if *known != op_number || bytes.len() != offset {
            return false;
        }
        bytes.extend(part);
        if is_last {
            let state = std::mem::take(bytes);
            self.transfer.incoming = None;
            return self.install(op_number, state);
        }
        true
    }

    fn install(&mut self, op_number: OpNumber, state: Vec<u8>) -> bool {
        if let Err(error) = self.application.restore(&state) {
            tracing::warn!(op_number, error, "ignored a checkpoint that cannot be restored");
            return false;
        }
        tracing::info!(op_number, "installed a checkpoint");
        self.commit_number = op_number;
        self.told_commit = self.told_commit.max(op_number);
        self.keep_checkpoint(op_number, Arc::new(state));
        self.take_early();
        true
    }
}
