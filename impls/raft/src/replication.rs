//! A leader's side of log replication (§5.3), and what it calls committed (§5.4.2).

use std::sync::Arc;

use contract::{Answer, NodeId, Request};
use node::{Application, Effects, log_size::encoded_bytes};

use crate::{
    leader::Follower,
    log::{Entry, Log, LogIndex, Payload},
    message::{AppendEntries, AppendEntriesReply, AppendResult, Message},
    raft::{Raft, Role, Timer},
};

/// After so many bytes of entries an `AppendEntries` holds no further one.
const BATCH_BYTES: u64 = 512 << 10;

impl<A: Application<Command = Request, Output = Answer>> Raft<A> {
    /// Has the queue emptied once everything that came at the same time is in it.
    pub(crate) fn flush_soon(&mut self, effects: &mut Effects<Self>) {
        if let Role::Leader(leader) = &mut self.role
            && !leader.flushes_soon
        {
            leader.flushes_soon = true;
            effects.set_timer(Timer::Flush, 0);
        }
    }

    /// Requests go into the log and from there to the followers; reads that wait get a round of heartbeats. While the
    /// leader hands over, requests wait.
    pub(crate) fn flush(&mut self, effects: &mut Effects<Self>) {
        let Role::Leader(leader) = &mut self.role else { return };
        leader.flushes_soon = false;
        if leader.transfer.is_none() && !leader.queue.is_empty() {
            let (tokens, requests): (Vec<_>, Vec<_>) =
                std::mem::take(&mut leader.queue).into_iter().unzip();
            leader.waiting.extend((self.log.last_index() + 1..).zip(tokens));
            self.append_to_own_log(requests.into_iter().map(Payload::Command), effects);
        }
        let Role::Leader(leader) = &self.role else { return };
        let confirmed = leader.confirmed_round(self.configurations.latest());
        let is_round = leader.reads.need_round(confirmed);
        self.replicate(is_round, effects);
        self.answer_reads(effects); // alone in the cluster, a round confirms itself
    }

    /// "If command received from client: append entry to local log". That counts as a copy once it is durable: then a
    /// message to itself says so, as those of the followers do.
    pub(crate) fn append_to_own_log(
        &mut self,
        payloads: impl IntoIterator<Item = Payload>,
        effects: &mut Effects<Self>,
    ) {
        for payload in payloads {
            let entry = Entry { term: self.current_term, payload };
            self.append_entry(Arc::new(entry), effects);
        }
        let result = AppendResult::Success { match_index: self.log.last_index() };
        let own = AppendEntriesReply { term: self.current_term, round: 0, result };
        effects.send(&self.config.node, Message::AppendEntriesReply(own));
    }

    /// Sends to each follower what is new; with a round of heartbeats, something to everyone.
    pub(crate) fn replicate(&mut self, is_round: bool, effects: &mut Effects<Self>) {
        let Role::Leader(leader) = &mut self.role else { return };
        if is_round {
            leader.begin_round(&self.config.node);
        }
        let mut others: Vec<NodeId> = leader.followers.keys().cloned().collect();
        others.retain(|server| *server != self.config.node);
        for server in &others {
            let is_sent = self.send_entries(server, effects);
            if is_round && !is_sent {
                self.send_heartbeat(server, effects);
            }
        }
    }

    /// "If last log index ≥ nextIndex for a follower: send AppendEntries RPC with log entries starting at nextIndex". Says
    /// whether anything left. Does not wait for answers until the pipeline is full (dissertation §10.2.2).
    pub(crate) fn send_entries(&mut self, to: &NodeId, effects: &mut Effects<Self>) -> bool {
        let mut is_sent = false;
        while let Role::Leader(leader) = &mut self.role
            && let Some(follower) = leader.followers.get_mut(to)
            && follower.may_send()
            && follower.next_index <= self.log.last_index()
            && follower.next_index > self.log.before_index()
        {
            let prev_log_index = follower.next_index - 1;
            let entries = batch(&self.log, follower);
            follower.on_sent(prev_log_index + entries.len() as u64);
            self.send_append_entries(to, prev_log_index, entries, effects);
            is_sent = true;
        }
        is_sent
    }

    /// An `AppendEntries` without entries. Where its predecessor got lost it fails, and the leader learns of that.
    fn send_heartbeat(&self, to: &NodeId, effects: &mut Effects<Self>) {
        let Role::Leader(leader) = &self.role else { return };
        let Some(follower) = leader.followers.get(to) else { return };
        let prev_log_index = (follower.next_index - 1).max(self.log.before_index());
        self.send_append_entries(to, prev_log_index, Vec::new(), effects);
    }

