//! What a simulated cluster of servers and a view service is made of, and what befalls it.

mod rules;

use std::sync::Arc;

use contract::NodeId;
use node::sim::{Dice, Fault, FaultPlan, NetworkOptions, Scenario, Simulator, View};
use primary_backup::{Config, Node, message::Record};
use simulation_checks::{
    Coverage, Recorder, System,
    recorder::SNAPSHOTS_WRITTEN,
    run::{SNAPSHOTS_INSTALLED, SNAPSHOTS_RECOVERED, STARTS},
};

use rules::{FORWARDED, REPLACED, Rules, TAKE_OVERS, VIEWS};

pub const VIEW_SERVICE: &str = "v1";

/// Servers and their view service under simulation.
pub struct Cluster;

impl System for Cluster {
    type Node = Node<Recorder>;

    /// Far below what the seeds give.
    const AT_LEAST: &'static [(&'static str, u64)] = &[
        (STARTS, 30_000),
        (VIEWS, 30_000),
        (TAKE_OVERS, 5_000),
        (REPLACED, 1_000),
        (FORWARDED, 100_000),
        (SNAPSHOTS_WRITTEN, 30_000),
        (SNAPSHOTS_RECOVERED, 1_000),
        (SNAPSHOTS_INSTALLED, 10_000),
    ];

    fn scenario(seed: u64) -> Scenario {
        let mut scenario = Scenario::new(seed, [3, 2, 3, 4][(seed / 5 % 4) as usize]);
        scenario.nodes.push(VIEW_SERVICE.to_owned());
        scenario.settle_ms = 1_500;
        scenario.serialize_messages = seed.is_multiple_of(16);
        scenario.clients.clients = [2, 4, 8][(seed / 4 % 3) as usize];
        scenario.clients.think_ms_max = [60, 20][(seed / 7 % 2) as usize];
        scenario.faults.duration_ms = 3_000;
        scenario.faults.interval_ms = 300;
        scenario.faults.length_ms_max = 1_000;
        if seed % 7 < 2 {
            scenario.faults.network = NetworkOptions::LOSSY;
        }
        scenario
    }

    /// Two thirds of the view services do not fail themselves, as in the labs. In half of the clusters servers are cut from
    /// the view service now and then, or from each other, while clients reach them all.
    fn plan(scenario: &Scenario) -> FaultPlan {
        let mut plan = FaultPlan::random(scenario.seed, &scenario.nodes, &scenario.faults);
        if !scenario.seed.is_multiple_of(3) {
            plan.steps.retain(|(_, fault)| match fault {
                Fault::Crash(node) | Fault::CrashInNextWrite(node) | Fault::Pause(node) => {
                    node != VIEW_SERVICE
                }
                _ => true,
            });
        }
        if scenario.seed / 2 % 2 == 1 {
            plan.steps.extend(cuts(scenario));
            plan.steps.sort_by_key(|(at_ms, _)| *at_ms);
        }
        plan
    }

    fn make(
        scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl Fn(&NodeId, Vec<Record>) -> Self::Node + 'static {
        let (seed, coverage) = (scenario.seed, coverage.clone());
        let mut servers = scenario.nodes.clone();
        servers.retain(|node| node != VIEW_SERVICE);
        move |node, records| {
            let (ping_ms, dead_pings) = timing(seed);
            let config = Config {
                node: node.clone(),
                servers: servers.clone(),
                view_service: VIEW_SERVICE.to_owned(),
                reaches_servers: true,
                ping_ms,
                dead_pings,
                snapshot_bytes: snapshot_bytes(seed),
                chunk_bytes: chunk_bytes(seed),
            };
            Node::new(config, Recorder::new(coverage.clone()), records)
                .expect("a log that this protocol wrote")
        }
    }

    fn invariant(
        _scenario: &Scenario,
        coverage: &Arc<Coverage>,
    ) -> impl FnMut(&View<'_, Self::Node>) -> Result<(), String> + 'static {
        let mut rules = Rules::new(coverage.clone());
        move |view| rules.check(view)
    }

    fn recorder(node: &Self::Node) -> Option<&Recorder> {
        match node {
            Node::Server(server) => Some(server.application()),
            Node::ViewService(_) => None,
        }
    }

    /// The primary and the backup of a view that the primary has acknowledged.
    fn copies(simulator: &Simulator<Self::Node>) -> Result<Vec<NodeId>, String> {
        let Some(Node::ViewService(service)) = simulator.protocol(VIEW_SERVICE) else {
            return Err("the view service is down".to_owned());
        };
        let views = service.views();
        match (&views.view().primary, &views.view().backup) {
            (Some(primary), Some(backup)) if views.is_acknowledged() => {
                Ok(vec![primary.clone(), backup.clone()])
            }
            _ => Err(format!("the servers do not agree on a view: {views:?}")),
        }
    }
}

/// Small parts, so that a state takes several.
fn chunk_bytes(seed: u64) -> usize {
    [300, 3_000, 1 << 20][(seed % 3) as usize]
}

fn snapshot_bytes(seed: u64) -> Option<u64> {
    [Some(400), Some(3_000), None][(seed / 3 % 3) as usize]
}

/// How often servers ping, and after how many silent intervals they are dead: in half of the clusters so few that living
/// ones are taken for dead all the time. Safety must not depend on it.
fn timing(seed: u64) -> (u64, u32) {
    if seed.is_multiple_of(2) { (50, 6) } else { (20, 3) }
}

fn cuts(scenario: &Scenario) -> Vec<(u64, Fault)> {
    let mut dice = Dice::new(scenario.seed, 50);
    let mut steps = Vec::new();
    let mut at_ms = 300;
    while at_ms < scenario.faults.duration_ms {
        let mut servers = scenario.nodes.clone();
        servers.retain(|node| node != VIEW_SERVICE);
        dice.shuffle(&mut servers);
        let view_service = VIEW_SERVICE.to_owned();
        let mut links = both_ways(&servers[0], [&view_service, &servers[1]][dice.index(2)]);
        if dice.chance(300) {
            links.truncate(1);
        }
        steps.push((at_ms, Fault::Cut(links)));
        at_ms += dice.between(50, 800);
        steps.push((at_ms, Fault::Heal));
        at_ms += dice.between(50, 400);
    }
    steps
}

fn both_ways(one: &NodeId, other: &NodeId) -> Vec<(NodeId, NodeId)> {
    vec![(one.clone(), other.clone()), (other.clone(), one.clone())]
}
