//! Buffered messages: how much memory the faults may hold on to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A larger message passes without faults, unbuffered.
pub(crate) const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// All links together; beyond it, messages pass without faults.
const TOTAL_BYTES_MAX: usize = 256 << 20;

/// What all buffers together may still take.
pub(crate) struct Budget(AtomicUsize);

impl Budget {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicUsize::new(TOTAL_BYTES_MAX)))
    }

    fn take(&self, bytes: usize) -> bool {
        let take = |left: usize| left.checked_sub(bytes);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

/// A message held back, and its share of the budget.
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    budget: Arc<Budget>,
}

impl Buffer {
    pub fn new(budget: &Arc<Budget>) -> Self {
        Self { bytes: Vec::new(), budget: Arc::clone(budget) }
    }

    /// `false`, and nothing kept, where the message becomes too large to hold.
    pub fn keep(&mut self, piece: &[u8]) -> bool {
        let fits = self.bytes.len() + piece.len() <= MESSAGE_BYTES_MAX;
        if !fits || !self.budget.take(piece.len()) {
            return false;
        }
        self.bytes.extend_from_slice(piece);
        true
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.bytes.len(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_budget_keeps_nothing_more_until_room_is_given_back() {
        let budget = Arc::new(Budget(AtomicUsize::new(10)));
        let mut first = Buffer::new(&budget);
        let mut second = Buffer::new(&budget);
        assert!(first.keep(b"12345678"));
        assert!(!second.keep(b"123"));
        assert!(second.keep(b"12"));
        drop(first);
        assert!(second.keep(b"345"));
        assert_eq!(second.bytes(), b"12345");
    }

    #[test]
    fn one_message_cannot_take_it_all() {
        let mut buffer = Buffer::new(&Budget::new());
        assert!(buffer.keep(&vec![0; MESSAGE_BYTES_MAX]));
        assert!(!buffer.keep(b"1"));
    }
}
