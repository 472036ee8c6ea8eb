//! Normal operation (§4.1): the primary orders the requests, the backups take them over in that order.
//!
//! ```text
//! client ─request▶ primary ─Prepare▶ backups ─PrepareOk▶ primary ─reply▶ client
//!                          ─Commit▶ (or the next Prepare)
//! ```

use contract::{Answer, NodeId, Request};
use node::{Application, Token};

use crate::{
    log::{Batch, OpNumber},
    message::{Message, ViewNumber},
    primary::{PIPELINE_MAX, Primary},
    replica::{Effects, Replica},
};

/// How far ahead of its log a backup keeps operations.
const EARLY_MAX: u64 = 1024;

impl<A: Application<Command = Request, Output = Answer>> Replica<A> {
    /// Becomes the primary, where its view says so.
    pub(crate) fn take_office(&mut self, effects: &mut Effects<A>) {
        if *self.view_primary() != self.config.node {
            return;
        }
        tracing::info!(view_number = self.view_number, "is the primary");
        self.led = Some(self.view_number);
        self.primary = Some(Box::new(Primary::new(self.log.op_number(), effects.now_ms())));
        self.suspicion.wait(effects.now_ms());
        self.suspicion.is_in_touch = self.config.quorum() == 1;
    }

    /// §4.1, steps 1 to 3. A retry whose answer is in the client-table gets it again.
    pub(crate) fn on_client_request(
        &mut self,
        token: Token,
        request: Request,
        effects: &mut Effects<A>,
    ) {
        let Some(primary) = self.primary.as_mut().filter(|_| !self.suspicion.is_suspecting())
        else {
            return self.refuse(token, effects);
        };
        if request.op.is_read_only() {
            let op_number = self.commit_number.max(primary.first_commit);
            primary.reads.add(token, request, op_number);
            return self.answer_reads(effects);
        }
        // What the client-table has was committed, so even a primary that was deposed may say it. Of a read it would not know.
        if let Some(answer) = self.application.query(&request) {
            return effects.reply(token, answer);
        }
        primary.enqueue(token, request);
        self.prepare(effects);
    }

    /// §4.1, step 3, for as much as the pipeline holds.
    pub(crate) fn prepare(&mut self, effects: &mut Effects<A>) {
        let Some(primary) = &mut self.primary else { return };
        while self.log.op_number() < self.commit_number + PIPELINE_MAX {
            let op_number = self.log.op_number() + 1;
            let Some(batch) = primary.next_batch(op_number, effects.now_ms()) else { break };
            self.log.append(batch.clone());
            let (view_number, commit_number) = (self.view_number, self.commit_number);
            for other in self.config.others().filter(|other| !primary.is_away(other)) {
                let batch = batch.clone();
                effects
                    .send(other, Message::Prepare { view_number, op_number, batch, commit_number });
            }
        }
        if self.config.quorum() == 1 {
            self.commit_prepared(effects);
        }
    }

    /// §4.1, step 4: a backup takes operations in order, and says so only when it has all before.
    pub(crate) fn on_prepare(
        &mut self,
        from: &NodeId,
        op_number: OpNumber,
        batch: Batch,
        commit_number: OpNumber,
        effects: &mut Effects<A>,
    ) {
        self.hear_primary(effects);
        if op_number > self.log.op_number() && op_number <= self.log.op_number() + EARLY_MAX {
            self.early.insert(op_number, batch);
        }
        self.take_early();
        self.told_commit = self.told_commit.max(commit_number);
        self.execute_to(self.told_commit, effects);
        let (view_number, op_number) = (self.view_number, self.log.op_number());
        effects.send(from, Message::PrepareOk { view_number, op_number });
    }

    /// Appends what came early and is next now.
    pub(crate) fn take_early(&mut self) {
        while let Some(batch) = self.early.remove(&(self.log.op_number() + 1)) {
            self.log.append(batch);
        }
        self.early = self.early.split_off(&(self.log.op_number() + 1));
    }

    /// §4.1, step 5.
    pub(crate) fn on_prepare_ok(
        &mut self,
        from: &NodeId,
        view_number: ViewNumber,
        op_number: OpNumber,
        effects: &mut Effects<A>,
    ) {
        if view_number != self.view_number {
            return;
        }
        let Some(primary) = &mut self.primary else { return };
        primary.acknowledge(from, op_number, effects.now_ms());
        self.look_for_quorum(effects);
        self.commit_prepared(effects);
    }

    /// Executes what a quorum has in its logs, answers the clients, and goes on.
    pub(crate) fn commit_prepared(&mut self, effects: &mut Effects<A>) {
        let Some(primary) = &self.primary else { return };
        let prepared = primary.prepared_by(self.config.quorum(), self.log.op_number());
        if prepared > self.commit_number {
            self.execute_to(prepared, effects);
            self.answer_reads(effects);
            self.prepare(effects);
        }
    }

