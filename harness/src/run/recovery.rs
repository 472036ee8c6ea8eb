//! Does the store serve again once every fault is healed?

use std::collections::BTreeMap;

use contract::Operation;

/// A store gets the chance to serve so many operations, however slow it is.
const ASKED_MIN: u32 = 4;
/// So many, where all were reads, or all writes.
const ALIKE_MIN: u32 = 12;
/// So many operations in a row that were all reads, or all writes: the workload has no others.
const ALIKE_MAX: u32 = 500;

/// So many operations in all give each group of a sharded store its chance to be asked.
const GROUPS_MAX: u32 = 150;

/// What a store served since the faults were healed; where it is sharded, what each group did.
#[derive(Debug)]
pub(super) struct Recoveries {
    all: Recovery,
    groups: usize,
    /// Of the groups that were asked.
    of_groups: BTreeMap<usize, Recovery>,
}

impl Recoveries {
    /// Nothing was asked yet of a store with so many groups.
    pub(super) fn new(groups: usize) -> Self {
        Self { all: Recovery::default(), groups, of_groups: BTreeMap::new() }
    }

    /// This was asked of that group, and it succeeded or not.
    pub(super) fn add(&mut self, operation: &Operation, succeeded: bool, group: Option<usize>) {
        self.all.add(operation, succeeded);
        if let Some(group) = group {
            self.of_groups.entry(group).or_default().add(operation, succeeded);
        }
    }

    /// Whether so little was asked that nothing can be said.
    pub(super) fn is_too_little(&self) -> bool {
        self.all.is_too_little()
    }

    /// Whether nothing more has to be asked.
    pub(super) fn is_done(&self) -> bool {
        let were_asked = self.of_groups.len() >= self.groups || self.all.asked() >= GROUPS_MAX;
        self.all.is_done() && were_asked && self.of_groups.values().all(Recovery::serves)
    }

    /// Whether each kind that the workload asked for was served, and no group served nothing of what it was asked.
    pub(super) fn has_recovered(&self) -> bool {
        let is_stuck = |group: &Recovery| !group.serves() && group.asked() >= ALIKE_MIN;
        self.all.has_recovered() && !self.of_groups.values().any(is_stuck)
    }
}

/// What was served of some operations.
#[derive(Debug, Default)]
struct Recovery {
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
    fn asked(&self) -> u32 {
        self.reads.asked + self.writes.asked
    }

    fn serves(&self) -> bool {
        self.reads.served || self.writes.served
    }

    /// This was asked, and it succeeded or not.
    fn add(&mut self, operation: &Operation, succeeded: bool) {
        let kind = if operation.is_read_only() { &mut self.reads } else { &mut self.writes };
        kind.asked += 1;
        kind.served |= succeeded;
    }

    /// Whether so little was asked that nothing can be said: a few slow operations may take all the time there is.
    fn is_too_little(&self) -> bool {
        let (reads, writes) = (self.reads.asked, self.writes.asked);
        reads + writes < ASKED_MIN || (reads.min(writes) == 0 && reads + writes < ALIKE_MIN)
    }

    /// Whether nothing more has to be asked.
    fn is_done(&self) -> bool {
        let Self { reads, writes } = self;
        let is_only = |kind: &Kind, other: &Kind| kind.asked >= ALIKE_MAX && other.asked == 0;
        let suffices =
            |kind: &Kind, other: &Kind| kind.served && (other.served || is_only(kind, other));
        suffices(reads, writes) || suffices(writes, reads)
    }

    /// Whether each kind that the workload asked for was served.
    fn has_recovered(&self) -> bool {
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
    /// A group that lost its data in a restart was not noticed while the other one served.
    #[test]
    fn a_group_that_serves_nothing_is_no_recovery_and_one_that_was_not_asked_says_nothing() {
        let get = Operation::Get { key: "x".to_owned() };
        let put = Operation::Put { key: "x".to_owned(), value: "1".to_owned() };
        let mut recoveries = Recoveries::new(2);
        for _ in 0..ALIKE_MIN {
            recoveries.add(&get, true, Some(0));
            recoveries.add(&put, true, Some(0));
        }
        assert!(!recoveries.is_done() && recoveries.has_recovered(), "the other one was not asked");
        for _ in 0..ALIKE_MIN {
            recoveries.add(&get, false, Some(1));
        }
        assert!(!recoveries.is_done() && !recoveries.has_recovered());
        recoveries.add(&get, true, Some(1));
        assert!(recoveries.is_done() && recoveries.has_recovered());
    }

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
