//! A history as operations on a register of numbers, whose values are all different.
//!
//! Most operations say themselves what they found and left. An append whose answer is unknown, or tells nothing, is
//! found by what others saw: a value that ends with its piece, where nothing else can have made that value.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use super::numbers::Numbers;
use super::step::{INITIAL, Step};
use crate::{CallOf, Content, Leaves, Model, Saw};

/// More lengths of pieces than this, and looking for one at the end of a value is no longer quick.
const LENGTHS_MAX: usize = 64;

/// One step for each call. `None` where the object is not one part, where an operation does not tell what it did, or
/// where some value may have more than one writer. Also where an operation with a result neither saw nor left anything:
/// it belongs to no value, so that this path has no place for it, yet an order without it proves nothing.
pub(super) fn of<'a, M: Model>(model: &'a M, calls: &'a [CallOf<M>]) -> Option<Vec<Step>> {
    let mut steps = Steps {
        // Often half of the calls read.
        numbers: Numbers::new(model.initially(&Content::WHOLE)?, calls.len() / 2),
        all: Vec::with_capacity(calls.len()),
        unseen: Vec::new(),
        appends: false,
        empty_is_absent: true,
        seen: Vec::new(),
    };
    for call in calls {
        let (saw, leaves) = model.effects(&call.input, call.output.as_ref()).into_whole()?;
        let step = if call.failed {
            steps.of_failed(leaves)
        } else {
            steps.of_call(saw, leaves, call.output.is_some(), call.ret.is_some())?
        };
        if call.ret.is_some() && !call.failed {
            steps.see(step.saw());
        }
        steps.all.push(step);
    }
    steps.find_appends()?;
    Some(steps.all)
}

struct Steps<'a> {
    numbers: Numbers<'a>,
    all: Vec<Step>,
    /// Appends that do not say what they left.
    unseen: Vec<Unseen<'a>>,
    /// Something takes nothing for the empty text.
    appends: bool,
    /// So far nobody left the empty text.
    empty_is_absent: bool,
    /// By number: somebody certainly saw it.
    seen: Vec<bool>,
}

/// An append that does not say what it left.
struct Unseen<'a> {
    /// Its position.
    at: usize,
    piece: &'a str,
    failed: bool,
}

impl<'a> Steps<'a> {
    fn of_call(
        &mut self,
        saw: Saw<'a>,
        leaves: Leaves<'a>,
        answered: bool,
        returned: bool,
    ) -> Option<Step> {
        match (saw, leaves) {
            (Saw::Anything, Leaves::Unchanged) if !answered => Some(Step::Nothing),
            (Saw::Exactly(value), Leaves::Unchanged) => Some(Step::Read(self.numbers.of(value))),
            (Saw::Other(value), Leaves::Unchanged) => Some(Step::Refused(self.numbers.of(value))),
            (Saw::Anything, Leaves::Exactly(new)) => Some(Step::Write(self.left(new)?)),
            (saw, Leaves::Exactly(new)) => {
                Some(Step::Swap { old: self.found(saw)?, new: self.left(new)? })
            }
            (saw, Leaves::Extended { by, to: Some(new) }) if !by.is_empty() => {
                Some(Step::Append { old: Some(self.found(saw)?), new: self.left(new)? })
            }
            (Saw::Anything, Leaves::Extended { by, to: None }) if !by.is_empty() => {
                self.append(by, false);
                Some(Step::Nothing)
            }
            // In doubt: whoever sees the value knows that it was swapped.
            (Saw::Anything, Leaves::Swapped { old, new }) if !returned => {
                Some(Step::Swap { old: self.numbers.of(old), new: self.left(new)? })
            }
            _ => None,
        }
    }

    /// What it would have left, to name an aborted read.
    fn of_failed(&mut self, leaves: Leaves<'a>) -> Step {
        match leaves {
            Leaves::Exactly(value) | Leaves::Swapped { new: value, .. } => {
                Step::Write(self.numbers.of(value))
            }
            Leaves::Extended { by, .. } if !by.is_empty() => {
                self.append(by, true);
                Step::Nothing
            }
            _ => Step::Nothing,
        }
    }

    fn append(&mut self, piece: &'a str, failed: bool) {
        self.unseen.push(Unseen { at: self.all.len(), piece, failed });
        self.appends = true;
    }

    fn left(&mut self, value: Content<'a>) -> Option<u32> {
        self.empty_is_absent &= value != Content::Text("".into());
        self.numbers.left(value)
    }

    /// What an operation found that also leaves something; `None` where that is not clear.
    fn found(&mut self, saw: Saw<'a>) -> Option<u32> {
        match saw {
            Saw::Exactly(value) => Some(self.numbers.of(value)),
            Saw::Empty => self.empty(),
            Saw::Anything | Saw::Other(_) | Saw::Something => None,
        }
    }