    /// Executes what is committed, as far as it is in the log: the only way by which the application changes in normal
    /// operation.
    pub(crate) fn execute_to(&mut self, commit_number: OpNumber, effects: &mut Effects<A>) {
        while self.commit_number < commit_number {
            let op_number = self.commit_number + 1;
            let Some(batch) = self.log.get(op_number).cloned() else { break };
            self.commit_number = op_number;
            let answers: Vec<Answer> =
                batch.iter().map(|request| self.application.apply(request)).collect();
            if let Some(primary) = &mut self.primary {
                for (token, answer) in primary.committed(op_number).into_iter().zip(answers) {
                    effects.reply(token, answer);
                }
            }
        }
        self.take_checkpoint_if_due(effects);
    }

    /// §4.1, steps 6 and 7. What was committed at the last heartbeat and is still missing, is lost rather than late.
    pub(crate) fn on_commit(
        &mut self,
        from: &NodeId,
        commit_number: OpNumber,
        round: u64,
        effects: &mut Effects<A>,
    ) {
        self.hear_primary(effects);
        let is_behind = self.commit_number < self.told_commit;
        self.told_commit = self.told_commit.max(commit_number);
        self.execute_to(self.told_commit, effects);
        if is_behind && self.commit_number < self.told_commit {
            self.get_state(from, effects);
        }
        let (view_number, op_number) = (self.view_number, self.log.op_number());
        effects.send(from, Message::CommitOk { view_number, op_number, round });
    }

    /// A backup is in this view still.
    pub(crate) fn on_commit_ok(
        &mut self,
        from: &NodeId,
        view_number: ViewNumber,
        op_number: OpNumber,
        round: u64,
        effects: &mut Effects<A>,
    ) {
        if view_number != self.view_number {
            return;
        }
        let Some(primary) = &mut self.primary else { return };
        primary.reads.confirm(from, round);
        self.on_prepare_ok(from, view_number, op_number, effects);
        self.answer_reads(effects);
    }

    /// Answers the reads that are confirmed, and starts a round for those that wait for one.
    pub(crate) fn answer_reads(&mut self, effects: &mut Effects<A>) {
        let quorum = self.config.quorum();
        let mut must_be_applied = false;
        while let Some(primary) = &mut self.primary {
            for read in primary.reads.take_ready(self.commit_number, quorum) {
                if let Some(answer) = self.application.query(&read.request) {
                    effects.reply(read.token, answer);
                } else {
                    primary.enqueue(read.token, read.request);
                    must_be_applied = true;
                }
            }
            if self.suspicion.is_suspecting() || !primary.reads.need_round(quorum) {
                break;
            }
            self.send_commit(effects); // alone in the group, this confirms itself at once
        }
        if must_be_applied {
            self.prepare(effects);
        }
    }

    fn send_commit(&mut self, effects: &mut Effects<A>) {
        let Some(primary) = &mut self.primary else { return };
        let round = primary.reads.next_round();
        let (view_number, commit_number) = (self.view_number, self.commit_number);
        for other in self.config.others().filter(|other| primary.prepared(other).is_some()) {
            effects.send(other, Message::Commit { view_number, commit_number, round });
        }
    }

    /// Shows the backups that the primary lives, and sends again what they did not acknowledge. A primary that hears no
    /// quorum is silent, so that the others start a view change, and lets its clients go.
    pub(crate) fn on_primary_heartbeat(&mut self, effects: &mut Effects<A>) {
        if !self.look_for_quorum(effects) {
            self.suspect_if_quiet(effects);
        }
        if self.suspicion.is_suspecting() {
            return;
        }
        let Some(primary) = &mut self.primary else { return };
        let (view_number, commit_number) = (self.view_number, self.commit_number);
        let (first, last) = (commit_number + 1, self.log.op_number());
        let overdue = primary.overdue(first, last, effects.now_ms(), self.config.heartbeat_ms);
        for other in self.config.others() {
            primary.lose_if_silent(other, effects.now_ms(), self.config.patience_ms);
            let Some(prepared) = primary.prepared(other) else {
                // It may not have heard of this view yet, and ignores all messages of it until then.
                let log = self.log.suffix(commit_number);
                effects.send(other, Message::StartView { view_number, log });
                continue;
            };
            for op_number in overdue.iter().copied().filter(|op_number| *op_number > prepared) {
                if let Some(batch) = self.log.get(op_number).cloned() {
                    effects.send(
                        other,
                        Message::Prepare { view_number, op_number, batch, commit_number },
                    );
                }
            }
        }
        self.send_commit(effects);
    }

    /// Whether the primary hears a quorum; then it suspects nothing any more.
    fn look_for_quorum(&mut self, effects: &mut Effects<A>) -> bool {
        let Some(primary) = &self.primary else { return false };
        let (quorum, patience_ms) = (self.config.quorum(), self.config.patience_ms);
        let hears_quorum = primary.hears_quorum(quorum, effects.now_ms(), patience_ms);
        if hears_quorum {
            self.suspicion.calm(effects.now_ms());
        }
        hears_quorum
    }

    /// Looks whether the primary is silent, and fetches what is missing.
    pub(crate) fn on_backup_heartbeat(&mut self, effects: &mut Effects<A>) {
        self.suspect_if_quiet(effects);
        if self.commit_number < self.told_commit {
            self.get_state_of_any(effects);
        }
    }
}
