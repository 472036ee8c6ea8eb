//! Who may have left what an operation saw.

mod why;

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::effort::Effort;
use super::sources::{Sources, Writers};
use crate::{CallOf, Content, Effect, Effects, Leaves, Model};

pub(super) use why::{Origin, Why};

/// A value in a part of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen<'a> {
    pub(super) part: &'a Content<'a>,
    pub(super) value: &'a Content<'a>,
}

/// Why a value cannot have been seen.
#[derive(Clone, Copy, Debug)]
pub(super) enum NoSource {
    /// Nobody left it.
    Nobody,
    /// Only failed operations would have; the last of them.
    Failed(usize),
    /// Whoever left it was called after the reader had returned; the first of them.
    Later(usize),
}

/// What is known of one part.
#[derive(Default)]
struct Part<'a> {
    /// Who may have left each value here.
    left: FxHashMap<&'a Content<'a>, Writers>,
    /// Who would have, but failed.
    failed: FxHashMap<&'a Content<'a>, usize>,
    /// Who said anything about it.
    all: Vec<usize>,
    initial: Option<Content<'a>>,
    /// Values may come here from other parts.
    moved: bool,
    /// Values may come here from nobody knows where.
    unclear: bool,
}

/// What forces the operations of a history into an order.
pub(super) struct Orders<'a, M: Model> {
    pub(super) model: &'a M,
    pub(super) calls: &'a [CallOf<M>],
    effects: &'a [Effects<'a>],
    parts: FxHashMap<&'a Content<'a>, Part<'a>>,
    /// Who may have left each value anywhere, where values move.
    anywhere: FxHashMap<&'a Content<'a>, Writers>,
    nobody: Writers,
}

