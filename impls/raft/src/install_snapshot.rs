//! Log compaction (§7, dissertation §5): snapshots taken, sent to laggards in chunks, and installed (Figure 13).

use std::sync::Arc;

use contract::{Answer, NodeId, Request};
use node::{Application, Effects};

use crate::{
    configuration::Configurations,
    log::Log,
    message::{InstallSnapshot, InstallSnapshotReply, Message, NO_ROUND, Received},
    raft::{Raft, Role},
    snapshot::{Chunk, Sending, Snapshot},
};

impl<A: Application<Command = Request, Output = Answer>> Raft<A> {
    /// Replaces what is applied by a snapshot, where the log has grown too long. In memory the entries since the snapshot
    /// before are kept, for followers that lack only a few of them.
    pub(crate) fn compact_if_due(&mut self, effects: &mut Effects<Self>) {
        let is_due = self.config.snapshot_bytes.is_some_and(|limit| self.log_size.exceeds(limit));
        let Some(last_included_term) = self.log.term(self.last_applied) else { return };
        if !is_due || self.last_applied == self.snapshot.last_included_index {
            return;
        }
        self.log.compact(self.snapshot.last_included_index);
        self.snapshot = Snapshot {
            last_included_index: self.last_applied,
            last_included_term,
            configuration: self.configurations.at(self.last_applied).clone(),
            state: Arc::new(self.application.snapshot()),
        };
        self.rewrite(effects);
    }

    /// "When the leader has already discarded the next log entry that it needs to send to a follower", it sends the
    /// snapshot: the next chunk, or again the last one where no answer came.
    pub(crate) fn send_snapshot_if_needed(&mut self, to: &NodeId, effects: &mut Effects<Self>) {
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(follower) = leader.followers.get_mut(to) else { return };
        if follower.next_index > self.log.before_index() {
            follower.sending = None;
            return;
        }
        let sending = follower.sending.get_or_insert_with(|| Sending::new(self.snapshot.clone()));
        let patience_ms = 2 * self.config.heartbeat_ms;
        let chunk = sending.next_chunk(self.config.chunk_bytes, effects.now_ms(), patience_ms);
        if let Some(chunk) = chunk {
            let (term, round) = (self.current_term, leader.reads.round());
            effects.send(to, Message::InstallSnapshot(InstallSnapshot { term, chunk, round }));
        }
    }

    pub(crate) fn on_install_snapshot_reply(
        &mut self,
        from: &NodeId,
        reply: &InstallSnapshotReply,
        effects: &mut Effects<Self>,
    ) {
        if reply.term != self.current_term {
            return;
        }
        let Role::Leader(leader) = &mut self.role else { return };
        let Some(follower) = leader.followers.get_mut(from) else { return };
        follower.hear(reply.round, effects.now_ms());
        match reply.received {
            Received::All => {
                follower.sending = None;
                follower.on_success(reply.last_included_index);
                self.on_progress(from, effects);
            }
            Received::Bytes(bytes) => {
                if let Some(sending) = &mut follower.sending {
                    sending.on_received(reply.last_included_index, bytes);
                }
                self.send_snapshot_if_needed(from, effects);
            }
        }
        self.answer_reads(effects);
    }

    /// The receiver's rules of Figure 13.
    pub(crate) fn on_install_snapshot(
        &mut self,
        from: &NodeId,
        request: InstallSnapshot,
        effects: &mut Effects<Self>,
    ) {
        let InstallSnapshot { term, chunk, round } = request;
        let last_included_index = chunk.last_included_index;
        // 1. "Reply immediately if term < currentTerm."
        let (round, received) = if term < self.current_term {
            (NO_ROUND, Received::Bytes(0))
        } else {
            self.follow(from, effects);
            (round, self.receive(chunk, effects))
        };
        let reply =
            InstallSnapshotReply { term: self.current_term, round, last_included_index, received };
        effects.send(from, Message::InstallSnapshotReply(reply));
    }

    fn receive(&mut self, chunk: Chunk, effects: &mut Effects<Self>) -> Received {
        let index = chunk.last_included_index;
        // 6. "If existing log entry has same index and term as snapshot's last included entry, retain log entries following
        //    it and reply": everything up to there is committed, and will be applied in its turn.
        if self.log.term(index) == Some(chunk.last_included_term) && index > self.commit_index {
            self.commit_index = index;
            self.apply_committed(effects);
        }
        if index <= self.commit_index {
            return Received::All;
        }
        // 2. to 5. Chunks are put together; "wait for more data chunks if done is false".
        if let Some(snapshot) = self.receiving.take(self.current_term, chunk)
            && self.install(snapshot, effects)
        {
            return Received::All;
        }
        let (receiving, bytes) = self.receiving.progress();
        Received::Bytes(if receiving == index { bytes } else { 0 })
    }

    /// Rules 7 and 8: "Discard the entire log. Reset state machine using snapshot contents (and load snapshot's cluster
    /// configuration)." Says whether that was possible.
    fn install(&mut self, snapshot: Snapshot, effects: &mut Effects<Self>) -> bool {
        let index = snapshot.last_included_index;
        if let Err(error) = self.application.restore(&snapshot.state) {
            tracing::warn!(index, error, "ignored a snapshot that cannot be restored");
            return false;
        }
        tracing::info!(index, "installed a snapshot");
        self.adopt(snapshot);
        self.rewrite(effects);
        true
    }

    /// The state machine is what this snapshot holds; nothing else is in the log.
    pub(crate) fn adopt(&mut self, snapshot: Snapshot) {
        self.log = Log::after(snapshot.last_included_index, snapshot.last_included_term);
        self.configurations = Configurations::new(snapshot.configuration.clone());
        self.commit_index = snapshot.last_included_index;
        self.last_applied = snapshot.last_included_index;
        self.snapshot = snapshot;
    }
}
