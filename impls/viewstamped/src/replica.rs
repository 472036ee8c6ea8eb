//! One replica: its state, and which rule handles which message.

use std::{collections::BTreeMap, ops::Range};

use contract::{Answer, ErrorCode, LogEntry, NodeId, Refusal, Request, digest};
use node::{Application, Protocol, Token};
use serde_json::{Value, json};

use crate::{
    checkpoint::Checkpoint,
    config::Config,
    log::{Batch, Log, LogSuffix, OpNumber},
    message::{Message, Record, ViewNumber},
    primary::Primary,
    recovery::Recovery,
    state_transfer::Transfer,
    suspicion::Suspicion,
    view_change::ViewChange,
};

/// The effects of a step.
pub(crate) type Effects<A> = node::Effects<Replica<A>>;

/// The only timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer {
    /// Time to show oneself, to send again what was not answered, and to look whether others are silent.
    Heartbeat,
}

/// The paper's *status*.
#[derive(Debug)]
pub enum Status {
    /// Takes part in its view.
    Normal,
    /// Has left the views before this one, which has not started for it.
    ViewChange(ViewChange),
    /// Has lost its memory.
    Recovering(Recovery),
}

/// A log to take over as soon as the operations before it are there.
#[derive(Clone, Debug)]
pub struct StartOf {
    /// The view to enter with it.
    pub view_number: ViewNumber,
    /// The log.
    pub log: LogSuffix,
}

/// A replica of the application `A` (§4, Figure 2).
#[derive(Debug)]
pub struct Replica<A> {
    pub(crate) config: Config,
    /// What executes the operations. The client-table is in there: see [`kv::ExactlyOnce`].
    pub(crate) application: A,
    pub(crate) status: Status,
    pub(crate) view_number: ViewNumber,
    /// The last view whose primary it was in this life: for `GET /v1/status`.
    pub(crate) led: Option<ViewNumber>,
    /// The last view in which the status was normal.
    pub(crate) last_normal_view: ViewNumber,
    pub(crate) log: Log,
    /// Every operation up to here is committed and executed.
    pub(crate) commit_number: OpNumber,
    pub(crate) checkpoint: Checkpoint,
    /// What is on the disk; `None`: nothing, this is the first life.
    pub(crate) record: Option<Record>,
    /// The latest view for which it left the ones before (§4.2), in this life or an earlier one.
    pub(crate) left_for: ViewNumber,
    /// Where its status is normal and it is the view's primary.
    pub(crate) primary: Option<Box<Primary>>,
    /// Operations of the view that came before others that go before them.
    pub(crate) early: BTreeMap<OpNumber, Batch>,
    /// How far others know the log to be committed.
    pub(crate) told_commit: OpNumber,
    pub(crate) suspicion: Suspicion,
    pub(crate) transfer: Transfer,
    /// A view to enter once everything before its log is executed.
    pub(crate) start_of: Option<StartOf>,
}

impl<A: Application<Command = Request, Output = Answer>> Replica<A> {
    /// A replica that comes up with what its earlier lives wrote down.
    #[must_use]
    pub fn new(config: Config, application: A, records: Vec<Record>) -> Self {
        let record = records.into_iter().max_by_key(|record| record.view_number);
        let lived = record.is_some() || config.restarted;
        Self {
            status: if lived { Status::Recovering(Recovery::default()) } else { Status::Normal },
            view_number: record.as_ref().map_or(0, |record| record.view_number),
            left_for: record.as_ref().map_or(0, |record| record.view_number),
            led: None,
            record,
            config,
            application,
            last_normal_view: 0,
            log: Log::default(),
            commit_number: 0,
            checkpoint: Checkpoint::default(),
            primary: None,
            early: BTreeMap::new(),
            told_commit: 0,
            suspicion: Suspicion::default(),
            transfer: Transfer::default(),
            start_of: None,
        }
    }

    /// The application.
    #[must_use]
    pub fn application(&self) -> &A {
        &self.application
    }

    /// The status.
    #[must_use]
    pub fn state(&self) -> &Status {
        &self.status
    }

    /// Whether the status is normal.
    #[must_use]
    pub fn is_normal(&self) -> bool {
        matches!(self.status, Status::Normal)
    }

    /// Whether the replica has lost its memory, and not got it back.
    #[must_use]
    pub fn is_recovering(&self) -> bool {
        matches!(self.status, Status::Recovering(_))
    }

    /// The view-number.
    #[must_use]
    pub fn view_number(&self) -> ViewNumber {
        self.view_number
    }

    /// Whether the replica is, as far as it knows, the primary.
    #[must_use]
    pub fn is_primary(&self) -> bool {
        self.primary.is_some()
    }

    /// Every operation up to here is committed and executed.
    #[must_use]
    pub fn commit_number(&self) -> OpNumber {
        self.commit_number
    }

    /// The log since the checkpoint.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Sends a message to every other replica.
    pub(crate) fn broadcast(&self, message: &Message, effects: &mut Effects<A>) {
        self.config.others().for_each(|other| effects.send(other, message.clone()));
    }

    /// The primary of the replica's view.
    pub(crate) fn view_primary(&self) -> &NodeId {
        self.config.primary(self.view_number)
    }

    /// Whether a message of this view, which only its primary sends, is of the view that the replica takes part in.
    pub(crate) fn is_of_primary(&self, from: &NodeId, view_number: ViewNumber) -> bool {
        self.is_normal() && view_number == self.view_number && self.view_primary() == from
    }

