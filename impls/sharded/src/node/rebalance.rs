//! The groups' leaders tell the shard controllers how much is asked of each shard; the controllers' leader moves shards where that is
//! uneven. A move goes through the controllers' log, where it is refused unless the configuration is still the one it was meant for.

use std::collections::{BTreeMap, BTreeSet};

use contract::GroupId;
use node::{Effects, Replicates};
use serde_json::{Value, json};
use shard_controller::Controller;

use super::{Node, Proposal, led};
use crate::{
    carried::Carried,
    command::Command,
    load::Load,
    message::Message,
    rebalance::{Assessment, Move, Policy, Rates, pinned},
    transaction::TransactionId,
};

/// How often a group's leader tells its load.
const REPORT_MS: u64 = 500;
/// It has counted for so long before it does.
const COUNTED_MS: u64 = 1_000;
/// What a group said is out of date after so long.
const FRESH_MS: u64 = 4 * REPORT_MS;
/// How often the controllers' leader looks at it.
const ASSESS_MS: u64 = 500;
/// After each change of the configuration, whoever made it, nothing is moved for so long: three times what it takes until rates of
/// before count little.
const QUIET_MS: u64 = 6_000;

/// What a node remembers of loads: that of its own group where it leads that, and those of all groups where it leads the controllers.
#[derive(Debug, Default)]
pub(super) struct Rebalancer {
    load: Load,
    reported_ms: Option<u64>,
    /// The number of the latest configuration, and since when this node has led and known it.
    latest: Option<(u64, u64)>,
    reports: BTreeMap<GroupId, Report>,
    assessed_ms: Option<u64>,
    /// Moves that this node made.
    own: BTreeSet<(usize, GroupId)>,
    /// What it found last, for people.
    explanation: Option<Value>,
}

/// What a group's leader said last.
#[derive(Debug)]
struct Report {
    configuration: u64,
    rates: BTreeMap<usize, f64>,
    at_ms: u64,
}

impl Rebalancer {
    /// The node does not lead any more.
    pub(super) fn rest(&mut self) {
        let own = std::mem::take(&mut self.own);
        *self = Self { own, ..Self::default() };
    }

    /// A move of this node's was made.
    pub(super) fn moved(&mut self, shard: usize, group: GroupId) {
        self.own.insert((shard, group));
    }

    /// What was found last, while this node leads the controllers and moves shards.
    pub(super) fn explanation(&self) -> Option<&Value> {
        self.explanation.as_ref()
    }

    /// The last rates of all groups, or what they are waited for.
    fn rates(&self, controller: &Controller, now_ms: u64) -> Result<Rates, String> {
        let latest = controller.latest();
        let mut rates = Rates::new();
        for group in latest.groups.keys() {
            let report = self.reports.get(group).filter(|report| {
                report.configuration == latest.num && now_ms < report.at_ms + FRESH_MS
            });
            let Some(report) = report else {
                return Err(format!(
                    "{group} has not told its load in configuration {}",
                    latest.num
                ));
            };
            rates.insert(group.clone(), report.rates.clone());
        }
        Ok(rates)
    }

    /// What the rates come to; `Err`: why they are not looked at.
    fn assess(
        &mut self,
        controller: &Controller,
        now_ms: u64,
    ) -> Result<(Rates, Assessment), String> {
        let num = controller.latest().num;
        let (_, since_ms) = *self.latest.insert(match self.latest {
            Some((known, since_ms)) if known == num => (num, since_ms),
            _ => (num, now_ms),
        });
        if now_ms < since_ms + QUIET_MS {
            return Err(format!("configuration {num} is not {QUIET_MS} ms old"));
        }
        let rates = self.rates(controller, now_ms)?;
        let assessment = Policy::default().assess(&rates, &pinned(controller, &self.own));
        Ok((rates, assessment))
    }
}

