//! What a simulated group of replicas is made of, what may befall it, and what must hold of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use contract::NodeId;
use node::sim::{Dice, Fault, Scenario, Simulator, View};
use simulation_checks::{
    Coverage, Recorder,
    invariants::{OneLeaderPerTerm, OneSequenceApplied, OneValuePerSlot},
    recorder::{SNAPSHOTS_READ, SNAPSHOTS_WRITTEN},
};
use viewstamped::{
    Config, Replica,
    log::{Batch, OpNumber},
    message::{Record, ViewNumber},
};

const STARTS: &str = "replicas started or restarted";
const FIRST_MOMENTS: &str = "replicas that died before they had written anything";
pub const VIEWS: &str = "views started";
const RECOVERED: &str = "replicas that recovered";
const LEFT_BEHIND: &str = "recovering replicas whose disk named a later view than all others had";
const COMMITTED: &str = "operations committed";
const BATCHES: &str = "operations of several requests";

/// Fails unless every mechanism was at work. The bounds are far below what the seeds give.
pub fn assert_nothing_was_missed(coverage: &Coverage) {
    coverage.assert_at_least(&[
        (STARTS, 30_000),
        (FIRST_MOMENTS, 100),
        (VIEWS, 7_000),
        (RECOVERED, 10_000),
        (LEFT_BEHIND, 100),
        (COMMITTED, 100_000),
        (BATCHES, 100),
        (SNAPSHOTS_WRITTEN, 50_000),
        (SNAPSHOTS_READ, 2_000),
    ]);
}

pub type Node = Replica<Recorder>;

/// How often primaries show themselves, and how long a silence must last: in half of the groups so short that living
/// primaries are replaced all the time. Safety must not depend on it.
pub fn timing(seed: u64) -> (u64, u64) {
    if seed.is_multiple_of(2) { (50, 300) } else { (20, 60) }
}

/// Makes the replicas of a seed's group.
pub fn make(
    scenario: &Scenario,
    coverage: &Arc<Coverage>,
) -> impl Fn(&NodeId, Vec<Record>) -> Node + 'static {
    let (members, seed, coverage) = (scenario.nodes.clone(), scenario.seed, coverage.clone());
    let starts = Arc::new(Coverage::default());
    move |node, records| {
        coverage.count(STARTS);
        starts.count("starts");
        if records.is_empty() && starts.times("starts") > members.len() as u64 {
            coverage.count(FIRST_MOMENTS);
        }
        let (heartbeat_ms, patience_ms) = timing(seed);
        let config = Config {
            node: node.clone(),
            members: members.clone(),
            heartbeat_ms,
            patience_ms,
            checkpoint_bytes: [Some(400), Some(1_500), Some(6_000), None][(seed / 2 % 4) as usize],
            chunk_bytes: [300, 3_000, 1 << 20][(seed % 3) as usize],
            restarted: false,
        };
        Replica::new(config, Recorder::new(coverage.clone()), records)
    }
}

/// The fault model: of 2f + 1 replicas at most f are away, where away is from a crash until it has recovered.
pub fn within_the_fault_model() -> impl FnMut(&Simulator<Node>, &Fault) -> bool {
    let mut doomed = BTreeSet::new();
    move |simulator, fault| match fault {
        Fault::Crash(node) | Fault::CrashInNextWrite(node) => {
            let is_away = |name: &&NodeId| {
                doomed.contains(*name)
                    || simulator.protocol(name).is_none_or(Replica::is_recovering)
            };
            let others = simulator.names().iter().filter(|name| *name != node);
            let is_within = others.filter(is_away).count() < failures_max(simulator.names().len());
            if is_within && matches!(fault, Fault::CrashInNextWrite(_)) {
                doomed.insert(node.clone());
            }
            is_within
        }
        Fault::Restart(node) => {
            doomed.remove(node);
            true
        }
        _ => true,
    }
}

fn failures_max(replicas: usize) -> usize {
    (replicas - 1) / 2
}

/// Some die in their very first moments.
pub fn first_moments(scenario: &Scenario) -> Vec<(u64, Fault)> {
    let mut dice = Dice::new(scenario.seed, 60);
    let node = &scenario.nodes[dice.index(scenario.nodes.len())];
    if scenario.seed.is_multiple_of(5) {
        return Vec::new();
    }
    let (died_ms, back_ms) = (dice.between(0, 2), dice.between(3, 200));
    vec![(died_ms, Fault::Crash(node.clone())), (back_ms, Fault::Restart(node.clone()))]
}

/// What must hold after every step.
pub fn invariants(
    coverage: &Arc<Coverage>,
) -> impl FnMut(&View<'_, Node>) -> Result<(), String> + 'static {
    let coverage = coverage.clone();
    let mut one_value = OneValuePerSlot::<Batch>::default();
    let mut one_sequence = OneSequenceApplied::default();
    let mut one_primary = OneLeaderPerTerm::<ViewNumber>::default();
    let mut one_log = OneLogPerView::default();
    let mut recovering = BTreeSet::new();
    move |view| {
        let (name, replica) = view.stepped();
        let commit = replica.commit_number();
        let committed = |first| replica.log().from(first).take_while(|(at, _)| *at <= commit);
        one_value.check(name, commit, committed, |_, batch| {
            coverage.count(COMMITTED);
            if batch.len() > 1 {
                coverage.count(BATCHES);
            }
        })?;
        one_sequence.check(name, replica.application().applied())?;
        if replica.is_primary() && one_primary.check(name, &replica.view_number())? {
            coverage.count(VIEWS);
        }
        if replica.is_normal() {
            one_log.check(name, replica)?;
        }
        if replica.is_recovering() {
            if recovering.insert(name.clone()) {
                let later = |(_, other): (_, &Node)| other.view_number() < replica.view_number();
                if view.live().filter(|(other, _)| *other != name).all(later) {
                    coverage.count(LEFT_BEHIND);
                }
            }
        } else if recovering.remove(name) {
            coverage.count(RECOVERED);
        }
        let count = view.durable().count();
        let away = count - view.live().filter(|(_, replica)| !replica.is_recovering()).count();
        if away > failures_max(count) {
            Err(format!("the test itself: {away} away"))
        } else {
            Ok(())
        }
    }
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

/// After some quiet time every replica has executed the same.
pub fn settled(simulator: &mut Simulator<Node>) -> Result<(), String> {
    simulation_checks::settled(simulator, |replica| replica.application().applied().len())
}
