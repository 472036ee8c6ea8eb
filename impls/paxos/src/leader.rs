//! The leader: phase 2, many slots at a time.
//!
//! Requests that wait share a slot (batching), and a bounded number of slots is in flight (pipelining:
//! the window of "Paxos Made Moderately Complex" §4.4).

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use contract::{NodeId, Request};
use node::Token;
use single_decree::Ballot;

use crate::{
    followers::Followers,
    pipeline::{Pipeline, Queue},
    reads::Reads,
    slot::{Batch, Slot},
};

/// What a leader knows besides what every node knows.
#[derive(Debug)]
pub struct Leader {
    /// The ballot it leads in.
    pub ballot: Ballot,
    /// Every slot chosen under an earlier leader is at or below this one: reads wait until it is applied.
    pub barrier: Slot,
    /// Reads and the heartbeats that confirm them.
    pub reads: Reads,
    /// Who follows it.
    pub followers: Followers,
    /// What phase 1 found and must be proposed again before anything new.
    recovered: VecDeque<(Slot, Batch)>,
    pipeline: Pipeline,
    /// Requests that were not proposed yet.
    queue: Queue,
    /// The next slot for new requests.
    next_slot: Slot,
    /// Slots proposed, and not known to be chosen.
    in_flight: BTreeMap<Slot, Proposal>,
    /// Who waits for the answers of which slot, in the order of its batch.
    waiting: BTreeMap<Slot, Vec<Token>>,
}

#[derive(Debug)]
struct Proposal {
    batch: Batch,
    accepted_by: BTreeSet<NodeId>,
    sent_ms: u64,
}

/// The clients that a leader leaves behind when it steps down.
#[derive(Debug, PartialEq, Eq)]
pub struct Orphans {
    /// Never proposed: a definite refusal is the truth.
    pub refused: Vec<Token>,
    /// Proposed: a later leader may still have them chosen, so nobody knows.
    pub unknown: Vec<Token>,
}

