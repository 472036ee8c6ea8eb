//! The acceptor: the two rules that it keeps, and what it may not forget.

use serde::{Deserialize, Serialize};

use crate::Ballot;

/// What an acceptor has promised: never again to promise or vote below this ballot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Promise(Ballot);

/// Why an acceptor refuses: it has promised this higher ballot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub Ballot);

/// The latest vote of an acceptor.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Vote<V> {
    /// The ballot it was cast in.
    pub ballot: Ballot,
    /// The value it was cast for.
    pub value: V,
}

impl Promise {
    /// The ballot.
    #[must_use]
    pub fn ballot(&self) -> &Ballot {
        &self.0
    }

    /// Promises `ballot`: the condition of both phases. Says whether that is news, which must be durable before
    /// anybody hears of it.
    ///
    /// The same ballot again is a repeated message of the same proposer, for ballots are unique.
    ///
    /// # Errors
    /// A higher ballot was promised.
    pub fn raise(&mut self, ballot: &Ballot) -> Result<bool, Refused> {
        if *ballot < self.0 {
            return Err(Refused(self.0.clone()));
        }
        let is_news = *ballot > self.0;
        if is_news {
            self.0 = ballot.clone();
        }
        Ok(is_news)
    }
}

/// An acceptor of one decree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Acceptor<V> {
    promise: Promise,
    vote: Option<Vote<V>>,
}

impl<V> Default for Acceptor<V> {
    fn default() -> Self {
        Self { promise: Promise::default(), vote: None }
    }
}

impl<V> Acceptor<V> {
    /// The highest ballot promised.
    #[must_use]
    pub fn promised(&self) -> &Ballot {
        self.promise.ballot()
    }

    /// The latest vote.
    #[must_use]
    pub fn vote(&self) -> Option<&Vote<V>> {
        self.vote.as_ref()
    }

    /// Phase 1b: promises. Says whether that must be made durable before the answer leaves.
    ///
    /// # Errors
    /// A higher ballot was promised.
    pub fn prepare(&mut self, ballot: &Ballot) -> Result<bool, Refused> {
        self.promise.raise(ballot)
    }

    /// Phase 2b: votes, which implies the promise of the ballot. Says whether that must be made durable before the
    /// answer leaves.
    ///
    /// # Errors
    /// A higher ballot was promised.
    pub fn accept(&mut self, vote: Vote<V>) -> Result<bool, Refused> {
        self.promise.raise(&vote.ballot)?;
        if self.vote.as_ref().is_some_and(|known| known.ballot == vote.ballot) {
            return Ok(false); // a repeated message: one ballot proposes one value
        }
        self.vote = Some(vote);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ballot(round: u64, node: &str) -> Ballot {
        Ballot { round, node: node.to_owned() }
    }

    fn vote(round: u64, node: &str, value: &'static str) -> Vote<&'static str> {
        Vote { ballot: ballot(round, node), value }
    }

    #[test]
    fn a_lower_ballot_is_refused_in_both_phases() {
        let mut acceptor = Acceptor::default();
        assert_eq!(acceptor.prepare(&ballot(1, "n2")), Ok(true));
        assert_eq!(acceptor.prepare(&ballot(1, "n2")), Ok(false), "a repeated Prepare");
        let refused = || Refused(ballot(1, "n2"));
        assert_eq!(acceptor.prepare(&ballot(1, "n1")), Err(refused()));
        assert_eq!(acceptor.accept(vote(1, "n1", "a")), Err(refused()));
        assert_eq!(acceptor.vote(), None);
    }

    #[test]
    fn a_vote_implies_the_promise_of_its_ballot() {
        let mut acceptor = Acceptor::default();
        assert_eq!(acceptor.accept(vote(3, "n1", "a")), Ok(true));
        assert_eq!(acceptor.prepare(&ballot(2, "n9")), Err(Refused(ballot(3, "n1"))));
    }

    #[test]
    fn a_later_ballot_replaces_the_vote_and_its_own_does_not() {
        let mut acceptor = Acceptor::default();
        assert_eq!(acceptor.accept(vote(1, "n1", "a")), Ok(true));
        assert_eq!(acceptor.accept(vote(1, "n1", "a")), Ok(false));
        assert_eq!(acceptor.accept(vote(2, "n2", "b")), Ok(true));
        assert_eq!(acceptor.vote(), Some(&vote(2, "n2", "b")));
    }
}
