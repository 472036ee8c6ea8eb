//! One key as a register of numbers, for the fast path: strings that are all different.
//!
//! Most operations say themselves what they found and left. An append whose answer is unknown, or tells nothing, is
//! found by what others saw: a value that ends with its piece, where nothing else can have made that value.

use rustc_hash::FxHashMap;

use super::{Kv, KvInput, KvOutput};
use crate::models::numbers::Numbers;
use crate::models::text::Text;
use crate::register::INITIAL;
use crate::{CallOf, RegisterStep};

/// More lengths of pieces than this, and looking for one at the end of a value is no longer quick.
const LENGTHS_MAX: usize = 64;

/// One step for each call, or `None` where some value may have more than one writer.
pub(super) fn of(calls: &[CallOf<Kv>]) -> Option<Vec<RegisterStep>> {
    let hashes: Vec<Option<String>> = calls.iter().map(hashed).collect();
    let mut steps = Steps {
        calls,
        numbers: Numbers::new(None),
        all: Vec::with_capacity(calls.len()),
        unseen: Vec::new(),
        empty_is_absent: true,
        seen: Vec::new(),
    };
    for (call, hash) in calls.iter().zip(&hashes) {
        let step = if call.failed {
            steps.of_failed(call)
        } else {
            steps.of_call(call, hash.as_deref())?
        };
        if call.ret.is_some() && !call.failed {
            steps.see(step.needs());
        }
        steps.all.push(step);
    }
    steps.find_appends()?;
    Some(steps.all)
}

/// What a hashed put left, where it says what it found.
fn hashed(call: &CallOf<Kv>) -> Option<String> {
    match (&call.input, &call.output) {
        (KvInput::PutHash(value), Some(KvOutput::Previous(previous))) if !call.failed => {
            Some(Text::new(previous).fnv1a_with(value))
        }
        _ => None,
    }
}

struct Steps<'a> {
    calls: &'a [CallOf<Kv>],
    numbers: Numbers<Option<&'a str>>,
    all: Vec<RegisterStep>,
    /// Appends that do not say what they left.
    unseen: Vec<usize>,
    /// So far only absence was an empty value.
    empty_is_absent: bool,
    /// By number: somebody certainly saw it.
    seen: Vec<bool>,
}

impl<'a> Steps<'a> {
    fn of_call(&mut self, call: &'a CallOf<Kv>, hash: Option<&'a str>) -> Option<RegisterStep> {
        let returned = call.ret.is_some();
        match (&call.input, &call.output) {
            (KvInput::Get, None) => Some(RegisterStep::Nothing),
            (KvInput::Get, Some(KvOutput::Value(value))) => {
                Some(RegisterStep::Read(self.numbers.of(value.as_deref())))
            }
            (KvInput::Put(value), None | Some(KvOutput::Done)) => {
                Some(RegisterStep::Write(self.left(value)?))
            }
            (KvInput::Append(more), output) if !more.is_empty() => match output {
                Some(KvOutput::Value(Some(new))) => {
                    let old = Some(self.before(new.strip_suffix(more.as_str())?)?);
                    Some(RegisterStep::Append { old, new: self.left(new)? })
                }
                None | Some(KvOutput::Done) => {
                    self.unseen.push(self.all.len());
                    Some(RegisterStep::Nothing)
                }
                Some(_) => None,
            },
            (KvInput::PutHash(_), Some(KvOutput::Previous(previous))) => {
                Some(RegisterStep::Swap { old: self.before(previous)?, new: self.left(hash?)? })
            }
            (KvInput::Cas { expect, value }, Some(KvOutput::Cas { swapped: true, .. })) => {
                Some(RegisterStep::Swap {
                    old: self.numbers.of(expect.as_deref()),
                    new: self.left(value)?,
                })
            }
            // In doubt: whoever sees the value knows that it was swapped.
            (KvInput::Cas { expect, value }, None) if !returned => Some(RegisterStep::Swap {
                old: self.numbers.of(expect.as_deref()),
                new: self.left(value)?,
            }),
            (KvInput::Cas { expect, .. }, Some(KvOutput::Cas { swapped: false, current })) => {
                match current {
                    Some(current) if current == expect => None,
                    Some(current) => Some(RegisterStep::Read(self.numbers.of(current.as_deref()))),
                    None => Some(RegisterStep::Refused(self.numbers.of(expect.as_deref()))),
                }
            }
            _ => None,
        }
    }

