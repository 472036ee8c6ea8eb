//! How much a leader proposes at a time.

use std::collections::VecDeque;

use contract::Request;
use node::{Token, log_size::encoded_bytes};

use crate::slot::Slot;

/// How much a leader does at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// How many slots may be in flight.
    pub window_slots: Slot,
    /// How many requests share a slot at most.
    pub batch_requests_max: usize,
    /// How many bytes they have together, unless a single one has more.
    pub batch_bytes_max: u64,
}

impl Pipeline {
    /// Wide enough to hide a round trip, narrow enough that requests gather in batches behind it.
    /// One vote is one record of the log, and with 16 MiB one frame of it; a promise may hold the votes of the whole window, and a message
    /// takes 64 MiB.
    pub const WIDE: Self =
        Self { window_slots: 8, batch_requests_max: 32, batch_bytes_max: 256 << 10 };
    /// One command at a time.
    pub const NONE: Self = Self { window_slots: 1, batch_requests_max: 1, ..Self::WIDE };
}

/// Requests that wait to be proposed, and who waits for their answers.
pub type Queue = VecDeque<(Token, Request)>;

impl Pipeline {
    /// How many of the requests that wait share the next slot: one at least, however long it is.
    #[must_use]
    pub fn batch_length(&self, queue: &Queue) -> usize {
        let mut bytes = 0;
        let fit = queue.iter().take(self.batch_requests_max).take_while(|(_, request)| {
            bytes += encoded_bytes(request);
            bytes <= self.batch_bytes_max
        });
        fit.count().max(1)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use contract::Operation;
    use node::wal::FRAME_BYTES_MAX;
    use single_decree::Ballot;

    use super::*;
    use crate::{message::Record, slot::Vote};

    fn queue(requests: u64, bytes: usize) -> Queue {
        let request = |seq| {
            let op = Operation::Put { key: "x".to_owned(), value: "v".repeat(bytes) };
            (seq, Request { client: "c1".to_owned(), seq, op })
        };
        (1..=requests).map(request).collect()
    }

    #[test]
    fn however_long_requests_are_a_vote_for_a_batch_of_them_fits_into_the_log() {
        for bytes in [1, 1 << 10, 100 << 10, 1 << 20] {
            let mut queue = queue(40, bytes);
            let count = Pipeline::WIDE.batch_length(&queue);
            assert!(count >= 1);
            let requests = queue.drain(..count).map(|(_, request)| request).collect();
            let vote = Vote { ballot: Ballot::default(), value: Arc::new(requests) };
            let record_bytes = encoded_bytes(&Record::Accepted { slot: 1, vote });
            assert!(record_bytes < FRAME_BYTES_MAX as u64, "{count} requests of {bytes} bytes");
        }
    }

    #[test]
    fn short_requests_share_a_slot_and_the_longest_has_its_own() {
        assert_eq!(Pipeline::WIDE.batch_length(&queue(40, 1)), 32);
        assert_eq!(Pipeline::WIDE.batch_length(&queue(8, 1)), 8);
        assert_eq!(Pipeline::WIDE.batch_length(&queue(40, 100 << 10)), 2);
        assert_eq!(Pipeline::WIDE.batch_length(&queue(40, 1 << 20)), 1);
        assert_eq!(Pipeline::NONE.batch_length(&queue(40, 1)), 1);
    }
}
