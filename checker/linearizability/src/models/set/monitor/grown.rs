//! A set that only grows, read as a whole.

mod schedule;

use super::{Group, History, Key, Role};
use crate::models::Datum;
use crate::models::set::{Set, SetOutput, Values};
use crate::monitors::Stop;
use crate::monitors::core::{describe, refuted_by};
use crate::monitors::timeline::{Span, Timeline};
use crate::{Anomaly, CallOf};
use schedule::Schedule;

/// Where every operation can happen.
///
/// Reads of equal sets are one level; a value belongs to the first level that has it, or to the one after the last.
pub(super) fn place<V: Datum>(
    model: &Set<V>,
    calls: &[CallOf<Set<V>>],
    timeline: &Timeline,
    history: &History<'_, V>,
) -> Result<Vec<(Key, u32)>, Stop> {
    let growth = Growth { model, calls, timeline, history };
    let (by_level, level_of) = growth.levels()?;
    Schedule::new(&growth).run(&by_level, &level_of)
}

struct Growth<'a, V: Datum> {
    model: &'a Set<V>,
    calls: &'a [CallOf<Set<V>>],
    timeline: &'a Timeline,
    history: &'a History<'a, V>,
}

/// Reads of all values, those of equal sets together, the smallest first.
type Levels<'a, V> = Vec<Vec<(&'a Values<V>, u32)>>;

impl<'a, V: Datum> Growth<'a, V> {
    fn span(&self, i: u32) -> Span {
        self.timeline.spans[i as usize]
    }

    /// The levels of the reads, and of each value.
    fn levels(&self) -> Result<(Levels<'a, V>, Vec<u32>), Stop> {
        let removed = |group: &Group<'_, V>| {
            group.with(Role::Remove).chain(group.with(Role::Removed)).next().is_some()
        };
        let added_twice = |group: &Group<'_, V>| group.with(Role::Add).nth(1).is_some();
        if self.history.groups.iter().any(|group| removed(group) || added_twice(group)) {
            return Err(Stop::Outside);
        }
        let mut reads = self.history.reads.clone();
        reads.sort_by_key(|(values, i)| (values.len(), self.span(*i).call));
        let mut levels: Levels<'a, V> = Vec::new();
        let mut level_of = vec![u32::MAX; self.history.groups.len()];
        for (values, i) in reads {
            if let Some(level) = levels.last_mut()
                && level[0].0.len() == values.len()
            {
                self.contains_all(values, i, level[0])?;
                level.push((values, i));
                continue;
            }
            if let Some(level) = levels.last() {
                self.contains_all(values, i, level[0])?;
            }
            for value in values.iter() {
                let group = self.history.by_value.get(value).copied();
                let added = |group: &u32| {
                    self.history.groups[*group as usize].with(Role::Add).next().is_some()
                };
                let Some(group) = group.filter(added) else {
                    return Err(self.never_added(i, value));
                };
                let level = &mut level_of[group as usize];
                *level = (*level).min(levels.len() as u32);
            }
            levels.push(vec![(values, i)]);
        }
        Ok((levels, level_of))
    }

    /// Of two reads, the one that saw no fewer values must have seen all of the other's.
    fn contains_all(
        &self,
        more: &Values<V>,
        more_read: u32,
        (fewer, fewer_read): (&Values<V>, u32),
    ) -> Result<(), Stop> {
        let Some(missing) = fewer.iter().find(|value| !more.contains(value)) else { return Ok(()) };
        let Some(other) = more.iter().find(|value| !fewer.contains(value)) else {
            return Err(Stop::Outside);
        };
        // A value that nobody added says more.
        for (value, read) in [(missing, fewer_read), (other, more_read)] {
            if self.add_of(value).is_none() {
                return Err(self.never_added(read, value));
            }
        }
        let text = format!(
            "{} saw {} but not {}, {} the other way round, and nothing was removed",
            self.name(more_read),
            other.shown(),
            missing.shown(),
            self.name(fewer_read),
        );
        Err(self.refuted(&[fewer_read, more_read], &[missing, other], Anomaly::LongFork, &text))
    }

    fn add_of(&self, value: &V) -> Option<u32> {
        let group = *self.history.by_value.get(value)?;
        self.history.groups[group as usize].with(Role::Add).next()
    }

    fn name(&self, i: u32) -> String {
        describe(self.model, self.calls, i)
    }

    /// A violation by these operations and the adds of these values; other values do not count.
    fn refuted(&self, operations: &[u32], values: &[&V], kind: Anomaly, text: &str) -> Stop {
        let adds = values.iter().filter_map(|value| self.add_of(value));
        let core = operations.iter().copied().chain(adds);
        let part = |call: &CallOf<Set<V>>| match &call.output {
            Some(SetOutput::Values(all)) => {
                let counts = |value: &&V| values.contains(value);
                let some = SetOutput::Values(all.iter().filter(counts).cloned().collect());
                CallOf::<Set<V>> { output: Some(some), ..call.clone() }
            }
            _ => call.clone(),
        };
        refuted_by(self.model, self.calls, core, part, kind, text)
    }

    /// `witness` saw a value that nobody can have added.
    fn never_added(&self, witness: u32, value: &V) -> Stop {
        let (reader, shown) = (self.name(witness), value.shown());
        match super::failed_add(self.calls, value) {
            Some(add) => {
                let text = format!("{reader} saw {shown}, added only by {}", self.name(add));
                self.refuted(&[add, witness], &[value], Anomaly::AbortedRead, &text)
            }
            None => {
                let text = format!("{reader} saw {shown}, which was never added");
                self.refuted(&[witness], &[value], Anomaly::PhantomValue, &text)
            }
        }
    }
}