    /// "I am not the primary": a definite error, allowed only where the request has no op-number.
    pub(crate) fn refuse(&self, token: Token, effects: &mut Effects<A>) {
        let mut refusal = Refusal::new(ErrorCode::NotLeader, "this replica is not the primary");
        let is_known = self.is_normal() && self.suspicion.is_in_touch && self.primary.is_none();
        refusal.hint = is_known.then(|| self.view_primary().clone());
        effects.reply(token, Answer::Error(refusal));
    }
}

impl<A: Application<Command = Request, Output = Answer>> Protocol for Replica<A> {
    type Message = Message;
    type Record = Record;
    type Timer = Timer;

    fn on_start(&mut self, effects: &mut Effects<A>) {
        self.suspicion.quiet_since_ms = effects.now_ms();
        if self.record.is_none() {
            self.write_down(0, effects);
        }
        if self.is_recovering() {
            self.recover(effects);
        } else {
            self.take_office(effects);
        }
        effects.set_timer(Timer::Heartbeat, self.config.heartbeat_ms);
    }

    fn on_message(&mut self, from: &NodeId, message: Message, effects: &mut Effects<A>) {
        if !self.config.members.contains(from) || *from == self.config.node {
            return;
        }
        if self.is_recovering()
            && !matches!(message, Message::RecoveryResponse { .. } | Message::NewState { .. })
        {
            return; // takes no part before it has recovered (§4.3)
        }
        match message {
            Message::Suspect { view_number } => self.on_suspect(from, view_number, effects),
            Message::Prepare { view_number, op_number, batch, commit_number } => {
                if self.is_of_primary(from, view_number) {
                    self.on_prepare(from, op_number, batch, commit_number, effects);
                }
            }
            Message::PrepareOk { view_number, op_number } => {
                self.on_prepare_ok(from, view_number, op_number, effects);
            }
            Message::Commit { view_number, commit_number, round } => {
                if self.is_of_primary(from, view_number) {
                    self.on_commit(from, commit_number, round, effects);
                }
            }
            Message::CommitOk { view_number, op_number, round } => {
                self.on_commit_ok(from, view_number, op_number, round, effects);
            }
            Message::StartViewChange { view_number } => {
                self.on_start_view_change(from, view_number, effects);
            }
            Message::DoViewChange { view_number, last_normal_view, log } => {
                self.on_do_view_change(from, view_number, last_normal_view, log, effects);
            }
            Message::StartView { view_number, log } => {
                self.on_start_view(from, view_number, log, effects);
            }
            Message::Recovery { nonce, view_number } => {
                self.on_recovery(from, nonce, view_number, effects);
            }
            Message::RecoveryResponse { view_number, nonce, log } => {
                self.on_recovery_response(from, view_number, nonce, log, effects);
            }
            Message::GetState { commit_number, checkpoint } => {
                self.on_get_state(from, commit_number, checkpoint, effects);
            }
            Message::NewState { view_number, state } => {
                self.on_new_state(from, view_number, state, effects);
            }
        }
    }

    fn on_timer(&mut self, Timer::Heartbeat: Timer, effects: &mut Effects<A>) {
        match self.status {
            Status::Normal if self.primary.is_some() => self.on_primary_heartbeat(effects),
            Status::Normal => self.on_backup_heartbeat(effects),
            Status::ViewChange(_) => self.on_view_change_heartbeat(effects),
            Status::Recovering(_) => self.on_recovery_heartbeat(effects),
        }
        effects.set_timer(Timer::Heartbeat, self.config.heartbeat_ms);
    }

    fn on_request(&mut self, token: Token, request: Request, effects: &mut Effects<A>) {
        self.on_client_request(token, request, effects);
    }

    fn is_ready(&self) -> bool {
        self.is_normal() && self.suspicion.is_in_touch
    }

    fn status(&self) -> Value {
        let role = match self.status {
            Status::Normal if self.primary.is_some() => "primary",
            Status::Normal => "backup",
            Status::ViewChange(_) => "view-change",
            Status::Recovering(_) => "recovering",
        };
        json!({
            "role": role,
            "term": self.view_number,
            "leader": self.is_normal().then(|| self.view_primary()),
            "led": self.led,
            "promised": self.left_for,
            "commit": self.commit_number,
            "applied": self.commit_number,
            "log_bytes": self.log.bytes(),
            "snapshot_bytes": self.checkpoint.state.len(),
        })
    }

    fn chosen(&self, slots: Range<OpNumber>) -> Option<Box<dyn Iterator<Item = LogEntry> + '_>> {
        let end = slots.end.min(self.commit_number + 1);
        let batches = self.log.from(slots.start).take_while(move |(number, _)| *number < end);
        Some(Box::new(batches.map(|(slot, batch)| LogEntry { slot, value: digest(batch) })))
    }

    fn message_kind(message: &Message) -> &'static str {
        message.kind()
    }

    fn message_term(message: &Message) -> Option<u64> {
        message.view_number()
    }
}

impl<A: Application<Command = Request, Output = Answer>> node::Replicates for Replica<A> {
    type Application = A;

    fn application(&self) -> &A {
        self.application()
    }

    fn leads(&self) -> bool {
        self.is_normal() && self.is_primary()
    }
}