    /// The value before an operation that takes nothing for the empty text, where there was no text.
    fn empty(&mut self) -> Option<u32> {
        self.appends = true;
        let is_clear = self.numbers.known(&Content::Text("".into())).is_none()
            && self.numbers.values[INITIAL as usize] == Content::Nil;
        is_clear.then_some(INITIAL)
    }

    fn before(&mut self, text: &'a str) -> Option<u32> {
        if text.is_empty() { self.empty() } else { Some(self.numbers.of(text.into())) }
    }

    fn see(&mut self, value: Option<u32>) {
        let Some(value) = value.map(|value| value as usize) else { return };
        if self.seen.len() <= value {
            self.seen.resize(value + 1, false);
        }
        self.seen[value] = true;
    }

    /// Gives every append its place that somebody saw.
    fn find_appends(&mut self) -> Option<()> {
        if self.appends && !self.empty_is_absent {
            return None;
        }
        if self.unseen.is_empty() {
            return Some(());
        }
        let pieces = Pieces::of(&self.unseen)?;
        // Values are added behind: what a found append added to.
        let mut value = 1;
        while let Some(seen) = self.numbers.values.get(value) {
            match seen {
                Content::Text(Cow::Borrowed(seen)) => {
                    self.find_append(&pieces, value as u32, seen)?;
                }
                // An operation left what it made itself, so that an append would be its second writer.
                Content::Text(Cow::Owned(made)) => {
                    let is_effective = |&(place, _): &(usize, &str)| !self.unseen[place].failed;
                    if self.appends_to(&pieces, made).any(|append| is_effective(&append)) {
                        return None;
                    }
                }
                _ => return None,
            }
            value += 1;
        }
        // What nobody saw leaves a value of its own.
        let mut own = self.numbers.values.len() as u32;
        for unseen in &self.unseen {
            if self.all[unseen.at] == Step::Nothing && !unseen.failed {
                self.all[unseen.at] = Step::Append { old: None, new: own };
                own += 1;
            }
        }
        Some(())
    }

    /// Finds the one append that can have left this value.
    fn find_append(&mut self, pieces: &Pieces<'a>, number: u32, seen: &'a str) -> Option<()> {
        let found: Vec<(usize, &'a str)> = self.appends_to(pieces, seen).collect();
        let mut effective = found.iter().filter(|&&(place, _)| !self.unseen[place].failed);
        match (effective.next(), effective.next()) {
            (Some(_), Some(_)) => None,
            (Some(&(place, before)), None) => {
                let at = self.unseen[place].at;
                // A value that may never have been there, two writers of one, or two places for one append.
                if !self.seen.get(number as usize).is_some_and(|&seen| seen)
                    || self.all[at] != Step::Nothing
                    || std::mem::replace(&mut self.numbers.written[number as usize], true)
                {
                    return None;
                }
                let old = Some(self.before(before)?);
                self.see(old);
                self.all[at] = Step::Append { old, new: number };
                Some(())
            }
            (None, _) => {
                if let Some(&(place, _)) = found.first() {
                    self.all[self.unseen[place].at] = Step::Append { old: None, new: number };
                }
                Some(())
            }
        }
    }

    /// The appends that can have made this value, each with what was there before.
    fn appends_to<'v>(
        &self,
        pieces: &Pieces<'a>,
        value: &'v str,
    ) -> impl Iterator<Item = (usize, &'v str)> {
        pieces.ends_of(value).filter(|&(place, before)| {
            self.unseen[place].failed || before.is_empty() || self.may_be_left(pieces, before)
        })
    }

    /// Not a value that nothing can have left.
    fn may_be_left(&self, pieces: &Pieces<'a>, value: &str) -> bool {
        let written = |number: u32| self.numbers.written[number as usize];
        self.numbers.known(&value.into()).is_some_and(written)
            || pieces.ends_of(value).next().is_some()
    }
}

/// The pieces of appends that do not say what they left.
struct Pieces<'a> {
    /// The places of the appends among those.
    of: FxHashMap<&'a str, Vec<usize>>,
    lengths: Vec<usize>,
}

impl<'a> Pieces<'a> {
    fn of(unseen: &[Unseen<'a>]) -> Option<Self> {
        let mut of: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for (place, append) in unseen.iter().enumerate() {
            of.entry(append.piece).or_default().push(place);
        }
        let mut lengths: Vec<usize> = of.keys().map(|piece| piece.len()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        (lengths.len() <= LENGTHS_MAX).then_some(Self { of, lengths })
    }

    /// The appends with whose piece this value ends, each with what would have been there before.
    fn ends_of<'v>(&self, value: &'v str) -> impl Iterator<Item = (usize, &'v str)> {
        self.lengths
            .iter()
            .filter_map(move |length| value.split_at_checked(value.len().checked_sub(*length)?))
            .flat_map(move |(before, piece)| {
                self.of.get(piece).into_iter().flatten().map(move |&place| (place, before))
            })
    }
}
