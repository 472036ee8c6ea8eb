//! The plan of a run: which acts follow one another, decided from the seed.
//!
//! An act is one fault alone, one [scenario](super::scenario), or a minority of the nodes away for long, which shows how a
//! store does without them. Acts follow one another, so that none spoils the chances of another; but the network or the
//! clients may be disturbed while an act is on. Every kind of act has its turns before any has them again.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use contract::NodeId;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};

use super::{
    Family,
    fault::{Fault, Members},
    planned::PlannedFault,
    recorded_plan::RecordedPlan,
    scenario::Scenario,
    scenarios::{SCENARIOS, laggard},
};

/// What a plan depends on.
#[derive(Clone, Debug)]
pub struct PlanInput<'a> {
    /// Decides everything that is random.
    pub seed: u64,
    /// The families asked for.
    pub families: &'a [Family],
    /// The nodes that it is planned for.
    pub members: Members<'a>,
    /// An act begins once in this time; `None`: as soon as the store has served again for a moment.
    pub interval: Option<Duration>,
    /// Length of the main phase.
    pub time_limit: Duration,
    /// What is carried out instead of a plan.
    pub recorded: Option<&'a RecordedPlan>,
}

/// What an act does.
#[derive(Debug)]
pub enum Deed {
    /// One fault, for so long.
    Alone(Alone),
    /// Faults that follow one another, all of these families at most. The seed decides what they leave open.
    Scenario(&'static Scenario, Vec<Family>, u64),
}

/// One fault by itself.
#[derive(Debug)]
pub struct Alone {
    /// Its family.
    pub family: Family,
    /// What it breaks.
    pub fault: Box<dyn Fault>,
    /// For so long at most.
    pub lasts: Duration,
    /// Of an absence, the nodes that it takes away until the others have shown that they go on without them; else nobody.
    pub away: Vec<NodeId>,
}

/// One act of a plan.
#[derive(Debug)]
pub struct Act {
    /// The nodes that it is aimed at: all, or one group.
    pub nodes: Vec<NodeId>,
    /// What it does.
    pub deed: Deed,
    /// What is disturbed meanwhile.
    pub beside: Vec<(Family, Box<dyn Fault>)>,
    /// What follows at once.
    pub then: Option<Deed>,
    /// How long the store is left alone afterwards, from when it serves again.
    pub calm: Duration,
}

/// Which kind an act is.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Alone(Family),
    Scenario(&'static Scenario),
}

/// The acts of a run, in order.
pub struct Plan<'a> {
    input: PlanInput<'a>,
    /// The families whose faults can be healed.
    families: Vec<Family>,
    rng: ChaCha8Rng,
    /// What has its turn before anything has its second.
    waiting: VecDeque<Kind>,
    /// Families that have not yet been beside an act.
    unmet: BTreeSet<Family>,
    absences: VecDeque<Absence>,
}

/// A minority of the nodes, away for long.
#[derive(Debug)]
struct Absence {
    family: Family,
    nodes: Vec<NodeId>,
    /// Not before this moment of the main phase.
    due: Duration,
}

/// The share of acts beside which the network is disturbed, and the same of the clients, once each was.
const BESIDE: f64 = 0.4;
/// The share of acts beside which the shards of a sharded store move.
const SHARDS_BESIDE: f64 = 0.8;
/// The share of partitions of a sharded store that go through all its processes.
const EVERYWHERE: f64 = 0.4;
/// An absence lasts so long at most: a majority that goes on shows it within that.
const ABSENCE_MAX: Duration = Duration::from_millis(2200);
/// In a short run, an absence is this part of it.
const ABSENCE_SHARE: f64 = 1.0 / 9.0;
/// The store is left alone for so long after an act, in milliseconds.
const CALM_MS: std::ops::Range<u64> = 10..100;
/// Where a node may be the only one with the state, others need so long to get it.
const CALM_BEFORE_ABSENCE: Duration = Duration::from_millis(700);

impl<'a> Plan<'a> {
    /// The plan of a run: the same input gives the same acts.
    #[must_use]
    pub fn new(input: PlanInput<'a>) -> Self {
        let own = |family: &&Family| !family.is_permanent(input.members);
        let families: Vec<Family> = input.families.iter().filter(own).copied().collect();
        let mut rng = ChaCha8Rng::seed_from_u64(input.seed);
        let absences = absences(&input, &families, &mut rng);
        let unmet = if families.iter().any(|family| family.can_take_away()) {
            families.iter().filter(|family| !family.can_take_away()).copied().collect()
        } else {
            BTreeSet::new()
        };
        Self { input, families, rng, waiting: VecDeque::new(), unmet, absences }
    }

