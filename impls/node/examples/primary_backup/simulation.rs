//! The same store in simulation: what must hold of it, and whether it does.

use std::sync::Arc;

use node::sim::{Scenario, View};
use simulation_checks::{
    Coverage, System, invariants::OneValuePerSlot, refuted, run::STARTS, run_seeds,
};

use super::{NodeId, Replica, Request};

/// Two or three nodes under the simulator's clients and random faults.
struct Cluster<const READS_AT_BACKUPS: bool>;

type Broken = Cluster<true>;
type Mended = Cluster<false>;

impl<const READS_AT_BACKUPS: bool> System for Cluster<READS_AT_BACKUPS> {
    type Node = Replica<READS_AT_BACKUPS>;

    const AT_LEAST: &'static [(&'static str, u64)] = &[(STARTS, 3_000)];

    fn scenario(seed: u64) -> Scenario {
        let mut scenario = Scenario::new(seed, if seed.is_multiple_of(2) { 3 } else { 2 });
        scenario.faults.duration_ms = 2_000;
        scenario.faults.interval_ms = 400;
        scenario.settle_ms = 1_000;
        scenario.clients.clients = 8;
        scenario
    }

    fn make(
        scenario: &Scenario,
        _coverage: &Arc<Coverage>,
    ) -> impl Fn(&NodeId, Vec<Request>) -> Self::Node + 'static {
        let members = scenario.nodes.clone();
        move |name, log| Replica::new(name, &members, log)
    }

    /// All logs are the first writes of one sequence. What is not on the disk yet may be lost; nobody has heard of it.
    fn invariant(
        _scenario: &Scenario,
        _coverage: &Arc<Coverage>,
    ) -> impl FnMut(&View<'_, Self::Node>) -> Result<(), String> + 'static {
        let mut one_value = OneValuePerSlot::default();
        move |view| {
            for (name, log) in view.durable() {
                let from = |first| (1..).zip(log).filter(move |(slot, _)| *slot >= first);
                one_value.check(name, log.len() as u64, from, |_, _| {})?;
            }
            Ok(())
        }
    }
}

#[test]
fn simulation_refutes_reads_at_backups() {
    let failure = refuted::<Broken>(1_000);
    assert!(failure.contains("not linearizable"), "{failure}");
}

#[test]
fn reads_at_the_primary_pass_the_same_seeds() {
    run_seeds::<Mended>(1_000);
}
