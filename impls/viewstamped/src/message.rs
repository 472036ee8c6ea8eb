//! What replicas say to each other, and the one thing that they write down.
//!
//! The paper's i is who sent a message, which the receiver is told with it; l, n and k are a [`LogSuffix`] together. `Request`
//! and `Reply` are the contract's.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::log::{Batch, LogSuffix, OpNumber};

/// The paper's *view-number* v.
pub type ViewNumber = u64;

/// What replicas say to each other, by the paper's names. Each may be lost, doubled, late or overtaken; what still
/// matters is said again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// "I hear nothing of this view's primary. Who else?" Promises nothing: see [`crate::suspicion`]. Not in the paper.
    Suspect {
        /// The view.
        view_number: ViewNumber,
    },
    /// Primary to backups: an operation (§4.1, step 3).
    Prepare {
        /// The view.
        view_number: ViewNumber,
        /// The operation's place in the log.
        op_number: OpNumber,
        /// The operation: the requests m.
        batch: Batch,
        /// Every operation up to here is committed.
        commit_number: OpNumber,
    },
    /// Backup to primary: "this operation and all before it are in my log" (§4.1, step 4).
    PrepareOk {
        /// The view.
        view_number: ViewNumber,
        /// The operation.
        op_number: OpNumber,
    },
    /// Primary to backups: it lives, and so much is committed (§4.1, step 6).
    Commit {
        /// The view.
        view_number: ViewNumber,
        /// Every operation up to here is committed.
        commit_number: OpNumber,
        /// Counts the primary's `Commit`s; reads wait until a certain one is acknowledged.
        round: u64,
    },
    /// Backup to primary: "I am in your view." The paper needs no such answer, because it trusts clocks for reads (§6.3).
    CommitOk {
        /// The view.
        view_number: ViewNumber,
        /// The last operation in the backup's log.
        op_number: OpNumber,
        /// The round of the `Commit`.
        round: u64,
    },
    /// "I have left the views before this one" (§4.2, step 1).
    StartViewChange {
        /// The view to start.
        view_number: ViewNumber,
    },
    /// To the new primary: what the sender has (§4.2, step 2).
    DoViewChange {
        /// The view to start.
        view_number: ViewNumber,
        /// The paper's v′: the last view in which the sender's status was normal.
        last_normal_view: ViewNumber,
        /// Its log, beyond what it knows to be committed (§5.3).
        log: LogSuffix,
    },
    /// From the new primary: the view has started (§4.2, step 3). Again and again, to each backup that has not prepared
    /// anything in this view.
    StartView {
        /// The view.
        view_number: ViewNumber,
        /// Its log, beyond what the primary knows to be committed (§5.3).
        log: LogSuffix,
    },
    /// From a replica that has lost its memory (§4.3, step 1).
    Recovery {
        /// Tells the answers to this life's question from those to earlier ones.
        nonce: u64,
        /// The view-number on its disk: it must not be in any earlier one.
        view_number: ViewNumber,
    },
    /// The answer of a replica whose status is normal (§4.3, step 2).
    RecoveryResponse {
        /// Its view.
        view_number: ViewNumber,
        /// The nonce of the question.
        nonce: u64,
        /// From the view's primary alone: its log, beyond what it knows to be committed.
        log: Option<LogSuffix>,
    },
    /// "What is committed after this?" (§5.2).
    GetState {
        /// What the sender has executed.
        commit_number: OpNumber,
        /// The checkpoint of which it has a part, and how many bytes from the beginning.
        checkpoint: Option<(OpNumber, usize)>,
    },
    /// Some of it (§5.2).
    NewState {
        /// The sender's view: all of this was committed in it, or before.
        view_number: ViewNumber,
        /// What is committed.
        state: State,
    },
}

/// A part of what is committed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case")]
pub enum State {
    /// Operations, without a gap.
    Operations {
        /// The first one's op-number.
        first: OpNumber,
        /// The operations.
        batches: Vec<Batch>,
    },
    /// A part of a checkpoint, because the operations asked for were truncated (§5.1).
    Checkpoint {
        /// The last operation that led to the state.
        op_number: OpNumber,
        /// Where in the checkpoint's bytes the part begins.
        offset: usize,
        /// The part.
        #[serde(with = "node::hex")]
        bytes: Arc<Vec<u8>>,
        /// Whether it is the last one.
        is_last: bool,
    },
}

/// The one record on a replica's disk. That it is there says that the replica lived; what is in it, that the replica may
/// have left every earlier view. See [`crate::recovery`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The highest view of which a `StartViewChange` or a `DoViewChange` may have left.
    pub view_number: ViewNumber,
}

impl Message {
    /// The view that the message speaks of.
    #[must_use]
    pub fn view_number(&self) -> Option<ViewNumber> {
        match self {
            Self::Suspect { view_number }
            | Self::Prepare { view_number, .. }
            | Self::PrepareOk { view_number, .. }
            | Self::Commit { view_number, .. }
            | Self::CommitOk { view_number, .. }
            | Self::StartViewChange { view_number }
            | Self::DoViewChange { view_number, .. }
            | Self::StartView { view_number, .. }
            | Self::Recovery { view_number, .. }
            | Self::RecoveryResponse { view_number, .. }
            | Self::NewState { view_number, .. } => Some(*view_number),
            Self::GetState { .. } => None,
        }
    }

    /// The message's name in traces.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Suspect { .. } => "Suspect",
            Self::Prepare { .. } => "Prepare",
            Self::PrepareOk { .. } => "PrepareOk",
            Self::Commit { .. } => "Commit",
            Self::CommitOk { .. } => "CommitOk",
            Self::StartViewChange { .. } => "StartViewChange",
            Self::DoViewChange { .. } => "DoViewChange",
            Self::StartView { .. } => "StartView",
            Self::Recovery { .. } => "Recovery",
            Self::RecoveryResponse { .. } => "RecoveryResponse",
            Self::GetState { .. } => "GetState",
            Self::NewState { .. } => "NewState",
        }
    }
}
