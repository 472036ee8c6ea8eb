//! How strict a workload's check can be: a store is held to what it promises, and to no more.

use contract::manifest::CAPABILITIES;
use isolation::Consistency;

use crate::{WORKLOADS, Workload};

/// The levels at which a workload can judge a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Levels {
    /// This one only: a store that promises less is not tested by it.
    Only(Consistency),
    /// What the store promises, if it implies this.
    From(Consistency),
}

impl Levels {
    /// The level at which a store that promises `promised` is judged; `None` where it promises too little.
    #[must_use]
    pub fn judged(self, promised: Consistency) -> Option<Consistency> {
        match self {
            Self::Only(level) => promised.implies(level).then_some(level),
            Self::From(weakest) => promised.implies(weakest).then_some(promised),
        }
    }

    /// Whether a record can show that a level is kept; of some it can only show that they are violated.
    #[must_use]
    pub fn can_hold(self, level: Consistency) -> bool {
        matches!(self, Self::Only(_)) || level.is_tested()
    }

    fn weakest(self) -> Consistency {
        let (Self::Only(level) | Self::From(level)) = self;
        level
    }
}

/// The level at which `workload` judges a store that promises `promised`.
///
/// # Errors
/// The store promises less than the workload checks; which workloads would do.
pub fn level(workload: &dyn Workload, promised: Consistency) -> Result<Consistency, String> {
    let levels = workload.levels();
    levels.judged(promised).ok_or_else(|| {
        let others = match names_for(promised).join(", ") {
            others if others.is_empty() => "no workload checks that".to_owned(),
            others => format!("these check it: {others}"),
        };
        format!(
            "the workload `{}` checks what {} or a stronger level promises, and {promised} is neither; {others}",
            workload.name(),
            levels.weakest()
        )
    })
}

/// The workloads that can judge a store that promises this.
fn names_for(promised: Consistency) -> Vec<&'static str> {
    let all = CAPABILITIES.map(|entry| entry.capability);
    let workloads = WORKLOADS.into_iter().map(|entry| (entry.name, (entry.make)(&all)));
    let fits = workloads.filter(|(_, workload)| workload.levels().judged(promised).is_some());
    fits.map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::by_name;

    fn judged(workload: &str, promised: &str) -> Result<Consistency, String> {
        let all = CAPABILITIES.map(|entry| entry.capability);
        level(&*by_name(workload, &all).unwrap(), promised.parse().unwrap())
    }

    #[test]
    fn each_workload_is_for_the_stores_that_promise_what_it_checks() {
        for entry in WORKLOADS {
            assert!(judged(entry.name, "strict-serializable").is_ok(), "{}", entry.name);
        }
        let fitting = |promised: &str| names_for(promised.parse().unwrap()).join(" ");
        assert_eq!(
            fitting("linearizable"),
            "register append puthash set counter multi bank:swap controller"
        );
        let transactions = "list-append rw-register long-fork";
        assert_eq!(fitting("snapshot-isolation"), format!("{transactions} bank bank:txn"));
        let serializable = format!("{transactions} write-skew bank bank:txn");
        assert_eq!(fitting("serializable"), serializable);
        assert_eq!(fitting("strong-session-serializable"), serializable);
        assert_eq!(fitting("read-committed"), "list-append rw-register");
        assert_eq!(fitting("sequential"), "");
    }

    #[test]
    fn a_store_that_promises_too_little_is_told_what_would_do() {
        let refused = judged("register", "snapshot-isolation").unwrap_err();
        for part in ["`register` checks what linearizable", "snapshot-isolation", "list-append"] {
            assert!(refused.contains(part), "{refused}");
        }
        let refused = judged("list-append", "sequential").unwrap_err();
        assert!(refused.contains("no workload checks that"), "{refused}");
        assert_eq!(judged("register", "strict-serializable"), Ok(Consistency::Linearizable));
        assert_eq!(judged("list-append", "read-atomic"), Ok(Consistency::ReadAtomic));
    }

    #[test]
    fn of_some_levels_a_record_shows_only_violations() {
        let transactions = Levels::From(Consistency::ReadUncommitted);
        assert!(transactions.can_hold(Consistency::SnapshotIsolation));
        assert!(!transactions.can_hold(Consistency::ReadAtomic));
        assert!(Levels::Only(Consistency::Linearizable).can_hold(Consistency::Linearizable));
    }
}
