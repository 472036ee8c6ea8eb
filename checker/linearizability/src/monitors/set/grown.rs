//! A set that only grows, read as a whole.

use super::super::Stop;
use super::super::core::{refuted_by, told};
use super::super::timeline::{Span, Timeline};
use super::{Group, History, Role};
use crate::CallOf;
use crate::models::Datum;
use crate::models::set::{Set, SetInput, SetOutput, Values};

/// What an order is sorted by: a point, and the place there.
type Key = (u32, u32);

/// Places at one point, within a level: who misses a value, its add, who sees it, who reads all.
const PLACES: u32 = 4;

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
    let (placed, held_up_by) = (Vec::with_capacity(calls.len()), vec![u32::MAX; calls.len()]);
    let mut schedule = Schedule { growth: &growth, placed, held_up_by };
    schedule.run(&by_level, &level_of)?;
    Ok(schedule.placed)
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
        let tale = format!(
            "{} saw {} but not {}, {} the other way round, and nothing was removed",
            self.told(more_read),
            other.shown(),
            missing.shown(),
            self.told(fewer_read),
        );
        Err(self.refuted(&[fewer_read, more_read], &[missing, other], "long fork", &tale))
    }

    fn add_of(&self, value: &V) -> Option<u32> {
        let group = *self.history.by_value.get(value)?;
        self.history.groups[group as usize].with(Role::Add).next()
    }

    fn told(&self, i: u32) -> String {
        told(self.model, self.calls, i)
    }

    /// A violation by these operations and the adds of these values; other values do not count.
    fn refuted(&self, operations: &[u32], values: &[&V], kind: &'static str, tale: &str) -> Stop {
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
        refuted_by(self.model, self.calls, core, part, kind, format!("{kind}: {tale}."))
    }

    /// `witness` saw a value that nobody can have added.
    fn never_added(&self, witness: u32, value: &V) -> Stop {
        let (tale, shown) = (self.told(witness), value.shown());
        match super::failed_add(self.calls, value) {
            Some(add) => {
                let tale = format!("{tale} saw {shown}, added only by {}", self.told(add));
                self.refuted(&[add, witness], &[value], "aborted read", &tale)
            }
            None => {
                let tale = format!("{tale} saw {shown}, which was never added");
                self.refuted(&[witness], &[value], "phantom value", &tale)
            }
        }
    }
}

/// A moment, and the operation that nothing after it may precede.
#[derive(Clone, Copy)]
struct Bound {
    at: u32,
    by: u32,
}

impl Bound {
    const NONE: Self = Self { at: 0, by: u32::MAX };

    /// The later of two, this one where they are equal.
    fn or(self, other: Self) -> Self {
        if other.at > self.at { other } else { self }
    }
}

/// Each operation as early as its call and those before it allow.
struct Schedule<'g, 'a, V: Datum> {
    growth: &'g Growth<'a, V>,
    placed: Vec<(Key, u32)>,
    /// For each operation, the one that held it up, or [`u32::MAX`] for its own call.
    held_up_by: Vec<u32>,
}

impl<V: Datum> Schedule<'_, '_, V> {
    fn run(&mut self, levels: &Levels<'_, V>, level_of: &[u32]) -> Result<(), Stop> {
        let last = levels.len() as u32;
        let mut groups: Vec<(u32, u32)> =
            level_of.iter().zip(0..).map(|(&level, group)| (level.min(last), group)).collect();
        groups.sort_unstable();
        let mut groups = groups.into_iter().peekable();
        // All reads before this level, and all adds up to it.
        let (mut read, mut added) = (Bound::NONE, Bound::NONE);
        for level in 0..=last {
            while let Some((_, group)) = groups.next_if(|&(of, _)| of == level) {
                let group = &self.growth.history.groups[group as usize];
                added = added.or(self.place_group(group, level, read, level < last)?);
            }
            let mut latest = read;
            for &(_, i) in levels.get(level as usize).into_iter().flatten() {
                latest = latest.or(self.put(i, added.or(read), level * PLACES + 3)?);
            }
            read = latest;
        }
        Ok(())
    }

