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

    fn snapshot(&self) -> Vec<u8> {
        self.coverage.count(SNAPSHOTS_WRITTEN);
        serde_json::to_vec(&(&self.applied, self.store.snapshot()))
            .expect("strings and numbers have a JSON form")
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.coverage.count(SNAPSHOTS_READ);
        let (applied, store): (_, Vec<u8>) =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        self.applied = applied;
        self.store.restore(&store)
    }
}
