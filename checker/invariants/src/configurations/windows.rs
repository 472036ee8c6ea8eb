//! When each configuration can have been made.

use history::{
    Findings, Operation,
    words::{counted, who},
};

use super::reading::{Attempt, Query};
use crate::shape::returned;

/// How many changes a violation names where their number proves it.
const SUSPECTS: usize = 4;

/// Takes out what no controller can have answered: a number that was not asked for, or one higher than the number of
/// changes asked for by then. Such a number says nothing about any other query.
pub(super) fn keep_possible(
    queries: &mut Vec<Query<'_>>,
    attempts: &[Attempt<'_>],
    findings: &mut Findings,
) {
    queries.retain(|query| {
        let (operation, number) = (query.operation, query.number);
        if let Some(asked) = query.asked.filter(|asked| number > *asked) {
            findings.add("wrong number", [operation.call], || {
                format!("{} asked for configuration {asked} and saw configuration {number}", who(operation))
            });
            return false;
        }
        let begun = attempts.partition_point(|attempt| attempt.operation.call < query.end());
        if number <= begun as u64 {
            return true;
        }
        let latest = attempts[..begun].iter().rev().take(SUSPECTS);
        let proof = std::iter::once(operation).chain(latest.map(|attempt| attempt.operation));
        findings.add("configuration from the future", proof.map(|o| o.call), || {
            let changes = counted(begun, "change");
            format!(
                "{} saw configuration {number}, but no more than {changes} can have been made before it ended",
                who(operation)
            )
        });
        false
    });
}

/// A latest configuration must be as new as everything that was known when the query began. What is older is not taken
/// for the latest any more.
pub(super) fn mark_stale(
    queries: &mut [Query<'_>],
    attempts: &[Attempt<'_>],
    findings: &mut Findings,
) {
    let acknowledged = acknowledged(attempts);
    let highest = highest_seen(queries);
    for query in queries.iter_mut().filter(|query| query.is_latest) {
        let (operation, number) = (query.operation, query.number);
        let seen = highest.partition_point(|(end, ..)| *end < operation.call);
        let seen = seen.checked_sub(1).map(|at| highest[at]);
        let made = acknowledged.partition_point(|(end, _)| *end < operation.call);
        query.is_latest = number >= made as u64 && seen.is_none_or(|(_, seen, _)| number >= seen);
        if let Some((_, seen, by)) = seen.filter(|(_, seen, _)| number < *seen) {
            findings.add("stale configuration", [by.call, operation.call], || {
                format!(
                    "{} saw configuration {number} as the latest, but {} had seen configuration {seen} before it began",
                    who(operation),
                    who(by)
                )
            });
        } else if !query.is_latest {
            let last =
                acknowledged[..made].iter().rev().take(SUSPECTS).map(|(_, change)| change.call);
            findings.add("stale configuration", last.chain([operation.call]), || {
                format!(
                    "{} saw configuration {number} as the latest, but {} had been acknowledged before it began, the last \
                     of them {}",
                    who(operation),
                    counted(made, "change"),
                    who(acknowledged[made - 1].1)
                )
            });
        }
    }
}

/// The acknowledged changes, in the order in which that happened.
fn acknowledged<'a>(attempts: &[Attempt<'a>]) -> Vec<(u64, &'a Operation)> {
    let done = attempts.iter().map(|attempt| attempt.operation);
    let mut done: Vec<_> = done.filter_map(|change| Some((returned(change)?, change))).collect();
    done.sort_unstable_by_key(|(end, _)| *end);
    done
}

/// The highest number that was seen until each query ended, and by whom.
fn highest_seen<'a>(queries: &[Query<'a>]) -> Vec<(u64, u64, &'a Operation)> {
    let mut seen: Vec<_> = queries.iter().map(|q| (q.end(), q.number, q.operation)).collect();
    seen.sort_unstable_by_key(|(end, ..)| *end);
    for at in 1..seen.len() {
        let (_, number, by) = seen[at - 1];
        if seen[at].1 < number {
            (seen[at].1, seen[at].2) = (number, by);
        }
    }
    seen
}

/// A moment, and the operation that shows it.
#[derive(Clone, Copy)]
pub(super) struct Bound<'a> {
    pub(super) event: u64,
    pub(super) by: &'a Operation,
}

impl Bound<'_> {
    fn raise(&mut self, to: Self) -> bool {
        let is_later = to.event > self.event;
        if is_later {
            *self = to;
        }
        is_later
    }

    fn lower(&mut self, to: Self) -> bool {
        let is_earlier = to.event < self.event;
        if is_earlier {
            *self = to;
        }
        is_earlier
    }
}

