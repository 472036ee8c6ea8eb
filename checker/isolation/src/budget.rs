//! What a check may spend, and why it ended before it was done.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use history::Limits;

use crate::Options;

/// How many steps go by between two looks at the clock.
const STEPS_UNWATCHED: u64 = 1 << 12;
/// One search may use one part in this many of all work.
const SHARE: u64 = 8;

/// What is left to spend.
#[derive(Clone, Debug)]
pub(crate) struct Budget<'a> {
    options: &'a Options,
    /// `None`: the clock does not reach that far.
    deadline: Option<Instant>,
    used: u64,
    /// Where the search under way has to end.
    limit: u64,
    held_bytes: u64,
    stop: Option<Stop>,
}

/// Why nothing more is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Time,
    Memory,
    Cancelled,
}

/// The search under way has used what it may.
pub(crate) struct Spent;

impl<'a> Budget<'a> {
    /// The clock starts.
    pub(crate) fn new(options: &'a Options) -> Self {
        let deadline = Instant::now().checked_add(options.limits.time);
        Self { options, deadline, used: 0, limit: 0, held_bytes: 0, stop: None }
    }

    /// So many steps at most of what is left, for a try that counts for nothing.
    pub(crate) fn trial(&self, steps: usize) -> Self {
        let spent = self.options.work.saturating_sub(steps as u64);
        Self { used: self.used.max(spent), ..self.clone() }
    }

    pub(crate) fn options(&self) -> &Options {
        self.options
    }

    /// All steps so far.
    pub(crate) fn used(&self) -> u64 {
        self.used
    }

    /// Counts steps that are linear in the history and taken in any case.
    pub(crate) fn charge(&mut self, steps: usize) {
        self.used = self.used.saturating_add(steps as u64);
    }

    /// A search begins. It may use its share of what is left and `most` steps, but for one part in `keep` of that.
    pub(crate) fn begin(&mut self, keep: u64, most: u64) -> Reserve {
        let left = self.options.work.saturating_sub(self.used);
        let share = left.min(self.options.work / SHARE).min(most);
        self.limit = self.used.saturating_add(share - share / keep);
        Reserve(share / keep)
    }

    /// Now it may use the rest, too.
    pub(crate) fn release(&mut self, Reserve(steps): Reserve) {
        self.limit = self.limit.saturating_add(steps);
    }

    /// One step of the search that began last.
    pub(crate) fn step(&mut self) -> Result<(), Spent> {
        if self.used >= self.limit {
            return Err(Spent);
        }
        self.used += 1;
        let is_watched = self.used.is_multiple_of(STEPS_UNWATCHED);
        if is_watched && !self.goes_on() { Err(Spent) } else { Ok(()) }
    }

    /// So many steps of the search that began last.
    pub(crate) fn steps(&mut self, steps: usize) -> Result<(), Spent> {
        let watched = self.used / STEPS_UNWATCHED;
        self.charge(steps);
        let is_watched = self.used / STEPS_UNWATCHED != watched;
        if self.used > self.limit || is_watched && !self.goes_on() { Err(Spent) } else { Ok(()) }
    }

    /// Whether nobody cancelled the check, its time is not over, and no memory was refused.
    pub(crate) fn goes_on(&mut self) -> bool {
        if self.stop.is_none() {
            if self.options.limits.cancel.as_ref().is_some_and(|cancel| cancel.load(Relaxed)) {
                self.stop = Some(Stop::Cancelled);
            } else if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                self.stop = Some(Stop::Time);
            }
        }
        self.stop.is_none()
    }

    /// Whether so much memory may be held from now on.
    pub(crate) fn hold(&mut self, bytes: usize) -> bool {
        let is_allowed = self.allows(bytes);
        self.held_bytes += if is_allowed { bytes as u64 } else { 0 };
        is_allowed
    }

    /// So much of what was held is free again.
    pub(crate) fn give_back(&mut self, bytes: usize) {
        self.held_bytes = self.held_bytes.saturating_sub(bytes as u64);
    }

    /// Whether so much memory may be held for a while, beside what is held.
    pub(crate) fn allows(&mut self, bytes: usize) -> bool {
        if self.stop.is_none() && self.held_bytes + bytes as u64 > self.options.limits.memory_bytes
        {
            self.stop = Some(Stop::Memory);
        }
        self.stop.is_none()
    }

    /// Whether there is room for so much, which can be done without.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.stop.is_none() && self.held_bytes + bytes as u64 <= self.options.limits.memory_bytes
    }

    /// Whether it was cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.stop == Some(Stop::Cancelled)
    }

    /// Why the check ended early, and what to do about it.
    pub(crate) fn reason(&self) -> Option<String> {
        let Limits { time, memory_bytes, .. } = &self.options.limits;
        Some(match self.stop? {
            Stop::Time => {
                format!("The check did not finish within {time:?}; allow it more time.")
            }
            Stop::Memory => format!(
                "The check needs more than {} MB of memory; allow it more.",
                memory_bytes / 1_000_000
            ),
            Stop::Cancelled => "The check was cancelled.".to_owned(),
        })
    }
}

/// What a search may use at its end.
pub(crate) struct Reserve(u64);
