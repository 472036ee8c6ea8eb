//! An application that remembers what was applied.

use std::sync::Arc;

use contract::{Answer, Request};
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
    store: ExactlyOnce<Store>,
    applied: Vec<Applied>,
    coverage: Arc<Coverage>,
}

impl Recorder {
    /// An empty store.
    #[must_use]
    pub fn new(coverage: Arc<Coverage>) -> Self {
        Self { store: ExactlyOnce::default(), applied: Vec::new(), coverage }
    }

    /// Every request that was applied, in order.
    #[must_use]
    pub fn applied(&self) -> &[Applied] {
        &self.applied
    }
}

impl Application for Recorder {
    type Command = Request;
    type Output = Answer;

    fn apply(&mut self, request: &Request) -> Answer {
        self.applied.push((request.client.clone(), request.seq));
        self.store.apply(request)
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
        self.store.restore(store)
    }
}
