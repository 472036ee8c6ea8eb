//! The invariant of a register: each chosen value follows from the one chosen before it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use contract::NodeId;
use node::Application;
use simulation_checks::{Coverage, Recorder, recorder::Applied};
use single_decree::{
    Ballot,
    message::{Key, Record, State},
};

/// Counts values that a majority has voted for.
pub const CHOSEN: &str = "values chosen";
/// Counts ballots that were not chosen though somebody voted in them.
pub const DUELS: &str = "ballots overtaken";

/// What the nodes have made durable, ballot by ballot of each register.
pub struct Chain {
    majority: usize,
    registers: BTreeMap<Key, BTreeMap<Ballot, Proposal>>,
    /// How many records of each node were looked at.
    read: BTreeMap<NodeId, usize>,
    coverage: Arc<Coverage>,
}

struct Proposal {
    value: State,
    /// The requests that led to the value, in order.
    applied: Vec<Applied>,
    voters: BTreeSet<NodeId>,
}

impl Chain {
    pub fn new(majority: usize, coverage: Arc<Coverage>) -> Self {
        Self { majority, registers: BTreeMap::new(), read: BTreeMap::new(), coverage }
    }

    /// Looks at what has become durable since the last time.
    pub fn check<'a>(
        &mut self,
        durable: impl Iterator<Item = (&'a NodeId, &'a [Record])>,
    ) -> Result<(), String> {
        for (node, records) in durable {
            let read = self.read.entry(node.clone()).or_default();
            // A log that became shorter was compacted: the same votes again.
            let first = std::mem::replace(read, records.len());
            for record in &records[if first > records.len() { 0 } else { first }..] {
                if let Record::Accepted { key, vote } = record {
                    self.voted(node, key, &vote.ballot, &vote.value)?;
                }
            }
        }
        Ok(())
    }

    fn voted(
        &mut self,
        node: &NodeId,
        key: &Key,
        ballot: &Ballot,
        value: &State,
    ) -> Result<(), String> {
        let proposals = self.registers.entry(key.clone()).or_default();
        if !proposals.contains_key(ballot) {
            let proposal = Proposal::new(value, &self.coverage)?;
            proposals.insert(ballot.clone(), proposal);
        }
        let Some(proposal) = proposals.get_mut(ballot) else { return Ok(()) };
        if proposal.value != *value {
            return Err(format!("{key}: two values in {ballot:?}"));
        }
        if proposal.voters.insert(node.clone()) && proposal.voters.len() == self.majority {
            self.coverage.count(CHOSEN);
        }
        self.follows(key, ballot)
    }

    /// "If a proposal with value v is chosen, then every higher-numbered proposal has value v" ("Paxos Made Simple",
    /// P2b), where a value counts as the history that led to it: whatever is chosen is a prefix of what comes later.
    fn follows(&self, key: &Key, ballot: &Ballot) -> Result<(), String> {
        let proposals = &self.registers[key];
        let is_chosen = |proposal: &&Proposal| proposal.voters.len() >= self.majority;
        let here = &proposals[ballot];
        let before = proposals.range(..ballot).map(|(_, proposal)| proposal);
        if let Some(chosen) = before.clone().rev().find(is_chosen)
            && !here.applied.starts_with(&chosen.applied)
        {
            return Err(format!("{key}: what was chosen before {ballot:?} is missing in it"));
        }
        if before.clone().next_back().is_some_and(|proposal| !is_chosen(&proposal)) {
            self.coverage.count(DUELS);
        }
        let after =
            proposals.range((std::ops::Bound::Excluded(ballot), std::ops::Bound::Unbounded));
        for (later, proposal) in after {
            if is_chosen(&here) && !proposal.applied.starts_with(&here.applied) {
                return Err(format!("{key}: {later:?} lacks what was chosen in {ballot:?}"));
            }
        }
        Ok(())
    }
}

impl Proposal {
    fn new(value: &State, coverage: &Arc<Coverage>) -> Result<Self, String> {
        let mut recorder = Recorder::new(coverage.clone());
        recorder.restore(&value.0)?;
        let applied = recorder.applied().to_vec();
        Ok(Self { value: value.clone(), applied, voters: BTreeSet::new() })
    }
}
