//! What servers say to each other: the RPCs of Figure 2 and the dissertation's Figures 3.1 and 5.3, each as two messages.
//!
//! `leaderId` and `candidateId` of the figures are who sends the message.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    log::{Entry, LogIndex, Term},
    snapshot::Chunk,
};

/// What servers say to each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// "Would you vote for me?" Changes nothing (dissertation §9.6).
    PreVote(RequestVote),
    /// The answer.
    PreVoteReply(PreVoteReply),
    /// A candidate asks for a vote (§5.2).
    RequestVote(RequestVote),
    /// The answer.
    RequestVoteReply(RequestVoteReply),
    /// The leader replicates entries; without any it is a heartbeat (§5.3).
    AppendEntries(AppendEntries),
    /// The answer.
    AppendEntriesReply(AppendEntriesReply),
    /// The leader sends a part of its snapshot (§7).
    InstallSnapshot(InstallSnapshot),
    /// The answer.
    InstallSnapshotReply(InstallSnapshotReply),
    /// The leader hands over: "start an election at once" (dissertation §3.10).
    TimeoutNow {
        /// The leader's term.
        term: Term,
    },
}

/// Arguments of `RequestVote`, and of the question before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestVote {
    /// The candidate's term; before an election, the one that it would have.
    pub term: Term,
    /// The index of the candidate's last entry.
    pub last_log_index: LogIndex,
    /// Its term.
    pub last_log_term: Term,
    /// Whether the leader itself asked for this election, so that nobody need stick to it (dissertation §4.2.3).
    pub leadership_transfer: bool,
}

/// The answer to a `PreVote`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreVoteReply {
    /// The voter's current term, for the candidate to update itself.
    pub term: Term,
    /// The term that was asked about.
    pub proposed_term: Term,
    /// Whether the voter would vote.
    pub vote_granted: bool,
}

/// Results of `RequestVote`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestVoteReply {
    /// The voter's current term, for the candidate to update itself.
    pub term: Term,
    /// Whether the candidate got the vote.
    pub vote_granted: bool,
}

/// Arguments of `AppendEntries`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendEntries {
    /// The leader's term.
    pub term: Term,
    /// The index of the entry before the new ones.
    pub prev_log_index: LogIndex,
    /// Its term.
    pub prev_log_term: Term,
    /// The new entries; none in a heartbeat.
    pub entries: Vec<Arc<Entry>>,
    /// The leader's commit index.
    pub leader_commit: LogIndex,
    /// Counts the leader's rounds of heartbeats: reads wait for the answers to a certain one (dissertation §6.4).
    pub round: u64,
}

/// Answers no round. Each leader counts its rounds anew: one of an earlier term must confirm none of this one, though the answer is of
/// this term, and the leader perhaps the same.
pub const NO_ROUND: u64 = 0;

/// Results of `AppendEntries`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppendEntriesReply {
    /// The follower's current term, for the leader to update itself.
    pub term: Term,
    /// The round that is answered; [`NO_ROUND`] where the message was of an earlier term.
    pub round: u64,
    /// What came of it.
    pub result: AppendResult,
}

/// `success` of Figure 2, with what the leader needs to know to go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AppendResult {
    /// The follower's log equals the leader's up to `match_index`.
    Success {
        /// The last entry that the message spoke of.
        match_index: LogIndex,
    },
    /// The consistency check failed; with what lets the leader skip a whole term at once (end of §5.3).
    Conflict {
        /// What was checked.
        prev_log_index: LogIndex,
        /// The term of the entry that the follower has there; `None` where its log ends before.
        conflict_term: Option<Term>,
        /// The first entry of that term in the follower's log; without one, the first that it lacks.
        conflict_index: LogIndex,
    },
    /// The message is of an earlier term.
    StaleTerm,
}

/// Arguments of `InstallSnapshot`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallSnapshot {
    /// The leader's term.
    pub term: Term,
    /// A part of the snapshot.
    pub chunk: Chunk,
    /// As in `AppendEntries`.
    pub round: u64,
}

/// Results of `InstallSnapshot`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallSnapshotReply {
    /// The follower's current term, for the leader to update itself.
    pub term: Term,
    /// The round that is answered; [`NO_ROUND`] where the message was of an earlier term.
    pub round: u64,
    /// Which snapshot.
    pub last_included_index: LogIndex,
    /// What the follower has of it.
    pub received: Received,
}

/// How far a follower has come with a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Received {
    /// So many bytes, from the beginning.
    Bytes(usize),
    /// All that it stands for.
    All,
}

impl Message {
    /// The sender's current term; `None` where the message speaks of a term that has not begun.
    #[must_use]
    pub fn term(&self) -> Option<Term> {
        match self {
            Self::PreVote(_) => None,
            Self::RequestVote(RequestVote { term, .. })
            | Self::PreVoteReply(PreVoteReply { term, .. })
            | Self::RequestVoteReply(RequestVoteReply { term, .. })
            | Self::AppendEntries(AppendEntries { term, .. })
            | Self::AppendEntriesReply(AppendEntriesReply { term, .. })
            | Self::InstallSnapshot(InstallSnapshot { term, .. })
            | Self::InstallSnapshotReply(InstallSnapshotReply { term, .. })
            | Self::TimeoutNow { term } => Some(*term),
        }
    }

    /// The message's name in traces.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::PreVote(_) => "PreVote",
            Self::PreVoteReply(_) => "PreVoteReply",
            Self::RequestVote(_) => "RequestVote",
            Self::RequestVoteReply(_) => "RequestVoteReply",
            Self::AppendEntries(_) => "AppendEntries",
            Self::AppendEntriesReply(_) => "AppendEntriesReply",
            Self::InstallSnapshot(_) => "InstallSnapshot",
            Self::InstallSnapshotReply(_) => "InstallSnapshotReply",
            Self::TimeoutNow { .. } => "TimeoutNow",
        }
    }
}
