//! A follower's side of log replication (§5.3): the receiver's rules of `AppendEntries` in Figure 2.

use contract::{Answer, NodeId, Request};
use node::{Application, Effects};

use crate::{
    message::{AppendEntries, AppendEntriesReply, AppendResult, Message, NO_ROUND},
    raft::Raft,
};

impl<A: Application<Command = Request, Output = Answer>> Raft<A> {
    pub(crate) fn on_append_entries(
        &mut self,
        from: &NodeId,
        request: AppendEntries,
        effects: &mut Effects<Self>,
    ) {
        let round = request.round;
        // 1. "Reply false if term < currentTerm."
        let (round, result) = if request.term < self.current_term {
            (NO_ROUND, AppendResult::StaleTerm)
        } else {
            self.follow(from, effects);
            (round, self.append_new_entries(request, effects))
        };
        let reply = AppendEntriesReply { term: self.current_term, round, result };
        effects.send(from, Message::AppendEntriesReply(reply));
    }

    /// The leader of the current term lives. A candidate that hears it gives up (§5.2).
    pub(crate) fn follow(&mut self, leader: &NodeId, effects: &mut Effects<Self>) {
        self.step_down(effects);
        self.leader_id = Some(leader.clone());
        self.heard_ms = effects.now_ms();
        self.reset_election_timer(effects);
    }

    /// What the leader sends goes into the log, and is durable before the answer leaves.
    fn append_new_entries(
        &mut self,
        request: AppendEntries,
        effects: &mut Effects<Self>,
    ) -> AppendResult {
        // 2. "Reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm."
        let prev_log_index = request.prev_log_index;
        if let Some(conflict) = self.conflict_at(prev_log_index, request.prev_log_term) {
            return conflict;
        }
        let match_index = prev_log_index + request.entries.len() as u64;
        for (index, entry) in (prev_log_index + 1..).zip(request.entries) {
            // What was compacted away is committed, hence the same (Log Matching, Leader Completeness).
            if index <= self.log.before_index() {
                continue;
            }
            // 3. "If an existing entry conflicts with a new one (same index but different terms), delete the existing entry
            //    and all that follow it." Without a conflict nothing is deleted: the message may be an old one.
            match self.log.term(index) {
                Some(term) if term == entry.term => continue,
                Some(_) => self.delete_entries_from(index),
                None => {}
            }
            // 4. "Append any new entries not already in the log."
            self.append_entry(entry, effects);
        }
        // 5. "If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)." Behind that
        //    entry there may be others, of which the leader has not said that they are its own.
        let commit_index = request.leader_commit.min(match_index);
        if commit_index > self.commit_index {
            self.commit_index = commit_index;
            self.apply_committed(effects);
        }
        AppendResult::Success { match_index }
    }

    fn conflict_at(&self, prev_log_index: u64, prev_log_term: u64) -> Option<AppendResult> {
        if prev_log_index < self.log.before_index() {
            return None; // committed, hence the same
        }
        match self.log.term(prev_log_index) {
            Some(term) if term == prev_log_term => None,
            Some(term) => Some(AppendResult::Conflict {
                prev_log_index,
                conflict_term: Some(term),
                conflict_index: self.log.first_index_of_term_at(prev_log_index),
            }),
            None => Some(AppendResult::Conflict {
                prev_log_index,
                conflict_term: None,
                conflict_index: self.log.last_index() + 1,
            }),
        }
    }
}
