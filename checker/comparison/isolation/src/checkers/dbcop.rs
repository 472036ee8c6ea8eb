//! dbcop (Biswas & Enea, OOPSLA 2019): saturation up to causal consistency, a search beyond it.

use std::collections::HashMap;

use comparison::Check;
use dbcop_core::Consistency;
use dbcop_core::history::raw::types::{Event, Transaction};

use super::verdict;
use crate::told::{Session, Step, Told};

/// 0 would be taken for the initial value, so values are one greater.
pub fn prepare(sessions: &[Session], level: Consistency) -> Check<'static> {
    let told = |told: &Told| Transaction {
        events: news(&told.steps).iter().map(event).collect(),
        committed: told.committed,
    };
    let sessions: Vec<Vec<_>> =
        sessions.iter().map(|session| session.iter().map(told).collect()).collect();
    Box::new(move || vec![verdict(dbcop_core::check(&sessions, level).is_ok())])
}

/// Without reads of what the transaction read or wrote last: dbcop takes a second read of the same write, and a read of
/// one's own write that is not the last, for wrong.
fn news(steps: &[Step]) -> Vec<Step> {
    let mut known = HashMap::new();
    let is_news = |step: &&Step| match **step {
        Step::Write(key, value) => {
            known.insert(key, Some(value));
            true
        }
        Step::Read(key, value) => known.insert(key, value) != Some(value),
    };
    steps.iter().filter(is_news).copied().collect()
}

fn event(step: &Step) -> Event<isolation::Key, u64> {
    match *step {
        Step::Read(variable, None) => Event::read_empty(variable),
        Step::Read(variable, Some(value)) => Event::read(variable, u64::from(value) + 1),
        Step::Write(variable, value) => Event::write(variable, u64::from(value) + 1),
    }
}
