//! What nodes say to each other, and what they write down.

use contract::NodeId;
use serde::{Deserialize, Serialize};
use single_decree::Ballot;

use crate::{
    slot::{Batch, ChosenSlot, Slot, Vote},
    snapshot::Snapshot,
};

/// What nodes say to each other.
///
/// The four messages of "Paxos Made Simple" §2.2 are `Prepare` (1a), `Promise` (1b), `Accept` (2a) and
/// `Accepted` (2b); the rest keeps a leader in office and learners up to date.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// "Would you promise this ballot?" Changes nothing; spares the cluster hopeless candidates.
    PreVote {
        /// The ballot the sender would use.
        ballot: Ballot,
    },
    /// "I would: I hear no leader."
    PreVoteGranted {
        /// The ballot that was asked for.
        ballot: Ballot,
    },
    /// Phase 1a, for every slot from `first` on at once.
    Prepare {
        /// The candidate's ballot.
        ballot: Ballot,
        /// The first slot whose value the candidate does not know.
        first: Slot,
    },
    /// Phase 1b: everything the acceptor knows of the slots asked for.
    Promise {
        /// The ballot that is promised.
        ballot: Ballot,
        /// Stands for the slots that were compacted away, where the candidate lacks some of them.
        snapshot: Option<Snapshot>,
        /// Slots known to be chosen.
        chosen: Vec<ChosenSlot>,
        /// The acceptor's latest vote in each other slot.
        votes: Vec<(Slot, Vote)>,
    },
    /// "I have promised a higher ballot": lets a proposer give up early ("Paxos Made Simple" §2.3, last paragraph).
    Reject {
        /// The ballot that stands in the way.
        ballot: Ballot,
    },
    /// Phase 2a.
    Accept {
        /// The leader's ballot.
        ballot: Ballot,
        /// The slot.
        slot: Slot,
        /// The only value this ballot ever proposes for the slot.
        batch: Batch,
        /// Every slot up to here is chosen.
        commit: Slot,
    },
    /// Phase 2b.
    Accepted {
        /// The ballot voted in.
        ballot: Ballot,
        /// The slot voted for.
        slot: Slot,
    },
    /// The leader lives.
    Heartbeat {
        /// The leader's ballot.
        ballot: Ballot,
        /// Every slot up to here is chosen.
        commit: Slot,
        /// Counts the leader's heartbeats; reads wait for the acknowledgement of a certain round.
        round: u64,
        /// In which order the others should stand for election once the leader is gone.
        successors: Vec<NodeId>,
    },
    /// "I have promised nothing above your ballot."
    HeartbeatAck {
        /// The leader's ballot.
        ballot: Ballot,
        /// The round acknowledged.
        round: u64,
    },
    /// A learner lacks the slots from `first` on.
    Fetch {
        /// The first slot it lacks.
        first: Slot,
    },
    /// Some of the slots fetched.
    Chosen {
        /// In order, without a gap.
        slots: Vec<ChosenSlot>,
    },
    /// The slots fetched were compacted away; this is what they led to.
    Install {
        /// The whole state.
        snapshot: Snapshot,
    },
}

impl Message {
    /// The ballot the message speaks of.
    #[must_use]
    pub fn ballot(&self) -> Option<&Ballot> {
        match self {
            Self::PreVote { ballot }
            | Self::PreVoteGranted { ballot }
            | Self::Prepare { ballot, .. }
            | Self::Promise { ballot, .. }
            | Self::Reject { ballot }
            | Self::Accept { ballot, .. }
            | Self::Accepted { ballot, .. }
            | Self::Heartbeat { ballot, .. }
            | Self::HeartbeatAck { ballot, .. } => Some(ballot),
            Self::Fetch { .. } | Self::Chosen { .. } | Self::Install { .. } => None,
        }
    }

    /// The message's name in traces.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::PreVote { .. } => "PreVote",
            Self::PreVoteGranted { .. } => "PreVoteGranted",
            Self::Prepare { .. } => "Prepare",
            Self::Promise { .. } => "Promise",
            Self::Reject { .. } => "Reject",
            Self::Accept { .. } => "Accept",
            Self::Accepted { .. } => "Accepted",
            Self::Heartbeat { .. } => "Heartbeat",
            Self::HeartbeatAck { .. } => "HeartbeatAck",
            Self::Fetch { .. } => "Fetch",
            Self::Chosen { .. } => "Chosen",
            Self::Install { .. } => "Install",
        }
    }
}

/// One entry of the write-ahead log. Replayed in order they give back the acceptor and the learner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// The acceptor promised `ballot`. Forgetting a promise can choose two values.
    Promised {
        /// The ballot.
        ballot: Ballot,
    },
    /// The acceptor voted. Forgetting a vote can lose a chosen value.
    Accepted {
        /// The slot.
        slot: Slot,
        /// The vote; implies the promise of its ballot.
        vote: Vote,
    },
    /// A chosen value that the acceptor itself did not vote for.
    Learned {
        /// The slot.
        slot: Slot,
        /// Its value.
        batch: Batch,
    },
    /// Every slot up to `commit` is chosen, with the value this log holds for it. Only saves a restarted
    /// node from asking again: safety does not need it.
    Committed {
        /// The last slot of the chosen prefix.
        commit: Slot,
    },
    /// Everything up to a slot, compacted: always the first record.
    Snapshot {
        /// The state after that slot.
        snapshot: Snapshot,
    },
}
