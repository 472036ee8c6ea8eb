//! Thousands of simulated clusters under faults, with the rules of views after every step.

mod world;

use primary_backup::Node;
use simulation_checks::{Run, run_seeds, same_seed_same_run};

use world::{Cluster, VIEW_SERVICE};

#[test]
fn thousands_of_faulty_runs_stay_safe_linearizable_and_alive() {
    run_seeds::<Cluster>(5_000);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    same_seed_same_run::<Cluster>(7);
}

#[test]
fn without_faults_everything_succeeds_in_two_views() {
    for seed in (0..40).step_by(2) {
        let run = Run::<Cluster>::calm(seed);
        let node = run.report.simulator.protocol(VIEW_SERVICE).expect("nobody crashed");
        let Node::ViewService(service) = node else { panic!("{VIEW_SERVICE} is a server") };
        assert_eq!(service.views().view().num, 2, "seed {seed}");
    }
}