impl<'a, M: Model> Orders<'a, M> {
    /// The effects are those of the calls, in their places.
    pub(super) fn new(model: &'a M, calls: &'a [CallOf<M>], effects: &'a [Effects<'a>]) -> Self {
        let mut parts: FxHashMap<&Content<'_>, Part<'_>> = FxHashMap::default();
        for (at, effect) in
            effects.iter().enumerate().flat_map(|(at, all)| all.all().iter().map(move |e| (at, e)))
        {
            if effect.changes_nothing() && effect.shows().is_none() {
                continue;
            }
            let name = &effect.part;
            let part = parts
                .entry(name)
                .or_insert_with(|| Part { initial: model.initially(name), ..Part::default() });
            let failed = calls[at].failed;
            match left(&effect.leaves) {
                Left::Nothing => {}
                Left::This(value) if failed => {
                    part.failed.insert(value, at);
                }
                Left::This(value) => part.left.entry(value).or_default().add(at),
                Left::Moved => part.moved |= !failed,
                Left::Unclear => part.unclear |= !failed,
            }
            if !failed && part.all.last() != Some(&at) {
                part.all.push(at);
            }
        }
        let mut anywhere: FxHashMap<&Content<'_>, Writers> = FxHashMap::default();
        if parts.values().any(|part| part.moved) {
            for (value, writers) in parts.values().flat_map(|part| &part.left) {
                anywhere.entry(value).or_default().merge(writers);
            }
        }
        let left = parts.values_mut().flat_map(|part| part.left.values_mut());
        left.chain(anywhere.values_mut()).for_each(|writers| writers.finish(calls));
        Self { model, calls, effects, parts, anywhere, nobody: Writers::default() }
    }

    /// What the operation saw.
    fn seen(&self, reader: usize) -> impl Iterator<Item = Seen<'a>> {
        // What never returned may never have seen anything.
        let certain = self.calls[reader].ret.is_some() && !self.calls[reader].failed;
        let all = self.effects[reader].all().iter().filter(move |_| certain);
        all.filter_map(|effect| Some(Seen { part: &effect.part, value: effect.shows()? }))
    }

    /// What the operation certainly leaves in this part.
    fn leaves(&self, writer: usize, part: &Content<'_>) -> Option<&'a Content<'a>> {
        let mut on_part = self.effects[writer].all().iter().filter(|effect| effect.part == *part);
        on_part.find_map(|effect| effect.leaves.certain())
    }

    pub(super) fn changes(&self, op: usize, part: &Content<'_>) -> bool {
        let mut all = self.effects[op].all().iter();
        all.any(|effect| !effect.changes_nothing() && effect.part == *part)
    }

    /// Did it change this part where it held this value, as far as its result tells?
    pub(super) fn replaces(&self, op: usize, seen: Seen<'_>) -> bool {
        let mut found = self.seen(op).filter(|found| found.part == seen.part);
        self.changes(op, seen.part) && found.all(|found| found == seen)
    }

    /// Does it change nothing that anybody knows of?
    pub(super) fn only_looks(&self, op: usize) -> bool {
        self.effects[op].is_read_only()
    }

    /// Was it there before the first operation, here or where it can have come from? `None`: nobody knows.
    fn is_initial(&self, seen: Seen<'_>, reader: usize) -> Option<bool> {
        let part = self.parts.get(seen.part)?;
        if part.moved {
            let all = || self.parts.values().map(|part| part.initial.as_ref());
            if all().any(|initial| initial == Some(seen.value)) {
                return Some(true);
            }
            return all().all(|initial| initial.is_some()).then_some(false);
        }
        if let Some(initial) = &part.initial {
            return Some(initial == seen.value);
        }
        let saw_only_this = self.effects[reader].all().len() == 1;
        let call = &self.calls[reader];
        let is_legal =
            || self.model.step(&self.model.initial(), &call.input, call.output.as_ref()).is_some();
        saw_only_this.then(is_legal)
    }

    /// Who may have left this value where it was seen; `None` where nobody knows.
    fn writers(&self, seen: Seen<'a>) -> Option<&Writers> {
        let part = self.parts.get(seen.part)?;
        let unclear = part.unclear || part.moved && self.parts.values().any(|part| part.unclear);
        let left = if part.moved { &self.anywhere } else { &part.left };
        (!unclear).then(|| left.get(seen.value).unwrap_or(&self.nobody))
    }

    /// From whom the reader may have it.
    fn sources(&self, seen: Seen<'a>, reader: usize) -> Option<Sources> {
        Some(self.writers(seen)?.sources(self.calls, reader))
    }

    /// The one from whom alone the reader can have it.
    fn source(&self, seen: Seen<'a>, reader: usize) -> Option<usize> {
        self.sources(seen, reader)?.only().filter(|_| self.is_initial(seen, reader) == Some(false))
    }

    /// Something that the operation saw and cannot have seen.
    pub(super) fn impossible(&self, reader: usize) -> Option<(usize, Seen<'a>, NoSource)> {
        self.seen(reader).find_map(|seen| {
            let writers = self.writers(seen)?;
            let may_be_right = writers.sources(self.calls, reader).count > 0
                || self.is_initial(seen, reader) != Some(false);
            if may_be_right {
                return None;
            }
            let why = match writers.first(reader) {
                Some(later) => NoSource::Later(later),
                None => match self.parts[seen.part].failed.get(seen.value) {
                    Some(&writer) => NoSource::Failed(writer),
                    None => NoSource::Nobody,
                },
            };
            Some((reader, seen, why))
        })
    }

    /// Operations that say something about the parts that this one is about and were called before it returned, the last
    /// first, those that change something before those that only look. `None` where that is too much to look at, or where
    /// this one tells nothing.
    pub(super) fn neighbours(&self, op: usize, effort: &Effort<'_>) -> Option<Vec<usize>> {
        let effects = self.effects[op].all();
        let is_shown = |content: &Content<'_>| !content.is_hidden();
        let says_anything = |effect: &Effect<'_>| {
            effect.shows().is_some() || effect.leaves.certain().is_some_and(is_shown)
        };
        // Only time orders it.
        if !effects.iter().any(says_anything) {
            return None;
        }
        let parts = || effects.iter().filter_map(|effect| self.parts.get(&effect.part));
        let count: usize = parts().map(|part| part.all.len()).sum();
        if !effort.spend(count as u64) {
            return None;
        }
        let end = self.calls[op].ret?;
        let all = parts().flat_map(|part| part.all.iter().copied());
        let near = all.filter(|&other| other != op && self.calls[other].call <= end);
        let place = |at: usize| (self.only_looks(at), Reverse(self.calls[at].call), at);
        let mut near: Vec<(bool, Reverse<u64>, usize)> = near.map(place).collect();
        near.sort_unstable();
        near.dedup();
        Some(near.into_iter().map(|(_, _, at)| at).collect())
    }
}

/// What may be found in a part after an operation.
enum Left<'a> {
    Nothing,
    This(&'a Content<'a>),
    Moved,
    /// Anything, or what nobody is shown.
    Unclear,
}

fn left<'a>(leaves: &'a Leaves<'a>) -> Left<'a> {
    match leaves {
        Leaves::Unchanged => Left::Nothing,
        Leaves::Moved => Left::Moved,
        Leaves::Briefly(value) if !value.is_hidden() => Left::This(value),
        _ => match leaves.whenever_it_changes() {
            Some(value) if !value.is_hidden() => Left::This(value),
            _ => Left::Unclear,
        },
    }
}
