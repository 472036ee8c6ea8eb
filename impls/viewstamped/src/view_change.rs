//! The view change (§4.2): how the next primary gets a log that holds everything committed.
//!
//! ```text
//! all ─StartViewChange▶ all      f others have left the earlier views as well
//!     ─DoViewChange▶ primary     what each has; the best log of f + 1 holds everything that was committed
//! primary ─StartView▶ all
//! ```

use std::collections::{BTreeMap, BTreeSet};

use contract::{Answer, NodeId, Request};
use node::Application;

use crate::{
    log::{LogSuffix, OpNumber},
    message::{Message, Record, ViewNumber},
    replica::{Effects, Replica, StartOf, Status},
};

/// What a replica in a view change has heard of it.
#[derive(Debug, Default)]
pub struct ViewChange {
    /// Which others have left the earlier views.
    started_by: BTreeSet<NodeId>,
    /// The new primary: what the others have.
    offers: BTreeMap<NodeId, Offer>,
}

/// What a `DoViewChange` offers. Ordered as §4.2, step 3 chooses: the latest normal view first, then the longest log.
#[derive(Clone, Debug)]
struct Offer {
    last_normal_view: ViewNumber,
    log: LogSuffix,
}

impl Offer {
    fn rank(&self) -> (ViewNumber, OpNumber) {
        (self.last_normal_view, self.log.op_number())
    }
}

impl<A: Application<Command = Request, Output = Answer>> Replica<A> {
    /// Puts the only record on the disk.
    ///
    /// It is durable before anything else of the same step leaves: see [`node::Protocol`].
    pub(crate) fn write_down(&mut self, view_number: ViewNumber, effects: &mut Effects<A>) {
        let record = Record { view_number };
        self.record = Some(record.clone());
        effects.rewrite(vec![record]);
    }

    /// §4.2, step 1: leaves every earlier view, on the disk as well, and tells the others.
    pub(crate) fn start_view_change(&mut self, view_number: ViewNumber, effects: &mut Effects<A>) {
        if self.is_recovering() || view_number <= self.view_number {
            return;
        }
        tracing::info!(view_number, "starts a view change");
        self.let_clients_go(effects);
        self.primary = None;
        self.early.clear();
        self.start_of = None;
        self.view_number = view_number;
        self.left_for = view_number;
        self.status = Status::ViewChange(ViewChange::default());
        self.suspicion.wait(effects.now_ms());
        self.write_down(view_number, effects);
        self.broadcast(&Message::StartViewChange { view_number }, effects);
        self.do_view_change(effects);
    }

    /// §4.2, steps 1 and 2. One of a later view takes everybody along.
    pub(crate) fn on_start_view_change(
        &mut self,
        from: &NodeId,
        view_number: ViewNumber,
        effects: &mut Effects<A>,
    ) {
        self.start_view_change(view_number, effects);
        if view_number == self.view_number
            && let Status::ViewChange(view_change) = &mut self.status
            && view_change.started_by.insert(from.clone())
        {
            self.do_view_change(effects);
        }
    }

    /// §4.2, step 2: once a quorum has left the earlier views, tells the new primary what it has.
    fn do_view_change(&mut self, effects: &mut Effects<A>) {
        if !self.may_do_view_change() {
            return;
        }
        let primary = self.view_primary().clone();
        if primary == self.config.node {
            return self.start_view_if_possible(effects);
        }
        let log = self.log.suffix(self.commit_number);
        let (view_number, last_normal_view) = (self.view_number, self.last_normal_view);
        effects.send(&primary, Message::DoViewChange { view_number, last_normal_view, log });
    }

    fn may_do_view_change(&self) -> bool {
        match &self.status {
            Status::ViewChange(view_change) => {
                view_change.started_by.len() + 1 >= self.config.quorum()
            }
            _ => false,
        }
    }

    /// §4.2, step 3, at the new primary. A `DoViewChange` says as well that its sender has left the earlier views.
    pub(crate) fn on_do_view_change(
        &mut self,
        from: &NodeId,
        view_number: ViewNumber,
        last_normal_view: ViewNumber,
        log: LogSuffix,
        effects: &mut Effects<A>,
    ) {
        self.start_view_change(view_number, effects);
        if view_number != self.view_number || *self.view_primary() != self.config.node {
            return;
        }
        if let Status::ViewChange(view_change) = &mut self.status {
            view_change.started_by.insert(from.clone());
            view_change.offers.insert(from.clone(), Offer { last_normal_view, log });
            self.start_view_if_possible(effects);
        }
    }