    /// Puts the add of one value and whatever else concerns it; the bound that the add is.
    fn place_group(
        &mut self,
        group: &Group<'_, V>,
        level: u32,
        read: Bound,
        seen: bool,
    ) -> Result<Bound, Stop> {
        let place = level * PLACES;
        let mut before = read;
        for i in group.with(Role::Absent) {
            before = before.or(self.put(i, Bound::NONE, place)?);
        }
        let present = group.with(Role::Present).next();
        let returned = |i: &u32| self.growth.calls[*i as usize].ret.is_some();
        let add = match (group.with(Role::Add).next(), present) {
            (Some(add), _) if seen || present.is_some() || returned(&add) => add,
            (None, Some(witness)) => return Err(self.growth.never_added(witness, group.value)),
            // Nobody saw it and it need not have happened.
            _ => return Ok(Bound::NONE),
        };
        let added = self.put(add, before, place + 1)?;
        for i in group.with(Role::Present) {
            self.put(i, added, place + 2)?;
        }
        Ok(added)
    }

    fn put(&mut self, i: u32, after: Bound, place: u32) -> Result<Bound, Stop> {
        let span = self.growth.span(i);
        let at = span.call.max(after.at);
        self.held_up_by[i as usize] = if after.at > span.call { after.by } else { u32::MAX };
        if at >= span.ret {
            return Err(self.too_late(i));
        }
        self.placed.push(((at, place), i));
        Ok(Bound { at, by: i })
    }

    /// Something that must come before this began after it was over.
    fn too_late(&self, i: u32) -> Stop {
        let growth = self.growth;
        let held_up = |&i: &u32| Some(self.held_up_by[i as usize]).filter(|&by| by != u32::MAX);
        let chain: Vec<u32> = std::iter::successors(Some(i), held_up).collect();
        let read = |i: u32| match &growth.calls[i as usize].output {
            Some(SetOutput::Values(values)) => Some(values),
            _ => None,
        };
        let value = |i: u32| match &growth.calls[i as usize].input {
            SetInput::Add(value) | SetInput::Remove(value) | SetInput::Contains(value) => {
                Some(value)
            }
            SetInput::ReadAll => None,
        };
        let mut values: Vec<&V> = chain.iter().filter_map(|&i| value(i)).collect();
        for pair in chain.windows(2) {
            if let (Some(later), Some(earlier)) = (read(pair[0]), read(pair[1])) {
                values.extend(later.iter().find(|value| !earlier.contains(value)));
            }
        }
        let told = |i: u32| growth.told(i);
        let shown = values.first().map(|value| value.shown()).unwrap_or_default();
        let saw_and_missed = |seer, misser| {
            let (seer, misser) = (told(seer), told(misser));
            let tale = format!("{seer} was over before {misser} began, which did not see {shown}");
            ("stale read", tale)
        };
        let is_add = |i: u32| matches!(growth.calls[i as usize].input, SetInput::Add(_));
        let (kind, tale) = match chain[..] {
            [seer, add] if is_add(add) => (
                "read from the future",
                format!(
                    "{} was over before {} began, the only one that put {shown} there",
                    told(seer),
                    told(add)
                ),
            ),
            [add, misser] if is_add(add) => (
                "lost value",
                format!(
                    "{} was over before {} began, which did not see {shown}",
                    told(add),
                    told(misser)
                ),
            ),
            [seer, misser] => saw_and_missed(seer, misser),
            // That the value was added in between is clear.
            [seer, add, misser] if is_add(add) && !is_add(misser) => saw_and_missed(seer, misser),
            _ => {
                let (first, last) = (chain[chain.len() - 1], chain[0]);
                let chain: Vec<String> = chain.iter().rev().map(|&i| told(i)).collect();
                (
                    "stale read",
                    format!(
                        "each of these must come before the next, by what was seen: {}; yet {} was over before {} began",
                        chain.join("; "),
                        told(last),
                        told(first)
                    ),
                )
            }
        };
        growth.refuted(&chain, &values, kind, &tale)
    }
}
