//! Transactions over groups: two-phase commit over replicated coordinators and participants, with two-phase locking (Bernstein,
//! Hadzilacos, Goodman, "Concurrency Control and Recovery in Database Systems", chapters 3 and 7; replicated as in Gray and
//! Lamport, "Consensus on Transaction Commit").
//!
//! Nobody waits for a lock: who finds one taken gives the attempt up and tries again later, so that there are no deadlocks.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Answer, ErrorCode, GroupId, NodeId, Operation, Refusal, Request};
use kv::Store;
use node::Application;
use serde::{Deserialize, Serialize};

use super::Group;
use crate::{
    transaction::{Prepare, TransactionId, Values},
    wait::Wait,
};

/// A transaction that this group coordinates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coordinated {
    /// What the client asked.
    pub request: Request,
    /// The number of the configuration in which it began.
    pub configuration: u64,
    /// The other groups whose keys it touches: their servers, and their keys.
    pub participants: BTreeMap<GroupId, (Vec<NodeId>, Vec<String>)>,
    /// What each participant has to write; `None`: aborted. Missing until it is decided.
    pub decision: Option<BTreeMap<GroupId, Option<Values>>>,
}

/// Which attempts of a coordinator are over: a late copy of their messages must not bring them back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Over {
    /// All with smaller numbers are.
    below: u64,
    /// So are these.
    numbers: BTreeSet<u64>,
}

impl Over {
    fn contains(&self, number: u64) -> bool {
        number < self.below || self.numbers.contains(&number)
    }

    fn add(&mut self, number: u64) {
        self.numbers.extend((number >= self.below).then_some(number));
    }

    fn add_all_below(&mut self, below: u64) {
        self.below = self.below.max(below);
        self.numbers = self.numbers.split_off(&self.below);
    }
}

impl Group {
    /// The smallest number of an attempt that is not over.
    #[must_use]
    pub fn oldest_attempt(&self) -> u64 {
        self.coordinated.first_key_value().map_or(self.attempts + 1, |(id, _)| id.number)
    }

    /// Whether a transaction is under way that a new configuration must wait for.
    #[must_use]
    pub fn has_locks(&self) -> bool {
        !self.locks.is_empty()
    }

    /// Whether the decision of this request's transaction is still open.
    #[must_use]
    pub fn coordinates(&self, request: &Request) -> bool {
        self.coordinated.values().any(|transaction| {
            let Request { client, seq, .. } = &transaction.request;
            transaction.decision.is_none() && (client, *seq) == (&request.client, request.seq)
        })
    }

    /// A client's transaction over several groups begins: this group locks its own keys and has the others prepare.
    pub(super) fn begin(&mut self, request: &Request) -> Answer {
        let mut participants: BTreeMap<GroupId, (Vec<NodeId>, Vec<String>)> = BTreeMap::new();
        let keys: BTreeSet<&str> = request.op.keys().into_iter().collect();
        for key in keys.iter().filter(|key| !self.is_here(key)) {
            let owner = self.configuration.owner(key).filter(|owner| **owner != self.id);
            let Some(owner) = owner else {
                let message = format!("nobody serves the shard of {key} now");
                return Answer::Error(Refusal::new(ErrorCode::NotReady, message));
            };
            let servers = self.servers_of(owner).to_vec();
            let (_, its) = participants.entry(owner.clone()).or_insert((servers, Vec::new()));
            its.push((*key).to_owned());
        }
        self.attempts += 1;
        let id = TransactionId { group: self.id.clone(), number: self.attempts };
        let own: Vec<&str> = keys.into_iter().filter(|key| self.is_here(key)).collect();
        for key in own {
            self.locks.insert(key.to_owned(), id.clone());
        }
        let transaction = Coordinated {
            request: request.clone(),
            configuration: self.configuration.num,
            participants,
            decision: None,
        };
        self.coordinated.insert(id, transaction);
        Wait::Undecided.answer()
    }

    /// Locks keys for another group's transaction: the vote is yes, if this succeeds.
    pub(super) fn prepare(&mut self, prepare: Prepare) -> Result<(), String> {
        if self.prepared.contains_key(&prepare.id) {
            return Ok(());
        }
        let over = self.over.entry(prepare.id.group.clone()).or_default();
        over.add_all_below(prepare.oldest);
        if over.contains(prepare.id.number) {
            return Err("that attempt is over".to_owned());
        }
        if prepare.configuration != self.configuration.num {
            return Err(format!("this group is in configuration {}", self.configuration.num));
        }
        for key in &prepare.keys {
            if !self.is_here(key) {
                return Err(format!("{key} is not served here"));
            }
            if self.locks.contains_key(key) {
                return Err(format!("{key} is locked"));
            }
        }
        for key in &prepare.keys {
            self.locks.insert(key.clone(), prepare.id.clone());
        }
        self.prepared.insert(prepare.id.clone(), prepare);
        Ok(())
    }