    fn send_append_entries(
        &self,
        to: &NodeId,
        prev_log_index: LogIndex,
        entries: Vec<Arc<Entry>>,
        effects: &mut Effects<Self>,
    ) {
        let Role::Leader(leader) = &self.role else { return };
        let Some(prev_log_term) = self.log.term(prev_log_index) else { return };
        let request = AppendEntries {
            term: self.current_term,
            prev_log_index,
            prev_log_term,
            entries,
            leader_commit: self.commit_index,
            round: leader.reads.round(),
        };
        effects.send(to, Message::AppendEntries(request));
    }

    pub(crate) fn on_append_entries_reply(
        &mut self,
        from: &NodeId,
        reply: &AppendEntriesReply,
        effects: &mut Effects<Self>,
    ) {
        // An answer of an earlier term says nothing about the logs of today.
        if reply.term != self.current_term {
            return;
        }
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(follower) = leader.followers.get_mut(from) else { return };
        follower.hear(reply.round, effects.now_ms());
        match reply.result {
            AppendResult::Success { match_index } => {
                follower.on_success(match_index);
                self.on_progress(from, effects);
            }
            AppendResult::Conflict { prev_log_index, conflict_term, conflict_index } => {
                // §5.3, end: one message for each term that differs, rather than one for each entry.
                let agreement = conflict_term
                    .and_then(|term| self.log.last_index_of_term_before(prev_log_index, term));
                let next_index = agreement.map_or(conflict_index, |agreement| agreement + 1);
                follower.on_conflict(prev_log_index, next_index);
                self.send_missing(from, effects);
            }
            AppendResult::StaleTerm => {}
        }
        self.answer_reads(effects);
    }

    /// A follower holds more than before.
    pub(crate) fn on_progress(&mut self, from: &NodeId, effects: &mut Effects<Self>) {
        self.advance_commit_index(effects);
        self.catch_up(from, effects);
        self.hand_over_if_ready(effects);
        self.send_missing(from, effects);
    }

    /// Entries, as far as the pipeline has room, or the snapshot where they were compacted away.
    fn send_missing(&mut self, to: &NodeId, effects: &mut Effects<Self>) {
        if *to != self.config.node && !self.send_entries(to, effects) {
            self.send_snapshot_if_needed(to, effects);
        }
    }

    /// "If there exists an N such that N > commitIndex, a majority of matchIndex\[i\] ≥ N, and log\[N\].term == currentTerm:
    /// set commitIndex = N." Entries of earlier terms are committed with it: by counting copies of them alone, one could be
    /// called committed that a later leader replaces (§5.4.2, Figure 8).
    fn advance_commit_index(&mut self, effects: &mut Effects<Self>) {
        let Role::Leader(leader) = &self.role else { return };
        let replicated = leader.replicated_index(self.configurations.latest());
        let is_of_own_term = self.log.term(replicated) == Some(self.current_term);
        if replicated > self.commit_index && is_of_own_term {
            self.commit_index = replicated;
            self.apply_committed(effects);
            self.step_down_if_removed(effects);
        }
    }

    /// Heartbeats "to prevent election timeouts", and what else is repeated in time.
    pub(crate) fn on_heartbeat_timer(&mut self, effects: &mut Effects<Self>) {
        match &mut self.role {
            Role::Follower => return,
            Role::PreCandidate(_) | Role::Candidate { .. } => {
                return self.keep_asking_for_votes(effects);
            }
            Role::Leader(leader) => {
                let now_ms = effects.now_ms();
                if let Some(own) = leader.followers.get_mut(&self.config.node) {
                    own.heard_ms = now_ms;
                }
                let heard_ms = leader.heard_majority_ms(self.configurations.latest());
                if now_ms >= heard_ms + self.config.patience_ms {
                    // Cut off: the others will elect another, and clients should go there (dissertation §6.2).
                    return self.step_down(effects);
                }
                self.give_up_what_takes_too_long(effects);
                self.hand_over_if_ready(effects);
                self.replicate(true, effects);
                self.answer_reads(effects);
            }
        }
        effects.set_timer(Timer::Heartbeat, self.config.heartbeat_ms);
    }
}

/// The entries for one message.
fn batch(log: &Log, follower: &Follower) -> Vec<Arc<Entry>> {
    let mut bytes = 0;
    let mut entries = Vec::new();
    for (_, entry) in log.entries_from(follower.next_index) {
        if bytes >= BATCH_BYTES {
            break;
        }
        bytes += encoded_bytes(entry);
        entries.push(entry.clone());
    }
    entries
}
