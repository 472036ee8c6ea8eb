//! A fault plan: everything the nemesis will do, decided from the seed before the first byte is sent.

use std::time::Duration;

use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
use record::{FaultRecord, FaultStep};

use super::{
    Family,
    partition::{Link, Shape},
};

/// One planned fault.
#[derive(Clone, Debug, PartialEq)]
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
    pub action: Action,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Cuts these directed links in this way.
    Cut(Shape, Vec<Link>, CutMode),
    /// Kills these nodes and starts them again at the end.
    Kill(Targets),
    /// Stops these nodes and continues them at the end.
    Pause(Targets),
    /// Puts the profile on every link.
    Disturb(Profile),
    /// Makes clients lose replies and send requests twice.
    MisuseClients,
}

/// How a link is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutMode {
    /// Bytes wait, and arrive when the link is healed: what a network does.
    Stall,
    /// Connections break and new ones are refused: what a firewall or a dead host does.
    Refuse,
}

/// Which nodes a process fault hits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    /// These; the name says how they were chosen.
    Nodes(&'static str, Vec<String>),
    /// Whoever leads when the fault starts; the node, where nobody is seen to lead.
    Leader(String),
}

/// A profile of message faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// MIT 6.5840: 10 % of requests and of replies lost, delays under 27 ms.
    Mit,
    /// `DSLabs`: 20 % lost.
    Dslabs,
    /// Messages doubled and overtaken, some very late.
    Disorder,
}

impl Profile {
    /// The name in `faults.jsonl`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mit => "mit",
            Self::Dslabs => "dslabs",
            Self::Disorder => "disorder",
        }
    }
}

/// What a plan depends on.
#[derive(Clone, Debug)]
pub struct PlanInput<'a> {
    /// Decides everything that is random.
    pub seed: u64,
    /// The families asked for.
    pub families: &'a [Family],
    /// The nodes' ids.
    pub nodes: &'a [String],
    /// From start to start within a family: a [`fitting_interval`].
    pub interval: Duration,
    /// Length of the main phase.
    pub time_limit: Duration,
    /// Whether a killed node may be started again on its data.
    pub can_restart: bool,
}