impl<P: Replicates<Application = Carried>> Node<P> {
    /// Something was asked of these keys, whose shards are here.
    pub(super) fn count_load<'a>(
        &mut self,
        keys: impl IntoIterator<Item = &'a str>,
        effects: &Effects<Self>,
    ) {
        let Some(group) = led(&self.inner) else { return };
        for shard in group.shards_here(keys) {
            self.rebalancer.load.count(shard, effects.now_ms());
        }
    }

    /// Another group's transaction was prepared here.
    pub(super) fn count_prepared(&mut self, id: &TransactionId, effects: &Effects<Self>) {
        let Some(prepare) = led(&self.inner).and_then(|group| group.prepared().get(id)) else {
            return;
        };
        let keys = prepare.keys.clone();
        self.count_load(keys.iter().map(String::as_str), effects);
    }

    /// Requests a second of each shard that is served here.
    pub(super) fn rates(&self) -> BTreeMap<usize, f64> {
        let served = self.led().map(|group| group.served().collect::<Vec<_>>()).unwrap_or_default();
        served.into_iter().map(|shard| (shard, self.rebalancer.load.per_s(shard))).collect()
    }

    /// Tells the controllers the load of this group, once all its shards are here.
    pub(super) fn report_load(&mut self, effects: &mut Effects<Self>) {
        let now_ms = effects.now_ms();
        self.rebalancer.load.advance(now_ms);
        let Some(group) = led(&self.inner).filter(|_| self.identity.rebalances) else { return };
        let is_early = self.rebalancer.reported_ms.is_some_and(|at_ms| now_ms < at_ms + REPORT_MS)
            || self.rebalancer.load.counted_ms() < COUNTED_MS;
        if is_early || !group.arriving().is_empty() {
            return;
        }
        self.rebalancer.reported_ms = Some(now_ms);
        let (group, configuration) = (group.id().clone(), group.configuration().num);
        let message = Message::Load { group, configuration, rates: self.rates() };
        Self::broadcast(&self.identity.controllers, &message, effects);
    }

    /// A group tells its load.
    pub(super) fn on_load(
        &mut self,
        group: GroupId,
        configuration: u64,
        rates: BTreeMap<usize, f64>,
        effects: &Effects<Self>,
    ) {
        if self.identity.rebalances && self.inner.leads() {
            let report = Report { configuration, rates, at_ms: effects.now_ms() };
            self.rebalancer.reports.insert(group, report);
        }
    }

    /// Looks whether the load is uneven, and moves a shard if that helps.
    pub(super) fn rebalance(&mut self, effects: &mut Effects<Self>) {
        let now_ms = effects.now_ms();
        let Carried::Controller(controller) = self.inner.application() else { return };
        let rebalancer = &mut self.rebalancer;
        let is_early = rebalancer.assessed_ms.is_some_and(|at_ms| now_ms < at_ms + ASSESS_MS);
        if is_early || !self.identity.rebalances {
            return;
        }
        rebalancer.assessed_ms = Some(now_ms);
        let controller = controller.application();
        let num = controller.latest().num;
        let assessed = rebalancer.assess(controller, now_ms);
        rebalancer.explanation = Some(explanation(num, &assessed));
        let Ok((_, Assessment { proposal: Ok(Move { shard, to, .. }), .. })) = assessed else {
            return;
        };
        let command = Command::Move { shard, group: to.clone(), configuration: num };
        self.propose(Proposal::Move(shard, to, num), command, effects);
    }
}

fn explanation(num: u64, assessed: &Result<(Rates, Assessment), String>) -> Value {
    let (rates, assessment) = match assessed {
        Ok(found) => found,
        Err(reason) => return json!({ "config": num, "reason": reason }),
    };
    let mut explanation = json!({
        "config": num,
        "rates": rates,
        "requests_per_s": assessment.total_per_s,
        "skew": assessment.skew,
    });
    match &assessment.proposal {
        Ok(proposal) => explanation["move"] = json!(proposal),
        Err(reason) => explanation["reason"] = json!(reason),
    }
    explanation
}
