//! The properties of Figure 3, after each step of a server.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use contract::NodeId;
use raft::{
    Raft,
    log::{Entry, Log, LogIndex, Payload, Term},
};
use simulation_checks::{
    Coverage, Recorder,
    invariants::{OneLeaderPerTerm, OneSequenceApplied, OneValuePerSlot},
};

pub const LEADERS: &str = "leaders elected";
pub const COMMITTED: &str = "entries committed";
pub const OF_EARLIER_TERMS: &str = "leaders that found entries of earlier terms uncommitted";
pub const CONFIGURATIONS: &str = "configurations committed";
pub const REPLACED: &str = "entries that were replaced by others";

/// What the servers have shown so far.
#[derive(Default)]
pub struct Properties {
    /// Election Safety: "at most one leader can be elected in a given term".
    election_safety: OneLeaderPerTerm<Term>,
    log_matching: LogMatching,
    /// The term of each committed entry, and the term in which it was committed: for Leader Completeness.
    committed: BTreeMap<LogIndex, (Term, Term)>,
    /// State Machine Safety: no two servers apply different commands for one index.
    one_entry_per_index: OneValuePerSlot<Entry>,
    one_sequence_applied: OneSequenceApplied,
    /// Leader Append-Only: the log of each leader only grows.
    leader_logs: BTreeMap<NodeId, (Term, LogIndex)>,
}

impl Properties {
    /// `server` has just made a step.
    pub fn check(
        &mut self,
        name: &NodeId,
        server: &Raft<Recorder>,
        coverage: &Coverage,
    ) -> Result<(), String> {
        let (log, commit_index) = (server.log(), server.commit_index());
        self.log_matching.check(name, log, coverage)?;
        let (committed, current_term) = (&mut self.committed, server.current_term());
        self.one_entry_per_index.check(
            name,
            commit_index,
            |first| {
                let entries = log.entries_from(first);
                let known = entries.take_while(move |(index, _)| *index <= commit_index);
                known.map(|(index, entry)| (index, &**entry))
            },
            |index, entry| {
                // The leader that commits it is the first to know.
                committed.insert(index, (entry.term, current_term));
                coverage.count(COMMITTED);
                if matches!(entry.payload, Payload::Configuration(_)) {
                    coverage.count(CONFIGURATIONS);
                }
            },
        )?;
        self.one_sequence_applied.check(name, server.application().applied())?;
        if server.is_leader() { self.check_leader(name, server, coverage) } else { Ok(()) }
    }

    fn check_leader(
        &mut self,
        name: &NodeId,
        server: &Raft<Recorder>,
        coverage: &Coverage,
    ) -> Result<(), String> {
        let (term, log) = (server.current_term(), server.log());
        if self.election_safety.check(name, &term)? {
            coverage.count(LEADERS);
            // Before its own no-op.
            if log.last_index() > server.commit_index() + 1 {
                coverage.count(OF_EARLIER_TERMS);
            }
            self.leader_completeness(name, term, log)?;
        }
        let known = self.leader_logs.entry(name.clone()).or_default();
        if known.0 == term && log.last_index() < known.1 {
            return Err(format!("{name} leads in term {term} and shortens its log"));
        }
        *known = (term, log.last_index());
        Ok(())
    }

    /// Leader Completeness: "if a log entry is committed in a given term, then that entry will be present in the logs of the
    /// leaders for all higher-numbered terms".
    fn leader_completeness(&self, name: &NodeId, term: Term, log: &Log) -> Result<(), String> {
        let committed = self.committed.range(log.before_index() + 1..);
        for (index, (entry_term, _)) in committed.filter(|(_, (_, in_term))| *in_term < term) {
            let found = log.term(*index);
            if found != Some(*entry_term) {
                return Err(format!(
                    "{name} leads in term {term} and has {found:?} instead of the committed entry {index} of term \
                     {entry_term}"
                ));
            }
        }
        Ok(())
    }
}

/// Log Matching: "if two logs contain an entry with the same index and term, then the logs are identical in all entries up
/// through the given index".
#[derive(Default)]
struct LogMatching {
    /// Each entry that was ever in a log, with the term of the one before.
    entries: HashMap<(LogIndex, Term), (Arc<Entry>, Option<Term>)>,
    /// The last entry of each server's log that was compared, together with all before it.
    compared: BTreeMap<NodeId, (LogIndex, Term)>,
}

impl LogMatching {
    fn check(&mut self, name: &NodeId, log: &Log, coverage: &Coverage) -> Result<(), String> {
        let last = (log.last_index(), log.last_term());
        let compared = self.compared.insert(name.clone(), last).unwrap_or_default();
        if compared == last {
            return Ok(());
        }
        let is_there = log.term(compared.0) == Some(compared.1);
        if !is_there && log.term(compared.0).is_some() {
            coverage.count(REPLACED);
        }
        let first = if is_there { compared.0 + 1 } else { 0 };
        for (index, entry) in log.entries_from(first) {
            let before = log.term(index - 1);
            let known =
                self.entries.entry((index, entry.term)).or_insert_with(|| (entry.clone(), before));
            let is_same = Arc::ptr_eq(&known.0, entry) || known.0 == *entry;
            let same_before = known.1.is_none() || before.is_none() || known.1 == before;
            if !is_same || !same_before {
                return Err(format!(
                    "{name} has {entry:?} behind term {before:?} at {index}, and another log of the same term {known:?}"
                ));
            }
        }
        Ok(())
    }
}
