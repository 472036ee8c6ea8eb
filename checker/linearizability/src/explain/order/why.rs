//! Which of two operations must come first, and why.
//!
//! An operation comes after the only one that can have left what it saw, and before one that found or left something
//! else where nobody put it back. Real time orders others. These are the edges of Adya's serialization graphs ("Weak
//! Consistency", MIT 1999, section 4.4) that follow from the history alone, whatever the order of its writes.

use rustc_hash::FxHashSet;

use super::{Orders, Seen};
use crate::{Content, Effect, Model};

/// Why one operation must take effect before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::explain) enum Why<'a> {
    /// It returned before the other was called.
    Earlier,
    /// It alone left this, which the other saw.
    Source(Seen<'a>),
    /// It saw this, which was gone for good when the other took effect.
    Gone(Seen<'a>, Origin<'a>),
}

/// Why a value that was gone cannot have come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::explain) enum Origin<'a> {
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

impl<'a, M: Model> Orders<'a, M> {
    pub(in crate::explain) fn is_earlier(&self, first: usize, second: usize) -> bool {
        self.calls[first].ret.is_some_and(|ret| ret < self.calls[second].call)
    }

    /// What asking why costs, at most: what the two say is compared.
    pub(in crate::explain) fn cost(&self, first: usize, second: usize) -> u64 {
        let count = |op: usize| self.effects[op].all().len() as u64;
        1 + count(first) * count(second)
    }

    /// Must the one come before the other, if both take effect?
    pub(in crate::explain) fn why(&self, first: usize, second: usize) -> Option<Why<'a>> {
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
        let is_other = |value: Option<&Content<'_>>| value.is_some_and(|value| value != seen.value);
        let found = |effect: &&Effect<'_>| call.ret.is_some() && is_other(effect.shows());
        let left = |effect: &&Effect<'_>| is_other(effect.leaves.certain());
        let effects = self.effects[op].all();
        if call.failed {
            false
        } else if self.parts[seen.part].moved {
            // What moves is gone only where it is nowhere.
            let everywhere = |is_other: &dyn Fn(&&Effect<'a>) -> bool| {
                let parts = effects.iter().filter(is_other).map(|effect| &effect.part);
                parts.collect::<FxHashSet<&Content<'_>>>().len() == self.parts.len()
            };
            everywhere(&found) || everywhere(&left)
        } else {
            let mut on_part = effects.iter().filter(|effect| effect.part == *seen.part);
            on_part.any(|effect| found(&effect) || left(&effect))
        }
    }

    /// Why `reader` cannot have seen this after `other`.
    fn is_gone(&self, seen: Seen<'a>, reader: usize, other: usize) -> Option<Origin<'a>> {
        if !self.differs(other, seen) {
            return None;
        }
        let sources = self.sources(seen, reader)?;
        let Some(last) = sources.last else {
            return (self.is_initial(seen, reader) == Some(true)).then_some(Origin::Initial);
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
    pub(in crate::explain) fn is_lost(&self, writer: usize, part: &Content<'_>) -> bool {
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
