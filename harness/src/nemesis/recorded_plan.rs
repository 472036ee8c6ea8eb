//! A plan of faults as a file: what broke in a run, to be broken again.
//!
//! It holds what was done and not why: the acts of a run, each with the faults that overlapped, and who led when it began.
//! Nodes are meant by their part in it: where another node leads, the two change places.

use std::{collections::BTreeSet, fmt, path::Path};

use contract::launch::SNAPSHOT_BYTES;
use history::words::counted;
use record::{FaultRecord, FaultStep, Folder, LeaderChange, Mark, Phase, SCENARIOS};
use serde::{Deserialize, Serialize};

use super::{
    Family,
    faults::{
        kinds::{self, Mishaps},
        partition::CutMode,
    },
};

/// No plan that anybody makes is larger.
const BYTES_MAX: u64 = 16 << 20;
const NS_PER_MS: u64 = 1_000_000;

/// The acts of a run, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedPlan {
    /// `DS_SNAPSHOT_BYTES`; `null`: never.
    #[serde(default = "usual_snapshot_bytes")]
    pub snapshot_bytes: Option<u64>,
    /// Faults of the record that no plan can repeat: messages of some kinds were disturbed, and it is not known how.
    #[serde(default)]
    pub left_out: usize,
    /// The first comes first; each begins once the store has served again after the one before.
    pub acts: Vec<RecordedAct>,
}

/// Faults that overlapped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedAct {
    /// Who led when it began, as far as the store said.
    pub leader: Option<String>,
    /// In the order in which they began.
    pub faults: Vec<RecordedFault>,
}

/// A fault that took hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedFault {
    /// Its family.
    pub family: String,
    /// Its form, where that says what it does: of `network` and `client`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub form: String,
    /// The nodes, or the links as `n1>n2`.
    pub targets: Vec<String>,
    /// What happened to messages of single kinds, where that is what it did.
    #[serde(default, skip_serializing_if = "Mishaps::is_empty")]
    pub kinds: Mishaps,
    /// Whether what was cut refused connections; else bytes waited.
    #[serde(default)]
    pub refuses: bool,
    /// When it began, in milliseconds from the beginning of the act.
    pub after_ms: u64,
    /// How long it lasted, in milliseconds.
    pub lasts_ms: u64,
}

fn usual_snapshot_bytes() -> Option<u64> {
    Some(SNAPSHOT_BYTES)
}

impl RecordedPlan {
    /// What took hold in the run in this folder.
    ///
    /// # Errors
    /// A record that cannot be read, or in which nothing was broken.
    pub fn of(folder: &Folder) -> Result<Self, String> {
        let (mut faults, mut leaders, mut phases) = (Vec::new(), Vec::new(), Vec::new());
        folder.read_faults(|fault| faults.push(fault)).map_err(|error| error.to_string())?;
        let history = folder.read_history(|event| {
            leaders.extend(LeaderChange::of(&event));
            if let Some(Mark::Phase(phase)) = Mark::of(&event) {
                phases.push((phase, event.time_ns));
            }
        });
        history.map_err(|error| error.to_string())?;
        let end = phases.iter().find(|(phase, _)| *phase == Phase::Heal);
        let end_ns = end.map_or(u64::MAX, |(_, time_ns)| *time_ns);
        let run = folder.run().map_err(|error| error.to_string())?;
        let (faults, left_out) = repeatable(faults);
        let acts = acts(&faults, &leaders, end_ns);
        let plan = Self { snapshot_bytes: run.snapshot_bytes, left_out, acts };
        match plan.acts.is_empty() {
            true => Err(format!("{}: no fault took hold in this run", folder.path().display())),
            false => Ok(plan),
        }
    }

    /// The plan in this file, or what took hold in the run in this folder.
    ///
    /// # Errors
    /// What is there cannot be read, is no plan, or broke nothing.
    pub fn open(path: &Path) -> Result<Self, String> {
        if path.is_dir() { Self::of(&Folder::existing(path.to_owned())) } else { Self::read(path) }
    }

