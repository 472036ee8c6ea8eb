//! Each operation as early as can be.

use super::super::{Group, Role};
use super::{Growth, Key, Levels};
use crate::Anomaly;
use crate::models::Datum;
use crate::models::set::{SetInput, SetOutput};
use crate::monitors::Stop;

/// Places at one point, within a level: who misses a value, its add, who sees it, who reads all.
const PLACES: u32 = 4;

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
pub(super) struct Schedule<'g, 'a, V: Datum> {
    growth: &'g Growth<'a, V>,
    placed: Vec<(Key, u32)>,
    /// For each operation, the one that held it up, or [`u32::MAX`] for its own call.
    held_up_by: Vec<u32>,
}

impl<'g, 'a, V: Datum> Schedule<'g, 'a, V> {
    pub(super) fn new(growth: &'g Growth<'a, V>) -> Self {
        let operations = growth.calls.len();
        let (placed, held_up_by) = (Vec::with_capacity(operations), vec![u32::MAX; operations]);
        Self { growth, placed, held_up_by }
    }

    /// The place of each, level by level.
    pub(super) fn run(
        mut self,
        levels: &Levels<'_, V>,
        level_of: &[u32],
    ) -> Result<Vec<(Key, u32)>, Stop> {
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
        Ok(self.placed)
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
        let name = |i: u32| growth.name(i);
        let shown = values.first().map(|value| value.shown()).unwrap_or_default();
        let saw_and_missed = |seer, misser| {
            let (seer, misser) = (name(seer), name(misser));
            let text = format!("{seer} was over before {misser} began, which did not see {shown}");
            (Anomaly::StaleRead, text)
        };
        let is_add = |i: u32| matches!(growth.calls[i as usize].input, SetInput::Add(_));
        let (kind, text) = match chain[..] {
            [seer, add] if is_add(add) => (
                Anomaly::FutureRead,
                format!(
                    "{} was over before {} began, the only one that put {shown} there",
                    name(seer),
                    name(add)
                ),
            ),
            [add, misser] if is_add(add) => (
                Anomaly::LostValue,
                format!(
                    "{} was over before {} began, which did not see {shown}",
                    name(add),
                    name(misser)
                ),
            ),
            [seer, misser] => saw_and_missed(seer, misser),
            // That the value was added in between is clear.
            [seer, add, misser] if is_add(add) && !is_add(misser) => saw_and_missed(seer, misser),
            _ => {
                let (first, last) = (chain[chain.len() - 1], chain[0]);
                let chain: Vec<String> = chain.iter().rev().map(|&i| name(i)).collect();
                (
                    Anomaly::StaleRead,
                    format!(
                        "each of these must come before the next, by what was seen: {}; yet {} was over before {} began",
                        chain.join("; "),
                        name(last),
                        name(first)
                    ),
                )
            }
        };
        growth.refuted(&chain, &values, kind, &text)
    }
}
