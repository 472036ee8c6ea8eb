//! The transfer of the whole state from the primary to its backup, in chunks that may be lost, doubled and overtaken.

/// A part of the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The position of the state: how many operations led to it.
    pub position: u64,
    /// Where in its bytes the chunk begins.
    pub offset: usize,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether these are the last ones.
    pub is_last: bool,
}

/// The primary's end.
#[derive(Debug)]
pub struct Sending {
    /// The position of the state.
    pub position: u64,
    state: Vec<u8>,
    offset: usize,
    chunk_bytes: usize,
}

impl Sending {
    /// Begins to send this state.
    #[must_use]
    pub fn new(position: u64, state: Vec<u8>, chunk_bytes: usize) -> Self {
        Self { position, state, offset: 0, chunk_bytes: chunk_bytes.max(1) }
    }

    /// What the backup should get next.
    #[must_use]
    pub fn chunk(&self) -> Chunk {
        let end = self.state.len().min(self.offset + self.chunk_bytes);
        Chunk {
            position: self.position,
            offset: self.offset,
            bytes: self.state[self.offset..end].to_vec(),
            is_last: end == self.state.len(),
        }
    }

    /// The backup has so many bytes of the state at `position`. Whether to send the next chunk at once: not where it has
    /// less than it had, which an old message may say, or a backup that came up again. Then it gets the chunk with the
    /// next repetition, so that doubled messages do not make more messages.
    pub fn received(&mut self, position: u64, bytes: usize) -> bool {
        if position != self.position || bytes >= self.state.len() {
            return false;
        }
        let goes_on = bytes > self.offset;
        self.offset = bytes;
        goes_on
    }
}

/// The backup's end. The bytes at a position are the same, however often they are sent: what a state is written as
/// depends on the state alone.
#[derive(Debug, Default)]
pub struct Receiving {
    position: u64,
    bytes: Vec<u8>,
}

impl Receiving {
    /// Takes a chunk. The whole state, once it is complete.
    pub fn take(&mut self, chunk: Chunk) -> Option<Vec<u8>> {
        if chunk.position > self.position {
            // A newer state: the primary has given up on the older one.
            *self = Self { position: chunk.position, bytes: Vec::new() };
        }
        if chunk.position < self.position || chunk.offset != self.bytes.len() {
            return None;
        }
        self.bytes.extend(chunk.bytes);
        chunk.is_last.then(|| std::mem::take(&mut self.bytes))
    }

    /// The position of the state that is being received, and how many bytes of it are there.
    #[must_use]
    pub fn progress(&self) -> (u64, usize) {
        (self.position, self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(position: u64) -> Sending {
        Sending::new(position, (0..10).collect(), 4)
    }

    #[test]
    fn a_state_arrives_in_order_whatever_happens_to_its_chunks() {
        let (mut sending, mut receiving) = (send(7), Receiving::default());
        for (chunk, bytes) in [(0, 4), (4, 8)] {
            let sent = sending.chunk();
            assert_eq!((sent.offset, sent.is_last), (chunk, false));
            assert_eq!(receiving.take(sent.clone()), None);
            assert_eq!(receiving.take(sent), None, "doubled");
            assert_eq!(receiving.progress(), (7, bytes));
            assert!(sending.received(7, bytes));
            assert!(!sending.received(7, bytes), "doubled");
        }
        assert!(!sending.received(7, 4), "an old message");
        assert_eq!(receiving.take(sending.chunk()), None, "had already");
        assert!(sending.received(7, 8));
        assert_eq!(receiving.take(sending.chunk()), Some((0..10).collect()));
    }

    #[test]
    fn a_newer_state_begins_anew_and_an_older_one_is_over() {
        let (old, mut new, mut receiving) = (send(7), send(8), Receiving::default());
        assert_eq!(receiving.take(old.chunk()), None);
        assert_eq!(receiving.take(new.chunk()), None);
        assert_eq!(receiving.take(old.chunk()), None);
        assert_eq!(receiving.progress(), (8, 4));
        assert!(!new.received(7, 8));
        assert!(new.received(8, 4));
    }

    #[test]
    fn an_empty_state_is_one_chunk() {
        let sending = Sending::new(1, Vec::new(), 4);
        assert!(sending.chunk().is_last);
        assert_eq!(Receiving::default().take(sending.chunk()), Some(Vec::new()));
    }
}