    /// The next act, at this moment of the main phase; `None` where there is nothing to do.
    pub fn next(&mut self, now: Duration) -> Option<Act> {
        if let Some(absence) = self.absences.pop_front_if(|absence| absence.due <= now) {
            return self.away(&absence);
        }
        let members = self.some_electorate();
        let (kind, deed) = self.next_deed(members)?;
        let beside = self.beside(kind);
        let calm = match self.absences.front() {
            Some(_) if self.input.members.view_service.is_some() => CALM_BEFORE_ABSENCE,
            _ => Duration::from_millis(self.rng.random_range(CALM_MS)),
        };
        Some(Act { nodes: members.nodes.to_vec(), deed, beside, then: None, calm })
    }

    /// The next one that can be planned; `None` where nothing can.
    fn next_deed(&mut self, members: Members<'a>) -> Option<(Kind, Deed)> {
        for _ in 0..2 {
            while let Some(kind) = self.waiting.pop_front() {
                if let Some(deed) = self.deed(kind, members) {
                    return Some((kind, deed));
                }
            }
            self.waiting = self.shuffled();
        }
        None
    }

    fn some_electorate(&mut self) -> Members<'a> {
        let electorates = self.input.members.electorates();
        match electorates.len() {
            0 | 1 => self.input.members,
            count => electorates[self.rng.random_range(0..count)],
        }
    }

    /// Every kind of act, in a random order: what has two turns has one in each half. First some that use all families
    /// together, so that a short run has each. What takes no node away stands alone only where nothing else does: beside other
    /// acts it does more.
    fn shuffled(&mut self) -> VecDeque<Kind> {
        let families = &self.families;
        let some_take_away = families.iter().any(|family| family.can_take_away());
        let alone = families.iter().filter(|family| family.can_take_away() || !some_take_away);
        let members = self.input.members.electorates()[0];
        let suits = |scenario: &&&Scenario| scenario.suits(families, members);
        let scenarios = SCENARIOS.iter().filter(suits);
        let turns = alone
            .map(|family| (Kind::Alone(*family), 1))
            .chain(scenarios.map(|scenario| (Kind::Scenario(scenario), scenario.turns)));
        let mut order = Vec::new();
        for (kind, turns) in turns {
            for turn in 0..turns {
                let at: f64 = self.rng.random_range(0.0..1.0);
                order.push(((f64::from(turn) + at) / f64::from(turns), kind));
            }
        }
        order.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let mut kinds: Vec<Kind> = order.into_iter().map(|(_, kind)| kind).collect();
        let mut unused = families.clone();
        let mut first = Vec::new();
        kinds.retain(|kind| {
            let Kind::Alone(family) = kind else { return true };
            let is_unused = unused.contains(family);
            if is_unused {
                unused.retain(|other| other != family);
                first.push(*kind);
            }
            !is_unused
        });
        // One in two: scenarios between the faults that stand alone.
        let mut order = VecDeque::new();
        let mut rest = kinds.into_iter();
        for kind in first {
            order.push_back(kind);
            order.extend(rest.next());
        }
        order.extend(rest);
        order
    }

    fn deed(&mut self, kind: Kind, members: Members<'a>) -> Option<Deed> {
        match kind {
            Kind::Alone(family) => {
                let lasts = self.lasts();
                let all = self.input.members;
                // Groups are also cut off from each other, and from the controllers.
                let everywhere = !all.groups.is_empty()
                    && family.name() == "partition"
                    && self.rng.random_bool(EVERYWHERE);
                let members = if everywhere { Members { groups: &[], ..all } } else { members };
                let fault = family.plan(members, &mut self.rng);
                let fault = fault.or_else(|| family.plan(all, &mut self.rng))?;
                Some(Deed::Alone(Alone { family, fault, lasts, away: Vec::new() }))
            }
            Kind::Scenario(scenario) => Some(self.scenario(scenario)),
        }
    }

    fn scenario(&mut self, scenario: &'static Scenario) -> Deed {
        Deed::Scenario(scenario, self.families.clone(), self.rng.random())
    }

    /// From just beyond an election timeout to longer than an operation may take.
    fn lasts(&mut self) -> Duration {
        if let Some(interval) = self.input.interval {
            return interval.mul_f64(self.rng.random_range(0.25..0.6));
        }
        let range_ms = match self.rng.random_range(0..10) {
            0..6 => 250..700,
            6..9 => 700..1300,
            _ => 1300..2500,
        };
        Duration::from_millis(self.rng.random_range(range_ms))
    }

    /// Disturbances beside the act; of other families than its own. Network and clients do not get in each other's way.
    fn beside(&mut self, kind: Kind) -> Vec<(Family, Box<dyn Fault>)> {
        // Both would set the same faults of the same links.
        let is_its_own = |family: &Family| match kind {
            Kind::Alone(own) => own == *family,
            Kind::Scenario(scenario) => scenario.needs.contains(&family.name()),
        };
        let fits = |family: &Family| !family.can_take_away() && !is_its_own(family);
        let mut beside = Vec::new();
        for family in self.families.iter().copied().filter(fits) {
            let is_unmet = self.unmet.remove(&family);
            let share = if family.name() == "shards" { SHARDS_BESIDE } else { BESIDE };
            if (self.rng.random_bool(share) || is_unmet)
                && let Some(fault) = family.plan(self.input.members, &mut self.rng)
            {
                beside.push((family, fault));
            }
        }
        beside
    }

    fn away(&mut self, absence: &Absence) -> Option<Act> {
        let family = absence.family;
        let longest = self.input.interval.map_or(ABSENCE_MAX, |interval| interval.mul_f64(0.55));
        let lasts = longest.min(self.input.time_limit.mul_f64(ABSENCE_SHARE).max(longest / 4));
        let away = absence.nodes.clone();
        let electorates = self.input.members.electorates();
        let own = electorates.iter().find(|own| away.iter().all(|node| own.nodes.contains(node)));
        let members = own.copied().unwrap_or(self.input.members);
        let fault = family.take_away(&away, members, &mut self.rng)?;
        let deed = Deed::Alone(Alone { family, fault, lasts, away });
        // The absence itself must show whether the others go on: nothing is beside it.
        let suits = laggard::SCENARIO.suits(&self.families, members);
        let then = suits.then(|| self.scenario(&laggard::SCENARIO));
        let nodes = members.nodes.to_vec();
        Some(Act { nodes, deed, beside: Vec::new(), then, calm: Duration::from_millis(200) })
    }
}

