//! What a leader does as coordinator and as participant of transactions.

use std::collections::BTreeMap;

use contract::{GroupId, NodeId};
use node::{Effects, Replicates};

use super::{Node, Proposal, led};
use crate::{
    carried::Carried,
    command::Command,
    group::Group,
    message::Message,
    transaction::{Prepare, TransactionId, Values},
};

/// How often a participant is asked again, or told the decision again.
const RESEND_MS: u64 = 100;
/// A coordinator that has not heard all votes after so long aborts.
const VOTES_MS: u64 = 500;
/// A participant that has not heard the decision after so long asks for it, and again so often.
const DECISION_MS: u64 = 300;

/// What a leader remembers of it.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    coordinated: BTreeMap<TransactionId, Round>,
    /// When each participant's last vote was sent.
    voted_ms: BTreeMap<TransactionId, u64>,
    /// What is being prepared: who must hear the vote.
    preparing: BTreeMap<TransactionId, Vec<NodeId>>,
    /// Who sent the decision that is being carried out.
    finishing: BTreeMap<TransactionId, NodeId>,
    /// Who asked for a decision that nobody here remembers.
    inquiring: BTreeMap<TransactionId, NodeId>,
}

/// The votes on an attempt, and when its participants were asked last.
#[derive(Debug)]
struct Round {
    since_ms: u64,
    sent_ms: Option<u64>,
    votes: BTreeMap<GroupId, Option<Values>>,
    was_decided: bool,
}

/// A group's vote as its log has it: yes, with the values of the keys that are locked, or no.
fn vote<M>(group: &Group, id: &TransactionId) -> Message<M> {
    Message::Vote { id: id.clone(), group: group.id().clone(), values: group.locked_values(id) }
}

impl<P: Replicates<Application = Carried>> Node<P> {
    /// Asks participants for their votes, decides, and tells decisions, again and again until all have answered.
    pub(super) fn coordinate(&mut self, effects: &mut Effects<Self>) {
        let Some(group) = led(&self.inner) else { return };
        let now_ms = effects.now_ms();
        let rounds = &mut self.transactions.coordinated;
        rounds.retain(|id, _| group.coordinated().contains_key(id));
        let coordinators = group.servers_of(group.id());
        let oldest = group.oldest_attempt();
        let mut decisions = Vec::new();
        for (id, transaction) in group.coordinated() {
            let is_decided = transaction.decision.is_some();
            let round = rounds.entry(id.clone()).or_insert_with(|| Round {
                since_ms: now_ms,
                sent_ms: None,
                votes: BTreeMap::new(),
                was_decided: is_decided,
            });
            if is_decided && !round.was_decided {
                // The decision goes out at once.
                (round.sent_ms, round.was_decided) = (None, true);
            }
            let is_due = round.sent_ms.is_none_or(|at_ms| now_ms >= at_ms + RESEND_MS);
            if is_due {
                round.sent_ms = Some(now_ms);
            }
            let Some(decision) = &transaction.decision else {
                let votes = &round.votes;
                let is_refused = votes.values().any(Option::is_none);
                if is_refused || now_ms >= round.since_ms + VOTES_MS {
                    decisions.push((id.clone(), None));
                } else if votes.len() == transaction.participants.len() {
                    let values = votes.values().flatten().flatten();
                    let values = values.map(|(key, value)| (key.clone(), value.clone()));
                    decisions.push((id.clone(), Some(values.collect())));
                } else if is_due {
                    for (participant, (servers, keys)) in &transaction.participants {
                        if votes.contains_key(participant) {
                            continue;
                        }
                        let prepare = Prepare {
                            id: id.clone(),
                            coordinators: coordinators.to_vec(),
                            configuration: transaction.configuration,
                            keys: keys.clone(),
                            oldest,
                        };
                        Self::broadcast(servers, &Message::Prepare(prepare), effects);
                    }
                }
                continue;
            };
            if is_due {
                for (participant, writes) in decision {
                    let servers = transaction.participants.get(participant);
                    let message = Message::Decision { id: id.clone(), writes: writes.clone() };
                    let servers = servers.map_or(&[][..], |(servers, _)| servers);
                    Self::broadcast(servers, &message, effects);
                }
            }
        }
        for (id, values) in decisions {
            let command = Command::Decide { id: id.clone(), values };
            self.propose(Proposal::Decide(id), command, effects);
        }
    }

