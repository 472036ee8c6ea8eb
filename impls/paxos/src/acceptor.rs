//! The acceptor of every slot, with one promise for all of them ("Paxos Made Simple" §3).
//!
//! An acceptor may forget neither its promise nor its votes, so each handler says what must be durable
//! before the answer leaves.

use std::collections::BTreeMap;

use single_decree::{Ballot, Promise, Refused};

use crate::{
    message::Record,
    slot::{Batch, Slot, Vote},
};

/// The acceptor's state: one promise for all slots, one vote per slot.
#[derive(Debug, Default)]
pub struct Acceptor {
    promise: Promise,
    votes: BTreeMap<Slot, Vote>,
    /// Votes up to here were forgotten: those slots are chosen and in the snapshot.
    compacted: Slot,
}

impl Acceptor {
    /// The highest ballot promised.
    #[must_use]
    pub fn promised(&self) -> &Ballot {
        self.promise.ballot()
    }

    /// Phase 1b: promises never again to vote below `ballot`; gives what must be durable first, if anything.
    ///
    /// # Errors
    /// A higher ballot was promised.
    pub fn prepare(&mut self, ballot: &Ballot) -> Result<Option<Record>, Refused> {
        let is_news = self.promise.raise(ballot)?;
        Ok(is_news.then(|| Record::Promised { ballot: ballot.clone() }))
    }

    /// Phase 2b: votes, unless a higher ballot was promised; gives what must be durable first, if anything.
    ///
    /// A slot that was compacted away is chosen already, and whoever may still propose in it can only
    /// propose the chosen value: it gets its vote, which need not be kept since later candidates
    /// get the snapshot instead.
    ///
    /// # Errors
    /// A higher ballot was promised.
    pub fn accept(
        &mut self,
        slot: Slot,
        ballot: &Ballot,
        batch: &Batch,
    ) -> Result<Option<Record>, Refused> {
        let promised = self.prepare(ballot)?;
        if slot <= self.compacted {
            return Ok(promised);
        }
        if self.vote(slot).is_some_and(|vote| vote.ballot == *ballot) {
            return Ok(None); // a repeated message: one ballot proposes one value
        }
        let vote = Vote { ballot: ballot.clone(), value: batch.clone() };
        self.votes.insert(slot, vote.clone());
        Ok(Some(Record::Accepted { slot, vote }))
    }

    /// The latest vote in `slot`.
    #[must_use]
    pub fn vote(&self, slot: Slot) -> Option<&Vote> {
        self.votes.get(&slot)
    }

    /// The latest votes in the slots from `first` on, in order.
    pub fn votes_from(&self, first: Slot) -> impl Iterator<Item = (Slot, &Vote)> {
        self.votes.range(first..).map(|(slot, vote)| (*slot, vote))
    }

    /// Puts back a promise that an earlier life made durable.
    pub fn recover_promise(&mut self, ballot: &Ballot) {
        let _ = self.promise.raise(ballot); // a lower one is no error here: it was promised earlier
    }

    /// Puts back a vote that an earlier life made durable.
    pub fn recover_vote(&mut self, slot: Slot, vote: Vote) {
        self.recover_promise(&vote.ballot);
        self.votes.insert(slot, vote);
    }

    /// Forgets the votes up to `slot`: a snapshot stands for them from now on.
    pub fn compact(&mut self, slot: Slot) {
        self.compacted = self.compacted.max(slot);
        self.votes = self.votes.split_off(&(self.compacted + 1));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use contract::{Operation, Request};

    use super::*;

    fn ballot(round: u64, node: &str) -> Ballot {
        Ballot { round, node: node.to_owned() }
    }

    fn batch(value: &str) -> Batch {
        let op = Operation::Put { key: "x".to_owned(), value: value.to_owned() };
        Arc::new(vec![Request { client: "c1".to_owned(), seq: 1, op }])
    }

    #[test]
    fn a_promise_is_durable_before_it_is_given_and_only_once() {
        let mut acceptor = Acceptor::default();
        let first = ballot(1, "n1");
        let record = Record::Promised { ballot: first.clone() };
        assert_eq!(acceptor.prepare(&first), Ok(Some(record)));
        assert_eq!(acceptor.prepare(&first), Ok(None), "a repeated Prepare is answered again");
    }

    #[test]
    fn a_lower_ballot_is_refused_in_both_phases() {
        let mut acceptor = Acceptor::default();
        let (low, high) = (ballot(1, "n1"), ballot(1, "n2"));
        acceptor.prepare(&high).unwrap();
        assert_eq!(acceptor.prepare(&low), Err(Refused(high.clone())));
        assert_eq!(acceptor.accept(1, &low, &batch("a")), Err(Refused(high)));
        assert_eq!(acceptor.vote(1), None);
    }

    #[test]
    fn a_vote_implies_the_promise_of_its_ballot() {
        let mut acceptor = Acceptor::default();
        acceptor.accept(1, &ballot(3, "n1"), &batch("a")).unwrap();
        assert_eq!(acceptor.prepare(&ballot(2, "n9")), Err(Refused(ballot(3, "n1"))));
    }

    #[test]
    fn a_later_ballot_replaces_the_vote_and_a_repeated_message_writes_nothing() {
        let mut acceptor = Acceptor::default();
        acceptor.accept(1, &ballot(1, "n1"), &batch("a")).unwrap();
        let vote = Vote { ballot: ballot(2, "n2"), value: batch("b") };
        let record = Record::Accepted { slot: 1, vote: vote.clone() };
        assert_eq!(acceptor.accept(1, &ballot(2, "n2"), &batch("b")), Ok(Some(record)));
        assert_eq!(acceptor.accept(1, &ballot(2, "n2"), &batch("b")), Ok(None));
        assert_eq!(acceptor.votes_from(1).collect::<Vec<_>>(), [(1, &vote)]);
    }

    #[test]
    fn a_compacted_slot_keeps_no_vote_but_its_promise_is_durable() {
        let mut acceptor = Acceptor::default();
        acceptor.accept(1, &ballot(1, "n1"), &batch("a")).unwrap();
        acceptor.accept(2, &ballot(1, "n1"), &batch("b")).unwrap();
        acceptor.compact(1);
        assert_eq!(acceptor.votes_from(1).map(|(slot, _)| slot).collect::<Vec<_>>(), [2]);
        let record = Record::Promised { ballot: ballot(2, "n2") };
        assert_eq!(acceptor.accept(1, &ballot(2, "n2"), &batch("a")), Ok(Some(record)));
        assert_eq!(acceptor.vote(1), None);
        assert_eq!(
            acceptor.accept(1, &ballot(1, "n1"), &batch("a")),
            Err(Refused(ballot(2, "n2")))
        );
    }
}