/// Absences over the whole run, until each node was away once. Others take them away each time.
fn absences(input: &PlanInput<'_>, families: &[Family], rng: &mut ChaCha8Rng) -> VecDeque<Absence> {
    let mut able: Vec<Family> =
        families.iter().filter(|family| family.can_take_away()).copied().collect();
    // Without the controllers: nobody can see whether they go on.
    let groups = match input.members.groups {
        [] => vec![input.members],
        groups => input.members.electorates()[..groups.len()].to_vec(),
    };
    if able.is_empty() || groups.iter().all(|group| group.dispensable() == 0) {
        return VecDeque::new();
    }
    able.shuffle(rng);
    let mut minorities: Vec<Vec<NodeId>> = Vec::new();
    for group in &groups {
        minorities.extend(minorities_of(*group, able.len() / groups.len(), rng));
    }
    let count = minorities.len();
    let absence = |(number, mut nodes): (usize, Vec<NodeId>)| {
        nodes.sort();
        let part = (number as f64 + 0.3) / count as f64;
        let due = input.time_limit.mul_f64(part);
        Absence { family: able[number % able.len()], nodes, due }
    };
    minorities.into_iter().enumerate().map(absence).collect()
}

/// Minorities of a group in which each node is once, at least so many.
fn minorities_of(group: Members<'_>, at_least: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<NodeId>> {
    let minority = group.dispensable();
    if minority == 0 {
        return Vec::new();
    }
    let mut nodes = group.nodes.to_vec();
    nodes.shuffle(rng);
    let count = nodes.len().div_ceil(minority).max(at_least);
    let place = |at: usize| nodes[at % nodes.len()].clone();
    let of = |number: usize| (number * minority..(number + 1) * minority).map(place).collect();
    (0..count).map(of).collect()
}

/// The faults that cannot be healed, in mid-run: the time before is tested with all nodes, the time after with what is
/// left. The rest of the run is its chance to take hold.
#[must_use]
pub fn permanent(input: &PlanInput<'_>, number: impl Fn() -> u64) -> Vec<PlannedFault> {
    let own = input.families.iter().filter(|family| family.is_permanent(input.members));
    let own = own.filter(|_| input.recorded.is_none());
    let fault = |family: &Family| {
        let mut rng = ChaCha8Rng::seed_from_u64(input.seed ^ 0x9E37_79B9_7F4A_7C15);
        let fault = family.plan(input.members, &mut rng)?;
        let (at, until) = (input.time_limit / 2, input.time_limit);
        Some(PlannedFault {
            number: number(),
            family: *family,
            at,
            lasts: until - at,
            until,
            away: Vec::new(),
            fault,
        })
    };
    own.filter_map(fault).collect()
}

