//! A right object is found valid, whatever is unknown; only of a queue too little may be known.

mod common;

use checker_testing::simulation::{Plan, run};
use common::objects::right;
use history::Verdict;
use invariants::Invariant;

const SEEDS: u64 = 150;

const PLANS: [Plan; 4] = [
    Plan { clients: 4, operations: 120, info_percent: 0, fail_percent: 0 },
    Plan { clients: 6, operations: 200, info_percent: 5, fail_percent: 5 },
    Plan { clients: 3, operations: 60, info_percent: 30, fail_percent: 10 },
    Plan { clients: 12, operations: 300, info_percent: 3, fail_percent: 30 },
];

#[test]
fn right_objects_are_never_accused() {
    for invariant in Invariant::ALL {
        let mut valid = 0;
        for (at, plan) in PLANS.into_iter().enumerate() {
            for seed in 0..SEEDS {
                let history = run(right(invariant).as_mut(), seed, plan);
                let result = invariant.check(&history);
                assert!(
                    result.verdict != Verdict::Violation,
                    "{}, plan {at}, seed {seed}: {result:#?}",
                    invariant.name()
                );
                valid += u64::from(result.verdict == Verdict::Valid);
            }
        }
        let runs = SEEDS * PLANS.len() as u64;
        println!("{:<22} {valid} of {runs} runs valid, the others inconclusive", invariant.name());
        // Lost answers of dequeues leave open what became of the elements.
        let least = if invariant == Invariant::TotalQueue { 25 } else { 100 };
        assert!(valid * 100 >= runs * least, "{}: {valid} of {runs} valid", invariant.name());
    }
}
