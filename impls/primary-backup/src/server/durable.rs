//! What of a server survives a crash.

use contract::{Answer, Request};
use node::{Application, LogSize};

use crate::{
    message::{Record, Standing},
    node::Effects,
};

/// The application, how many operations led to its state, and where the server stands. Every change goes to the log.
#[derive(Debug)]
pub(super) struct Durable<A> {
    application: A,
    position: u64,
    standing: Standing,
    log_size: LogSize,
    snapshot_bytes: Option<u64>,
    /// How long the snapshot in the log is.
    snapshot_len: usize,
}

impl<A: Application<Command = Request, Output = Answer>> Durable<A> {
    /// What these records lead to. Past `snapshot_bytes` the log is compacted; `None`: never.
    pub(super) fn recover(
        application: A,
        snapshot_bytes: Option<u64>,
        records: Vec<Record>,
    ) -> Result<Self, String> {
        let mut durable = Self {
            application,
            position: 0,
            standing: Standing::default(),
            log_size: LogSize::default(),
            snapshot_bytes,
            snapshot_len: 0,
        };
        for record in records {
            durable.log_size.add(&record);
            match record {
                Record::Applied(request) => {
                    durable.application.apply(&request);
                    durable.position += 1;
                }
                Record::Stands(standing) => durable.standing = standing,
                Record::Snapshot { position, state } => durable.restore(position, &state)?,
                Record::Chosen { .. } => return Err("the log is a view service's".to_owned()),
            }
        }
        Ok(durable)
    }

    fn restore(&mut self, position: u64, state: &[u8]) -> Result<(), String> {
        let restored = self.application.restore(state);
        restored.map_err(|error| format!("the snapshot cannot be restored: {error}"))?;
        (self.position, self.snapshot_len) = (position, state.len());
        Ok(())
    }

    pub(super) fn application(&self) -> &A {
        &self.application
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn standing(&self) -> &Standing {
        &self.standing
    }

    /// How long the log and the snapshot in it are.
    pub(super) fn sizes(&self) -> (u64, usize) {
        (self.log_size.bytes, self.snapshot_len)
    }

    /// Carries out the next operation.
    pub(super) fn apply(&mut self, request: Request, effects: &mut Effects<A>) -> Answer {
        let answer = self.application.apply(&request);
        self.position += 1;
        self.persist(Record::Applied(request), effects);
        if self.snapshot_bytes.is_some_and(|limit| self.log_size.exceeds(limit)) {
            self.rewrite(effects);
        }
        answer
    }

    /// The server stands here now.
    pub(super) fn stand(&mut self, standing: Standing, effects: &mut Effects<A>) {
        self.standing = standing;
        self.persist(Record::Stands(self.standing.clone()), effects);
    }

    /// Takes the primary's state in the place of its own: in one write, with the note that it has it.
    pub(super) fn install(
        &mut self,
        position: u64,
        state: &[u8],
        effects: &mut Effects<A>,
    ) -> Result<(), String> {
        self.restore(position, state)?;
        self.standing.has_state = true;
        self.rewrite(effects);
        Ok(())
    }

    fn persist(&mut self, record: Record, effects: &mut Effects<A>) {
        self.log_size.add(&record);
        effects.persist(record);
    }

    /// Puts the state in the place of the log that led to it.
    fn rewrite(&mut self, effects: &mut Effects<A>) {
        let state = self.application.snapshot();
        self.snapshot_len = state.len();
        let snapshot = Record::Snapshot { position: self.position, state };
        let records = vec![snapshot, Record::Stands(self.standing.clone())];
        self.log_size.reset(&records);
        effects.rewrite(records);
    }
}
