//! Phase 1: how a node becomes the leader of every slot at once.
//!
//! "Paxos Made Simple" §3: "A newly chosen leader executes phase 1 for infinitely many instances", with
//! a single message; from then on a request costs one round of phase 2.

use std::collections::{BTreeMap, BTreeSet};

use contract::NodeId;
use single_decree::{Ballot, higher};

use crate::{
    pipeline::Queue,
    slot::{Batch, Slot, Vote},
};

/// A node that asks around whether it should become a candidate at all.
///
/// A node that is cut off would otherwise raise its ballot again and again, and depose a healthy leader
/// on its return (Ongaro's dissertation §9.6 calls this Pre-Vote). Needed for progress only.
#[derive(Debug)]
pub struct Canvass {
    /// The ballot it would use.
    pub ballot: Ballot,
    /// Who would promise it.
    pub granted: BTreeSet<NodeId>,
}

/// A node that collects promises.
#[derive(Debug)]
pub struct Candidate {
    /// The ballot it runs with.
    pub ballot: Ballot,
    /// Who has promised it.
    pub promised: BTreeSet<NodeId>,
    /// Of the votes reported in each slot, the one of the highest ballot.
    votes: BTreeMap<Slot, Vote>,
    /// Requests that wait for it to lead; only where both phases are run for every command.
    pub queue: Queue,
}

impl Candidate {
    /// A candidate without promises.
    #[must_use]
    pub fn new(ballot: Ballot) -> Self {
        Self { ballot, promised: BTreeSet::new(), votes: BTreeMap::new(), queue: Queue::new() }
    }

    /// Counts a promise; twice from the same acceptor is once.
    pub fn add_promise(&mut self, from: &NodeId, votes: impl IntoIterator<Item = (Slot, Vote)>) {
        self.promised.insert(from.clone());
        for (slot, vote) in votes {
            let highest = higher(self.votes.remove(&slot), vote);
            self.votes.insert(slot, highest);
        }
    }

    /// The last slot that anyone voted in.
    #[must_use]
    pub fn last_voted(&self) -> Slot {
        self.votes.keys().next_back().copied().unwrap_or(0)
    }

    /// What the new leader must propose in each slot of `first..=last`.
    ///
    /// Where a majority's votes name a value, it may have been chosen: it is proposed again ("Paxos Made
    /// Simple" §2.2, condition P2c). Where they name none, nothing was chosen there: the hole
    /// is filled with a no-op, so that later slots need not wait for ever (§3).
    #[must_use]
    pub fn proposals(&self, first: Slot, last: Slot) -> Vec<(Slot, Batch)> {
        let value = |slot| self.votes.get(&slot).map(|vote| vote.value.clone());
        (first..=last).map(|slot| (slot, value(slot).unwrap_or_default())).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use contract::{Operation, Request};

    use super::*;

    fn vote(round: u64, value: &str) -> Vote {
        let op = Operation::Put { key: "x".to_owned(), value: value.to_owned() };
        let request = Request { client: "c1".to_owned(), seq: 1, op };
        let ballot = Ballot { round, node: "n1".to_owned() };
        Vote { ballot, value: Arc::new(vec![request]) }
    }

    fn candidate() -> Candidate {
        Candidate::new(Ballot { round: 9, node: "n1".to_owned() })
    }

    #[test]
    fn the_vote_of_the_highest_ballot_is_proposed_again_in_whatever_order_promises_come() {
        let (old, new) = (vote(1, "old"), vote(2, "new"));
        for votes in [[&old, &new], [&new, &old]] {
            let mut candidate = candidate();
            for (index, vote) in votes.into_iter().enumerate() {
                candidate.add_promise(&format!("n{index}"), [(1, vote.clone())]);
            }
            assert_eq!(candidate.proposals(1, 1), [(1, new.value.clone())]);
        }
    }

    #[test]
    fn a_hole_becomes_a_no_op() {
        let mut candidate = candidate();
        candidate.add_promise(&"n2".to_owned(), [(3, vote(1, "a"))]);
        let proposals = candidate.proposals(2, candidate.last_voted());
        assert_eq!(proposals, [(2, Batch::default()), (3, vote(1, "a").value)]);
    }

    #[test]
    fn a_repeated_promise_counts_once() {
        let mut candidate = candidate();
        candidate.add_promise(&"n2".to_owned(), []);
        candidate.add_promise(&"n2".to_owned(), []);
        assert_eq!(candidate.promised.len(), 1);
    }
}
