//! The plan for workers of MapReduce: each family of faults strikes again and again, at its own pace, so that they overlap.
//!
//! Nobody leads, so that the scenarios of stores mean nothing here. What matters is how long a worker is away beside
//! `DS_TASK_MS`: shorter, and it must go on; longer, and its task is given away while it may come back at any moment. The
//! coordinator is neither killed nor paused (Dean and Ghemawat, section 3.3).

use std::{ops::Range, sync::Arc, time::Duration};

use contract::NodeId;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
use tokio::{sync::watch, time::Instant};

use super::{
    Family,
    execute::{WrittenPlan, carry_out},
    fault::{Fault, Members},
    faults::{
        partition::{self, CutMode},
        struck::{Blow, at_a_message},
    },
    late_worker,
    plan::PlanInput,
    planned::PlannedFault,
    play,
    steps::{Numbers, Settings, Steps, What},
};
use crate::environment::Environment;

/// The families that mean something to workers.
pub const FAMILIES: [&str; 4] = ["partition", "kill", "pause", "network"];

/// The first jobs meet workers that nothing has happened to.
const BEFORE: Duration = Duration::from_millis(500);
/// So long a fault may take to take hold.
const TO_SHOW: Duration = Duration::from_millis(1000);
/// The share of kills and pauses that wait for a message.
const AT_A_MESSAGE: f64 = 0.4;
/// The share of faults that hit one worker only, and of those that hit all but one; the others hit all.
const ONE: f64 = 0.65;
const ALL_BUT_ONE: f64 = 0.25;

/// Breaks things from `begin` on, until `stop` turns true; returns when everything is healed.
///
/// # Errors
/// The record cannot be written.
pub async fn play(
    input: PlanInput<'_>,
    task: Duration,
    environment: Arc<Environment>,
    begin: Instant,
    numbers: Numbers,
    stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    if input.recorded.is_some() {
        return play::play(input, environment, begin, stop).await;
    }
    let plan = WrittenPlan::write(plan(&input, task, &numbers), &environment.stream).await?;
    let late = late_worker::play(&input, task, &environment, begin, &numbers, stop.clone());
    let (late, ()) = tokio::join!(late, carry_out(plan, Arc::clone(&environment), begin, stop));
    late
}

/// Kills all workers but one, until the faults are healed: whoever is left must do what they were given. What could not be killed is
/// noted.
pub async fn leave_one(
    environment: &Arc<Environment>,
    begin: Instant,
    numbers: Numbers,
    workers: &[NodeId],
    seed: u64,
) -> Steps {
    let mut workers = workers.to_vec();
    workers.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let environment = Arc::clone(environment);
    let mut steps = Steps::new(Settings {
        environment: Arc::clone(&environment),
        away_max: None,
        begin,
        numbers,
        form: Some("one-left"),
        mode: CutMode::Refuse,
    });
    for worker in workers.into_iter().skip(1) {
        if let Err(why) = steps.start(What::Killed(worker)).await {
            environment.note(format!("One worker was to be left alone, but {why}."));
        }
    }
    steps
}

/// All faults of a run: the same input gives the same plan.
fn plan(input: &PlanInput<'_>, task: Duration, numbers: &Numbers) -> Vec<PlannedFault> {
    let mut planned = Vec::new();
    for family in input.families {
        let mut rng = ChaCha8Rng::seed_from_u64(input.seed ^ hash(family.name()));
        let mut at = BEFORE + within(&pause_ms(*family), &mut rng);
        while at + task < input.time_limit {
            let lasts = lasts(*family, task, &mut rng).min(input.time_limit - at);
            let Some(fault) = fault(*family, input.members, &mut rng) else { break };
            let (number, until) = (numbers.next(), at + lasts + TO_SHOW);
            let family = *family;
            planned.push(PlannedFault {
                number,
                family,
                at,
                lasts,
                until,
                away: Vec::new(),
                fault,
            });
            at = until.saturating_sub(TO_SHOW) + within(&pause_ms(family), &mut rng);
        }
    }
    planned
}

/// From the end of one fault of a family to the next one, in milliseconds.
fn pause_ms(family: Family) -> Range<u64> {
    match family.name() {
        "kill" | "pause" => 200..1200,
        _ => 500..2500,
    }
}

