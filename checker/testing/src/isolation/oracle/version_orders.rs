//! Adya's levels: every set of version orders, and the dependency graph that each gives.
//!
//! A history satisfies a level where some choice of version orders leaves it without the phenomena that the level
//! proscribes (Adya, PhD thesis, 1999, §3 and §4). Snapshot isolation is characterized as by Cerone & Gotsman (PODC
//! 2016): every cycle has two adjacent anti-dependencies. Read atomic is that of Cerone et al. (CONCUR 2015).

use std::collections::{BTreeMap, BTreeSet};

use super::{precedes, without_order};
use isolation::{Consistency, Key, MicroOp, Order, Outcome, Transaction, Value};

mod graph;
mod observe;

use graph::Graph;
use observe::Observations;

/// Is there a choice of version orders, and of what became of the transactions of unknown outcome, that the model
/// permits? `None` for models that this oracle does not know. Takes time exponential in the number of writes.
#[must_use]
pub fn explain(history: &[Transaction], model: Consistency) -> Option<bool> {
    if !knows(model) {
        return None;
    }
    let (order, plain) = without_order(model);
    let unknown: Vec<_> =
        (0..history.len()).filter(|i| history[*i].outcome == Outcome::Info).collect();
    Some((0..1_u32 << unknown.len()).any(|happened| {
        let did_happen = |i: &usize| match history[*i].outcome {
            Outcome::Ok => true,
            Outcome::Fail => false,
            Outcome::Info => {
                unknown.iter().position(|j| j == i).is_some_and(|bit| happened >> bit & 1 == 1)
            }
        };
        let committed: Vec<_> =
            (0..history.len()).filter(did_happen).map(|i| &history[i]).collect();
        let visible =
            (0..history.len()).filter(|i| did_happen(i) || history[*i].outcome == Outcome::Fail);
        let visible = visible.flat_map(|i| writes(&history[i])).collect();
        let case = Case { committed, visible, order, plain };
        case.any_order_permitted(&mut VersionOrders::new(), &mut case.writers())
    }))
}

/// Whether the model has phenomena of its own here.
#[must_use]
pub fn knows(model: Consistency) -> bool {
    matches!(
        without_order(model).1,
        Consistency::ReadUncommitted
            | Consistency::ReadCommitted
            | Consistency::CursorStability
            | Consistency::ReadAtomic
            | Consistency::UpdateAtomic
            | Consistency::ConsistentView
            | Consistency::RepeatableRead
            | Consistency::SnapshotIsolation
            | Consistency::Serializable
    )
}

/// Who wrote each key, in the order of the versions.
type VersionOrders = BTreeMap<Key, Vec<usize>>;

/// A history in which it is decided what committed.
struct Case<'a> {
    committed: Vec<&'a Transaction>,
    /// Every write that somebody may have seen: of those that failed, too, but not of those taken to have done nothing.
    visible: BTreeSet<(Key, Value)>,
    /// The order of time that the model demands, and the model without it.
    order: Order,
    plain: Consistency,
}

fn writes(transaction: &Transaction) -> impl Iterator<Item = (Key, Value)> {
    transaction.micro_ops.iter().filter_map(|micro_op| match micro_op {
        MicroOp::Write { key, value } => Some((*key, *value)),
        MicroOp::Read { .. } => None,
    })
}

impl Case<'_> {
    fn writers(&self) -> Vec<(Key, Vec<usize>)> {
        let mut writers = BTreeMap::<Key, BTreeSet<usize>>::new();
        for (i, transaction) in self.committed.iter().enumerate() {
            for (key, _) in writes(transaction) {
                writers.entry(key).or_default().insert(i);
            }
        }
        writers.into_iter().map(|(key, writers)| (key, writers.into_iter().collect())).collect()
    }

    /// Tries every order of the writers of each key that is left.
    fn any_order_permitted(
        &self,
        orders: &mut VersionOrders,
        left: &mut Vec<(Key, Vec<usize>)>,
    ) -> bool {
        let Some((key, mut writers)) = left.pop() else { return self.permits(orders) };
        if writers.is_empty() {
            let permitted = self.any_order_permitted(orders, left);
            left.push((key, writers));
            return permitted;
        }
        for choice in 0..writers.len() {
            let next = writers.remove(choice);
            orders.entry(key).or_default().push(next);
            left.push((key, writers.clone()));
            let permitted = self.any_order_permitted(orders, left);
            left.pop();
            orders.entry(key).or_default().pop();
            writers.insert(choice, next);
            if permitted {
                return true;
            }
        }
        left.push((key, writers));
        false
    }

    fn permits(&self, orders: &VersionOrders) -> bool {
        let Self { order, plain, .. } = *self;
        let seen = Observations::new(self, orders);
        let mut graph = Graph::default();
        for (a, b) in
            (0..self.committed.len()).flat_map(|a| (0..self.committed.len()).map(move |b| (a, b)))
        {
            if precedes(order, &self.committed, a, b) {
                graph.depend(a, b);
            }
        }
        for writers in orders.values() {
            for pair in writers.windows(2) {
                graph.depend(pair[0], pair[1]);
            }
        }
        if plain == Consistency::ReadUncommitted {
            return seen.follow_the_orders && graph.is_acyclic();
        }
        for read in &seen.reads {
            let writers = orders.get(&read.key).map_or(&[][..], Vec::as_slice);
            if let Some(writer) = read.version.checked_sub(1) {
                graph.depend(writers[writer], read.reader);
            }
            if let Some(overwriter) = writers.get(read.version) {
                graph.anti_depend(read.reader, *overwriter);
            }
        }
        let lost_update = || seen.has_lost_update();
        let atomic = || seen.internally_consistent && !seen.has_fractured_read(orders);
        seen.all_committed
            && graph.is_acyclic()
            && match plain {
                Consistency::CursorStability => !lost_update(),
                Consistency::ReadAtomic => atomic(),
                Consistency::UpdateAtomic => atomic() && !lost_update(),
                Consistency::ConsistentView => !graph.has_cycle_with_one_anti_dependency(),
                Consistency::RepeatableRead => graph.is_acyclic_with_anti_dependencies(),
                Consistency::SnapshotIsolation => {
                    seen.internally_consistent
                        && !graph.has_cycle_without_adjacent_anti_dependencies()
                }
                Consistency::Serializable => {
                    seen.internally_consistent && graph.is_acyclic_with_anti_dependencies()
                }
                _ => true,
            }
    }
}
