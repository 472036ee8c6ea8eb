//! Why the operations on a value fit no order, in words.

use super::super::{Group, Role, failed_add};
use super::{Contradiction, ValueHistory};
use crate::Anomaly;
use crate::models::Datum;
use crate::monitors::Stop;
use crate::monitors::core::{describe, listed, refuted, shrink};

/// More reads than this are not made fewer.
const SHRUNK_MAX: usize = 1_000;

impl<V: Datum> ValueHistory<'_, V> {
    fn name(&self, i: u32) -> String {
        describe(self.model, self.calls, i)
    }

    fn refuted(&self, core: impl IntoIterator<Item = u32>, kind: Anomaly, text: &str) -> Stop {
        refuted(self.model, self.calls, core, kind, text)
    }

    pub(super) fn never_added(&self, witness: u32) -> Stop {
        let value = self.group.value;
        let failed = failed_add(self.calls, value);
        let (reader, shown) = (self.name(witness), value.shown());
        match failed {
            Some(add) => self.refuted(
                [add, witness],
                Anomaly::AbortedRead,
                &format!("{reader} saw {shown}, added only by {}", self.name(add)),
            ),
            None => self.refuted(
                [witness],
                Anomaly::PhantomValue,
                &format!("{reader} saw {shown}, which was never added"),
            ),
        }
    }

    pub(super) fn removed_twice(&self, add: u32, first: u32, second: u32) -> Stop {
        let text = format!(
            "{} was added once and removed twice, by {} and by {}",
            self.group.value.shown(),
            self.name(first),
            self.name(second)
        );
        self.refuted([add, first, second], Anomaly::RemovedTwice, &text)
    }

    /// One candidate alone can have taken the value out.
    pub(super) fn refute(&self, add: u32, removal: Option<u32>, problem: Contradiction) -> Stop {
        let value = self.group.value.shown();
        match problem {
            Contradiction::Early(witness) => self.refuted(
                [add, witness],
                Anomaly::FutureRead,
                &format!(
                    "{} was over before {} began, the only one that put {value} there",
                    self.name(witness),
                    self.name(add)
                ),
            ),
            Contradiction::Late(witness) => self.refuted(
                [add, witness].into_iter().chain(removal),
                Anomaly::StaleRead,
                &format!(
                    "{} saw {value} although {} was over before it began, and nobody put it back",
                    self.name(witness),
                    removal.map(|removal| self.name(removal)).unwrap_or_default()
                ),
            ),
            Contradiction::Missed { from, missed, until } => {
                let until = match (until, removal) {
                    (Some(until), Some(removal)) if until != removal => {
                        format!("{} began only after it and saw it still", self.name(until))
                    }
                    (_, Some(removal)) => {
                        format!(
                            "{}, which alone removed it, began only after it",
                            self.name(removal)
                        )
                    }
                    (_, None) => "nobody ever removed it".to_owned(),
                };
                let text = format!(
                    "{} did not see {value}: {} was over before it began, and {until}",
                    self.name(missed),
                    self.name(from)
                );
                let last = self.last(add, removal);
                let core = [add, from, missed].into_iter().chain(removal).chain(last);
                let kind = if removal.is_some() { Anomaly::StaleRead } else { Anomaly::LostValue };
                self.refuted(core, kind, &text)
            }
        }
    }

    /// What shows for longest that the value was there.
    fn last(&self, add: u32, removal: Option<u32>) -> Option<u32> {
        let known = self.group.with(Role::Present).chain([add]).chain(removal);
        known.max_by_key(|&i| self.span(i).call)
    }

    /// Whatever took the value out, it does not fit.
    pub(super) fn refute_all(&self, add: u32, candidates: &[Option<u32>]) -> Stop {
        let is_read = |role: Role| matches!(role, Role::Present | Role::Absent);
        let (mut reads, others): (Vec<_>, Vec<_>) =
            self.group.operations.iter().partition(|(role, _)| is_read(*role));
        let with = |reads: &[(Role, u32)]| Group {
            value: self.group.value,
            operations: others.iter().chain(reads).copied().collect(),
        };
        if reads.len() <= SHRUNK_MAX {
            shrink(&mut reads, |reads| {
                let history = ValueHistory { group: &with(reads), ..*self };
                history.try_all(add, candidates, &mut Vec::new()).is_err()
            });
        }
        let mut operations: Vec<u32> = with(&reads).operations.iter().map(|&(_, i)| i).collect();
        operations.sort_unstable_by_key(|&i| self.span(i).call);
        let text = format!(
            "the operations on {} fit no order, whichever of them removed it: {}",
            self.group.value.shown(),
            listed(self.model, self.calls, &operations)
        );
        self.refuted(operations, Anomaly::LostValue, &text)
    }
}