impl Leader {
    /// A leader that was just elected. `recovered` holds what must be proposed again, in order of slots;
    /// `last` is the last slot that anyone ever proposed in, as far as a majority knows.
    #[must_use]
    pub fn new(
        ballot: Ballot,
        recovered: Vec<(Slot, Batch)>,
        last: Slot,
        peers: impl IntoIterator<Item = NodeId>,
        majority: usize,
        now_ms: u64,
    ) -> Self {
        Self {
            ballot,
            barrier: last,
            reads: Reads::new(majority),
            followers: Followers::new(peers, now_ms),
            recovered: recovered.into(),
            pipeline: Pipeline::WIDE,
            queue: Queue::new(),
            next_slot: last + 1,
            in_flight: BTreeMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// The same leader, one command at a time, who begins with these.
    #[must_use]
    pub fn naive(self, queue: Queue) -> Self {
        Self { pipeline: Pipeline::NONE, queue, ..self }
    }

    /// Takes the requests that wait, where a leader that runs both phases for each command must first run phase 1: it
    /// has used its ballot for a command, and that is chosen.
    pub fn take_queue_for_phase_1(&mut self) -> Option<Queue> {
        let is_used = self.next_slot > self.barrier + 1;
        let is_due = is_used && self.recovered.is_empty() && self.in_flight.is_empty();
        (is_due && !self.queue.is_empty()).then(|| std::mem::take(&mut self.queue))
    }

    /// A request that needs a slot.
    pub fn enqueue(&mut self, token: Token, request: Request) {
        self.queue.push_back((token, request));
    }

    /// Fills the pipeline, where everything up to `commit` is chosen: what to propose now.
    pub fn propose(&mut self, commit: Slot, now_ms: u64) -> Vec<(Slot, Batch)> {
        let end = commit + self.pipeline.window_slots;
        let mut proposals = Vec::new();
        while let Some((slot, batch)) = self.next_proposal(end) {
            let proposal =
                Proposal { batch: batch.clone(), accepted_by: BTreeSet::new(), sent_ms: now_ms };
            self.in_flight.insert(slot, proposal);
            proposals.push((slot, batch));
        }
        proposals
    }

    fn next_proposal(&mut self, end: Slot) -> Option<(Slot, Batch)> {
        if let Some((slot, _)) = self.recovered.front() {
            return if *slot <= end { self.recovered.pop_front() } else { None };
        }
        if self.queue.is_empty() || self.next_slot > end {
            return None;
        }
        let slot = self.next_slot;
        self.next_slot += 1;
        let count = self.pipeline.batch_length(&self.queue);
        let (tokens, requests) = self.queue.drain(..count).unzip();
        self.waiting.insert(slot, tokens);
        Some((slot, Arc::new(requests)))
    }

    /// An acceptor voted in this leader's ballot; gives the value if that makes it chosen.
    pub fn on_accepted(&mut self, from: &NodeId, slot: Slot, majority: usize) -> Option<Batch> {
        let proposal = self.in_flight.get_mut(&slot)?;
        proposal.accepted_by.insert(from.clone());
        if proposal.accepted_by.len() < majority {
            return None;
        }
        self.in_flight.remove(&slot).map(|proposal| proposal.batch)
    }

    /// Takes those who wait for the answers of a slot.
    pub fn take_waiting(&mut self, slot: Slot) -> Vec<Token> {
        self.waiting.remove(&slot).unwrap_or_default()
    }

    /// What to send again: proposals at least `age_ms` old, with the members that have not voted.
    pub fn overdue(
        &mut self,
        members: &[NodeId],
        now_ms: u64,
        age_ms: u64,
    ) -> Vec<(NodeId, Slot, Batch)> {
        let mut overdue = Vec::new();
        for (slot, proposal) in &mut self.in_flight {
            if now_ms < proposal.sent_ms + age_ms {
                continue;
            }
            proposal.sent_ms = now_ms;
            let silent = members.iter().filter(|member| !proposal.accepted_by.contains(*member));
            overdue.extend(silent.map(|member| (member.clone(), *slot, proposal.batch.clone())));
        }
        overdue
    }

    /// In which order the peers should stand for election once this leader is gone: first whoever acknowledged the latest
    /// heartbeat, for it is up and well connected.
    #[must_use]
    pub fn successors(&self) -> Vec<NodeId> {
        let mut peers: Vec<NodeId> = self.followers.names().cloned().collect();
        peers.sort_by_key(|peer| Reverse(self.reads.acknowledged(peer))); // stable: all else stays in order
        peers
    }

    /// Steps down: who still waits for an answer.
    #[must_use]
    pub fn into_orphans(mut self) -> Orphans {
        // A read changes nothing, so refusing it is always the truth.
        let queued = self.queue.into_iter().map(|(token, _)| token);
        let refused = queued.chain(self.reads.take_all()).collect();
        Orphans { refused, unknown: self.waiting.into_values().flatten().collect() }
    }
}

#[cfg(test)]
mod tests {
    use contract::Operation;

    use super::*;

    fn request(seq: u64) -> Request {
        Request { client: "c1".to_owned(), seq, op: Operation::Get { key: "x".to_owned() } }
    }

    fn members() -> Vec<NodeId> {
        ["n1", "n2", "n3"].map(str::to_owned).to_vec()
    }

    fn leader(recovered: Vec<(Slot, Batch)>, last: Slot) -> Leader {
        let ballot = Ballot { round: 1, node: "n1".to_owned() };
        Leader::new(ballot, recovered, last, members().into_iter().skip(1), 2, 0)
    }

    #[test]
    fn only_a_majority_of_different_acceptors_chooses() {
        let mut leader = leader(vec![], 0);
        leader.enqueue(1, request(1));
        let proposals = leader.propose(0, 0);
        assert_eq!(proposals.len(), 1);
        assert_eq!(leader.on_accepted(&"n2".to_owned(), 1, 2), None);
        assert_eq!(leader.on_accepted(&"n2".to_owned(), 1, 2), None, "a repeated message");
        assert_eq!(leader.on_accepted(&"n1".to_owned(), 1, 2), Some(proposals[0].1.clone()));
        assert_eq!(leader.on_accepted(&"n3".to_owned(), 1, 2), None, "chosen already");
        assert_eq!(leader.take_waiting(1), [1]);
    }

    #[test]
    fn requests_gather_behind_a_full_pipeline_and_share_a_slot() {
        let mut leader = leader(vec![], 0);
        for seq in 1..=Pipeline::WIDE.window_slots {
            leader.enqueue(seq, request(seq));
            assert_eq!(leader.propose(0, 0).len(), 1);
        }
        for seq in 100..110 {
            leader.enqueue(seq, request(seq));
            assert!(leader.propose(0, 0).is_empty());
        }
        let proposals = leader.propose(1, 0);
        assert_eq!(proposals.len(), 1);
        assert_eq!(proposals[0].1.len(), 10);
        assert_eq!(
            leader.take_waiting(Pipeline::WIDE.window_slots + 1),
            (100..110).collect::<Vec<_>>()
        );
    }

    #[test]
    fn what_was_recovered_goes_before_what_is_new() {
        let mut leader = leader(vec![(3, Batch::default()), (5, Batch::default())], 5);
        leader.enqueue(1, request(1));
        let slots: Vec<Slot> = leader.propose(2, 0).into_iter().map(|(slot, _)| slot).collect();
        assert_eq!(slots, [3, 5, 6]);
    }

    #[test]
    fn silence_is_answered_by_sending_again_to_the_silent() {
        let mut leader = leader(vec![], 0);
        leader.enqueue(1, request(1));
        leader.propose(0, 0);
        leader.on_accepted(&"n2".to_owned(), 1, 3);
        assert!(leader.overdue(&members(), 49, 50).is_empty());
        let again: Vec<NodeId> =
            leader.overdue(&members(), 50, 50).into_iter().map(|(to, ..)| to).collect();
        assert_eq!(again, ["n1", "n3"]);
        assert!(leader.overdue(&members(), 60, 50).is_empty(), "sent a moment ago");
    }

    #[test]
    fn only_what_was_never_proposed_is_refused_for_certain() {
        let mut leader = leader(vec![], 0);
        leader.enqueue(1, request(1));
        leader.propose(0, 0);
        leader.enqueue(2, request(2));
        leader.reads.add(3, request(3), 0);
        assert_eq!(leader.into_orphans(), Orphans { refused: vec![2, 3], unknown: vec![1] });
    }

    #[test]
    fn whoever_acknowledged_the_latest_heartbeat_is_the_first_to_succeed() {
        let mut leader = leader(vec![], 0);
        assert_eq!(leader.successors(), ["n2", "n3"]);
        leader.reads.acknowledge(&"n3".to_owned(), 1);
        assert_eq!(leader.successors(), ["n3", "n2"]);
        leader.reads.acknowledge(&"n2".to_owned(), 1);
        assert_eq!(leader.successors(), ["n2", "n3"], "the same everywhere as long as all is well");
    }
}
