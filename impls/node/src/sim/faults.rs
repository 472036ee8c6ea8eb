//! Fault plans: what goes wrong and when, decided by a seed before the run.

use contract::NodeId;

use super::{Dice, NetworkOptions, Simulator};
use crate::Protocol;

/// One step of a fault plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Cuts these directed links.
    Cut(Vec<(NodeId, NodeId)>),
    /// Heals every link.
    Heal,
    /// Kills a node where it stands.
    Crash(NodeId),
    /// Kills a node the next time it writes, between the step and its persistence.
    CrashInNextWrite(NodeId),
    /// Starts a node that is down.
    Restart(NodeId),
    /// Stops a node like SIGSTOP.
    Pause(NodeId),
    /// Lets it go on.
    Resume(NodeId),
    /// Changes how the network behaves.
    Network(NetworkOptions),
}

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultFamily {
    /// Cut links: halves, one node isolated, one direction only, a bridge.
    Partition,
    /// Crash and restart: one node, some, all.
    Crash,
    /// A node stops and goes on.
    Pause,
    /// A period of heavy loss, duplication and delay.
    Lossy,
}

/// What a random plan may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultOptions {
    /// The families to draw from; none: no faults.
    pub families: Vec<FaultFamily>,
    /// No fault begins after this time.
    pub duration_ms: u64,
    /// The mean time between the beginnings of two faults.
    pub interval_ms: u64,
    /// The longest a fault lasts.
    pub length_ms_max: u64,
    /// How the network behaves between faults.
    pub network: NetworkOptions,
}

impl Default for FaultOptions {
    fn default() -> Self {
        use FaultFamily::{Crash, Lossy, Partition, Pause};
        Self {
            families: vec![Partition, Crash, Pause, Lossy],
            duration_ms: 10_000,
            interval_ms: 1_000,
            length_ms_max: 2_000,
            network: NetworkOptions::UNRELIABLE,
        }
    }
}

/// Faults and when each begins, in order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultPlan {
    /// Milliseconds since the start, and what then happens.
    pub steps: Vec<(u64, Fault)>,
}

impl FaultPlan {
    /// The plan of `seed`: the same every time. Faults overlap; each heals after a while, and some only at the end
    /// of the run, when [`super::Scenario`] heals everything.
    #[must_use]
    pub fn random(seed: u64, nodes: &[NodeId], options: &FaultOptions) -> Self {
        let mut dice = Dice::new(seed, 1);
        let mut plan = Self { steps: vec![(0, Fault::Network(options.network))] };
        let mut at_ms = dice.between(1, options.interval_ms * 2);
        while at_ms < options.duration_ms && !options.families.is_empty() {
            let end_ms = at_ms + dice.between(10, options.length_ms_max);
            match options.families[dice.index(options.families.len())] {
                FaultFamily::Partition => plan.partition(at_ms, end_ms, nodes, &mut dice),
                FaultFamily::Crash => plan.crash(at_ms, end_ms, nodes, &mut dice),
                FaultFamily::Pause => {
                    let node = &nodes[dice.index(nodes.len())];
                    plan.steps.push((at_ms, Fault::Pause(node.clone())));
                    plan.steps.push((end_ms, Fault::Resume(node.clone())));
                }
                FaultFamily::Lossy => {
                    plan.steps.push((at_ms, Fault::Network(NetworkOptions::LOSSY)));
                    plan.steps.push((end_ms, Fault::Network(options.network)));
                }
            }
            at_ms += dice.between(1, options.interval_ms * 2);
        }
        plan.steps.sort_by_key(|(at_ms, _)| *at_ms);
        plan
    }

    fn partition(&mut self, at_ms: u64, end_ms: u64, nodes: &[NodeId], dice: &mut Dice) {
        self.steps.push((at_ms, Fault::Heal));
        self.steps.push((at_ms, Fault::Cut(random_links(nodes, dice))));
        self.steps.push((end_ms, Fault::Heal));
    }

    fn crash(&mut self, at_ms: u64, end_ms: u64, nodes: &[NodeId], dice: &mut Dice) {
        let mut victims = nodes.to_vec();
        dice.shuffle(&mut victims);
        // Mostly one victim; sometimes any number up to all, since a log must survive that too.
        let count = if dice.chance(700) { 1 } else { 1 + dice.index(nodes.len()) };
        for victim in victims.into_iter().take(count) {
            let fault = if dice.chance(500) {
                Fault::CrashInNextWrite(victim.clone())
            } else {
                Fault::Crash(victim.clone())
            };
            self.steps.push((at_ms, fault));
            self.steps.push((end_ms, Fault::Restart(victim)));
        }
    }
}

/// The links of a random partition: two halves, one node isolated, one node that can only receive, or a bridge (two
/// sides that reach each other only through the first node).
fn random_links(nodes: &[NodeId], dice: &mut Dice) -> Vec<(NodeId, NodeId)> {
    let mut nodes = nodes.to_vec();
    dice.shuffle(&mut nodes);
    let half = nodes.len() / 2;
    let form = dice.index(4);
    let is_cut = |from: usize, to: usize| match form {
        0 => (from < half) != (to < half),
        1 => (from == 0) != (to == 0),
        2 => from == 0,
        _ => from != 0 && to != 0 && (from <= half) != (to <= half),
    };
    let mut links = Vec::new();
    for from in 0..nodes.len() {
        for to in (0..nodes.len()).filter(|to| *to != from && is_cut(from, *to)) {
            links.push((nodes[from].clone(), nodes[to].clone()));
        }
    }
    links
}

impl<P: Protocol> Simulator<P> {
    /// Makes a fault happen now.
    pub fn apply_fault(&mut self, fault: &Fault) {
        match fault {
            Fault::Cut(links) => self.cut(links),
            Fault::Heal => self.heal(),
            Fault::Crash(node) => self.crash(node),
            Fault::CrashInNextWrite(node) => self.crash_in_next_write(node),
            Fault::Restart(node) => self.restart(node),
            Fault::Pause(node) => self.pause(node),
            Fault::Resume(node) => self.resume(node),
            Fault::Network(options) => self.set_network(*options),
        }
    }

    /// Ends every fault: links healed, nodes up and running, a reliable network.
    pub fn end_faults(&mut self) {
        self.heal();
        self.set_network(NetworkOptions::RELIABLE);
        for node in self.names().to_vec() {
            self.resume(&node);
            self.restart(&node);
        }
    }
}
