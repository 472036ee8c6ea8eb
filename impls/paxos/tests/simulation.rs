//! Thousands of simulated clusters under faults, in which at most one value is chosen in each slot.

mod world;

use node::sim::{FaultFamily, FaultPlan, Scenario};
use simulation_checks::{Run, System, run_seeds, same_seed_same_run};

use world::{Cluster, LEADERS, is_naive};

#[test]
fn thousands_of_faulty_runs_stay_safe_linearizable_and_alive() {
    run_seeds::<Cluster>(5_000);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    same_seed_same_run::<Cluster>(7);
}

#[test]
fn a_cluster_of_one_serves_and_survives_its_crashes() {
    use FaultFamily::{Crash, Lossy, Pause};
    for seed in 0..50 {
        let mut scenario = Scenario { nodes: vec!["n1".to_owned()], ..Cluster::scenario(seed) };
        scenario.faults.families = vec![Crash, Lossy, Pause];
        let plan = FaultPlan::random(seed, &scenario.nodes, &scenario.faults);
        let healthy = Run::<Cluster>::planned(scenario, plan).healthy();
        assert_eq!(healthy, Ok(()), "seed {seed}");
    }
}

#[test]
fn without_faults_everything_succeeds_under_one_leader() {
    for seed in 0..20 {
        let run = Run::<Cluster>::calm(seed);
        // Both phases for every command take a ballot for each.
        assert_eq!(run.coverage.times(LEADERS) == 1, !is_naive(seed), "seed {seed}");
    }
}
