//! An application that remembers what was applied.

use std::{collections::BTreeMap, sync::Arc};

use contract::{Answer, Operation, Request};
use kv::{ExactlyOnce, Store};
use node::Application;

use crate::Coverage;

/// Counts snapshots written.
pub const SNAPSHOTS_WRITTEN: &str = "snapshots written";
/// Counts snapshots read, at a restart or from another node.
pub const SNAPSHOTS_READ: &str = "snapshots read";

/// One applied request: its client and its number there.
pub type Applied = (String, u64);

/// The store, and the sequence of requests that led to its state. The sequence travels in snapshots.
pub struct Recorder {
    store: ExactlyOnce<Counting>,
    applied: Vec<Applied>,
    /// The latest request of each client among them.
    latest: BTreeMap<String, u64>,
    executed_twice: Option<Applied>,
    coverage: Arc<Coverage>,
}

/// The store inside, which cannot tell a retry from a request.
#[derive(Default)]
struct Counting {
    store: Store,
    executed: u64,
}

impl Recorder {
    /// An empty store.
    #[must_use]
    pub fn new(coverage: Arc<Coverage>) -> Self {
        Self {
            store: ExactlyOnce::default(),
            applied: Vec::new(),
            latest: BTreeMap::new(),
            executed_twice: None,
            coverage,
        }
    }

    /// Every request that was applied, in order; a retry may be among them once more, as long as it changes nothing.
    #[must_use]
    pub fn applied(&self) -> &[Applied] {
        &self.applied
    }

    /// A request that changed the store though it, or a later one of its client, had been applied before.
    #[must_use]
    pub fn executed_twice(&self) -> Option<&Applied> {
        self.executed_twice.as_ref()
    }
}

impl Application for Recorder {
    type Command = Request;
    type Output = Answer;

    fn apply(&mut self, request: &Request) -> Answer {
        let executed = self.store.application().executed;
        let answer = self.store.apply(request);
        let applied = (request.client.clone(), request.seq);
        let latest = self.latest.entry(request.client.clone()).or_default();
        if self.store.application().executed > executed && request.seq <= *latest {
            self.executed_twice.get_or_insert_with(|| applied.clone());
        }
        *latest = request.seq.max(*latest);
        self.applied.push(applied);
        answer
    }

    fn query(&self, request: &Request) -> Option<Answer> {
        self.store.query(request)
    }

    /// The sequence's length in bytes (8 of them, little endian), the sequence, the store's snapshot.
    fn snapshot(&self) -> Vec<u8> {
        self.coverage.count(SNAPSHOTS_WRITTEN);
        let applied =
            serde_json::to_vec(&self.applied).expect("strings and numbers have a JSON form");
        let length = (applied.len() as u64).to_le_bytes();
        [&length[..], &applied, &self.store.snapshot()].concat()
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.coverage.count(SNAPSHOTS_READ);
        let (length, rest) = bytes.split_first_chunk::<8>().ok_or("no snapshot")?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|e| e.to_string())?;
        let (applied, store) = rest.split_at_checked(length).ok_or("cut short")?;
        self.applied = serde_json::from_slice(applied).map_err(|error| error.to_string())?;
        self.latest.clear();
        for (client, seq) in &self.applied {
            let latest = self.latest.entry(client.clone()).or_default();
            *latest = (*seq).max(*latest);
        }
        self.store.restore(store)
    }
}

impl Application for Counting {
    type Command = Operation;
    type Output = Answer;

    fn apply(&mut self, operation: &Operation) -> Answer {
        self.executed += 1;
        self.store.apply(operation)
    }

    fn query(&self, operation: &Operation) -> Option<Answer> {
        self.store.query(operation)
    }

    fn snapshot(&self) -> Vec<u8> {
        self.store.snapshot()
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.store.restore(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn append(seq: u64) -> Request {
        let op = Operation::Append { key: "x".to_owned(), value: "a".to_owned() };
        Request { client: "c1".to_owned(), seq, op }
    }

    #[test]
    fn a_retry_that_changes_nothing_is_no_second_time() {
        let mut recorder = Recorder::new(Arc::default());
        for seq in [1, 1, 2, 1] {
            recorder.apply(&append(seq));
        }
        assert_eq!(recorder.applied().len(), 4);
        assert_eq!(recorder.executed_twice(), None);
    }

    /// A snapshot whose table of clients is empty though requests of theirs were applied.
    #[test]
    fn a_retry_that_the_store_has_forgotten_is_found() {
        let mut recorder = Recorder::new(Arc::default());
        recorder.apply(&append(1));
        let applied = serde_json::to_vec(recorder.applied()).unwrap();
        let length = (applied.len() as u64).to_le_bytes();
        let forgetful = ExactlyOnce::<Store>::default().snapshot();
        recorder.restore(&[&length[..], &applied, &forgetful].concat()).unwrap();
        assert_eq!(recorder.executed_twice(), None);
        recorder.apply(&append(1));
        assert_eq!(recorder.executed_twice(), Some(&("c1".to_owned(), 1)));
    }
}
