//! Does the store serve again once every fault is healed?

use contract::Operation;

/// A store gets the chance to serve so many operations, however slow it is.
const ASKED_MIN: u32 = 4;
/// So many, where all were reads, or all writes.
const ALIKE_MIN: u32 = 12;
/// So many operations in a row that were all reads, or all writes: the workload has no others.
const ALIKE_MAX: u32 = 500;

/// What the store served since the faults were healed.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    reads: Kind,
    writes: Kind,
}

/// Operations of one kind.
#[derive(Debug, Default)]
struct Kind {
    asked: u32,
    served: bool,
}

impl Recovery {
    /// This was asked, and it succeeded or not.
    pub(super) fn add(&mut self, operation: &Operation, succeeded: bool) {
        let kind = if operation.is_read_only() { &mut self.reads } else { &mut self.writes };
        kind.asked += 1;
        kind.served |= succeeded;
    }

    /// Whether so little was asked that nothing can be said: a few slow operations may take all the time there is.
    pub(super) fn is_too_little(&self) -> bool {
        let (reads, writes) = (self.reads.asked, self.writes.asked);
        reads + writes < ASKED_MIN || (reads.min(writes) == 0 && reads + writes < ALIKE_MIN)
    }

    /// Whether nothing more has to be asked.
    pub(super) fn is_done(&self) -> bool {
        let Self { reads, writes } = self;
        let is_only = |kind: &Kind, other: &Kind| kind.asked >= ALIKE_MAX && other.asked == 0;
        let suffices =
            |kind: &Kind, other: &Kind| kind.served && (other.served || is_only(kind, other));
        suffices(reads, writes) || suffices(writes, reads)
    }

    /// Whether each kind that the workload asked for was served.
    pub(super) fn has_recovered(&self) -> bool {
        let well = |kind: &Kind| kind.asked == 0 || kind.served;
        self.reads.asked + self.writes.asked > 0 && well(&self.reads) && well(&self.writes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(operations: &[(bool, bool)]) -> Recovery {
        let mut recovery = Recovery::default();
        let key = || "x".to_owned();
        for &(reads, succeeded) in operations {
            let put = Operation::Put { key: key(), value: "1".to_owned() };
            let operation = if reads { Operation::Get { key: key() } } else { put };
            recovery.add(&operation, succeeded);
        }
        recovery
    }

    #[test]
    fn a_read_and_a_write_show_that_a_store_serves_again() {
        let served = after(&[(true, false), (true, true), (false, true)]);
        assert!(served.is_done() && served.has_recovered());
        for stuck in [&[(true, true), (false, false)][..], &[(true, false), (false, true)], &[]] {
            let stuck = after(stuck);
            assert!(!stuck.is_done() && !stuck.has_recovered(), "{stuck:?}");
        }
    }

    /// One slow read, answered as the time ended, was once all that was asked.
    #[test]
    fn a_few_operations_of_one_kind_say_nothing() {
        assert!(after(&[(true, true)]).is_too_little());
        assert!(after(&[(true, true); 11]).is_too_little());
        assert!(!after(&[(true, false); 12]).is_too_little());
        assert!(after(&[(true, true), (true, true), (false, false)]).is_too_little());
        assert!(
            !after(&[(true, true), (false, false), (true, true), (false, false)]).is_too_little()
        );
    }

    /// A workload that only read was once called a violation, since no write succeeded.
    #[test]
    fn a_workload_that_never_writes_needs_no_write() {
        let all_reads = after(&[(true, true); ALIKE_MAX as usize]);
        assert!(all_reads.is_done() && all_reads.has_recovered());
        let hopeless = after(&[(true, false); ALIKE_MAX as usize]);
        assert!(!hopeless.is_done() && !hopeless.has_recovered());
        let few = after(&[(true, true); 3]);
        assert!(!few.is_done(), "a write may still come");
    }
}