/// Between which moments each configuration was made. Both grow with the number.
pub(super) struct Windows<'a> {
    /// For each configuration from 1 on.
    windows: Vec<(Bound<'a>, Bound<'a>)>,
    /// The last query for the latest configuration: it saw none beyond.
    last_look: Option<Bound<'a>>,
}

impl<'a> Windows<'a> {
    /// A configuration was made after every query began that saw an earlier one as the latest, and before any query
    /// ended that saw it or a later one. As each change makes one, number k was made after k of them had begun, and
    /// before k of them were acknowledged.
    pub(super) fn new(queries: &[Query<'a>], attempts: &[Attempt<'a>]) -> Self {
        let acknowledged = acknowledged(attempts);
        let highest = queries.iter().map(|query| query.number).max().unwrap_or(0);
        // Only as many were seen as were asked for.
        let highest = usize::try_from(highest).unwrap_or(attempts.len()).min(attempts.len());
        let window = |at: usize| {
            let change = attempts[at].operation;
            let begun = Bound { event: change.call, by: change };
            let done = acknowledged.get(at).map(|&(event, by)| Bound { event, by });
            (begun, done.unwrap_or(Bound { event: u64::MAX, by: change }))
        };
        let mut windows: Vec<_> = (0..highest).map(window).collect();
        let mut last_look = None;
        for query in queries {
            let by = query.operation;
            let (begun, done) = (Bound { event: by.call, by }, Bound { event: query.end(), by });
            let number = usize::try_from(query.number).unwrap_or(highest);
            if let Some((_, before)) = number.checked_sub(1).and_then(|at| windows.get_mut(at)) {
                before.lower(done);
            }
            if !query.is_latest {
                continue;
            }
            if let Some((after, _)) = windows.get_mut(number) {
                after.raise(begun);
            }
            last_look.get_or_insert(begun).raise(begun);
        }
        let mut windows = Self { windows, last_look };
        windows.spread();
        windows
    }

    /// The highest number that was seen.
    pub(super) fn highest(&self) -> usize {
        self.windows.len()
    }

    /// The window of a step: that to configuration 1 is step 0.
    pub(super) fn of(&self, step: usize) -> (Bound<'a>, Bound<'a>) {
        self.windows[step]
    }

    /// Whether there is a moment for this step.
    pub(super) fn is_open(&self, step: usize) -> bool {
        let (after, before) = self.windows[step];
        after.event < before.event
    }

    /// From when on configurations can have been made that nobody saw, where anybody looked.
    pub(super) fn beyond(&self) -> Option<Bound<'a>> {
        let mut beyond = self.last_look?;
        if let Some((after, _)) = self.windows.last() {
            beyond.raise(*after);
        }
        Some(beyond)
    }

    /// Whether a change, if nothing else counts, can have taken this step.
    pub(super) fn allows(&self, step: usize, attempt: &Attempt<'_>) -> bool {
        let (after, before) = self.windows[step];
        self.is_open(step) && attempt.operation.call < before.event && after.event < attempt.end()
    }

    /// Of these steps, in order, those between a change's invocation and its return.
    pub(super) fn during(&self, attempt: &Attempt<'_>, steps: &[usize]) -> std::ops::Range<usize> {
        let (begun, end) = (attempt.operation.call, attempt.end());
        let from = steps.partition_point(|&step| self.windows[step].1.event <= begun);
        let to = steps.partition_point(|&step| self.windows[step].0.event < end);
        from..to.max(from)
    }

    /// One of these changes took the step: not before the first of them began, nor after the last returned. Whether that
    /// says anything new.
    pub(super) fn narrow<'c>(
        &mut self,
        step: usize,
        changes: impl Iterator<Item = &'c Attempt<'a>>,
    ) -> bool
    where
        'a: 'c,
    {
        let mut span: Option<(Bound<'a>, Bound<'a>)> = None;
        for change in changes.filter(|change| self.allows(step, change)) {
            let by = change.operation;
            let (begun, end) = (Bound { event: by.call, by }, Bound { event: change.end(), by });
            let (first, last) = span.get_or_insert((begun, end));
            first.lower(begun);
            last.raise(end);
        }
        let Some((first, last)) = span else { return false };
        let (after, before) = &mut self.windows[step];
        // Both count.
        after.raise(first) | before.lower(last)
    }

    /// Each configuration was made after those before it.
    pub(super) fn spread(&mut self) {
        for at in 1..self.windows.len() {
            let earlier = self.windows[at - 1].0;
            self.windows[at].0.raise(earlier);
        }
        for at in (1..self.windows.len()).rev() {
            let later = self.windows[at].1;
            self.windows[at - 1].1.lower(later);
        }
    }
}
