//! The proposer: what it may propose, and when that is chosen.

use std::collections::BTreeSet;

use contract::NodeId;

use crate::{Ballot, Vote};

/// A proposer in one ballot. `majority` of its acceptors are one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Proposer<V> {
    ballot: Ballot,
    majority: usize,
    phase: Phase<V>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase<V> {
    /// Phase 1: collects promises.
    Prepare { promised_by: BTreeSet<NodeId>, highest: Option<Vote<V>> },
    /// Phase 2: collects votes.
    Accept { accepted_by: BTreeSet<NodeId>, value: V },
}

/// What the promises of a majority leave to a proposer ("Paxos Made Simple" §2.2, condition P2c).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice<V> {
    /// Nobody has voted: nothing is chosen, and nothing can be below this ballot.
    Free,
    /// The value of the highest vote may have been chosen: it must be proposed again.
    Bound(V),
}

/// Of two votes the one of the higher ballot.
#[must_use]
pub fn higher<V>(known: Option<Vote<V>>, vote: Vote<V>) -> Vote<V> {
    match known {
        Some(known) if known.ballot >= vote.ballot => known,
        _ => vote,
    }
}

impl<V> Proposer<V> {
    /// A proposer at the begin of phase 1.
    #[must_use]
    pub fn new(ballot: Ballot, majority: usize) -> Self {
        let phase = Phase::Prepare { promised_by: BTreeSet::new(), highest: None };
        Self { ballot, majority, phase }
    }

    /// The only ballot it proposes in.
    #[must_use]
    pub fn ballot(&self) -> &Ballot {
        &self.ballot
    }

    /// Phase 1b: an acceptor has promised this ballot, after it voted for `vote`. Gives the choice once a majority
    /// has promised.
    pub fn on_promise(&mut self, from: &NodeId, vote: Option<Vote<V>>) -> Option<Choice<V>>
    where
        V: Clone,
    {
        let Phase::Prepare { promised_by, highest } = &mut self.phase else { return None };
        if let Some(vote) = vote {
            *highest = Some(higher(highest.take(), vote));
        }
        promised_by.insert(from.clone());
        let bound = |vote: &Vote<V>| Choice::Bound(vote.value.clone());
        (promised_by.len() >= self.majority).then(|| highest.as_ref().map_or(Choice::Free, bound))
    }

    /// Phase 2a: proposes a value, the only one in this ballot.
    pub fn propose(&mut self, value: V) {
        self.phase = Phase::Accept { accepted_by: BTreeSet::new(), value };
    }

    /// Phase 2b: an acceptor has voted in this ballot. Says whether the value is chosen.
    pub fn on_accepted(&mut self, from: &NodeId) -> bool {
        let Phase::Accept { accepted_by, .. } = &mut self.phase else { return false };
        accepted_by.insert(from.clone());
        accepted_by.len() >= self.majority
    }

    /// What it proposed, once it has.
    #[must_use]
    pub fn proposed(&self) -> Option<&V> {
        match &self.phase {
            Phase::Prepare { .. } => None,
            Phase::Accept { value, .. } => Some(value),
        }
    }

    /// Whether this acceptor has answered in the present phase.
    #[must_use]
    pub fn has_answer_of(&self, acceptor: &NodeId) -> bool {
        match &self.phase {
            Phase::Prepare { promised_by, .. } => promised_by.contains(acceptor),
            Phase::Accept { accepted_by, .. } => accepted_by.contains(acceptor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: u64) -> NodeId {
        format!("n{number}")
    }

    fn vote(round: u64, value: &'static str) -> Vote<&'static str> {
        Vote { ballot: Ballot { round, node: node(9) }, value }
    }

    fn proposer() -> Proposer<&'static str> {
        Proposer::new(Ballot { round: 5, node: node(1) }, 2)
    }

    #[test]
    fn a_majority_without_votes_leaves_the_choice_free() {
        let mut proposer = proposer();
        assert_eq!(proposer.on_promise(&node(1), None), None);
        assert_eq!(proposer.on_promise(&node(1), None), None, "a repeated promise counts once");
        assert_eq!(proposer.on_promise(&node(2), None), Some(Choice::Free));
    }

    #[test]
    fn the_vote_of_the_highest_ballot_binds_in_whatever_order_promises_come() {
        for votes in [[vote(1, "old"), vote(2, "new")], [vote(2, "new"), vote(1, "old")]] {
            let mut proposer = proposer();
            let [first, second] = votes;
            assert_eq!(proposer.on_promise(&node(1), Some(first)), None);
            assert_eq!(proposer.on_promise(&node(2), Some(second)), Some(Choice::Bound("new")));
        }
    }

    #[test]
    fn only_a_majority_of_different_acceptors_chooses() {
        let mut proposer = proposer();
        assert!(!proposer.on_accepted(&node(3)), "nothing was proposed");
        proposer.on_promise(&node(1), None);
        proposer.on_promise(&node(2), None);
        proposer.propose("own");
        assert_eq!(proposer.on_promise(&node(3), Some(vote(4, "late"))), None, "it has proposed");
        assert!(!proposer.on_accepted(&node(1)));
        assert!(!proposer.on_accepted(&node(1)), "a repeated vote counts once");
        assert!(proposer.on_accepted(&node(3)));
        assert_eq!(proposer.proposed(), Some(&"own"));
    }
}
