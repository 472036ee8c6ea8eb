//! Snapshots: the state that stands for a prefix of the log (§7), and its way to another server in chunks.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    configuration::Configuration,
    log::{LogIndex, Term},
};

/// The state machine after every entry up to `last_included_index`; the default is the state before the first entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The last entry that it replaces.
    pub last_included_index: LogIndex,
    /// That entry's term.
    pub last_included_term: Term,
    /// The cluster's servers as of that entry (dissertation §5.1).
    pub configuration: Configuration,
    /// What the application wrote, its table of clients included.
    pub state: Arc<Vec<u8>>,
}

/// A part of a snapshot, on its way to another server or to the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// The last entry that the snapshot replaces.
    pub last_included_index: LogIndex,
    /// That entry's term.
    pub last_included_term: Term,
    /// The cluster's servers as of that entry.
    pub configuration: Configuration,
    /// Where in the snapshot's state the data belong.
    pub offset: usize,
    /// Raw bytes of the state.
    #[serde(with = "node::hex")]
    pub data: Vec<u8>,
    /// Whether this is the last chunk.
    pub done: bool,
}

impl Snapshot {
    /// The part that begins at `offset`.
    #[must_use]
    pub fn chunk(&self, offset: usize, chunk_bytes: usize) -> Chunk {
        let offset = offset.min(self.state.len());
        let end = self.state.len().min(offset + chunk_bytes.max(1));
        Chunk {
            last_included_index: self.last_included_index,
            last_included_term: self.last_included_term,
            configuration: self.configuration.clone(),
            offset,
            data: self.state[offset..end].to_vec(),
            done: end == self.state.len(),
        }
    }

    /// All parts, in order.
    pub fn chunks(&self, chunk_bytes: usize) -> impl Iterator<Item = Chunk> {
        let step = chunk_bytes.max(1);
        let count = self.state.len().div_ceil(step).max(1);
        (0..count).map(move |number| self.chunk(number * step, chunk_bytes))
    }
}

/// The sender's end: which snapshot a follower gets, and how much of it it has.
#[derive(Debug)]
pub struct Sending {
    snapshot: Snapshot,
    offset: usize,
    sent_ms: Option<u64>,
}

impl Sending {
    /// Begins to send a snapshot.
    #[must_use]
    pub fn new(snapshot: Snapshot) -> Self {
        Self { snapshot, offset: 0, sent_ms: None }
    }

    /// What the follower should get now; nothing where a chunk left less than `patience_ms` ago and may still arrive.
    pub fn next_chunk(
        &mut self,
        chunk_bytes: usize,
        now_ms: u64,
        patience_ms: u64,
    ) -> Option<Chunk> {
        if self.sent_ms.is_some_and(|sent_ms| now_ms < sent_ms + patience_ms) {
            return None;
        }
        self.sent_ms = Some(now_ms);
        Some(self.snapshot.chunk(self.offset, chunk_bytes))
    }

    /// The follower has so many bytes of this snapshot. Where that is less than it had (it came up again, or the message
    /// is old), the chunk is only repeated in time, so that doubled messages do not make more messages.
    pub fn on_received(&mut self, last_included_index: LogIndex, bytes: usize) {
        if last_included_index != self.snapshot.last_included_index {
            return;
        }
        if bytes > self.offset {
            self.sent_ms = None;
        }
        self.offset = bytes;
    }
}

/// The receiver's end. Chunks belong together that are of the same leader and the same snapshot.
#[derive(Debug, Default)]
pub struct Receiving {
    term: Term,
    last_included_index: LogIndex,
    state: Vec<u8>,
}

impl Receiving {
    /// Takes a chunk that the leader of `term` sent; gives the snapshot once it is complete.
    pub fn take(&mut self, term: Term, chunk: Chunk) -> Option<Snapshot> {
        let Chunk { last_included_index, last_included_term, configuration, .. } = chunk;
        if (term, last_included_index) > (self.term, self.last_included_index) {
            *self = Self { term, last_included_index, state: Vec::new() };
        }
        let is_next = (term, last_included_index) == (self.term, self.last_included_index)
            && chunk.offset == self.state.len();
        if !is_next {
            return None;
        }
        self.state.extend(chunk.data);
        chunk.done.then(|| Snapshot {
            last_included_index,
            last_included_term,
            configuration,
            state: Arc::new(std::mem::take(&mut self.state)),
        })
    }

    /// Which snapshot is being received, and how many bytes of it are there.
    #[must_use]
    pub fn progress(&self) -> (LogIndex, usize) {
        (self.last_included_index, self.state.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(last_included_index: LogIndex) -> Snapshot {
        let state = Arc::new((0..10).collect());
        Snapshot { last_included_index, last_included_term: 1, state, ..Snapshot::default() }
    }

    #[test]
    fn a_snapshot_arrives_whole_whatever_happens_to_its_chunks() {
        let sent = snapshot(7);
        let chunks: Vec<Chunk> = sent.chunks(4).collect();
        assert_eq!(chunks.iter().map(|chunk| chunk.data.len()).collect::<Vec<_>>(), [4, 4, 2]);
        let mut receiving = Receiving::default();
        for chunk in [&chunks[0], &chunks[0], &chunks[2], &chunks[1], &chunks[0]] {
            assert_eq!(receiving.take(1, chunk.clone()), None);
        }
        assert_eq!(receiving.progress(), (7, 8));
        assert_eq!(receiving.take(1, chunks[2].clone()), Some(sent));
    }

    #[test]
    fn parts_of_different_snapshots_are_not_mixed() {
        let (old, new) = (snapshot(7), snapshot(8));
        let mut receiving = Receiving::default();
        receiving.take(1, old.chunk(0, 4));
        assert_eq!(receiving.take(1, new.chunk(4, 9)), None, "its beginning is missing");
        receiving.take(1, new.chunk(0, 4));
        assert_eq!(receiving.take(1, old.chunk(4, 9)), None, "an older one is over");
        assert_eq!(receiving.take(2, new.chunk(4, 9)), None, "another leader's");
        assert_eq!(receiving.progress(), (8, 0));
    }

    #[test]
    fn a_chunk_is_repeated_in_time_and_the_next_one_follows_at_once() {
        let mut sending = Sending::new(snapshot(7));
        assert_eq!(sending.next_chunk(4, 0, 100).unwrap().offset, 0);
        assert_eq!(sending.next_chunk(4, 99, 100), None);
        assert_eq!(sending.next_chunk(4, 100, 100).unwrap().offset, 0);
        sending.on_received(6, 4);
        assert_eq!(sending.next_chunk(4, 101, 100), None, "of another snapshot");
        sending.on_received(7, 4);
        assert_eq!(sending.next_chunk(4, 102, 100).unwrap().offset, 4);
        sending.on_received(7, 0);
        assert_eq!(sending.next_chunk(4, 103, 100), None, "it came up again");
        assert_eq!(sending.next_chunk(4, 202, 100).unwrap().offset, 0);
    }

    #[test]
    fn an_empty_state_is_one_chunk() {
        let chunks: Vec<Chunk> = Snapshot::default().chunks(4).collect();
        assert!(matches!(&chunks[..], [chunk] if chunk.done));
    }
}
