//! The server: a request is applied, then written to the log, then answered.

use contract::{Answer, NodeId, Request};
use node::{Application, Effects, LogRecord, LogSize, Protocol, Token};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A server of one application.
#[derive(Debug)]
pub struct Server<A> {
    application: A,
    log_size: LogSize,
    snapshot_bytes: Option<u64>,
    /// How long the snapshot in the log is.
    snapshot_len: usize,
    /// How many requests were applied, in all lives.
    applied: u64,
}

/// One record of the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Record {
    /// A request that was applied.
    Applied(Request),
    /// The state, answers included, in the place of the requests that led to it.
    Snapshot {
        /// How many these were.
        applied: u64,
        /// What the application wrote.
        #[serde(with = "node::hex")]
        state: Vec<u8>,
    },
}

impl LogRecord for Record {
    fn is_snapshot(&self) -> bool {
        matches!(self, Self::Snapshot { .. })
    }
}

/// There is nobody to talk to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Message {}

/// Nothing happens by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {}

impl<A: Application<Command = Request, Output = Answer>> Server<A> {
    /// A server that goes on where these records end. Past `snapshot_bytes` the log is compacted; `None`: never.
    ///
    /// # Errors
    /// The snapshot cannot be read.
    pub fn new(
        application: A,
        snapshot_bytes: Option<u64>,
        records: Vec<Record>,
    ) -> Result<Self, String> {
        let mut server = Self {
            application,
            log_size: LogSize::default(),
            snapshot_bytes,
            snapshot_len: 0,
            applied: 0,
        };
        for record in records {
            server.log_size.add(&record);
            server.recover(record)?;
        }
        Ok(server)
    }

    fn recover(&mut self, record: Record) -> Result<(), String> {
        match record {
            Record::Applied(request) => {
                self.application.apply(&request);
                self.applied += 1;
            }
            Record::Snapshot { applied, state } => {
                self.application
                    .restore(&state)
                    .map_err(|error| format!("the log's snapshot cannot be restored: {error}"))?;
                (self.applied, self.snapshot_len) = (applied, state.len());
            }
        }
        Ok(())
    }

    /// The application as it is.
    pub fn application(&self) -> &A {
        &self.application
    }

    /// Puts the state in the place of the log that led to it.
    fn compact(&mut self, effects: &mut Effects<Self>) {
        let state = self.application.snapshot();
        self.snapshot_len = state.len();
        let records = vec![Record::Snapshot { applied: self.applied, state }];
        self.log_size.reset(&records);
        effects.rewrite(records);
    }
}

impl<A: Application<Command = Request, Output = Answer>> Protocol for Server<A> {
    type Message = Message;
    type Record = Record;
    type Timer = Timer;

    fn on_start(&mut self, _: &mut Effects<Self>) {}

    fn on_message(&mut self, _: &NodeId, message: Message, _: &mut Effects<Self>) {
        match message {}
    }

    fn on_timer(&mut self, timer: Timer, _: &mut Effects<Self>) {
        match timer {}
    }

    /// What an answer rests on is durable before it leaves: the driver writes the step's records first, and those of
    /// earlier steps before them.
    fn on_request(&mut self, token: Token, request: Request, effects: &mut Effects<Self>) {
        if let Some(answer) = self.application.query(&request) {
            return effects.reply(token, answer);
        }
        let answer = self.application.apply(&request);
        self.applied += 1;
        let record = Record::Applied(request);
        self.log_size.add(&record);
        effects.persist(record);
        if self.snapshot_bytes.is_some_and(|limit| self.log_size.exceeds(limit)) {
            self.compact(effects);
        }
        effects.reply(token, answer);
    }

    fn is_ready(&self) -> bool {
        true
    }

    fn status(&self) -> Value {
        json!({
            "role": "server",
            "applied": self.applied,
            "log_bytes": self.log_size.bytes,
            "snapshot_bytes": self.snapshot_len,
        })
    }

    fn message_kind(message: &Message) -> &'static str {
        match *message {}
    }
}