/// Shorter than a task may be silent, or longer.
fn lasts(family: Family, task: Duration, rng: &mut ChaCha8Rng) -> Duration {
    if family.name() == "network" {
        return within(&(1000..3000), rng);
    }
    let share = if rng.random_bool(0.5) { 0.1..0.9 } else { 1.2..3.0 };
    task.mul_f64(rng.random_range(share))
}

fn within(range_ms: &Range<u64>, rng: &mut ChaCha8Rng) -> Duration {
    Duration::from_millis(rng.random_range(range_ms.clone()))
}

fn fault(family: Family, members: Members<'_>, rng: &mut ChaCha8Rng) -> Option<Box<dyn Fault>> {
    let workers = some_of(members.nodes, rng);
    let blow = match family.name() {
        "kill" => Blow::Kill,
        "pause" => Blow::Pause,
        "partition" if rng.random_bool(0.5) => return one_way(&workers, members, rng),
        "partition" => return family.take_away(&workers, members, rng),
        _ => return family.plan(members, rng),
    };
    if rng.random_bool(AT_A_MESSAGE) {
        return Some(at_a_message(blow, members.nodes, rng.random()));
    }
    family.take_away(&workers, members, rng)
}

/// Whatever these workers send is cut off, or whatever is sent to them.
fn one_way(
    workers: &[NodeId],
    members: Members<'_>,
    rng: &mut ChaCha8Rng,
) -> Option<Box<dyn Fault>> {
    let hear = rng.random_bool(0.5);
    let others = members.linked().into_iter().filter(|node| !workers.contains(node));
    let links = others.flat_map(|other| {
        let link = move |worker: &NodeId| (worker.clone(), other.clone());
        workers.iter().map(link)
    });
    let links = links.map(|(worker, other)| if hear { (worker, other) } else { (other, worker) });
    Some(partition::one_way(links.collect(), CutMode::choose(rng)))
}

/// One worker, all but one, or all.
fn some_of(workers: &[NodeId], rng: &mut ChaCha8Rng) -> Vec<NodeId> {
    let draw: f64 = rng.random_range(0.0..1.0);
    let count = match draw {
        draw if draw < ONE => 1,
        draw if draw < ONE + ALL_BUT_ONE => workers.len().saturating_sub(1).max(1),
        _ => workers.len(),
    };
    let mut some = workers.to_vec();
    some.shuffle(rng);
    some.truncate(count);
    some.sort();
    some
}

/// Each family has choices of its own, so that leaving one out changes nothing of the others.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nemesis::Families;

    const TASK: Duration = Duration::from_millis(700);

    fn told(seed: u64) -> Vec<(String, Vec<String>, Duration, Duration)> {
        let workers = ["w1", "w2", "w3"].map(str::to_owned);
        let coordinator = "c1".to_owned();
        let members = Members {
            nodes: &workers,
            view_service: Some(&coordinator),
            groups: &[],
            controllers: &[],
            can_restart: true,
            can_restart_all: true,
            exactly_once: false,
        };
        let input = PlanInput {
            seed,
            families: &FAMILIES.join(",").parse::<Families>().unwrap().0,
            members,
            interval: None,
            time_limit: Duration::from_secs(30),
            recorded: None,
        };
        let planned = plan(&input, TASK, &Numbers::default()).into_iter();
        let told = planned.map(|one| {
            let name = format!("{} {}", one.family.name(), one.fault.form());
            (name, one.fault.targets(), one.at, one.lasts)
        });
        told.collect()
    }

    #[test]
    fn a_seed_gives_the_same_plan_in_which_all_kinds_come_and_the_coordinator_stays() {
        let plan = told(1);
        assert_eq!(plan, told(1));
        assert_ne!(plan, told(2));
        for name in
            ["kill kill-at", "pause pause-at", "partition one-way", "partition maj", "network "]
        {
            assert!(plan.iter().any(|(form, ..)| form.starts_with(name)), "{name}: {plan:?}");
        }
        for (form, targets, _, lasts) in &plan {
            if form.starts_with("kill") || form.starts_with("pause") {
                assert!(targets.iter().all(|node| node.starts_with('w')), "{form}: {targets:?}");
            }
            assert!(*lasts <= Duration::from_secs(3), "{form}");
        }
        let pauses: Vec<_> = plan.iter().filter(|(form, ..)| form.starts_with("pause")).collect();
        assert!(pauses.iter().any(|(.., lasts)| *lasts < TASK));
        assert!(pauses.iter().any(|(.., lasts)| *lasts > TASK));
    }
}