    /// §4.2, steps 3 and 4: with the `DoViewChange`s of a quorum, its own included, starts the view. If it has not executed
    /// what comes before the best log's suffix, it first fetches that (§5.3).
    pub(crate) fn start_view_if_possible(&mut self, effects: &mut Effects<A>) {
        if !self.may_do_view_change() || *self.view_primary() != self.config.node {
            return;
        }
        let Status::ViewChange(ViewChange { offers, .. }) = &self.status else { return };
        if offers.len() + 1 < self.config.quorum() {
            return;
        }
        let own = Offer {
            last_normal_view: self.last_normal_view,
            log: self.log.suffix(self.commit_number),
        };
        let of_others = offers.iter().max_by_key(|(_, offer)| offer.rank());
        let better = of_others.filter(|(_, offer)| offer.rank() > own.rank());
        if let Some((from, Offer { log, .. })) = better {
            if log.commit_number > self.commit_number {
                let from = from.clone();
                self.told_commit = self.told_commit.max(log.commit_number);
                return self.get_state(&from, effects);
            }
            self.log.replace_after(self.commit_number, log);
        }
        let committed = offers.values().map(|offer| offer.log.commit_number).max().unwrap_or(0);
        self.enter_normal(self.view_number, effects);
        self.take_office(effects);
        self.execute_to(committed, effects);
        let (view_number, log) = (self.view_number, self.log.suffix(self.commit_number));
        self.broadcast(&Message::StartView { view_number, log }, effects);
        self.commit_prepared(effects);
    }

    /// §4.2, step 5.
    pub(crate) fn on_start_view(
        &mut self,
        from: &NodeId,
        view_number: ViewNumber,
        log: LogSuffix,
        effects: &mut Effects<A>,
    ) {
        if view_number < self.view_number || self.config.primary(view_number) != from {
            return;
        }
        if view_number == self.view_number && self.is_normal() {
            self.hear_primary(effects);
            let op_number = self.log.op_number();
            return effects.send(from, Message::PrepareOk { view_number, op_number });
        }
        self.start_from(from, StartOf { view_number, log }, effects);
    }

    /// Takes over the log of a view's primary, and with it enters the view: at once, or when everything before it is
    /// executed. Until then the replica keeps what it has. To cut its log first, as §5.2 does, would lose operations that
    /// were committed with its help, should another view change come before the new log.
    pub(crate) fn start_from(
        &mut self,
        from: &NodeId,
        start_of: StartOf,
        effects: &mut Effects<A>,
    ) {
        let StartOf { view_number, log } = &start_of;
        if log.commit_number > self.commit_number {
            self.start_view_change(*view_number, effects);
            self.suspicion.quiet_since_ms = effects.now_ms(); // the primary is heard
            self.told_commit = self.told_commit.max(log.commit_number);
            // The first one of a view stays: under load each later one begins further on.
            if self.start_of.as_ref().is_none_or(|known| known.view_number < *view_number) {
                self.start_of = Some(start_of);
                self.get_state(from, effects);
            }
            return;
        }
        self.log.replace_after(self.commit_number, log);
        self.enter_normal(*view_number, effects);
        self.suspicion.calm(effects.now_ms());
        let (view_number, op_number) = (self.view_number, self.log.op_number());
        effects.send(from, Message::PrepareOk { view_number, op_number });
    }

    /// The log is that of this view: the status is normal.
    fn enter_normal(&mut self, view_number: ViewNumber, effects: &mut Effects<A>) {
        self.let_clients_go(effects);
        self.primary = None;
        self.early.clear();
        self.start_of = None;
        self.view_number = view_number;
        self.last_normal_view = view_number;
        self.status = Status::Normal;
    }

    /// Says again what the others may have missed, and asks for the next view if this one does not start.
    pub(crate) fn on_view_change_heartbeat(&mut self, effects: &mut Effects<A>) {
        let view_number = self.view_number;
        self.suspect_if_quiet(effects);
        self.broadcast(&Message::StartViewChange { view_number }, effects);
        if self.start_of.is_some() {
            return self.get_state_of_any(effects);
        }
        self.do_view_change(effects);
        if *self.view_primary() == self.config.node && self.commit_number < self.told_commit {
            self.get_state_of_any(effects);
        }
    }
}
