//! No right service is called wrong, however slow the machine; every flaw is found.

use history::{CheckResult, Verdict};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use workloads::view_service::{NAMED, Script, judge, random};

use super::{
    service::{Flaw, Manner},
    world::{Pace, World},
};

const SEEDS: u64 = 120;
const QUIET: Pace = Pace { slow_percent: 0, stall_percent: 0 };

fn scripts(seed: u64) -> Vec<(String, Box<dyn Script>)> {
    let named = NAMED.iter().map(|named| (named.name.to_owned(), named.play()));
    let random = (0..2).map(|at| (format!("random-{at}"), random(seed, at)));
    named.chain(random).collect()
}

fn played(manner: Manner, pace: Pace, seed: u64) -> (Vec<CheckResult>, usize) {
    let judged = judge(&World::new(manner, pace, seed).play(scripts(seed))).unwrap();
    (judged.checks, judged.changes)
}

/// A right service, one way or the other.
fn right(seed: u64) -> Manner {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let dead_ms = rng.random_range(150..450);
    Manner {
        dead_ms,
        on_ping: rng.random(),
        // Together no longer than the contract allows.
        tick_ms: rng.random_range(5..(600 - dead_ms).min(300)),
        fills_at_once: rng.random(),
        promotes_dead_backup: rng.random(),
        flaw: None,
    }
}

#[track_caller]
fn not_wrong(checks: &[CheckResult], seed: u64, manner: Manner) {
    for check in checks {
        assert_ne!(check.verdict, Verdict::Violation, "seed {seed}, {manner:?}: {}", check.summary);
    }
}

#[test]
fn no_right_service_is_called_wrong_however_late_everything_is() {
    let mut all_changes = 0;
    for seed in 0..SEEDS {
        let (slow_percent, stall_percent) = [(0, 0), (10, 0), (30, 1), (3, 5)][seed as usize % 4];
        let manner = right(seed);
        let (checks, changes) = played(manner, Pace { slow_percent, stall_percent }, seed);
        not_wrong(&checks, seed, manner);
        all_changes += changes;
    }
    assert!(all_changes as u64 > 40 * SEEDS, "{all_changes} views prove little");
}

#[test]
fn a_right_service_on_a_quiet_machine_is_valid() {
    for seed in 0..60 {
        let manner = right(seed);
        let (checks, _) = played(manner, QUIET, seed);
        let undecided = checks.iter().find(|check| check.verdict != Verdict::Valid);
        assert_eq!(undecided, None, "seed {seed}, {manner:?}");
    }
}

#[test]
fn every_flaw_is_found_by_a_script_of_the_courses() {
    use Flaw::{
        IsHasty, KeepsBackup, KeepsNumber, KeepsPrimary, NeverWaits, PromotesIdle, RepeatsViews,
        Skips, TakesDead, TakesNobody, TrustsZero,
    };
    for (flaw, script) in [
        (NeverWaits, "waits-for-acknowledgement"),
        (PromotesIdle, "idle-not-promoted"),
        (TrustsZero, "restarted-primary"),
        (KeepsBackup, "dead-backup-removed"),
        (KeepsPrimary, "backup-takes-over"),
        (TakesNobody, "first-backup"),
        (TakesDead, "dead-idle-not-made-backup"),
        (IsHasty, "slow-pings"),
        (RepeatsViews, "consecutive-views-differ"),
        (Skips, "first-primary"),
        (KeepsNumber, "dead-backup-removed"),
    ] {
        for seed in 0..6 {
            let manner = Manner {
                flaw: Some(flaw),
                dead_ms: 300,
                tick_ms: right(seed).tick_ms.min(50),
                promotes_dead_backup: false,
                ..right(seed)
            };
            let (checks, _) = played(manner, QUIET, seed);
            let check = checks.iter().find(|check| check.checker == script).unwrap();
            assert_eq!(check.verdict, Verdict::Violation, "{manner:?}: {}", check.summary);
        }
    }
}

#[test]
fn what_was_not_played_was_not_tested() {
    let evidence = |skipped: usize| {
        let scripts = scripts(1).into_iter().skip(skipped).collect();
        let judged = judge(&World::new(right(1), QUIET, 1).play(scripts)).unwrap();
        judged.checks.into_iter().find(|check| check.checker == "evidence").unwrap()
    };
    assert_eq!(evidence(0).verdict, Verdict::Valid);
    let lacking = evidence(1);
    assert_eq!(lacking.verdict, Verdict::Inconclusive);
    assert!(lacking.summary.contains("not played: startup-view;"), "{lacking:?}");
    let nothing = judge(&[]).unwrap().checks;
    assert_eq!(nothing.len(), 1);
    assert!(nothing[0].summary.contains("0 views told, of at least"), "{nothing:?}");
}

#[test]
fn the_same_seed_and_answers_give_the_same_script() {
    let record = |seed| World::new(right(3), QUIET, 3).play(scripts(seed));
    assert_eq!(record(3), record(3));
    assert_ne!(record(3), record(4));
}
