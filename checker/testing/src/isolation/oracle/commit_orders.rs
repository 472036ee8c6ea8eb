//! Serializability and snapshot isolation by execution: every order in which the transactions may have committed.

use std::collections::BTreeMap;

use super::{precedes, without_order};
use isolation::{Consistency, Datatype, Key, MicroOp, Order, Outcome, Seen, Transaction, Value};

/// Could a store that keeps the promise have given these answers? `None` for models other than serializability and
/// snapshot isolation, each plain, per session, or strong. Takes time exponential in the number of transactions.
///
/// Under serializability a transaction reads what the one before it left. Under snapshot isolation (Berenson et al.,
/// SIGMOD 1995; generalized by Elnikety et al., SRDS 2005) it reads what some earlier transaction left, and commits
/// only where nothing that it writes was written since. With an order of time, whatever came before a transaction
/// committed before its snapshot was taken (Daudjee & Salem, VLDB 2006).
#[must_use]
pub fn explain(datatype: Datatype, history: &[Transaction], model: Consistency) -> Option<bool> {
    let (order, plain) = without_order(model);
    let snapshot = match plain {
        Consistency::Serializable => Snapshot::Latest,
        Consistency::SnapshotIsolation => Snapshot::Any,
        _ => return None,
    };
    let history =
        history.iter().filter(|transaction| transaction.outcome != Outcome::Fail).collect();
    let (committed, states) = (Vec::new(), vec![State::new()]);
    Some(Search { datatype, snapshot, order, history, committed, states }.extend())
}

/// Which state a transaction reads from.
#[derive(Clone, Copy)]
enum Snapshot {
    Latest,
    Any,
}

/// The list of each key; of a register the last value alone.
type State = BTreeMap<Key, Vec<Value>>;

struct Search<'a> {
    datatype: Datatype,
    snapshot: Snapshot,
    order: Order,
    history: Vec<&'a Transaction>,
    /// The transactions that have committed, in their order.
    committed: Vec<usize>,
    /// The initial state, and the one that each of them left.
    states: Vec<State>,
}

impl Search<'_> {
    fn extend(&mut self) -> bool {
        let left: Vec<_> =
            (0..self.history.len()).filter(|i| !self.committed.contains(i)).collect();
        if left.iter().all(|i| self.history[*i].outcome == Outcome::Info) {
            return true;
        }
        left.into_iter().any(|next| self.can_commit(next) && self.extend_with(next))
    }

    fn extend_with(&mut self, next: usize) -> bool {
        let mut state = self.states.last().cloned().unwrap_or_default();
        for micro_op in &self.history[next].micro_ops {
            apply(self.datatype, &mut state, micro_op);
        }
        self.committed.push(next);
        self.states.push(state);
        let explained = self.extend();
        self.committed.pop();
        self.states.pop();
        explained
    }

    /// Is there a snapshot that it may have read, after everything that came before it?
    fn can_commit(&self, next: usize) -> bool {
        let before = |other: usize| precedes(self.order, &self.history, other, next);
        // A transaction of unknown outcome never returned, so that nothing comes after it.
        if (0..self.history.len()).any(|other| before(other) && !self.committed.contains(&other)) {
            return false;
        }
        let latest = self.committed.len();
        let earliest = match self.snapshot {
            Snapshot::Latest => latest,
            Snapshot::Any => {
                self.committed.iter().rposition(|other| before(*other)).map_or(0, |last| last + 1)
            }
        };
        (earliest..=latest).any(|snapshot| {
            let since = &self.committed[snapshot..];
            let transaction = self.history[next];
            !since.iter().any(|other| write_the_same(transaction, self.history[*other]))
                && reads_match(self.datatype, &self.states[snapshot], transaction)
        })
    }
}

fn reads_match(datatype: Datatype, snapshot: &State, transaction: &Transaction) -> bool {
    let mut state = snapshot.clone();
    transaction.micro_ops.iter().all(|micro_op| {
        apply(datatype, &mut state, micro_op);
        let MicroOp::Read { key, seen } = micro_op else { return true };
        let held = state.get(key).map_or(&[][..], Vec::as_slice);
        match seen {
            Seen::Unknown => true,
            Seen::List(list) => list == held,
            Seen::Register(value) => *value == held.last().copied(),
        }
    })
}

fn apply(datatype: Datatype, state: &mut State, micro_op: &MicroOp) {
    let MicroOp::Write { key, value } = micro_op else { return };
    let held = state.entry(*key).or_default();
    if datatype == Datatype::Register {
        held.clear();
    }
    held.push(*value);
}

fn write_the_same(a: &Transaction, b: &Transaction) -> bool {
    written(a).any(|key| written(b).any(|other| other == key))
}

fn written(transaction: &Transaction) -> impl Iterator<Item = Key> {
    transaction.micro_ops.iter().filter_map(|micro_op| match micro_op {
        MicroOp::Write { key, .. } => Some(*key),
        MicroOp::Read { .. } => None,
    })
}
