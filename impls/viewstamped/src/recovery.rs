//! Recovery without a disk (§4.3): a replica that comes up again has forgotten everything, and gets it from the others.
//!
//! # Which life is it?
//!
//! A replica writes one record before it sends anything in its first life. If the record is there, or whoever starts the
//! replica says that it lived (`DS_RESTART`), it recovers; otherwise it begins in view 0 with an empty log, as the paper's
//! administrator starts a group. A replica that dies before its record is durable has sent nothing and promised nothing, so
//! that its next life is its first one for everybody else. One whose record is durable recovers, even if it has sent
//! nothing. And one that starts for the first time long after the others is only slow: it never had anything to forget.
//!
//! # Why the published protocol is not enough, and what is
//!
//! As published, a replica also forgets that it has left a view. It sends `DoViewChange` for view 1, crashes, recovers into
//! view 0, where a primary still works, and helps to commit operations there. Then its old `DoViewChange` arrives at
//! the primary of view 1, is counted with another old one, and view 1 starts without those operations (Michael, Ports,
//! Sharma and Szekeres, "Recovering Shared Objects Without Stable Storage", DISC 2017; `tests/recovery.rs` plays
//! it). Never were two replicas down at once. Their remedy tells messages of earlier lives apart, by crash vectors. The remedy
//! here is the older one: the view-number is on the disk before a `StartViewChange` or `DoViewChange` leaves, as
//! in the original protocol (Oki and Liskov 1988). **Nothing is written in normal operation, one small record in a view
//! change.** A recovering replica takes no view before that one, and asks the others to come along should they all be in
//! earlier ones.
//!
//! # Why that is right
//!
//! With r the recovering replica, w the view it enters and v any view in which it acknowledged an operation (or confirmed a
//! read) in an earlier life:
//!
//! - **w ≥ v.** A quorum sent `DoViewChange`s to start v, all of them before r did anything in v, hence before it asked. One of
//!   them is among the [`crate::Config::recovery_quorum`] others that answered; it is not r, and in no life is its status normal in
//!   a view before v again. So the latest view among the answers is v or later.
//! - **If w = v, its log has the operation.** It comes from v's primary, which prepared the operation before r acknowledged
//!   it. That primary did not recover in between: it would need the log of v's primary, itself.
//! - **If w > v, its log has every operation that was committed in v.** Whoever acknowledged one in v and sent a
//!   `DoViewChange` for a later view did so in this order, crashes or not, for after the `DoViewChange` its disk keeps it
//!   out of v. So the argument of §8.1 holds: of the quorum whose logs w started from, one had the operation.
//!
//! The answers are to this life's question (the *nonce* is random, 64 bits), so they say what was so after the crash.

use std::collections::BTreeMap;

use contract::{Answer, NodeId, Request};
use node::Application;

use crate::{
    log::LogSuffix,
    message::{Message, ViewNumber},
    replica::{Effects, Replica, StartOf, Status},
};

/// What a recovering replica has heard.
#[derive(Debug, Default)]
pub struct Recovery {
    nonce: u64,
    /// The latest answer of each other replica, by its view.
    responses: BTreeMap<NodeId, Response>,
}

#[derive(Debug)]
struct Response {
    view_number: ViewNumber,
    /// From the view's primary.
    log: Option<LogSuffix>,
}

impl<A: Application<Command = Request, Output = Answer>> Replica<A> {
    /// §4.3, step 1.
    pub(crate) fn recover(&mut self, effects: &mut Effects<A>) {
        let nonce = effects.random_below(u64::MAX);
        tracing::info!(view_number = self.view_number, "recovers");
        self.status = Status::Recovering(Recovery { nonce, responses: BTreeMap::new() });
        self.ask_to_recover(effects);
    }

    fn ask_to_recover(&self, effects: &mut Effects<A>) {
        let Status::Recovering(Recovery { nonce, .. }) = self.status else { return };
        self.broadcast(&Message::Recovery { nonce, view_number: self.view_number }, effects);
    }

    /// §4.3, step 2. Whoever is in an earlier view than the one on the recovering replica's disk is no use to it, and
    /// starts a view change instead: the view on the disk is one that somebody wanted to start.
    pub(crate) fn on_recovery(
        &mut self,
        from: &NodeId,
        nonce: u64,
        view_number: ViewNumber,
        effects: &mut Effects<A>,
    ) {
        if view_number > self.view_number {
            return self.start_view_change(view_number, effects);
        }
        if !self.is_normal() {
            return;
        }
        if let Some(primary) = &mut self.primary {
            primary.lose(from);
        }
        let log = self.is_primary().then(|| self.log.suffix(self.commit_number));
        effects.send(from, Message::RecoveryResponse { view_number: self.view_number, nonce, log });
        if self.view_primary() == from {
            self.suspect(effects); // it cannot recover into a view that only it could tell of
        }
    }

    /// §4.3, step 3.
    pub(crate) fn on_recovery_response(
        &mut self,
        from: &NodeId,
        view_number: ViewNumber,
        nonce: u64,
        log: Option<LogSuffix>,
        effects: &mut Effects<A>,
    ) {
        let Status::Recovering(recovery) = &mut self.status else { return };
        if recovery.nonce != nonce {
            return;
        }
        let known = recovery.responses.get(from);
        if known.is_none_or(|known| known.view_number <= view_number) {
            recovery.responses.insert(from.clone(), Response { view_number, log });
        }
        if recovery.responses.len() < self.config.recovery_quorum() {
            return;
        }
        let views = recovery.responses.values().map(|response| response.view_number);
        let latest = views.max().unwrap_or(0);
        let primary = self.config.primary(latest);
        let response = recovery.responses.get(primary);
        let of_latest = response.filter(|response| response.view_number == latest);
        if latest >= self.view_number
            && let Some(log) = of_latest.and_then(|response| response.log.clone())
        {
            let primary = primary.clone();
            self.start_from(&primary, StartOf { view_number: latest, log }, effects);
        }
    }

    /// Asks again, or for what comes before the log that it has got.
    pub(crate) fn on_recovery_heartbeat(&mut self, effects: &mut Effects<A>) {
        match self.start_of {
            Some(_) => self.get_state_of_any(effects),
            None => self.ask_to_recover(effects),
        }
    }
}
