//! The disk after power failures against a second, naive statement of the rules, on small random programs: every state
//! must be legal, and most legal states must be reached.

use std::collections::BTreeSet;

use disk::{Disk, Durability};
use rand::{SeedableRng, rngs::ChaCha8Rng};

use crate::naive::Naive;
use crate::program::{self, Program};

/// Runs a program on both, without the power failure.
fn run(program: &Program, durability: Durability) -> (Disk, Naive) {
    let mut disk = Disk::new(durability, 0);
    let mut naive = Naive::new(durability);
    for step in &program.0 {
        // What the disk refuses changes nothing; whether it refuses rightly is for `plain_tree.rs`.
        if program::apply(&mut disk, step).is_ok() {
            naive.apply(step);
        }
    }
    (disk, naive)
}

#[test]
fn every_state_is_legal_and_most_legal_states_are_reached() {
    const PROGRAMS: u64 = 120;
    /// Programs with so few legal states are asked whether all are reached.
    const FEW: usize = 100;
    for durability in [Durability::Ext4Like, Durability::Strict] {
        let (mut reached, mut legal, mut measured) = (0, 0, 0);
        for number in 0..PROGRAMS {
            let program = Program::random(number);
            let (disk, naive) = run(&program, durability);
            let states = naive.legal_states();
            let all = states.enumerate(FEW);
            let mut seen = BTreeSet::new();
            for seed in 0..all.as_ref().map_or(60, |all| 30 * all.len() as u64) {
                let mut disk = disk.clone();
                disk.power_failure(&mut ChaCha8Rng::seed_from_u64(seed));
                let state = program::state(&disk);
                if !seen.contains(&state) {
                    assert!(
                        states.contain(&state),
                        "{durability:?}, program {number}, seed {seed}: {program:#?}\nleft {state:?}"
                    );
                    seen.insert(state);
                }
            }
            if let Some(all) = all {
                measured += 1;
                legal += all.len();
                reached += seen.len();
            }
        }
        println!(
            "{durability:?}: {reached} of {legal} legal states of {measured} programs, {PROGRAMS} in all"
        );
        assert!(measured > PROGRAMS / 10, "{measured} programs were small enough");
        assert!(reached * 100 >= legal * 90, "{reached} of {legal} legal states were reached");
    }
}

/// A copy of a disk that has lost what was synced is refused.
#[test]
fn lost_synced_data_is_found() {
    let program = Program(vec![
        program::Step::Create("a"),
        program::Step::Write { path: "a", offset: 0, length: 600, byte: 1 },
        program::Step::Fsync("a"),
        program::Step::Write { path: "a", offset: 0, length: 100, byte: 2 },
    ]);
    let (disk, naive) = run(&program, Durability::Ext4Like);
    let mut state = program::state(&disk);
    assert!(naive.legal_states().contain(&state));
    let content = state.get_mut("a").and_then(program::Found::content_mut).unwrap();
    content[599] = 0;
    assert!(!naive.legal_states().contain(&state));
    state.clear();
    assert!(!naive.legal_states().contain(&state));
}

#[test]
fn the_same_seed_leaves_the_same_state() {
    for number in 0..20 {
        let (disk, _) = run(&Program::random(number), Durability::Ext4Like);
        let after = |seed| {
            let mut disk = disk.clone();
            let loss = disk.power_failure(&mut ChaCha8Rng::seed_from_u64(seed));
            (program::state(&disk), loss)
        };
        assert_eq!(after(7), after(7));
    }
}
