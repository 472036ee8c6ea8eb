//! Which of two operations must come first, and why.
//!
//! An operation comes after the only one that left what it saw, and before one that replaced what it saw for good.
//! Real time orders others. These are the edges of Adya's serialization graphs ("Weak Consistency", MIT 1999, section
//! 4.4) that follow from the history alone, whatever the order of its writes.

use rustc_hash::FxHashMap;

use crate::{CallOf, Content, Fact, Model};

/// Why one operation must take effect before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why<'a> {
    /// It returned before the other was called.
    Earlier,
    /// It alone left this, which the other saw.
    Source(Seen<'a>),
    /// It saw this, and the other replaced it for good.
    Replaced(Seen<'a>, Origin<'a>),
}

/// A value in a part of the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen<'a> {
    pub(super) part: &'a str,
    pub(super) value: &'a Content<'a>,
}

/// Why a value that was replaced cannot have come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin<'a> {
    /// It was there at first, and nobody ever left it.
    Initial,
    /// All who left it returned before the operation that replaced it was called; the last of them.
    Earlier(usize),
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
    left: FxHashMap<&'a Content<'a>, Vec<usize>>,
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
                    part.left.entry(value).or_default().push(at);
                }
                Fact::Moved(_) => part.moved |= !failed,
                Fact::Changed(_) => part.unclear |= !failed,
                Fact::Saw(..) => {}
            }
            if !failed && part.all.last() != Some(&at) {
                part.all.push(at);
            }
        }
        Self { model, calls, facts, parts }
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

    /// Who may have left this value where it was seen, the reader itself aside; `None` where nobody knows, or where
    /// it may have been there at first.
    fn writers(&self, seen: Seen<'_>, reader: usize) -> Option<Vec<usize>> {
        let all = self.sources(seen, reader)?;
        (!self.is_initial(seen)).then_some(all)
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

    fn sources(&self, seen: Seen<'_>, reader: usize) -> Option<Vec<usize>> {
        let part = self.parts.get(seen.part)?;
        let unclear = |part: &Part<'_>| part.unclear;
        let of = |part: &Part<'_>| part.left.get(seen.value).cloned().unwrap_or_default();
        let mut all = if part.moved {
            if self.parts.values().any(unclear) {
                return None;
            }
            let mut all: Vec<usize> = self.parts.values().flat_map(of).collect();
            all.sort_unstable();
            all.dedup();
            all
        } else if part.unclear {
            return None;
        } else {
            of(part)
        };
        all.retain(|&writer| writer != reader);
        Some(all)
    }

    /// Something that the operation saw and cannot have seen.
    pub(super) fn impossible(&self, reader: usize) -> Option<(usize, Seen<'a>, NoSource)> {
        self.seen(reader).find_map(|seen| {
            let writers = self.writers(seen, reader)?;
            let began = |writer: &usize| self.calls[*writer].call;
            let Some(first) = writers.iter().copied().min_by_key(began) else {
                let failed = self.parts[seen.part].failed.get(seen.value);
                let why = failed.map_or(NoSource::Nobody, |&writer| NoSource::Failed(writer));
                return Some((reader, seen, why));
            };
            let later = self.is_earlier(reader, first);
            later.then_some((reader, seen, NoSource::Later(first)))
        })
    }

    /// Operations that say something about the parts that this one is about, those that were called last first.
    pub(super) fn neighbours(&self, op: usize) -> Vec<usize> {
        let parts = self.facts[op].iter().filter_map(|fact| self.parts.get(fact.part()));
        let mut all: Vec<usize> = parts.flat_map(|part| part.all.iter().copied()).collect();
        all.sort_unstable_by_key(|&other| (std::cmp::Reverse(self.calls[other].call), other));
        all.dedup();
        all.retain(|&other| other != op);
        all
    }

    pub(super) fn is_earlier(&self, first: usize, second: usize) -> bool {
        self.calls[first].ret.is_some_and(|ret| ret < self.calls[second].call)
    }

    /// Must the one come before the other, if both take effect?
    pub(super) fn why(&self, first: usize, second: usize) -> Option<Why<'a>> {
        let source = || {
            self.seen(second)
                .find(|&seen| self.writers(seen, second).is_some_and(|all| all == [first]))
                .map(Why::Source)
        };
        let replaced = || {
            self.seen(first).find_map(|seen| {
                let origin = self.is_gone(seen, first, second)?;
                Some(Why::Replaced(seen, origin))
            })
        };
        let earlier = || self.is_earlier(first, second).then_some(Why::Earlier);
        source().or_else(replaced).or_else(earlier)
    }

    /// Why `reader` cannot have seen this after `writer`.
    fn is_gone(&self, seen: Seen<'a>, reader: usize, writer: usize) -> Option<Origin<'a>> {
        let replaces = self.leaves(writer, seen.part).is_some_and(|value| value != seen.value);
        if !replaces || self.calls[writer].failed {
            return None;
        }
        // What moves is gone only where everything is replaced.
        let replaced =
            |part: &&str| self.leaves(writer, part).is_some_and(|value| value != seen.value);
        if self.parts[seen.part].moved && !self.parts.keys().all(replaced) {
            return None;
        }
        let sources = self.sources(seen, reader)?;
        let earlier = |&source: &usize| self.is_earlier(source, writer);
        if sources.is_empty() {
            return self.is_initial(seen).then_some(Origin::Initial);
        }
        if sources.iter().all(earlier) {
            return sources.into_iter().max_by_key(|&at| self.calls[at].ret).map(Origin::Earlier);
        }
        let &[only] = sources.as_slice() else { return None };
        if self.is_initial(seen) || only == writer {
            return None;
        }
        if self.seen(writer).any(|also| also == seen) {
            return Some(Origin::SeenByBoth);
        }
        // Between the two it would have replaced what the reader saw of the writer.
        let of_writer =
            |part: &Seen<'_>| self.writers(*part, reader).is_some_and(|all| all == [writer]);
        let would_replace = |other: &Seen<'_>| {
            let moved = self.parts[other.part].moved;
            !moved && self.leaves(only, other.part).is_some_and(|value| value != other.value)
        };
        let torn = self.seen(reader).filter(of_writer).find(would_replace)?;
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
