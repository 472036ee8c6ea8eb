//! The lattice itself, as a table.

use super::Consistency::{self, *};

/// One model.
pub(super) struct Row {
    pub(super) model: Consistency,
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    /// The next weaker models.
    pub(super) implies: &'static [Consistency],
}

const fn row(
    model: Consistency,
    name: &'static str,
    aliases: &'static [&'static str],
    implies: &'static [Consistency],
) -> Row {
    Row { model, name, aliases, implies }
}

/// One row a model, in the order of the variants.
#[rustfmt::skip]
pub(super) const MODELS: [Row; 36] = [
    row(ReadUncommitted, "read-uncommitted", &["PL-1"], &[]),
    row(ReadCommitted, "read-committed", &["PL-2"], &[ReadUncommitted]),
    row(MonotonicView, "monotonic-view", &["PL-2L"], &[ReadCommitted]),
    row(MonotonicSnapshotRead, "monotonic-snapshot-read", &["PL-MSR"], &[ReadCommitted]),
    row(MonotonicAtomicView, "monotonic-atomic-view", &[], &[ReadCommitted]),
    row(CursorStability, "cursor-stability", &["PL-CS"], &[ReadCommitted]),
    row(ConsistentView, "consistent-view", &["PL-2+"], &[CursorStability, MonotonicView]),
    row(ForwardConsistentView, "forward-consistent-view", &["PL-FCV"], &[ConsistentView]),
    row(ReadAtomic, "read-atomic", &[], &[MonotonicAtomicView]),
    row(UpdateAtomic, "update-atomic", &[], &[ReadAtomic]),
    row(CausalCerone, "causal-cerone", &[], &[ReadAtomic]),
    row(ParallelSnapshotIsolation, "parallel-snapshot-isolation", &["PSI"], &[CausalCerone, UpdateAtomic]),
    row(Prefix, "prefix", &[], &[CausalCerone]),
    row(RepeatableRead, "repeatable-read", &["PL-2.99"], &[CursorStability, MonotonicAtomicView]),
    row(SnapshotIsolation, "snapshot-isolation", &["PL-SI", "SI"],
        &[ForwardConsistentView, MonotonicSnapshotRead, ParallelSnapshotIsolation, Prefix]),
    row(UpdateSerializable, "update-serializable", &["PL-3U"], &[ForwardConsistentView]),
    row(ViewSerializable, "view-serializable", &[], &[]),
    row(OneCopySerializable, "1SR", &["one-copy-serializable"], &[]),
    row(SessionSerializable, "session-serializable", &[], &[OneCopySerializable]),
    row(Serializable, "serializable", &["PL-3", "conflict-serializable"],
        &[RepeatableRead, SnapshotIsolation, UpdateSerializable, ViewSerializable]),
    row(StrongSessionReadUncommitted, "strong-session-read-uncommitted", &["strong-session-PL-1"],
        &[ReadUncommitted]),
    row(StrongSessionReadCommitted, "strong-session-read-committed", &["strong-session-PL-2"],
        &[ReadCommitted, StrongSessionReadUncommitted]),
    row(StrongSessionSnapshotIsolation, "strong-session-snapshot-isolation", &["strong-session-SI"],
        &[SnapshotIsolation, StrongSessionReadCommitted]),
    row(StrongSessionSerializable, "strong-session-serializable", &[],
        &[Serializable, StrongSessionSnapshotIsolation]),
    row(StrongReadUncommitted, "strong-read-uncommitted", &["strong-PL-1"], &[StrongSessionReadUncommitted]),
    row(StrongReadCommitted, "strong-read-committed", &["strong-PL-2"],
        &[StrongSessionReadCommitted, StrongReadUncommitted]),
    row(StrongSnapshotIsolation, "strong-snapshot-isolation", &["strong-SI"],
        &[StrongSessionSnapshotIsolation, StrongReadCommitted]),
    row(StrictSerializable, "strict-serializable", &["PL-SS", "strong-serializable"],
        &[StrongSessionSerializable, StrongSnapshotIsolation, SessionSerializable, Linearizable]),
    row(MonotonicReads, "monotonic-reads", &[], &[]),
    row(MonotonicWrites, "monotonic-writes", &[], &[]),
    row(ReadYourWrites, "read-your-writes", &[], &[]),
    row(WritesFollowReads, "writes-follow-reads", &[], &[]),
    row(Pram, "PRAM", &[], &[MonotonicReads, MonotonicWrites, ReadYourWrites]),
    row(Causal, "causal", &[], &[WritesFollowReads, Pram]),
    row(Sequential, "sequential", &[], &[Causal]),
    row(Linearizable, "linearizable", &[], &[Sequential]),
];