    /// A coordinator asks for this group's vote.
    pub(super) fn on_prepare(&mut self, prepare: Prepare, effects: &mut Effects<Self>) {
        let Some(group) = self.led() else { return };
        let id = prepare.id.clone();
        let is_prepared = group.prepared().contains_key(&id);
        let is_draining = self.migration.is_draining(group, effects.now_ms());
        self.transactions.preparing.insert(id.clone(), prepare.coordinators.clone());
        if is_prepared || is_draining {
            return self.send_vote(&id, effects);
        }
        self.propose(Proposal::Prepare(id), Command::Prepare(prepare), effects);
    }

    /// Tells this group's vote to whoever asked for it.
    pub(super) fn send_vote(&mut self, id: &TransactionId, effects: &mut Effects<Self>) {
        let Some(group) = self.led() else { return };
        let vote = vote(group, id);
        let Some(coordinators) = self.transactions.preparing.remove(id) else { return };
        self.transactions.voted_ms.insert(id.clone(), effects.now_ms());
        Self::broadcast(&coordinators, &vote, effects);
    }

    /// Asks for decisions that are overdue, by voting again.
    pub(super) fn ask_coordinators(&mut self, effects: &mut Effects<Self>) {
        let Some(group) = led(&self.inner) else { return };
        let now_ms = effects.now_ms();
        let voted_ms = &mut self.transactions.voted_ms;
        voted_ms.retain(|id, _| group.prepared().contains_key(id));
        for (id, prepared) in group.prepared() {
            let at_ms = voted_ms.entry(id.clone()).or_insert(now_ms);
            if now_ms < *at_ms + DECISION_MS {
                continue;
            }
            *at_ms = now_ms;
            Self::broadcast(&prepared.coordinators, &vote(group, id), effects);
        }
    }

    /// A participant votes, or asks for a decision that it has not heard.
    pub(super) fn on_vote(
        &mut self,
        from: &NodeId,
        id: TransactionId,
        group: GroupId,
        values: Option<Values>,
        effects: &mut Effects<Self>,
    ) {
        let Some(own) = self.led().filter(|own| *own.id() == id.group) else { return };
        match own.coordinated().get(&id) {
            Some(transaction) if transaction.decision.is_none() => {
                if let Some(round) = self.transactions.coordinated.get_mut(&id) {
                    round.votes.entry(group).or_insert(values);
                }
            }
            // It is told again and again.
            Some(_) => {}
            None if values.is_some() => {
                self.transactions.inquiring.insert(id.clone(), from.clone());
                let command = Command::Inquire { id: id.clone() };
                self.propose(Proposal::Inquire(id), command, effects);
            }
            None => {}
        }
    }

    /// Nobody here remembers the attempt: its locks may go.
    pub(super) fn send_abort(&mut self, id: &TransactionId, effects: &mut Effects<Self>) {
        if let Some(to) = self.transactions.inquiring.remove(id) {
            effects.send(&to, Message::Decision { id: id.clone(), writes: None });
        }
    }

    /// The decision goes through this group's log, also where nothing is locked for it: what this node has applied may lag.
    pub(super) fn on_decision(
        &mut self,
        from: &NodeId,
        id: TransactionId,
        writes: Option<Values>,
        effects: &mut Effects<Self>,
    ) {
        if self.led().is_none() {
            return;
        }
        self.transactions.finishing.insert(id.clone(), from.clone());
        let command = Command::Finish { id: id.clone(), writes };
        self.propose(Proposal::Finish(id), command, effects);
    }

    pub(super) fn send_finished(&mut self, id: &TransactionId, effects: &mut Effects<Self>) {
        let Some(group) = self.led().map(|group| group.id().clone()) else { return };
        if let Some(to) = self.transactions.finishing.remove(id) {
            effects.send(&to, Message::Finished { id: id.clone(), group });
        }
    }

    pub(super) fn on_finished(
        &mut self,
        id: TransactionId,
        group: GroupId,
        effects: &mut Effects<Self>,
    ) {
        let is_open = self.led().and_then(|own| own.coordinated().get(&id)).is_some_and(|own| {
            own.decision.as_ref().is_some_and(|decision| decision.contains_key(&group))
        });
        if is_open {
            let command = Command::Finished { id: id.clone(), group: group.clone() };
            self.propose(Proposal::Finished(id, group), command, effects);
        }
    }
}