    /// What the keys hold that are locked for this attempt: a participant's vote. `None`: none are.
    #[must_use]
    pub fn locked_values(&self, id: &TransactionId) -> Option<Values> {
        let keys = &self.prepared.get(id)?.keys;
        Some(keys.iter().map(|key| (key.clone(), self.value(key))).collect())
    }

    fn value(&self, key: &str) -> Option<String> {
        self.store.get(key).map(str::to_owned)
    }

    /// Decides for good. Where it commits, the operation is carried out on what all its keys hold; this group's part is written at
    /// once, and the client's answer is remembered in the same step.
    pub(super) fn decide(
        &mut self,
        id: &TransactionId,
        values: Option<Values>,
    ) -> Result<(), String> {
        let open = self.coordinated.get(id).filter(|transaction| transaction.decision.is_none());
        let Some(transaction) = open.cloned() else {
            return Err("it is decided, or unknown".to_owned());
        };
        let Coordinated { request, participants, .. } = &transaction;
        let mut writes_of: BTreeMap<GroupId, Option<Values>> =
            participants.keys().map(|group| (group.clone(), None)).collect();
        if let Some(values) = values {
            let (answer, after) = self.carried_out(&request.op, values);
            let home = self.home(&request.op).expect("a transaction over groups has keys");
            self.remember(home, request, &answer);
            for (group, (_, keys)) in participants {
                let its =
                    keys.iter().filter_map(|key| Some((key.clone(), after.get(key)?.clone())));
                writes_of.insert(group.clone(), Some(its.collect()));
            }
            for (key, value) in after {
                if self.is_here(&key) {
                    self.note_written([key.as_str()]);
                    self.store.set(&key, value);
                }
            }
        }
        self.unlock(id);
        if let Some(transaction) = self.coordinated.get_mut(id) {
            transaction.decision = Some(writes_of);
        }
        Ok(())
    }

    /// What the operation answers, and what its keys hold afterwards; `values` are those of the other groups.
    fn carried_out(&self, operation: &Operation, mut values: Values) -> (Answer, Values) {
        let keys: BTreeSet<&str> = operation.keys().into_iter().collect();
        for key in keys.iter().filter(|key| self.is_here(key)) {
            values.insert((*key).to_owned(), self.value(key));
        }
        let mut all = Store::default();
        for (key, value) in values {
            all.set(&key, value);
        }
        let answer = all.apply(operation);
        let after = keys.iter().map(|key| ((*key).to_owned(), all.get(key).map(str::to_owned)));
        (answer, after.collect())
    }

    fn unlock(&mut self, id: &TransactionId) {
        self.locks.retain(|_, holder| holder != id);
    }

    /// Carries out another group's decision. One that comes again changes nothing.
    pub(super) fn finish(
        &mut self,
        id: &TransactionId,
        writes: Option<Values>,
    ) -> Result<(), String> {
        self.over.entry(id.group.clone()).or_default().add(id.number);
        if self.prepared.remove(id).is_none() {
            return Ok(());
        }
        for (key, value) in writes.into_iter().flatten() {
            self.note_written([key.as_str()]);
            self.store.set(&key, value);
        }
        self.unlock(id);
        Ok(())
    }

    /// A participant is done; once all are, nobody will ask for this attempt again.
    pub(super) fn finished(&mut self, id: &TransactionId, group: &GroupId) -> Result<(), String> {
        let Some(transaction) = self.coordinated.get_mut(id) else { return Ok(()) };
        let Some(decision) = &mut transaction.decision else {
            return Err("it is not decided".to_owned());
        };
        decision.remove(group);
        if decision.is_empty() {
            self.coordinated.remove(id);
        }
        Ok(())
    }

    /// Whether an attempt that somebody holds locks for is unknown here: it was aborted, or its participants have finished, and a
    /// late copy of its beginning locked the keys again. Only the log can say that, since a leader's own state may lag.
    pub(super) fn inquire(&self, id: &TransactionId) -> Result<(), String> {
        match self.coordinated.contains_key(id) {
            true => Err("it is under way".to_owned()),
            false => Ok(()),
        }
    }
}
