//! How long a write-ahead log is: decides when to compact it.

use std::io;

use serde::Serialize;

/// A record of a log that is compacted into a snapshot.
pub trait LogRecord: Serialize {
    /// Whether it holds the state instead of a step to it.
    fn is_snapshot(&self) -> bool;
}

/// How long the log is, snapshot excluded.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogSize {
    /// What a log of now holds.
    pub bytes: u64,
    /// What it already held right after the last compaction, and compacting again would not free.
    carried_bytes: u64,
}

impl LogSize {
    /// Counts a record.
    pub fn add(&mut self, record: &impl LogRecord) {
        self.bytes += if record.is_snapshot() { 0 } else { encoded_bytes(record) };
    }

    /// The log was replaced by these records.
    pub fn reset(&mut self, records: &[impl LogRecord]) {
        self.bytes = 0;
        records.iter().for_each(|record| self.add(record));
        self.carried_bytes = self.bytes;
    }

    /// Whether compacting would free more than `limit_bytes`.
    #[must_use]
    pub fn exceeds(&self, limit_bytes: u64) -> bool {
        self.bytes - self.carried_bytes > limit_bytes
    }

    /// Whether compacting would free at least as much as it would write: for a log whose state is not a snapshot.
    #[must_use]
    pub fn has_doubled(&self) -> bool {
        self.bytes >= 2 * self.carried_bytes
    }
}

/// The length of `item` as JSON.
///
/// # Panics
/// It has no such form: a map whose keys are no strings, for one.
#[must_use]
pub fn encoded_bytes(item: &impl Serialize) -> u64 {
    struct Counter(u64);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len() as u64;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, item).expect("records have a JSON form");
    counter.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    enum Record {
        Step(&'static str),
        Snapshot,
    }

    impl LogRecord for Record {
        fn is_snapshot(&self) -> bool {
            matches!(self, Self::Snapshot)
        }
    }

    #[test]
    fn what_is_carried_over_does_not_call_for_another_compaction() {
        let step = || Record::Step("a");
        let bytes = serde_json::to_vec(&step()).unwrap().len() as u64;
        let mut size = LogSize::default();
        size.reset(&[Record::Snapshot, step()]);
        assert_eq!(size.bytes, bytes);
        assert!(!size.exceeds(bytes - 1));
        size.add(&step());
        assert!(size.exceeds(bytes - 1));
        assert!(!size.exceeds(bytes));
    }
}
