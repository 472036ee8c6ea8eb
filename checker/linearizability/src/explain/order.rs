//! Who may have left what an operation saw.

mod why;

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::effort::Effort;
use super::sources::{Sources, Writers};
use crate::{CallOf, Content, Fact, Model};

pub(super) use why::{Origin, Why};

/// A value in a part of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen<'a> {
    pub(super) part: &'a str,
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
    facts: &'a [Vec<Fact<'a>>],
    parts: FxHashMap<&'a str, Part<'a>>,
    /// Who may have left each value anywhere, where values move.
    anywhere: FxHashMap<&'a Content<'a>, Writers>,
    nobody: Writers,
}

impl<'a, M: Model> Orders<'a, M> {
    /// The facts are those of the calls, in their places.
    pub(super) fn new(model: &'a M, calls: &'a [CallOf<M>], facts: &'a [Vec<Fact<'a>>]) -> Self {
        let mut parts: FxHashMap<&str, Part<'_>> = FxHashMap::default();
        for (at, fact) in
            facts.iter().enumerate().flat_map(|(at, all)| all.iter().map(move |f| (at, f)))
        {
            let name = fact.part();
            let part = parts
                .entry(name)
                .or_insert_with(|| Part { initial: model.initially(name), ..Part::default() });
            let failed = calls[at].failed;
            match fact {
                Fact::Left(_, value) | Fact::MayLeave(_, value) if failed => {
                    part.failed.insert(value, at);
                }
                Fact::Left(_, value) | Fact::MayLeave(_, value) => {
                    part.left.entry(value).or_default().add(at);
                }
                Fact::Moved(_) => part.moved |= !failed,
                Fact::Changed(_) => part.unclear |= !failed,
                Fact::Saw(..) => {}
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
        Self { model, calls, facts, parts, anywhere, nobody: Writers::default() }
    }

    /// What the operation saw.
    fn seen(&self, reader: usize) -> impl Iterator<Item = Seen<'a>> {
        // What never returned may never have seen anything.
        let certain = self.calls[reader].ret.is_some() && !self.calls[reader].failed;
        self.facts[reader].iter().filter_map(move |fact| match fact {
            Fact::Saw(part, value) if certain => Some(Seen { part, value }),
            _ => None,
        })
    }

    /// What the operation certainly leaves in this part.
    fn leaves(&self, writer: usize, part: &str) -> Option<&'a Content<'a>> {
        self.facts[writer].iter().find_map(|fact| match fact {
            Fact::Left(of, value) if of == part => Some(value),
            _ => None,
        })
    }

    pub(super) fn changes(&self, op: usize, part: &str) -> bool {
        self.facts[op].iter().any(|fact| !matches!(fact, Fact::Saw(..)) && fact.part() == part)
    }

    /// Did it change this part where it held this value, as far as its result tells?
    pub(super) fn replaces(&self, op: usize, seen: Seen<'_>) -> bool {
        let mut found = self.seen(op).filter(|found| found.part == seen.part);
        self.changes(op, seen.part) && found.all(|found| found == seen)
    }

    /// Does it change nothing that anybody knows of?
    pub(super) fn only_looks(&self, op: usize) -> bool {
        self.facts[op].iter().all(|fact| matches!(fact, Fact::Saw(..)))
    }

    /// Was it there before the first operation, here or where it can have come from?
    fn is_initial(&self, seen: Seen<'_>) -> bool {
        let initial =
            |part: &Part<'_>| part.initial.as_ref().is_none_or(|first| first == seen.value);
        match self.parts.get(seen.part) {
            Some(part) if part.moved => self.parts.values().any(initial),
            Some(part) => initial(part),
            None => true,
        }
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
        self.sources(seen, reader)?.only().filter(|_| !self.is_initial(seen))
    }

    /// Something that the operation saw and cannot have seen.
    pub(super) fn impossible(&self, reader: usize) -> Option<(usize, Seen<'a>, NoSource)> {
        self.seen(reader).find_map(|seen| {
            let writers = self.writers(seen)?;
            if writers.sources(self.calls, reader).count > 0 || self.is_initial(seen) {
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
    /// first, those that change something before those that only look. `None` where that is too much to look at.
    pub(super) fn neighbours(&self, op: usize, effort: &Effort<'_>) -> Option<Vec<usize>> {
        let parts = || self.facts[op].iter().filter_map(|fact| self.parts.get(fact.part()));
        let count: usize = parts().map(|part| part.all.len()).sum();
        if !effort.spend(count as u64) {
            return None;
        }
        let end = self.calls[op].ret?;
        let all = parts().flat_map(|part| part.all.iter().copied());
        let mut near: Vec<usize> =
            all.filter(|&other| other != op && self.calls[other].call <= end).collect();
        let order = |&at: &usize| (self.only_looks(at), Reverse(self.calls[at].call), at);
        near.sort_unstable_by_key(order);
        near.dedup();
        Some(near)
    }
}
