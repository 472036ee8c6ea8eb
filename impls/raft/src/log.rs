//! The log: entries with the terms in which leaders received them (§5.3).

use std::{collections::VecDeque, sync::Arc};

use contract::Request;
use serde::{Deserialize, Serialize};

use crate::configuration::Configuration;

/// A term: time, divided at elections (§5.1).
pub type Term = u64;

/// A place in the log, counted 1, 2, 3…
pub type LogIndex = u64;

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The term of the leader that received it.
    pub term: Term,
    /// What it is for.
    pub payload: Payload,
}

/// What an entry is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// Nothing: the first entry of every leader, whose commitment commits what earlier leaders left (§8).
    Noop,
    /// A client's request, for the state machine.
    Command(Request),
    /// The servers of the cluster from here on (dissertation §4.1).
    Configuration(Configuration),
}

/// The log of one server, without the part that a snapshot has replaced.
///
/// The entry *before* the first one is known by index and term, so that the consistency check of `AppendEntries` works
/// for the first one, too (§7). In an empty log that is index 0 of term 0.
#[derive(Debug, Default)]
pub struct Log {
    before_index: LogIndex,
    before_term: Term,
    entries: VecDeque<Arc<Entry>>,
}

impl Log {
    /// A log that begins after the entry at `index`.
    #[must_use]
    pub fn after(index: LogIndex, term: Term) -> Self {
        Self { before_index: index, before_term: term, entries: VecDeque::new() }
    }

    /// The index before the first entry.
    #[must_use]
    pub fn before_index(&self) -> LogIndex {
        self.before_index
    }

    /// The index of the last entry.
    #[must_use]
    pub fn last_index(&self) -> LogIndex {
        self.before_index + self.entries.len() as u64
    }

    /// The term of the last entry.
    #[must_use]
    pub fn last_term(&self) -> Term {
        self.entries.back().map_or(self.before_term, |entry| entry.term)
    }

    /// The entry at `index`; `None` where it was compacted away or does not exist yet.
    #[must_use]
    pub fn entry(&self, index: LogIndex) -> Option<&Arc<Entry>> {
        self.entries.get(self.position(index)?)
    }

    /// The term of the entry at `index`; `None` where that is not known.
    #[must_use]
    pub fn term(&self, index: LogIndex) -> Option<Term> {
        if index == self.before_index {
            return Some(self.before_term);
        }
        self.entry(index).map(|entry| entry.term)
    }

    /// The entries from `first` on, in order, each with its index.
    pub fn entries_from(&self, first: LogIndex) -> impl Iterator<Item = (LogIndex, &Arc<Entry>)> {
        let first = first.max(self.before_index + 1);
        let skipped = usize::try_from(first - self.before_index - 1).unwrap_or(usize::MAX);
        (first..).zip(self.entries.iter().skip(skipped))
    }

    /// Appends an entry; gives its index.
    pub fn append(&mut self, entry: Arc<Entry>) -> LogIndex {
        self.entries.push_back(entry);
        self.last_index()
    }

    /// Deletes the entry at `index` and all that follow it (Figure 2, `AppendEntries`, rule 3).
    pub fn delete_from(&mut self, index: LogIndex) {
        if let Some(position) = self.position(index) {
            self.entries.truncate(position);
        }
    }

    /// Forgets the entries up to `index`, which a snapshot stands for.
    pub fn compact(&mut self, index: LogIndex) {
        if let (Some(term), Some(position)) = (self.term(index), self.position(index)) {
            self.entries.drain(..=position);
            (self.before_index, self.before_term) = (index, term);
        }
    }

    /// Whether a log that ends like this is at least as up-to-date as this one (§5.4.1): the later last term wins, and
    /// in the same term the longer log.
    #[must_use]
    pub fn is_outdone_by(&self, last_log_term: Term, last_log_index: LogIndex) -> bool {
        (last_log_term, last_log_index) >= (self.last_term(), self.last_index())
    }

    /// The first index that this log holds of the term of the entry at `index`: what a follower reports on a conflict.
    #[must_use]
    pub fn first_index_of_term_at(&self, index: LogIndex) -> LogIndex {
        let term = self.term(index);
        let mut first = index;
        while first > self.before_index + 1 && self.term(first - 1) == term {
            first -= 1;
        }
        first
    }

    /// The last entry of `term` before `index`: where a leader agrees with a follower, perhaps.
    #[must_use]
    pub fn last_index_of_term_before(&self, index: LogIndex, term: Term) -> Option<LogIndex> {
        let known = self.before_index..index.min(self.last_index() + 1);
        known
            .rev()
            .take_while(|at| self.term(*at).is_some_and(|known| known >= term))
            .find(|at| self.term(*at) == Some(term))
    }

    fn position(&self, index: LogIndex) -> Option<usize> {
        usize::try_from(index.checked_sub(self.before_index + 1)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log with entries of these terms, after the one at `before_index`.
    fn log(before_index: LogIndex, terms: &[Term]) -> Log {
        let mut log = Log::after(before_index, before_index.min(1));
        for term in terms {
            log.append(Arc::new(Entry { term: *term, payload: Payload::Noop }));
        }
        log
    }

    fn terms(log: &Log, first: LogIndex) -> Vec<(LogIndex, Term)> {
        log.entries_from(first).map(|(index, entry)| (index, entry.term)).collect()
    }

    #[test]
    fn an_empty_log_ends_before_everything() {
        let log = log(0, &[]);
        assert_eq!((log.last_index(), log.last_term(), log.term(0)), (0, 0, Some(0)));
        assert_eq!((log.term(1), log.entry(0)), (None, None));
    }

    #[test]
    fn what_was_compacted_is_gone_but_for_the_term_before_the_first_entry() {
        let mut log = log(0, &[1, 1, 2, 3]);
        log.compact(3);
        assert_eq!((log.before_index(), log.last_index(), log.last_term()), (3, 4, 3));
        assert_eq!((log.term(2), log.term(3), log.term(4)), (None, Some(2), Some(3)));
        log.compact(2);
        log.compact(9);
        assert_eq!(terms(&log, 0), [(4, 3)], "neither backwards nor beyond the end");
    }

    #[test]
    fn an_entry_goes_with_all_that_follow_it() {
        let mut log = log(5, &[1, 2, 3]);
        log.delete_from(7);
        assert_eq!(terms(&log, 0), [(6, 1)]);
        log.delete_from(9);
        assert_eq!(log.last_index(), 6);
    }

    #[test]
    fn the_later_term_is_more_up_to_date_and_then_the_longer_log() {
        let log = log(0, &[1, 2, 2]);
        assert!(log.is_outdone_by(3, 1));
        assert!(log.is_outdone_by(2, 3));
        assert!(!log.is_outdone_by(2, 2));
        assert!(!log.is_outdone_by(1, 9));
    }

    #[test]
    fn a_conflict_is_reported_and_looked_up_by_its_term() {
        let log = log(2, &[1, 4, 4, 4, 6]);
        assert_eq!(log.first_index_of_term_at(6), 4);
        assert_eq!(log.first_index_of_term_at(3), 3, "what lies before is not known");
        assert_eq!(log.last_index_of_term_before(7, 4), Some(6));
        assert_eq!(log.last_index_of_term_before(6, 4), Some(5));
        assert_eq!(log.last_index_of_term_before(7, 5), None);
        assert_eq!(log.last_index_of_term_before(99, 6), Some(7));
    }
}
