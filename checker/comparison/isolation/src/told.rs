//! What the others are told: sessions of transactions that read and write registers.

use std::collections::{BTreeMap, HashSet};

use isolation::{Key, MicroOp, Outcome, Seen, Transaction, Value};

/// The transactions of one process, in its order.
pub type Session = Vec<Told>;

/// A transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub committed: bool,
    pub steps: Vec<Step>,
}

/// What a transaction did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `None` is the initial value.
    Read(Key, Option<Value>),
    Write(Key, Value),
}

/// The same history, as far as the others know such things: they know no list, so a read of one becomes a read of
/// its last element; they know no unknown outcome, so what was seen of one is taken as committed, the rest as failed.
/// A serial order of the one is a serial order of the other.
pub fn sessions(transactions: &[Transaction]) -> Vec<Session> {
    let seen: HashSet<(Key, Value)> =
        transactions.iter().flat_map(|t| &t.micro_ops).filter_map(seen).collect();
    let is_seen = |micro_op: &MicroOp| match micro_op {
        MicroOp::Write { key, value } => seen.contains(&(*key, *value)),
        MicroOp::Read { .. } => false,
    };
    let mut processes: BTreeMap<u64, Vec<&Transaction>> = BTreeMap::new();
    for transaction in transactions {
        processes.entry(transaction.process).or_default().push(transaction);
    }
    let told = |transaction: &&Transaction| Told {
        committed: match transaction.outcome {
            Outcome::Ok => true,
            Outcome::Fail => false,
            Outcome::Info => transaction.micro_ops.iter().any(is_seen),
        },
        steps: transaction.micro_ops.iter().filter_map(step).collect(),
    };
    let in_order = |mut session: Vec<&Transaction>| {
        session.sort_by_key(|transaction| transaction.call);
        session.iter().map(told).collect()
    };
    processes.into_values().map(in_order).collect()
}

fn seen(micro_op: &MicroOp) -> Option<(Key, Value)> {
    match step(micro_op) {
        Some(Step::Read(key, Some(value))) => Some((key, value)),
        _ => None,
    }
}

/// `None` of a read whose result is unknown.
fn step(micro_op: &MicroOp) -> Option<Step> {
    match micro_op {
        MicroOp::Write { key, value } => Some(Step::Write(*key, *value)),
        MicroOp::Read { seen: Seen::Unknown, .. } => None,
        MicroOp::Read { key, seen: Seen::Register(value) } => Some(Step::Read(*key, *value)),
        MicroOp::Read { key, seen: Seen::List(elements) } => {
            Some(Step::Read(*key, elements.last().copied()))
        }
    }
}
