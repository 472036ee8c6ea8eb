//! Which of two operations must come first, and why.
//!
//! An operation comes after the only one that can have left what it saw, and before one that found or left something
//! else where nobody put it back. Real time orders others. These are the edges of Adya's serialization graphs ("Weak Consistency", MIT 1999, section
//! 4.4) that follow from the history alone, whatever the order of its writes.

use std::cmp::Reverse;

use rustc_hash::{FxHashMap, FxHashSet};

use super::effort::Effort;
use super::sources::{Sources, Writers};
use crate::{CallOf, Content, Fact, Model};

/// Why one operation must take effect before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why<'a> {
    /// It returned before the other was called.
    Earlier,
    /// It alone left this, which the other saw.
    Source(Seen<'a>),
    /// It saw this, which was gone for good when the other took effect.
    Gone(Seen<'a>, Origin<'a>),
}

/// A value in a part of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen<'a> {
    pub(super) part: &'a str,
    pub(super) value: &'a Content<'a>,
}

/// Why a value that was gone cannot have come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin<'a> {
    /// It was there at first, and nobody ever left it.
    Initial,
    /// All who may have left it returned before the operation at which it was gone was called: so many, and the last of
    /// them.
    Earlier(usize, usize),
    /// This operation alone left it, and would also have replaced this, which its reader saw of the other.
    Torn(usize, Seen<'a>),
    /// The operation that replaced it saw it, and only one operation left it.
    SeenByBoth,
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

    pub(super) fn is_earlier(&self, first: usize, second: usize) -> bool {
        self.calls[first].ret.is_some_and(|ret| ret < self.calls[second].call)
    }

    /// What asking why costs, at most: what the two say is compared.
    pub(super) fn cost(&self, first: usize, second: usize) -> u64 {
        1 + self.facts[first].len() as u64 * self.facts[second].len() as u64
    }

    /// Must the one come before the other, if both take effect?
    pub(super) fn why(&self, first: usize, second: usize) -> Option<Why<'a>> {
        let source = || {
            let mut seen = self.seen(second);
            seen.find(|&seen| self.source(seen, second) == Some(first)).map(Why::Source)
        };
        let gone = || {
            self.seen(first).find_map(|seen| {
                let origin = self.is_gone(seen, first, second)?;
                Some(Why::Gone(seen, origin))
            })
        };
        let earlier = || self.is_earlier(first, second).then_some(Why::Earlier);
        source().or_else(gone).or_else(earlier)
    }

    /// Did it find something else than this here when it took effect, or leave something else?
    fn differs(&self, op: usize, seen: Seen<'_>) -> bool {
        let call = &self.calls[op];
        let found = |fact: &&Fact<'_>| {
            call.ret.is_some() && matches!(fact, Fact::Saw(_, value) if value != seen.value)
        };
        let left = |fact: &&Fact<'_>| matches!(fact, Fact::Left(_, value) if value != seen.value);
        let facts = &self.facts[op];
        if call.failed {
            false
        } else if self.parts[seen.part].moved {
            // What moves is gone only where it is nowhere.
            let everywhere = |is_other: &dyn Fn(&&Fact<'a>) -> bool| {
                let parts = facts.iter().filter(is_other).map(Fact::part);
                parts.collect::<FxHashSet<&str>>().len() == self.parts.len()
            };
            everywhere(&found) || everywhere(&left)
        } else {
            facts.iter().any(|fact| fact.part() == seen.part && (found(&fact) || left(&fact)))
        }
    }

    /// Why `reader` cannot have seen this after `other`.
    fn is_gone(&self, seen: Seen<'a>, reader: usize, other: usize) -> Option<Origin<'a>> {
        if !self.differs(other, seen) {
            return None;
        }
        let sources = self.sources(seen, reader)?;
        let Some(last) = sources.last else {
            return self.is_initial(seen).then_some(Origin::Initial);
        };
        if self.is_earlier(last, other) {
            return Some(Origin::Earlier(sources.count, last));
        }
        let only = self.source(seen, reader).filter(|&only| only != other)?;
        let replaces = self.leaves(other, seen.part).is_some_and(|value| value != seen.value);
        if !replaces {
            return None;
        }
        if self.seen(other).any(|also| also == seen) {
            return Some(Origin::SeenByBoth);
        }
        // Between the two it would have replaced what the reader saw of the other.
        let of_other = |part: &Seen<'a>| self.source(*part, reader) == Some(other);
        let would_replace = |also: &Seen<'_>| {
            let moved = self.parts[also.part].moved;
            !moved && self.leaves(only, also.part).is_some_and(|value| value != also.value)
        };
        let torn = self.seen(reader).filter(of_other).find(would_replace)?;
        Some(Origin::Torn(only, torn))
    }

    /// Nobody ever saw what the operation left in this part, although two clients looked when it had finished.
    pub(super) fn is_lost(&self, writer: usize, part: &str) -> bool {
        let Some(left) = self.leaves(writer, part) else { return false };
        // What was moved may have been seen elsewhere.
        if self.parts[part].moved {
            return false;
        }
        let seen = |reader: usize| self.seen(reader).find(|seen| seen.part == part);
        let readers = || self.parts[part].all.iter().filter_map(|&at| Some((at, seen(at)?)));
        let mut later = readers().filter(|&(reader, _)| self.is_earlier(writer, reader));
        let process = |reader: usize| self.calls[reader].process;
        let first = later.next().map(|(reader, _)| process(reader));
        let by_two = later.any(|(reader, _)| Some(process(reader)) != first);
        by_two && readers().all(|(_, seen)| seen.value != left)
    }
}
