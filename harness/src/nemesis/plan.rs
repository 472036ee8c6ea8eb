//! A fault plan: everything the nemesis will do, decided from the seed before the first byte is sent.

use std::time::Duration;

use rand::{SeedableRng, rngs::ChaCha8Rng};
use record::{FaultRecord, FaultStep};

use super::{
    Family,
    fault::{Fault, Members},
    schedule::{Turn, turns},
};

/// A fault that lasts so long is healed by whoever started it, not by the plan.
pub const UNTIL_HEALED: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// One planned fault.
#[derive(Debug)]
pub struct PlannedFault {
    /// Its number, from 0, in the order of their starts.
    pub number: u64,
    /// Its family.
    pub family: Family,
    /// When it starts, from the beginning of the main phase.
    pub at: Duration,
    /// How long it lasts from when it takes hold.
    pub lasts: Duration,
    /// When it must be healed at the latest, from the beginning of the main phase: its interval is over.
    pub until: Duration,
    /// What it does.
    pub fault: Box<dyn Fault>,
}

/// What a plan depends on.
#[derive(Clone, Debug)]
pub struct PlanInput<'a> {
    /// Decides everything that is random.
    pub seed: u64,
    /// The families asked for.
    pub families: &'a [Family],
    /// The nodes that it is planned for.
    pub members: Members<'a>,
    /// Each family breaks something once in this time: a [`fitting_interval`].
    pub interval: Duration,
    /// Length of the main phase.
    pub time_limit: Duration,
}

/// The plan of a run: the same input gives the same plan.
#[must_use]
pub fn plan(input: &PlanInput<'_>) -> Vec<PlannedFault> {
    let (permanent, temporary): (Vec<Family>, Vec<Family>) =
        input.families.iter().partition(|family| family.is_permanent(input.members));
    let turns = turns(&PlanInput { families: &temporary, ..input.clone() });
    let mut faults: Vec<PlannedFault> =
        temporary.iter().flat_map(|family| faults(*family, &turns, input)).collect();
    faults.extend(permanent.into_iter().filter_map(|family| permanent_fault(family, input)));
    faults.sort_by_key(|fault| (fault.at, fault.family));
    for (number, fault) in (0..).zip(&mut faults) {
        fault.number = number;
    }
    faults
}

/// A family gets so many chances in a run, however short: two faults may be in each other's way, and some do nothing to
/// some stores, such as a cut between two followers. Kills of a store that cannot restart are the exception.
const CHANCES: u32 = 3;
/// Shorter intervals would leave faults that a store hardly notices.
const INTERVAL_MIN: Duration = Duration::from_secs(1);

/// The interval from fault to fault in a run of this length: the one asked for, where that leaves enough chances.
#[must_use]
pub fn fitting_interval(asked: Duration, time_limit: Duration) -> Duration {
    asked.min((time_limit / CHANCES).max(INTERVAL_MIN)).min(time_limit)
}

/// The faults of one family.
fn faults(family: Family, turns: &[Turn], input: &PlanInput<'_>) -> Vec<PlannedFault> {
    let mut rng = generator(family, input.seed);
    let fault = |turn: &Turn| {
        let fault = match &turn.absent[..] {
            [] => family.plan(input.members, &mut rng)?,
            absent => family.take_away(absent, input.members, &mut rng)?,
        };
        let Turn { at, lasts, until, .. } = *turn;
        Some(PlannedFault { number: 0, family, at, lasts, until, fault })
    };
    turns.iter().filter(|turn| turn.family == family).filter_map(fault).collect()
}

/// In mid-run: the time before it is tested with all nodes, the time after it with what is left. The rest of the run is
/// its chance to take hold.
fn permanent_fault(family: Family, input: &PlanInput<'_>) -> Option<PlannedFault> {
    let fault = family.plan(input.members, &mut generator(family, input.seed))?;
    let (at, until) = (input.time_limit / 2, input.time_limit);
    Some(PlannedFault { number: 0, family, at, lasts: until - at, until, fault })
}

/// Each family has random numbers of its own, so that another one beside it changes little.
fn generator(family: Family, seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(
        seed ^ (family.place() as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15),
    )
}

/// A fault that is healed sooner than this is one that a store hardly notices.
const HOLD_MIN: Duration = Duration::from_millis(100);

impl PlannedFault {
    /// When it must have taken hold, from the beginning of the main phase: later it could not hold for a quarter of
    /// what is planned, and would count without having tested anything.
    #[must_use]
    pub fn latest(&self) -> Duration {
        let hold_min = (self.lasts / 4).max(HOLD_MIN).min(self.lasts);
        self.until.saturating_sub(hold_min)
    }