/// The plan of a run: the same input gives the same plan.
#[must_use]
pub fn plan(input: &PlanInput<'_>) -> Vec<PlannedFault> {
    let mut faults: Vec<PlannedFault> =
        input.families.iter().flat_map(|family| schedule(*family, input)).collect();
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

/// One fault per interval, meant to be active for a quarter to six tenths of it.
fn schedule(family: Family, input: &PlanInput<'_>) -> Vec<PlannedFault> {
    let mut rng = ChaCha8Rng::seed_from_u64(
        input.seed ^ (family as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15),
    );
    let interval = input.interval;
    let mut faults = Vec::new();
    let mut begins = Duration::ZERO;
    while begins + interval <= input.time_limit {
        // Anywhere in the interval, so that faults of different families meet in every way, and sometimes not at all.
        let start = rng.random_range(0.05..0.6);
        let share = rng.random_range(0.25..(0.95_f64 - start).min(0.6));
        let (at, lasts) = (begins + interval.mul_f64(start), interval.mul_f64(share));
        if let Some(action) = action(family, input, &mut rng) {
            let (at, lasts, until) = (whole_ms(at), whole_ms(lasts), begins + interval);
            faults.push(PlannedFault { number: 0, family, at, lasts, until, action });
        }
        begins += interval;
    }
    if family == Family::Kill && !input.can_restart {
        only_one(&mut faults, input.time_limit);
    }
    faults
}

/// A store that cannot restart loses a node for good, so it loses one, once: from the first kill on until the end, and
/// with every moment of the run as a chance to strike, instead of one interval.
fn only_one(kills: &mut Vec<PlannedFault>, time_limit: Duration) {
    kills.truncate(1);
    for kill in kills {
        kill.lasts = time_limit.saturating_sub(kill.at);
        kill.until = time_limit;
    }
}

fn whole_ms(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn action(family: Family, input: &PlanInput<'_>, rng: &mut ChaCha8Rng) -> Option<Action> {
    match family {
        Family::Partition => {
            let shapes = Shape::among(input.nodes.len());
            let shape = *shapes.get(rng.random_range(0..shapes.len().max(1)))?;
            let links = shape.links(input.nodes, rng);
            let mode = if rng.random_bool(0.7) { CutMode::Stall } else { CutMode::Refuse };
            Some(Action::Cut(shape, links, mode))
        }
        // What stays down must leave a majority.
        Family::Kill if !input.can_restart => (input.nodes.len() > 2)
            .then(|| Action::Kill(Targets::Nodes("one", some(1, input.nodes, rng)))),
        Family::Kill => Some(Action::Kill(targets(input.nodes, rng))),
        Family::Pause => Some(Action::Pause(targets(input.nodes, rng))),
        Family::Network => {
            let profiles = [Profile::Mit, Profile::Dslabs, Profile::Disorder];
            Some(Action::Disturb(profiles[rng.random_range(0..profiles.len())]))
        }
        Family::Client => Some(Action::MisuseClients),
    }
}

fn targets(nodes: &[String], rng: &mut impl Rng) -> Targets {
    let majority = nodes.len() / 2 + 1;
    let choice = rng.random_range(0..6);
    match choice {
        0 => Targets::Nodes("one", some(1, nodes, rng)),
        1 => Targets::Nodes("minority", some((nodes.len() - majority).max(1), nodes, rng)),
        2 => Targets::Nodes("majority", some(majority, nodes, rng)),
        3 => Targets::Nodes("all", nodes.to_vec()),
        // Leaders are where most bugs live: twice as often.
        _ => Targets::Leader(some(1, nodes, rng).remove(0)),
    }
}

fn some(count: usize, nodes: &[String], rng: &mut impl Rng) -> Vec<String> {
    let mut order = nodes.to_vec();
    order.shuffle(rng);
    order.truncate(count);
    order.sort();
    order
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

    /// The form of the fault in the words of `faults.jsonl`.
    #[must_use]
    pub fn form(&self) -> String {
        let of = |targets: &Targets| match targets {
            Targets::Nodes(choice, _) => format!("{}-{choice}", self.family),
            Targets::Leader(_) => format!("{}-leader", self.family),
        };
        match &self.action {
            Action::Cut(shape, ..) => shape.name().to_owned(),
            Action::Kill(targets) | Action::Pause(targets) => of(targets),
            Action::Disturb(profile) => profile.name().to_owned(),
            Action::MisuseClients => "lost-replies-and-duplicates".to_owned(),
        }
    }

    /// The targets as planned: what healing goes by.
    #[must_use]
    pub fn planned_targets(&self) -> Vec<String> {
        match &self.action {
            Action::Cut(Shape::IsolateLeader, ..) => vec!["leader".to_owned()],
            Action::Cut(_, links, _) => link_names(links),
            Action::Kill(targets) | Action::Pause(targets) => match targets {
                Targets::Nodes(_, nodes) => nodes.clone(),
                Targets::Leader(_) => vec!["leader".to_owned()],
            },
            Action::Disturb(_) => vec!["every link".to_owned()],
            Action::MisuseClients => vec!["every client".to_owned()],
        }
    }

    fn planned_note(&self) -> String {
        let how = match self.action {
            Action::Cut(_, _, CutMode::Stall) => ", bytes wait",
            Action::Cut(_, _, CutMode::Refuse) => ", connections are refused",
            _ => "",
        };
        format!("for {} ms{how}", self.lasts.as_millis())
    }

    /// The line that is written before anything is done; its time counts from the start of the main phase.
    #[must_use]
    pub fn planned_record(&self) -> FaultRecord {
        FaultRecord {
            fault: self.number,
            time_ns: nanoseconds(self.at),
            family: self.family.name().to_owned(),
            form: self.form(),
            step: FaultStep::Planned,
            targets: self.planned_targets(),
            note: self.planned_note(),
        }
    }
}

/// Links in the notation `n1>n2`.
#[must_use]
pub fn link_names(links: &[Link]) -> Vec<String> {
    links.iter().map(|(from, to)| format!("{from}>{to}")).collect()
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seed: u64) -> String {
        let nodes: Vec<String> = (1..=5).map(|n| format!("n{n}")).collect();
        let input = PlanInput {
            seed,
            families: &Family::ALL,
            nodes: &nodes,
            interval: Duration::from_secs(5),
            time_limit: Duration::from_secs(60),
            can_restart: true,
        };
        let lines = plan(&input)
            .iter()
            .map(|f| serde_json::to_string(&f.planned_record()).unwrap())
            .collect::<Vec<_>>();
        lines.join("\n")
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
            let families = &Family::ALL;
            let input = PlanInput {
                seed,
                families,
                nodes: &nodes,
                interval,
                time_limit,
                can_restart: true,
            };
            let plan = plan(&input);
            for family in Family::ALL {
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
                family: Family::Client,
                at: Duration::ZERO,
                lasts: Duration::from_millis(lasts_ms),
                until: Duration::from_secs(9),
                action: Action::MisuseClients,
            };
            (fault.until - fault.latest()).as_millis()
        };
        assert_eq!([4000, 1000, 300, 60].map(held_ms), [1000, 250, 100, 60]);
    }

    #[test]
    fn a_store_that_cannot_restart_loses_one_node_at_most_and_the_whole_run_is_a_chance_for_that() {
        let kills = |nodes: &[&str]| {
            let nodes: Vec<String> = nodes.iter().map(|&node| node.to_owned()).collect();
            let (interval, time_limit) = (Duration::from_secs(5), Duration::from_secs(30));
            let families = &[Family::Kill];
            plan(&PlanInput {
                seed: 3,
                families,
                nodes: &nodes,
                interval,
                time_limit,
                can_restart: false,
            })
        };
        assert_eq!(kills(&["n1", "n2"]), [], "a majority must remain");
        let [kill] = &kills(&["n1", "n2", "n3"])[..] else { panic!("one kill") };
        let end = Duration::from_secs(30);
        assert_eq!((kill.at + kill.lasts, kill.until), (end, end), "it stays down");
        assert!(kill.at < Duration::from_secs(5) && kill.latest() > end * 3 / 4, "{kill:?}");
        assert!(matches!(&kill.action, Action::Kill(Targets::Nodes("one", one)) if one.len() == 1));
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
