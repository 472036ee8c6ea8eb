//! What must hold of a group after every step.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use contract::NodeId;
use node::sim::View;
use simulation_checks::{
    Coverage, Recorder,
    invariants::{OneLeaderPerTerm, OneSequenceApplied, OneValuePerSlot},
};
use viewstamped::{
    Replica,
    log::{Batch, OpNumber},
    message::ViewNumber,
};

use super::plans::failures_max;

pub const VIEWS: &str = "views started";
pub const RECOVERED: &str = "replicas that recovered";
pub const LEFT_BEHIND: &str =
    "recovering replicas whose disk named a later view than all others had";
pub const COMMITTED: &str = "operations committed";
pub const BATCHES: &str = "operations of several requests";

type Node = Replica<Recorder>;

/// What the replicas have shown so far.
pub struct Invariants {
    one_value: OneValuePerSlot<Batch>,
    one_sequence: OneSequenceApplied,
    one_primary: OneLeaderPerTerm<ViewNumber>,
    one_log: OneLogPerView,
    recovering: BTreeSet<NodeId>,
    coverage: Arc<Coverage>,
}

impl Invariants {
    pub fn new(coverage: Arc<Coverage>) -> Self {
        Self {
            one_value: OneValuePerSlot::default(),
            one_sequence: OneSequenceApplied::default(),
            one_primary: OneLeaderPerTerm::default(),
            one_log: OneLogPerView::default(),
            recovering: BTreeSet::new(),
            coverage,
        }
    }

    /// A replica has just made a step.
    pub fn check(&mut self, view: &View<'_, Node>) -> Result<(), String> {
        let (name, replica) = view.stepped();
        let commit = replica.commit_number();
        let committed = |first| replica.log().from(first).take_while(|(at, _)| *at <= commit);
        self.one_value.check(name, commit, committed, |_, batch| {
            self.coverage.count(COMMITTED);
            if batch.len() > 1 {
                self.coverage.count(BATCHES);
            }
        })?;
        self.one_sequence.check(name, replica.application().applied())?;
        if replica.is_primary() && self.one_primary.check(name, &replica.view_number())? {
            self.coverage.count(VIEWS);
        }
        if replica.is_normal() {
            self.one_log.check(name, replica)?;
        }
        self.count_recovery(name, replica, view);
        within_the_fault_model(view)
    }

    fn count_recovery(&mut self, name: &NodeId, replica: &Node, view: &View<'_, Node>) {
        if !replica.is_recovering() {
            if self.recovering.remove(name) {
                self.coverage.count(RECOVERED);
            }
        } else if self.recovering.insert(name.clone()) {
            let earlier = |(_, other): (_, &Node)| other.view_number() < replica.view_number();
            if view.live().filter(|(other, _)| *other != name).all(earlier) {
                self.coverage.count(LEFT_BEHIND);
            }
        }
    }
}

fn within_the_fault_model(view: &View<'_, Node>) -> Result<(), String> {
    let count = view.durable().count();
    let away = count - view.live().filter(|(_, replica)| !replica.is_recovering()).count();
    if away > failures_max(count) { Err(format!("the test itself: {away} away")) } else { Ok(()) }
}

/// §8.1: in a view every replica whose status is normal has the first operations of one log.
#[derive(Default)]
struct OneLogPerView {
    operations: BTreeMap<(ViewNumber, OpNumber), Batch>,
    checked: BTreeMap<NodeId, (ViewNumber, OpNumber)>,
}

impl OneLogPerView {
    fn check(&mut self, name: &NodeId, replica: &Node) -> Result<(), String> {
        let (view_number, log) = (replica.view_number(), replica.log());
        let checked = self.checked.entry(name.clone()).or_default();
        let first = if checked.0 == view_number { checked.1 + 1 } else { 0 };
        for (op_number, batch) in log.from(first) {
            let known = self.operations.entry((view_number, op_number));
            let known = known.or_insert_with(|| batch.clone());
            if known != batch {
                return Err(format!(
                    "operation {op_number} of view {view_number} is {batch:?} at {name}, and was {known:?}"
                ));
            }
        }
        *checked = (view_number, log.op_number());
        Ok(())
    }
}
