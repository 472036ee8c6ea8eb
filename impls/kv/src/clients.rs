//! What each client's latest request got. Numbers are kept for good, answers in bounded memory.
//!
//! Of every client the number of its latest request is kept for good: were it forgotten, a late retry would be applied
//! again, and nothing tells a client that is gone from one that is slow. Answers can be long, so they may take only so much
//! together; beyond that those go first whose clients have been quiet the longest. All of it is decided by the requests
//! applied, so that replicas agree.

use std::collections::BTreeMap;

use contract::{Answer, ErrorCode, Outcome, Refusal};
use serde::{Deserialize, Serialize};

use crate::stored::StoredOutcome;

/// The clients, and how much their answers may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clients {
    table: BTreeMap<String, LastAnswer>,
    /// Whose answer is remembered, by when it was given.
    remembered: BTreeMap<u64, String>,
    answer_bytes: usize,
    answer_bytes_max: usize,
}

/// What a client's latest request got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastAnswer {
    pub(crate) seq: u64,
    /// How many requests of all clients had been answered before.
    at: u64,
    /// `None` once it was forgotten.
    outcome: Option<StoredOutcome>,
}

impl LastAnswer {
    /// The same answer again; where it was forgotten, that nobody knows it any more.
    pub(crate) fn answer(&self, client: &str) -> Answer {
        let Some(outcome) = &self.outcome else {
            let message = format!(
                "request {} of client {client} was carried out; its answer has been forgotten since",
                self.seq
            );
            return Answer::Error(Refusal::new(ErrorCode::Internal, message));
        };
        Answer::Ok(outcome.clone().into())
    }
}

impl Clients {
    /// How much the answers may take together, where nothing else is said: 4 MiB, so that a snapshot with all of them fits
    /// into a frame of the log.
    pub const ANSWER_BYTES_MAX: usize = 4 << 20;

    pub(crate) fn new(answer_bytes_max: usize) -> Self {
        Self {
            table: BTreeMap::new(),
            remembered: BTreeMap::new(),
            answer_bytes: 0,
            answer_bytes_max,
        }
    }

    pub(crate) fn get(&self, client: &str) -> Option<&LastAnswer> {
        self.table.get(client)
    }

    pub(crate) fn table(&self) -> &BTreeMap<String, LastAnswer> {
        &self.table
    }

    /// Begins anew with this table.
    pub(crate) fn restore(&mut self, table: BTreeMap<String, LastAnswer>) {
        *self = Self { table, ..Self::new(self.answer_bytes_max) };
        for (client, last) in &self.table {
            if let Some(outcome) = &last.outcome {
                self.remembered.insert(last.at, client.clone());
                self.answer_bytes += outcome.bytes();
            }
        }
    }

    /// Remembers the answer instead of the client's previous one.
    pub(crate) fn insert(&mut self, client: String, seq: u64, outcome: Outcome) {
        let outcome = StoredOutcome::from(outcome);
        let at = self.next();
        self.answer_bytes += outcome.bytes();
        self.remembered.insert(at, client.clone());
        let before = self.table.insert(client, LastAnswer { seq, at, outcome: Some(outcome) });
        if let Some(LastAnswer { at, outcome: Some(outcome), .. }) = before {
            self.remembered.remove(&at);
            self.answer_bytes -= outcome.bytes();
        }
        while self.answer_bytes > self.answer_bytes_max && self.remembered.len() > 1 {
            self.forget_oldest();
        }
    }

    /// The latest answer is always remembered, so that this is one more than in the whole table.
    fn next(&self) -> u64 {
        self.remembered.last_key_value().map_or(0, |(at, _)| at + 1)
    }

    fn forget_oldest(&mut self) {
        let Some((_, client)) = self.remembered.pop_first() else { return };
        let outcome = self.table.get_mut(&client).and_then(|last| last.outcome.take());
        self.answer_bytes -= outcome.map_or(0, |outcome| outcome.bytes());
    }
}
