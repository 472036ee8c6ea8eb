//! Ballots: the numbers of "Paxos Made Simple" §2.2, made unique by the proposer's id.

use contract::NodeId;
use serde::{Deserialize, Serialize};

/// A ballot number. Ordered by round; the node id makes ballots of different nodes different.
///
/// Two nodes may pick the same round at the same time. Were they then the *same* ballot, an acceptor
/// could promise it to both and two values could be chosen ("Paxos Made Simple" §2.5: "different
/// proposers choose their numbers from disjoint sets of numbers").
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ballot {
    /// Compared first.
    pub round: u64,
    /// Who may propose in this ballot; breaks ties.
    pub node: NodeId,
}

impl Ballot {
    /// The lowest ballot of `node` that is certainly above `self`.
    #[must_use]
    pub fn next_for(&self, node: &NodeId) -> Self {
        Self { round: self.round + 1, node: node.clone() }
    }

    /// The ballot as one number, unique and growing with the ballot: the `term` of `GET /v1/status`.
    ///
    /// `members` must be sorted. Rounds alone would not do: two nodes may lead in the same round, one
    /// after the other.
    #[must_use]
    pub fn term(&self, members: &[NodeId]) -> u64 {
        let count = members.len() as u64;
        let rank = members.iter().position(|member| *member == self.node).unwrap_or(0) as u64;
        self.round * count + rank
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ballot(round: u64, node: &str) -> Ballot {
        Ballot { round, node: node.to_owned() }
    }

    #[test]
    fn ballots_are_ordered_by_round_and_then_by_node() {
        assert!(ballot(1, "n3") < ballot(2, "n1"));
        assert!(ballot(2, "n1") < ballot(2, "n2"));
        assert!(Ballot::default() < ballot(1, "n1"));
    }

    #[test]
    fn the_next_ballot_is_above_and_belongs_to_the_proposer() {
        let seen = ballot(7, "n9");
        let next = seen.next_for(&"n1".to_owned());
        assert!(next > seen);
        assert_eq!(next, ballot(8, "n1"));
    }

    #[test]
    fn two_nodes_of_one_round_lead_in_different_terms() {
        let members = ["n1".to_owned(), "n2".to_owned(), "n3".to_owned()];
        assert!(ballot(4, "n1").term(&members) < ballot(4, "n2").term(&members));
        assert!(ballot(4, "n3").term(&members) < ballot(5, "n1").term(&members));
    }
}
