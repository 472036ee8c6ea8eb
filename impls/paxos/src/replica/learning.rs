//! What follows once values are chosen: answers, catching up, compaction.

use contract::{Answer, NodeId, Request};
use node::{Application, Effects};

use super::{Paxos, Role};
use crate::{
    message::{Message, Record},
    slot::{ChosenSlot, Slot},
    snapshot::Snapshot,
    storage,
};

impl<A: Application<Command = Request, Output = Answer>> Paxos<A> {
    /// These values are chosen: applies what can be applied, answers who waits for it, and goes on.
    pub(super) fn learn(
        &mut self,
        chosen: impl IntoIterator<Item = ChosenSlot>,
        effects: &mut Effects<Self>,
    ) {
        for (slot, batch) in chosen {
            let voted = self.acceptor.vote(slot).is_some_and(|vote| vote.value == batch);
            if self.learner.learn(slot, batch.clone()) && !voted {
                self.persist(Some(Record::Learned { slot, batch }), effects);
            }
        }
        while let Some((slot, answers)) = self.learner.apply_next() {
            if let Role::Leader(leader) = &mut self.role {
                let answered = leader.take_waiting(slot).into_iter().zip(answers);
                answered.for_each(|(token, answer)| effects.reply(token, answer));
            }
        }
        self.compact_if_due(effects);
        self.answer_reads(effects);
        self.propose(effects);
    }

    /// Asks `from` for what is missing.
    pub(super) fn fetch(&self, from: &NodeId, effects: &mut Effects<Self>) {
        if self.learner.commit() < self.told_commit {
            effects.send(from, Message::Fetch { first: self.learner.commit() + 1 });
        }
    }

    pub(super) fn on_fetch(&self, from: &NodeId, first: Slot, effects: &mut Effects<Self>) {
        match self.learner.fetch(first) {
            Some(slots) if slots.is_empty() => {}
            Some(slots) => effects.send(from, Message::Chosen { slots }),
            None => {
                let snapshot = self.learner.snapshot().clone();
                effects.send(from, Message::Install { snapshot });
            }
        }
    }

    /// Replaces the state by a snapshot that is further on. Says whether the state is now that far.
    pub(super) fn install(&mut self, snapshot: Snapshot, effects: &mut Effects<Self>) -> bool {
        let slot = snapshot.slot;
        match self.learner.install(snapshot) {
            Ok(false) => true,
            Ok(true) => {
                tracing::info!(slot, "installed a snapshot");
                self.rewrite(effects);
                true
            }
            Err(error) => {
                tracing::warn!(slot, error, "ignored a snapshot that cannot be restored");
                false
            }
        }
    }

    /// Answers the reads that are confirmed, and starts a round for those that wait for one.
    pub(super) fn answer_reads(&mut self, effects: &mut Effects<Self>) {
        while let Role::Leader(leader) = &mut self.role {
            for read in leader.reads.take_ready(self.learner.commit()) {
                match self.learner.application().query(&read.request) {
                    Some(answer) => effects.reply(read.token, answer),
                    None => leader.enqueue(read.token, read.request),
                }
            }
            if !leader.reads.needs_round() {
                return;
            }
            self.send_heartbeat(effects); // alone in the cluster, this confirms itself at once
        }
    }

    pub(super) fn persist(&mut self, record: Option<Record>, effects: &mut Effects<Self>) {
        if let Some(record) = record {
            self.log_size.add(&record);
            effects.persist(record);
        }
    }

    /// Notes how far the log is chosen, on the occasion of another write: alone it is not worth an fsync.
    pub(super) fn record_commit(&mut self, effects: &mut Effects<Self>) {
        let commit = self.learner.commit();
        if commit > self.recorded_commit {
            self.recorded_commit = commit;
            self.persist(Some(Record::Committed { commit }), effects);
        }
    }

    pub(super) fn compact_if_due(&mut self, effects: &mut Effects<Self>) {
        let is_due = self.config.snapshot_bytes.is_some_and(|limit| self.log_size.exceeds(limit));
        if is_due && self.learner.commit() > self.learner.snapshot().slot {
            self.learner.take_snapshot();
            self.rewrite(effects);
        }
    }

    /// Puts the snapshot in the place of the log that led to it, atomically: in between lies no state in which
    /// a promise or a vote is missing.
    pub(super) fn rewrite(&mut self, effects: &mut Effects<Self>) {
        self.acceptor.compact(self.learner.snapshot().slot);
        let records = storage::compacted(&self.acceptor, &self.learner);
        self.log_size.reset(&records);
        self.recorded_commit = self.learner.commit();
        effects.rewrite(records);
    }
}