    fn planned_note(&self) -> String {
        let manner = self.fault.manner().map_or(String::new(), |manner| format!(", {manner}"));
        match self.lasts {
            UNTIL_HEALED => format!("until it is healed{manner}"),
            lasts => format!("for {} ms{manner}", lasts.as_millis()),
        }
    }

    /// The line that is written before anything is done; its time counts from the start of the main phase.
    #[must_use]
    pub fn planned_record(&self) -> FaultRecord {
        let targets = self.fault.targets();
        self.record(nanoseconds(self.at), FaultStep::Planned, targets, self.planned_note())
    }

    /// A line about a step of the fault.
    #[must_use]
    pub fn record(
        &self,
        time_ns: u64,
        step: FaultStep,
        targets: Vec<String>,
        note: String,
    ) -> FaultRecord {
        let (family, form) = (self.family.name().to_owned(), self.fault.form());
        FaultRecord { fault: self.number, time_ns, family, form, step, targets, note }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        environment::Environment,
        nemesis::fault::{Hits, Work},
    };

    fn family(name: &str) -> Family {
        Family::by_name(name).unwrap()
    }

    #[derive(Debug)]
    struct Nothing;

    impl Fault for Nothing {
        fn form(&self) -> String {
            String::new()
        }

        fn targets(&self) -> Vec<String> {
            Vec::new()
        }

        fn start<'a>(&'a self, _: &'a Environment) -> Work<'a, Hits> {
            Box::pin(async { Hits::default() })
        }