/// The families of which anything can be planned.
#[must_use]
pub fn plannable(input: &PlanInput<'_>) -> Vec<Family> {
    let can = |family: &&Family| {
        let mut rng = ChaCha8Rng::seed_from_u64(input.seed);
        family.plan(input.members, &mut rng).is_some()
    };
    input.families.iter().filter(can).copied().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::nemesis::Families;

    /// A store that can do everything, of so many nodes.
    struct Store {
        nodes: Vec<String>,
        families: Vec<Family>,
        can_restart: bool,
        can_restart_all: bool,
        time_limit: Duration,
    }

    const ALL: &str = "partition,kill,pause,network,client";

    impl Store {
        fn new(nodes: usize, families: &str) -> Self {
            Self {
                nodes: (1..=nodes).map(|n| format!("n{n}")).collect(),
                families: families.parse::<Families>().unwrap().0,
                can_restart: true,
                can_restart_all: true,
                time_limit: Duration::from_secs(30),
            }
        }

        fn input(&self, seed: u64) -> PlanInput<'_> {
            PlanInput {
                seed,
                families: &self.families,
                members: Members {
                    nodes: &self.nodes,
                    view_service: None,
                    groups: &[],
                    controllers: &[],
                    can_restart: self.can_restart,
                    can_restart_all: self.can_restart_all,
                    exactly_once: true,
                },
                interval: None,
                time_limit: self.time_limit,
                recorded: None,
            }
        }

        /// The acts of a run in which each takes so long.
        fn acts(&self, seed: u64, each: Duration) -> Vec<Act> {
            let mut plan = Plan::new(self.input(seed));
            let count = u32::try_from(self.time_limit.as_millis() / each.as_millis()).unwrap();
            (0..count).map_while(|number| plan.next(each * number)).collect()
        }
    }

    const EACH: Duration = Duration::from_millis(1200);

    fn name(deed: &Deed) -> String {
        match deed {
            Deed::Alone(alone) => alone.fault.form(),
            Deed::Scenario(scenario, ..) => scenario.name.to_owned(),
        }
    }

    fn names(act: &Act) -> Vec<String> {
        [Some(&act.deed), act.then.as_ref()].into_iter().flatten().map(name).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_acts_and_another_seed_others() {
        let store = Store::new(5, ALL);
        let acts = |seed| format!("{:?}", store.acts(seed, EACH));
        assert_eq!(acts(7), acts(7));
        assert_ne!(acts(7), acts(8));
    }

    #[test]
    fn over_a_few_seeds_every_scenario_and_every_form_is_planned() {
        let store = Store::new(5, ALL);
        let acts = (0..40).flat_map(|seed| store.acts(seed, EACH));
        let beside =
            |act: &Act| act.beside.iter().map(|(_, fault)| fault.form()).collect::<Vec<_>>();
        let names: BTreeSet<String> =
            acts.flat_map(|act| names(&act).into_iter().chain(beside(&act))).collect();
        let forms = [
            "halves",
            "one",
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
            "uneven",
            "uneven-kinds",
            "lost-replies-and-duplicates",
        ];
        let scenarios = SCENARIOS.iter().map(|scenario| scenario.name);
        for form in forms.into_iter().chain(scenarios) {
            assert!(names.contains(form), "{form}: {names:?}");
        }
    }

    #[test]
    fn a_run_of_thirty_seconds_has_most_scenarios_and_none_is_rare() {
        let store = Store::new(3, ALL);
        let mut times: BTreeMap<&str, usize> =
            SCENARIOS.iter().map(|scenario| (scenario.name, 0)).collect();
        for seed in 0..20 {
            let acts = store.acts(seed, EACH);
            let played: BTreeSet<String> = acts.iter().flat_map(names).collect();
            for (_, times) in times.iter_mut().filter(|(name, _)| played.contains(**name)) {
                *times += 1;
            }
            let count = SCENARIOS.iter().filter(|scenario| played.contains(scenario.name)).count();
            assert!(count * 2 > SCENARIOS.len(), "{played:?}");
        }
        assert!(times.values().all(|times| *times >= 8), "{times:?}");
    }

    #[test]
    fn a_short_run_begins_with_one_fault_of_each_family() {
        for families in [ALL, "kill,pause", "partition", "network,client"] {
            let store = Store::new(3, families);
            let mut plan = Plan::new(store.input(3));
            let mut seen = BTreeSet::new();
            for _ in 0..2 * store.families.len() {
                let act = plan.next(Duration::ZERO).unwrap();
                seen.extend(act.beside.iter().map(|(family, _)| *family));
                if let Deed::Alone(Alone { family, .. }) = act.deed {
                    seen.insert(family);
                }
            }
            assert_eq!(seen.len(), store.families.len(), "{families}");
        }
    }

    /// A single server behind three fronts was once called a valid replicated store: none of its nodes was ever away
    /// alone for long.
    #[test]
    fn each_node_is_away_once_for_long_and_each_family_takes_some_away() {
        for (nodes, families) in
            [(3, "partition,kill,pause"), (5, ALL), (7, "kill,client"), (4, "pause,partition")]
        {
            let store = Store::new(nodes, families);
            for seed in 0..50 {
                let absences = absences(
                    &store.input(seed),
                    &store.families,
                    &mut ChaCha8Rng::seed_from_u64(seed),
                );
                assert!(absences.iter().all(|absence| 2 * absence.nodes.len() < nodes));
                assert!(absences.iter().all(|absence| absence.due < store.time_limit * 9 / 10));
                let away: BTreeSet<&String> =
                    absences.iter().flat_map(|absence| &absence.nodes).collect();
                assert_eq!(away.len(), nodes);
                let used: BTreeSet<Family> =
                    absences.iter().map(|absence| absence.family).collect();
                let able = store.families.iter().filter(|family| family.can_take_away());
                assert_eq!(used.len(), able.count());
            }
        }
        let alone = Store::new(1, "kill");
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert!(absences(&alone.input(1), &alone.families, &mut rng).is_empty());
    }

    #[test]
    fn an_absence_lasts_long_enough_to_say_something_with_nothing_beside_it_and_then_the_leader_goes()
     {
        let store = Store::new(3, ALL);
        let mut long = 0;
        for act in store.acts(4, EACH) {
            if let Deed::Alone(alone) = &act.deed
                && !alone.away.is_empty()
            {
                long += 1;
                assert_eq!(alone.lasts, ABSENCE_MAX);
                assert!(act.beside.is_empty());
                assert_eq!(act.then.as_ref().map(name).as_deref(), Some("laggard"));
            }
        }
        assert!(long >= 3, "{long}");
    }

    #[test]
    fn a_store_that_cannot_restart_loses_one_node_at_most_in_mid_run() {
        let kills = |nodes| {
            let store = Store { can_restart: false, ..Store::new(nodes, "kill,pause") };
            let acts = store.acts(3, EACH);
            assert!(!acts.iter().flat_map(names).any(|name| name.starts_with("kill")));
            assert!(acts.iter().all(|act| match &act.deed {
                Deed::Scenario(_, may_use, _) => may_use.iter().all(|own| own.name() == "pause"),
                Deed::Alone(_) => true,
            }));
            permanent(&store.input(3), || 0)
        };
        assert!(kills(2).is_empty(), "a majority must remain");
        let [kill] = &kills(3)[..] else { panic!("one kill") };
        let end = Duration::from_secs(30);
        assert_eq!((kill.at + kill.lasts, kill.until), (end, end), "it stays down");
        assert!(kill.at == end / 2 && kill.latest() > end * 3 / 4, "{kill:?}");
        assert_eq!((kill.fault.form().as_str(), kill.fault.targets().len()), ("kill-one", 1));
    }

    #[test]
    fn a_store_whose_nodes_come_back_with_the_help_of_the_others_never_loses_a_majority() {
        let mut forms: BTreeMap<String, usize> = BTreeMap::new();
        for (nodes, minority) in [(3, 1), (4, 1), (5, 2)] {
            let store = Store { can_restart_all: false, ..Store::new(nodes, ALL) };
            for act in (0..50).flat_map(|seed| store.acts(seed, EACH)) {
                match &act.deed {
                    Deed::Alone(Alone { family, fault, .. }) if family.name() == "kill" => {
                        assert!(fault.targets().len() <= minority, "{fault:?}");
                        *forms.entry(fault.form()).or_default() += 1;
                    }
                    Deed::Alone(_) => {}
                    Deed::Scenario(scenario, ..) => assert!(!scenario.kills_many),
                }
            }
        }
        assert_eq!(
            forms.into_keys().collect::<Vec<_>>(),
            ["kill-leader", "kill-minority", "kill-one"]
        );
    }
}