    /// The plan in this file.
    ///
    /// # Errors
    /// A file that cannot be read, or is no plan.
    pub fn read(path: &Path) -> Result<Self, String> {
        let complain = |what: &dyn fmt::Display| format!("{}: {what}", path.display());
        let bytes = plain_file::read(path, BYTES_MAX).map_err(|error| complain(&error))?;
        let plan: Self = serde_json::from_slice(&bytes)
            .map_err(|error| complain(&format!("this is no plan of faults: {error}")))?;
        match plan.flaw() {
            Some(flaw) => Err(complain(&flaw)),
            None => Ok(plan),
        }
    }

    /// What is wrong with it.
    fn flaw(&self) -> Option<String> {
        let faults = || self.acts.iter().flat_map(|act| &act.faults);
        if faults().next().is_none() {
            return Some("this plan breaks nothing".to_owned());
        }
        let unknown = faults().find(|fault| Family::by_name(&fault.family).is_none())?;
        Some(format!("there is no family of faults `{}`; see `harness faults`", unknown.family))
    }

    /// Writes the plan into this file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        record::write_whole(path, &format!("{text}\n"))
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    /// How many faults it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.acts.iter().map(|act| act.faults.len()).sum()
    }

    /// How long its acts last, without the time between them.
    #[must_use]
    pub fn lasts_ms(&self) -> u64 {
        self.acts.iter().map(RecordedAct::lasts_ms).sum()
    }
}

/// The faults that a plan can repeat, and how many it cannot. A scenario holds a single message by a fault of the network: in
/// a plan its link is cut.
fn repeatable(faults: Vec<FaultRecord>) -> (Vec<FaultRecord>, usize) {
    let of_scenarios: BTreeSet<String> = faults
        .iter()
        .filter(|fault| fault.family == SCENARIOS)
        .map(|fault| fault.form.clone())
        .collect();
    let with_kinds: BTreeSet<u64> =
        faults.iter().filter(|fault| !fault.kinds.is_empty()).map(|fault| fault.fault).collect();
    let (mut kept, mut left_out) = (Vec::new(), 0);
    for mut fault in faults {
        let is_of_scenario = fault.family == "network" && of_scenarios.contains(&fault.form);
        if is_of_scenario && !with_kinds.contains(&fault.fault) {
            if fault.targets.len() > 1 {
                left_out += usize::from(fault.step == FaultStep::Started);
                continue;
            }
            "partition".clone_into(&mut fault.family);
        }
        kept.push(fault);
    }
    (kept, left_out)
}

/// The acts that these faults make: what overlaps belongs together. What began when the main phase was over does not count.
fn acts(faults: &[FaultRecord], leaders: &[LeaderChange], end_ns: u64) -> Vec<RecordedAct> {
    let mut spans: Vec<(u64, u64, RecordedFault)> = faults
        .iter()
        .filter(|fault| {
            fault.step == FaultStep::Started && fault.family != SCENARIOS && fault.time_ns < end_ns
        })
        .map(|fault| span(fault, faults, end_ns))
        .collect();
    spans.sort_by_key(|(began_ns, ..)| *began_ns);
    let mut acts: Vec<RecordedAct> = Vec::new();
    let (mut act_began_ns, mut act_ended_ns) = (0, 0);
    for (began_ns, ended_ns, mut fault) in spans {
        if acts.is_empty() || began_ns > act_ended_ns {
            let known = leaders.iter().take_while(|change| change.time_ns <= began_ns).last();
            let leader = known.and_then(|change| change.node.clone());
            acts.push(RecordedAct { leader, faults: Vec::new() });
            (act_began_ns, act_ended_ns) = (began_ns, ended_ns);
        }
        act_ended_ns = act_ended_ns.max(ended_ns);
        fault.after_ms = (began_ns - act_began_ns) / NS_PER_MS;
        if let Some(act) = acts.last_mut() {
            act.faults.push(fault);
        }
    }
    acts
}

