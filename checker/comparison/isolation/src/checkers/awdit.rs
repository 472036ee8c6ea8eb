//! AWDIT (Møldrup & Pavlogiannis, PLDI 2025): read committed, read atomic and causal consistency, each in the best
//! time that is possible.

use std::collections::BTreeSet;

use awdit::checker::{ConsistencyViolation, HistoryChecker};
use awdit::{Event, History, Key, KeyValuePair, ReportMode, Transaction, Value};
use comparison::Check;

use super::verdict;
use crate::told::{Session, Step};

/// A checker that stops at the first violation.
pub type Asked<'h> = HistoryChecker<'h, fn(&ConsistencyViolation)>;

/// Initial values are written by a transaction of their own, and what failed is known by its writes alone.
pub fn prepare(sessions: &[Session], ask: fn(Asked<'_>) -> bool) -> Check<'static> {
    let keys: BTreeSet<_> = sessions.iter().flatten().flat_map(|t| &t.steps).map(key).collect();
    let initial = keys.into_iter().map(|key| Event::Write(pair(key, None))).collect();
    let committed = |session: &Session| -> Vec<_> {
        let transactions = session.iter().filter(|transaction| transaction.committed);
        transactions.map(|told| transaction(told.steps.iter().map(event).collect())).collect()
    };
    let failed = sessions.iter().flatten().filter(|transaction| !transaction.committed);
    let written = |step: &Step| match *step {
        Step::Write(key, value) => Some(pair(key, Some(value))),
        Step::Read(..) => None,
    };
    let history = History {
        sessions: [vec![transaction(initial)]]
            .into_iter()
            .chain(sessions.iter().map(committed))
            // It takes every session to have a transaction.
            .filter(|session| !session.is_empty())
            .collect(),
        aborted_writes: failed.flat_map(|t| t.steps.iter().filter_map(written)).collect(),
    };
    Box::new(move || vec![verdict(ask(history.checker(ReportMode::First, |_| {})))])
}

fn transaction(events: Vec<Event>) -> Transaction {
    Transaction { events }
}

fn key(step: &Step) -> isolation::Key {
    let (Step::Read(key, _) | Step::Write(key, _)) = *step;
    key
}

fn event(step: &Step) -> Event {
    match *step {
        Step::Read(key, value) => Event::Read(pair(key, value)),
        Step::Write(key, value) => Event::Write(pair(key, Some(value))),
    }
}

/// 0 is the initial value, so others are one greater.
fn pair(key: isolation::Key, value: Option<isolation::Value>) -> KeyValuePair {
    KeyValuePair {
        key: Key(key as usize),
        value: Value(value.map_or(0, |value| value as usize + 1)),
    }
}