    /// What it would have left, to name an aborted read.
    fn of_failed(&mut self, call: &'a CallOf<Kv>) -> RegisterStep {
        match &call.input {
            KvInput::Put(value) | KvInput::Cas { value, .. } => {
                RegisterStep::Write(self.numbers.of(Some(value)))
            }
            KvInput::Append(more) if !more.is_empty() => {
                self.unseen.push(self.all.len());
                RegisterStep::Nothing
            }
            KvInput::Get | KvInput::Append(_) | KvInput::PutHash(_) => RegisterStep::Nothing,
        }
    }

    fn left(&mut self, value: &'a str) -> Option<u32> {
        self.empty_is_absent &= !value.is_empty();
        self.numbers.left(Some(value))
    }

    /// The value before an operation that takes absent for empty.
    fn before(&mut self, value: &'a str) -> Option<u32> {
        if !value.is_empty() {
            Some(self.numbers.of(Some(value)))
        } else if self.numbers.known(Some("")).is_some() {
            None
        } else {
            Some(INITIAL)
        }
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
        if !self.empty_is_absent {
            return None;
        }
        if self.unseen.is_empty() {
            return Some(());
        }
        let pieces = Pieces::of(self.calls, &self.unseen)?;
        // Values are added behind: what a found append added to.
        let mut value = 1;
        while let Some(&seen) = self.numbers.values.get(value) {
            self.find_append(&pieces, value as u32, seen.unwrap_or_default())?;
            value += 1;
        }
        // What nobody saw leaves a value of its own.
        let mut own = self.numbers.values.len() as u32;
        for &i in &self.unseen {
            if self.all[i] == RegisterStep::Nothing && !self.calls[i].failed {
                self.all[i] = RegisterStep::Append { old: None, new: own };
                own += 1;
            }
        }
        Some(())
    }

    /// Finds the one append that can have left this value.
    fn find_append(&mut self, pieces: &Pieces<'a>, number: u32, seen: &'a str) -> Option<()> {
        let possible = |&(i, before): &(usize, &str)| {
            self.calls[i].failed || before.is_empty() || self.may_be_left(pieces, before)
        };
        let found: Vec<(usize, &'a str)> = pieces.ends_of(seen).filter(possible).collect();
        let mut effective = found.iter().filter(|&&(i, _)| !self.calls[i].failed);
        match (effective.next(), effective.next()) {
            (Some(_), Some(_)) => None,
            (Some(&(i, before)), None) => {
                // A value that may never have been there, two writers of one, or two places for one append.
                if !self.seen.get(number as usize).is_some_and(|&seen| seen)
                    || self.all[i] != RegisterStep::Nothing
                    || std::mem::replace(&mut self.numbers.written[number as usize], true)
                {
                    return None;
                }
                let old = Some(self.before(before)?);
                self.see(old);
                self.all[i] = RegisterStep::Append { old, new: number };
                Some(())
            }
            (None, _) => {
                if let Some(&(i, _)) = found.first() {
                    self.all[i] = RegisterStep::Append { old: None, new: number };
                }
                Some(())
            }
        }
    }

    /// Not a value that nothing can have left.
    fn may_be_left(&self, pieces: &Pieces<'a>, value: &'a str) -> bool {
        let written = |number: u32| self.numbers.written[number as usize];
        self.numbers.known(Some(value)).is_some_and(written)
            || pieces.ends_of(value).next().is_some()
    }
}

/// The pieces of appends that do not say what they left.
struct Pieces<'a> {
    of: FxHashMap<&'a str, Vec<usize>>,
    lengths: Vec<usize>,
}

impl<'a> Pieces<'a> {
    fn of(calls: &'a [CallOf<Kv>], unseen: &[usize]) -> Option<Self> {
        let mut of: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for &i in unseen {
            if let KvInput::Append(more) = &calls[i].input {
                of.entry(more).or_default().push(i);
            }
        }
        let mut lengths: Vec<usize> = of.keys().map(|piece| piece.len()).collect();
        lengths.sort_unstable();
        lengths.dedup();
        (lengths.len() <= LENGTHS_MAX).then_some(Self { of, lengths })
    }

    /// The appends with whose piece this value ends, each with what would have been there before.
    fn ends_of(&self, value: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
        self.lengths
            .iter()
            .filter_map(move |length| value.split_at_checked(value.len().checked_sub(*length)?))
            .flat_map(move |(before, piece)| {
                self.of.get(piece).into_iter().flatten().map(move |&i| (i, before))
            })
    }
}