/// From when to when a fault was on, and what it was.
fn span(fault: &FaultRecord, all: &[FaultRecord], end_ns: u64) -> (u64, u64, RecordedFault) {
    let its = || all.iter().filter(|other| other.fault == fault.fault);
    let healing = its().find(|other| other.step == FaultStep::Healing);
    let ended_ns = healing.map_or(end_ns, |healing| healing.time_ns).min(end_ns).max(fault.time_ns);
    let refuses = its().any(|other| {
        other.step == FaultStep::Planned && other.note.contains(CutMode::Refuse.words())
    });
    let kinds = its().find(|other| !other.kinds.is_empty());
    let kinds = kinds.map_or_else(Mishaps::new, |planned| planned.kinds.clone());
    let has_form = ["network", "client"].contains(&fault.family.as_str()) && kinds.is_empty();
    let recorded = RecordedFault {
        family: fault.family.clone(),
        form: if has_form { fault.form.clone() } else { String::new() },
        targets: fault.targets.clone(),
        kinds,
        refuses,
        after_ms: 0,
        // A fault of no length is none.
        lasts_ms: ((ended_ns - fault.time_ns) / NS_PER_MS).max(1),
    };
    (fault.time_ns, ended_ns, recorded)
}

impl RecordedAct {
    /// How long it lasts.
    #[must_use]
    pub fn lasts_ms(&self) -> u64 {
        self.faults.iter().map(|fault| fault.after_ms + fault.lasts_ms).max().unwrap_or(0)
    }

    /// The same with `leader` in the place of who led then, and the other way round.
    #[must_use]
    pub fn led_by(&self, leader: &str) -> Self {
        let Some(then) = &self.leader else { return self.clone() };
        let other = |node: &str| match node {
            node if node == then => leader.to_owned(),
            node if node == leader => then.clone(),
            node => node.to_owned(),
        };
        let target = |target: &String| match target.split_once('>') {
            Some((from, to)) => format!("{}>{}", other(from), other(to)),
            None => other(target),
        };
        let faults = self.faults.iter().map(|fault| RecordedFault {
            targets: fault.targets.iter().map(target).collect(),
            ..fault.clone()
        });
        Self { leader: Some(leader.to_owned()), faults: faults.collect() }
    }
}

impl fmt::Display for RecordedPlan {
    /// In words, for a report.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, act) in self.acts.iter().enumerate() {
            let before = if at == 0 { "" } else { " Once the store has served again, " };
            write!(formatter, "{before}{act}")?;
        }
        if self.left_out > 0 {
            write!(
                formatter,
                " Left out: {}, which disturbed messages of some kinds.",
                counted(self.left_out, "fault")
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for RecordedAct {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(leader) = &self.leader {
            write!(formatter, "{leader} leads: ")?;
        }
        for (at, fault) in self.faults.iter().enumerate() {
            if at > 0 {
                let before_ms = self.faults[at - 1].after_ms;
                let pause_ms = fault.after_ms.saturating_sub(before_ms);
                write!(formatter, "; {pause_ms} ms later ")?;
            }
            write!(formatter, "{fault}")?;
        }
        write!(formatter, ".")
    }
}

impl fmt::Display for RecordedFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let targets = self.targets.join(", ");
        let what = match self.family.as_str() {
            "kill" => format!("kill {targets}, start again"),
            "pause" => format!("pause {targets}"),
            "partition" => cut_in_words(&self.targets),
            "network" if !self.kinds.is_empty() => {
                format!("messages {targets}: {}", kinds::in_words(&self.kinds))
            }
            "network" => format!("disturb messages ({})", self.form),
            _ => format!("disturb clients ({})", self.form),
        };
        let after = if self.family == "kill" { "after" } else { "for" };
        write!(formatter, "{what} {after} {} ms", self.lasts_ms)
    }
}

