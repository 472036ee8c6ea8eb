//! What each client's latest request got. Numbers are kept for good, answers in bounded memory.
//!
//! Of every client the number of its latest request is kept for good: were it forgotten, a late retry would be applied
//! again, and nothing tells a client that is gone from one that is slow. Answers can be long, so they may take only so much
//! together; beyond that those go first whose clients have been quiet the longest. All of it is decided by the requests
//! applied, so that replicas agree.

use std::collections::BTreeMap;

use contract::{Answer, ErrorCode, Refusal, Request};
use serde::{Deserialize, Serialize};

use crate::stored::StoredAnswer;

/// The clients, and how much their answers may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, LastAnswer>", into = "BTreeMap<String, LastAnswer>")]
pub struct Clients {
    table: BTreeMap<String, LastAnswer>,
    /// Whose answer is remembered, by when it was given.
    remembered: BTreeMap<u64, String>,
    answer_bytes: usize,
    answer_bytes_max: usize,
}

impl Default for Clients {
    fn default() -> Self {
        Self::new(Self::ANSWER_BYTES_MAX)
    }
}

impl From<BTreeMap<String, LastAnswer>> for Clients {
    fn from(table: BTreeMap<String, LastAnswer>) -> Self {
        let mut clients = Self::default();
        clients.restore(table);
        clients
    }
}

impl From<Clients> for BTreeMap<String, LastAnswer> {
    fn from(clients: Clients) -> Self {
        clients.table
    }
}

/// What a client's latest request got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastAnswer {
    pub(crate) seq: u64,
    /// How many requests of all clients had been answered before.
    at: u64,
    /// `None` once it was forgotten.
    answer: Option<StoredAnswer>,
}

impl LastAnswer {
    /// The same answer again; where it was forgotten, that nobody knows it any more.
    pub(crate) fn answer(&self, client: &str) -> Answer {
        let Some(answer) = &self.answer else {
            let message = format!(
                "request {} of client {client} was carried out; its answer has been forgotten since",
                self.seq
            );
            return Answer::Error(Refusal::new(ErrorCode::Internal, message));
        };
        answer.clone().into()
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

    /// The number of a client's latest request.
    #[must_use]
    pub fn latest(&self, client: &str) -> Option<u64> {
        self.table.get(client).map(|last| last.seq)
    }

    /// The answer to a client's latest request, if that has this number.
    #[must_use]
    pub fn answer(&self, client: &str, seq: u64) -> Option<Answer> {
        self.table.get(client).filter(|last| last.seq == seq).map(|last| last.answer(client))
    }

    /// The answer to a request that has been applied before: the same one again for the client's latest, a refusal for
    /// older ones, whose answers are forgotten. `None` where the request is new, or reads only.
    #[must_use]
    pub fn remembered(&self, request: &Request) -> Option<Answer> {
        let last = self.get(&request.client)?;
        if request.seq > last.seq || request.op.is_read_only() {
            return None;
        }
        if request.seq == last.seq {
            return Some(last.answer(&request.client));
        }
        let message = format!(
            "client {} has gone on to request {} and can no longer ask for {}",
            request.client, last.seq, request.seq
        );
        Some(Answer::Error(Refusal::new(ErrorCode::StaleSeq, message)))
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
            if let Some(answer) = &last.answer {
                self.remembered.insert(last.at, client.clone());
                self.answer_bytes += answer.bytes();
            }
        }
    }

    /// Remembers the answer instead of the client's previous one.
    pub fn insert(&mut self, client: String, seq: u64, answer: Answer) {
        let answer = StoredAnswer::from(answer);
        let at = self.next();
        self.answer_bytes += answer.bytes();
        self.remembered.insert(at, client.clone());
        let before = self.table.insert(client, LastAnswer { seq, at, answer: Some(answer) });
        if let Some(LastAnswer { at, answer: Some(answer), .. }) = before {
            self.remembered.remove(&at);
            self.answer_bytes -= answer.bytes();
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
        let answer = self.table.get_mut(&client).and_then(|last| last.answer.take());
        self.answer_bytes -= answer.map_or(0, |answer| answer.bytes());
    }
}
