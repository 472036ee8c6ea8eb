//! Checkpoints (§5.1): the application's state, which stands for the log that led to it.
//!
//! The paper writes checkpoints to the disk in the background, so that a recovering replica need not fetch all of the state.
//! Here they stay in memory, since nothing is to be on the disk that the protocol needs: they bound the log, and a replica
//! that lacks more than is left of it gets a checkpoint and a short log instead of a long one.

use std::sync::Arc;

use contract::{Answer, Request};
use node::Application;

use crate::{
    log::OpNumber,
    message::State,
    replica::{Effects, Replica},
};

/// A checkpoint that somebody asked for so lately is probably being fetched: to replace it would make that begin anew.
const FETCHED_MS: u64 = 1_000;
/// It is replaced all the same when the log is so many times longer than it may be, and longer than the checkpoint.
const LONGER_MAX: u64 = 16;

/// The application's state after an operation, its client-table included.
#[derive(Debug, Default)]
pub struct Checkpoint {
    /// The last operation that led to it.
    pub op_number: OpNumber,
    /// What the application wrote.
    pub state: Arc<Vec<u8>>,
    /// When somebody last asked for a part of it.
    pub asked_ms: Option<u64>,
}

impl Checkpoint {
    /// A part of at most `bytes_max` bytes.
    #[must_use]
    pub fn part(&self, offset: usize, bytes_max: usize) -> State {
        let offset = offset.min(self.state.len());
        let end = self.state.len().min(offset + bytes_max.max(1));
        State::Checkpoint {
            op_number: self.op_number,
            offset,
            bytes: Arc::new(self.state[offset..end].to_vec()),
            is_last: end == self.state.len(),
        }
    }
}

impl<A: Application<Command = Request, Output = Answer>> Replica<A> {
    /// Takes a checkpoint of what is executed, and truncates the log.
    pub(crate) fn take_checkpoint_if_due(&mut self, effects: &Effects<A>) {
        let Some(limit) = self.config.checkpoint_bytes else { return };
        let added = self.log.added_bytes();
        if added <= limit || self.commit_number <= self.log.truncated() {
            return;
        }
        let is_fetched = (self.checkpoint.asked_ms)
            .is_some_and(|asked_ms| effects.now_ms() < asked_ms + FETCHED_MS);
        let state_bytes = self.checkpoint.state.len() as u64;
        if is_fetched && added <= state_bytes.max(limit.saturating_mul(LONGER_MAX)) {
            return;
        }
        let state = Arc::new(self.application.snapshot());
        self.keep_checkpoint(self.commit_number, state);
    }

    /// Puts a checkpoint in the place of the log that led to it.
    pub(crate) fn keep_checkpoint(&mut self, op_number: OpNumber, state: Arc<Vec<u8>>) {
        self.checkpoint = Checkpoint { op_number, state, asked_ms: None };
        self.log.truncate(op_number);
    }
}
