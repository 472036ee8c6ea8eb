//! The checkers that are compared, each asked in its own way.

mod awdit;
mod dbcop;
#[cfg(test)]
mod tests;

use std::fmt;

use comparison::Check;
use dbcop_core::Consistency;
use history::Verdict;
use isolation::Options;

use crate::rows::History;

/// A checker, at one of its levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checker {
    /// All anomalies and levels at once; the verdict is on strict serializability.
    Ours,
    AwditReadCommitted,
    AwditReadAtomic,
    AwditCausal,
    DbcopReadCommitted,
    DbcopCausal,
    DbcopSnapshot,
    DbcopSerializable,
}

impl Checker {
    /// All of them, ours first.
    pub const ALL: [Self; 8] = [
        Self::Ours,
        Self::AwditReadCommitted,
        Self::AwditReadAtomic,
        Self::AwditCausal,
        Self::DbcopReadCommitted,
        Self::DbcopCausal,
        Self::DbcopSnapshot,
        Self::DbcopSerializable,
    ];

    /// Everything up to the check itself: a history in the checker's own form.
    pub fn prepare(self, history: &History) -> Check<'_> {
        let told = &history.told;
        match self {
            Self::Ours => {
                Box::new(|| vec![isolation::check(&history.ours, &Options::default()).verdict])
            }
            Self::AwditReadCommitted => awdit::prepare(told, |mut c| c.check_read_committed()),
            Self::AwditReadAtomic => awdit::prepare(told, |mut c| c.check_read_atomic()),
            Self::AwditCausal => awdit::prepare(told, |mut c| c.check_causal()),
            Self::DbcopReadCommitted => dbcop::prepare(told, Consistency::CommittedRead),
            Self::DbcopCausal => dbcop::prepare(told, Consistency::Causal),
            Self::DbcopSnapshot => dbcop::prepare(told, Consistency::SnapshotIsolation),
            Self::DbcopSerializable => dbcop::prepare(told, Consistency::Serializable),
        }
    }
}

impl fmt::Display for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ours => "ours, all levels",
            Self::AwditReadCommitted => "AWDIT rc",
            Self::AwditReadAtomic => "AWDIT ra",
            Self::AwditCausal => "AWDIT causal",
            Self::DbcopReadCommitted => "dbcop rc",
            Self::DbcopCausal => "dbcop causal",
            Self::DbcopSnapshot => "dbcop si",
            Self::DbcopSerializable => "dbcop serializable",
        })
    }
}

fn verdict(holds: bool) -> Verdict {
    if holds { Verdict::Valid } else { Verdict::Violation }
}