/// `cut n1 off from n2, n3`, where all these links have one end in common; else the links.
fn cut_in_words(links: &[String]) -> String {
    let ends: Vec<(&str, &str)> = links.iter().filter_map(|link| link.split_once('>')).collect();
    let all = || format!("cut {}", links.join(", "));
    let Some((first, second)) = ends.first() else { return all() };
    let common = [first, second].into_iter().find(|node| {
        // Of a single link, whoever sends.
        ends.iter().all(|(from, to)| from == *node || to == *node)
    });
    let Some(node) = common else { return all() };
    let heard: BTreeSet<&str> =
        ends.iter().filter(|(from, _)| from == node).map(|(_, to)| *to).collect();
    let sent: BTreeSet<&str> =
        ends.iter().filter(|(_, to)| to == node).map(|(from, _)| *from).collect();
    let words = |nodes: &BTreeSet<&str>| nodes.iter().copied().collect::<Vec<_>>().join(", ");
    if heard == sent {
        format!("cut {node} off from {}", words(&heard))
    } else if sent.is_empty() {
        format!("cut what {node} sends to {}", words(&heard))
    } else if heard.is_empty() {
        format!("cut what {node} hears of {}", words(&sent))
    } else {
        all()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use record::Mishap;

    use super::*;
    use crate::nemesis::{
        faults::partition,
        planned::{PlannedFault, UNTIL_HEALED},
    };

    const MS: u64 = NS_PER_MS;

    fn fault(number: u64, family: &str, targets: &[&str], from: u64, to: u64) -> [FaultRecord; 3] {
        let record = |step, time_ns, note: &str| FaultRecord {
            fault: number,
            time_ns,
            family: family.to_owned(),
            form: "some".to_owned(),
            step,
            targets: targets.iter().map(ToString::to_string).collect(),
            note: note.to_owned(),
            ..FaultRecord::default()
        };
        [
            record(FaultStep::Planned, 0, "until it is healed, connections are refused"),
            record(FaultStep::Started, from * MS, ""),
            record(FaultStep::Healing, to * MS, ""),
        ]
    }

    fn plan() -> RecordedPlan {
        let faults = [
            fault(1, "partition", &["n1>n2"], 1000, 1500),
            fault(2, "kill", &["n2"], 1200, 1600),
            fault(3, SCENARIOS, &[], 900, 3000),
            fault(4, "network", &["every link"], 2500, 9000),
            fault(5, "pause", &["n1"], 5000, 5100),
        ];
        let leaders = [(0, Some("n1")), (1400, None), (2000, Some("n3"))];
        let leaders = leaders
            .map(|(time, node)| LeaderChange { time_ns: time * MS, node: node.map(str::to_owned) });
        let acts = acts(&faults.concat(), &leaders, 4000 * MS);
        RecordedPlan { snapshot_bytes: None, left_out: 0, acts }
    }

    #[test]
    fn what_overlapped_is_one_act_and_what_came_after_the_end_is_none() {
        let plan = plan();
        let [first, second] = &plan.acts[..] else { panic!("{plan:?}") };
        assert_eq!((first.leader.as_deref(), second.leader.as_deref()), (Some("n1"), Some("n3")));
        let times: Vec<(u64, u64)> =
            first.faults.iter().map(|fault| (fault.after_ms, fault.lasts_ms)).collect();
        assert_eq!(times, [(0, 500), (200, 400)]);
        assert!(first.faults[0].refuses);
        assert_eq!((second.faults[0].form.as_str(), second.lasts_ms()), ("some", 1500));
        assert_eq!((plan.count(), plan.lasts_ms()), (3, 600 + 1500));
    }

    #[test]
    fn another_leader_changes_places_with_the_one_of_the_record() {
        let act = plan().acts[0].led_by("n2");
        let targets: Vec<&String> = act.faults.iter().flat_map(|fault| &fault.targets).collect();
        assert_eq!(targets, ["n2>n1", "n1"]);
        assert_eq!(plan().acts[0].led_by("n1"), plan().acts[0]);
    }

    #[test]
    fn a_plan_is_the_same_when_it_is_read_again_and_what_is_none_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("plan.json");
        plan().write(&path).unwrap();
        assert_eq!(RecordedPlan::read(&path).unwrap(), plan());
        let fault = r#"{"family": "pauze", "targets": ["n1"], "after_ms": 0, "lasts_ms": 5}"#;
        for (text, flaw) in [
            (r#"{"acts": [{}]}"#.to_owned(), "no plan of faults"),
            (r#"{"acts": []}"#.to_owned(), "breaks nothing"),
            (format!(r#"{{"acts": [{{"leader": null, "faults": [{fault}]}}]}}"#), "`pauze`"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = RecordedPlan::read(&path).unwrap_err();
            assert!(error.contains(flaw), "{error}");
        }
    }

    /// The record says it in the note of the plan only.
    #[test]
    fn how_links_were_cut_is_known_again() {
        for (mode, refuses) in [(CutMode::Stall, false), (CutMode::Refuse, true)] {
            let planned = PlannedFault {
                number: 1,
                family: Family::by_name("partition").unwrap(),
                at: Duration::ZERO,
                lasts: UNTIL_HEALED,
                until: UNTIL_HEALED,
                away: Vec::new(),
                fault: partition::chosen(vec![("n1".to_owned(), "n2".to_owned())], mode),
            };
            let started = planned.record(5, FaultStep::Started, Vec::new(), String::new());
            let acts = acts(&[planned.planned_record(), started], &[], 9);
            assert_eq!(acts[0].faults[0].refuses, refuses);
        }
    }

    #[test]
    fn a_held_message_is_a_cut_link_and_what_cannot_be_repeated_is_left_out() {
        let of_scenario = |mut fault: FaultRecord| {
            "late-message".clone_into(&mut fault.form);
            fault
        };
        let faults = [
            fault(1, SCENARIOS, &[], 0, 9),
            fault(2, "network", &["n1>n2"], 1, 5),
            fault(3, "network", &["n1>n2", "n2>n1"], 2, 5),
        ];
        let (kept, left_out) = repeatable(faults.concat().into_iter().map(of_scenario).collect());
        let acts = acts(&kept, &[], u64::MAX);
        let families: Vec<&str> =
            acts[0].faults.iter().map(|fault| fault.family.as_str()).collect();
        assert_eq!((families, left_out), (vec!["partition"], 1));
    }

    #[test]
    fn what_happened_to_kinds_of_messages_is_in_the_plan_and_aimed_by_who_leads() {
        let kinds: Mishaps = [("Vote".to_owned(), Mishap::LateMs(80))].into();
        let mut faults = fault(2, "network", &["n1>n2", "n2>n1"], 1, 5);
        faults[0].kinds = kinds.clone();
        let scenario = fault(1, SCENARIOS, &[], 0, 9);
        let (kept, left_out) = repeatable([scenario, faults].concat());
        let leader = LeaderChange { time_ns: 0, node: Some("n1".to_owned()) };
        let act = acts(&kept, &[leader], u64::MAX)[0].led_by("n3");
        assert_eq!((left_out, &act.faults[0].kinds), (0, &kinds));
        let words = "n3 leads: messages n3>n2, n2>n3: Vote was 80 ms late for 4 ms.";
        assert_eq!(act.to_string(), words);
    }

    #[test]
    fn links_around_one_node_are_said_by_its_name() {
        let words = |links: &[&str]| {
            cut_in_words(&links.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(words(&["n1>n2", "n1>n3", "n2>n1", "n3>n1"]), "cut n1 off from n2, n3");
        assert_eq!(words(&["n2>n1", "n3>n1"]), "cut what n1 hears of n2, n3");
        assert_eq!(words(&["n1>n2", "n3>n1"]), "cut n1>n2, n3>n1");
        assert_eq!(words(&["n1>n2", "n3>n4"]), "cut n1>n2, n3>n4");
    }

    #[test]
    fn it_is_said_in_words() {
        assert_eq!(
            plan().to_string(),
            "n1 leads: cut what n1 sends to n2 for 500 ms; 200 ms later kill n2, start again after 400 ms. Once the store has \
             served again, n3 leads: disturb messages (some) for 1500 ms."
        );
    }
}
