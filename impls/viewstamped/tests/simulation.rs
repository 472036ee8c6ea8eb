//! Thousands of simulated groups under faults that leave a quorum of memories, with one log in each view after every step.

mod world;

use node::sim::{FaultPlan, Scenario};
use simulation_checks::{Run, System, run_seeds, same_seed_same_run};

use world::{Group, VIEWS};

#[test]
fn thousands_of_faulty_runs_stay_safe_linearizable_and_alive() {
    run_seeds::<Group>(5_000);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    same_seed_same_run::<Group>(7);
}

#[test]
fn without_faults_everything_succeeds_in_one_view() {
    for seed in (0..40).step_by(2) {
        let run = Run::<Group>::calm(seed);
        assert_eq!(run.coverage.times(VIEWS), 1, "seed {seed}");
    }
}

#[test]
fn a_group_of_one_serves() {
    let scenario = Scenario { nodes: vec!["n1".to_owned()], ..Group::scenario(0) };
    let healthy = Run::<Group>::planned(scenario, FaultPlan::default()).healthy();
    assert_eq!(healthy, Ok(()));
}