        fn heal<'a>(&'a self, _: &'a Environment, _: &'a [String]) -> Work<'a, Vec<String>> {
            Box::pin(async { Vec::new() })
        }
    }

    fn text(seed: u64) -> String {
        let nodes: Vec<String> = (1..=5).map(|n| format!("n{n}")).collect();
        let input = PlanInput {
            seed,
            families: &Family::all().collect::<Vec<_>>(),
            members: Members {
                nodes: &nodes,
                view_service: None,
                can_restart: true,
                can_restart_all: true,
                exactly_once: true,
            },
            interval: Duration::from_secs(5),
            time_limit: Duration::from_secs(60),
        };
        let lines = plan(&input)
            .iter()
            .map(|f| serde_json::to_string(&f.planned_record()).unwrap())
            .collect::<Vec<_>>();
        lines.join("\n")
    }

    /// A change that is not meant to change plans does not: runs recorded by the build before can be repeated.
    #[test]
    fn the_plan_of_a_seed_is_the_recorded_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/nemesis/plan_of_seed_7.jsonl");
        if std::env::var_os("UPDATE_PLAN").is_some() {
            std::fs::write(file, text(7) + "\n").unwrap();
        }
        let recorded = std::fs::read_to_string(file).unwrap();
        assert_eq!(recorded.lines().count(), text(7).lines().count());
        for (recorded, now) in recorded.lines().zip(text(7).lines()) {
            assert_eq!(
                recorded, now,
                "on purpose? UPDATE_PLAN=1 writes it anew, and CHANGELOG.md says why"
            );
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_plan_byte_for_byte_and_another_seed_another() {
        assert_eq!(text(7), text(7));
        assert_ne!(text(7), text(8));
    }

    #[test]
    fn within_a_family_a_fault_heals_before_the_next_begins_and_before_the_end() {
        let nodes: Vec<String> = (1..=3).map(|n| format!("n{n}")).collect();
        for seed in 0..50 {
            let (interval, time_limit) = (Duration::from_secs(4), Duration::from_secs(30));
            let families = &Family::all().collect::<Vec<_>>();
            let input = PlanInput {
                seed,
                families,
                members: Members {
                    nodes: &nodes,
                    view_service: None,
                    can_restart: true,
                    can_restart_all: true,
                    exactly_once: true,
                },
                interval,
                time_limit,
            };
            let plan = plan(&input);
            for family in Family::all() {
                let own: Vec<_> = plan.iter().filter(|fault| fault.family == family).collect();
                assert_eq!(own.len(), 7, "one a whole interval");
                assert!(own.windows(2).all(|pair| pair[0].until < pair[1].at));
                assert!(own.iter().all(|fault| fault.at + fault.lasts < fault.until));
                assert!(own.iter().all(|fault| fault.at < fault.latest()));
                assert!(own.iter().all(|fault| fault.until <= time_limit));
            }
        }
    }

    #[test]
    fn a_short_run_has_room_for_three_faults_of_each_family() {
        let s = Duration::from_secs;
        assert_eq!(fitting_interval(s(5), s(30)), s(5));
        assert_eq!(fitting_interval(s(5), s(9)), s(3));
        assert_eq!(fitting_interval(s(2), s(9)), s(2));
        assert_eq!(fitting_interval(s(5), s(2)), s(1));
        assert_eq!(fitting_interval(s(5), Duration::from_millis(500)), Duration::from_millis(500));
        // What is not a whole number of nanoseconds must not cost the third one.
        for limit_s in 1..100 {
            let interval = fitting_interval(s(60), s(limit_s));
            assert!(interval * 3 <= s(limit_s) || interval <= s(1), "{limit_s}");
        }
    }

    #[test]
    fn a_fault_that_takes_hold_at_the_last_moment_still_holds_for_a_while() {
        let held_ms = |lasts_ms| {
            let fault = PlannedFault {
                number: 0,
                family: family("client"),
                at: Duration::ZERO,
                lasts: Duration::from_millis(lasts_ms),
                until: Duration::from_secs(9),
                fault: Box::new(Nothing),
            };
            (fault.until - fault.latest()).as_millis()
        };
        assert_eq!([4000, 1000, 300, 60].map(held_ms), [1000, 250, 100, 60]);
    }

    #[test]
    fn a_store_that_cannot_restart_loses_one_node_at_most_in_mid_run() {
        let kills = |nodes: &[&str]| {
            let nodes: Vec<String> = nodes.iter().map(|&node| node.to_owned()).collect();
            let (interval, time_limit) = (Duration::from_secs(5), Duration::from_secs(30));
            let families = &[family("kill")];
            plan(&PlanInput {
                seed: 3,
                families,
                members: Members {
                    nodes: &nodes,
                    view_service: None,
                    can_restart: false,
                    can_restart_all: false,
                    exactly_once: true,
                },
                interval,
                time_limit,
            })
        };
        assert!(kills(&["n1", "n2"]).is_empty(), "a majority must remain");
        let [kill] = &kills(&["n1", "n2", "n3"])[..] else { panic!("one kill") };
        let end = Duration::from_secs(30);
        assert_eq!((kill.at + kill.lasts, kill.until), (end, end), "it stays down");
        assert!(kill.at == end / 2 && kill.latest() > end * 3 / 4, "{kill:?}");
        assert_eq!((kill.fault.form().as_str(), kill.fault.targets().len()), ("kill-one", 1));
    }

    #[test]
    fn a_store_whose_nodes_come_back_with_the_help_of_the_others_never_loses_a_majority() {
        let kills = |nodes: usize, seed| {
            let nodes: Vec<String> = (1..=nodes).map(|n| format!("n{n}")).collect();
            let all = plan(&PlanInput {
                seed,
                families: &Family::all().collect::<Vec<_>>(),
                members: Members {
                    nodes: &nodes,
                    view_service: None,
                    can_restart: true,
                    can_restart_all: false,
                    exactly_once: true,
                },
                interval: Duration::from_secs(5),
                time_limit: Duration::from_secs(30),
            });
            let kills = all.into_iter().filter(|fault| fault.family == family("kill"));
            kills.map(|kill| (kill.fault.form(), kill.fault.targets().len())).collect::<Vec<_>>()
        };
        let mut forms = std::collections::BTreeSet::new();
        for seed in 0..100 {
            for (nodes, minority) in [(3, 1), (4, 1), (5, 2)] {
                let kills = kills(nodes, seed);
                assert_eq!(kills.len(), 6, "as many as of any other store");
                assert!(kills.iter().all(|(_, targets)| *targets <= minority), "{kills:?}");
                forms.extend(kills.into_iter().map(|(form, _)| form));
            }
        }
        assert_eq!(
            forms.into_iter().collect::<Vec<_>>(),
            ["kill-leader", "kill-minority", "kill-one"]
        );
        assert!(kills(2, 1).is_empty(), "none of two is a minority");
    }

    #[test]
    fn over_a_few_seeds_every_form_is_planned() {
        let all: String = (0..20).map(text).collect();
        for form in [
            "halves",
            "\"one\"",
            "majority-minority",
            "majorities-ring",
            "bridge",
            "isolate-leader",
            "one-way",
            "kill-one",
            "kill-minority",
            "kill-majority",
            "kill-all",
            "kill-leader",
            "pause-one",
            "pause-minority",
            "pause-majority",
            "pause-all",
            "pause-leader",
            "mit",
            "dslabs",
            "disorder",
        ] {
            assert!(all.contains(form), "{form}");
        }
    }
}
