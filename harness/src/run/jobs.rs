//! The phases of a run of MapReduce: ready → main → heal → recovery → quiesce → final → stop.
//!
//! A job that was started is waited for, however long that takes: through the main phase, and after all faults for so long as any
//! right implementation needs. Meanwhile all workers but one are dead, if workers may be killed: what they were given, whoever is
//! left must do. Then each client has one more job.

use std::{sync::Arc, time::Duration};

use record::{Mark, Phase};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::Instant,
};

use super::{
    main_phase::{AbortOnDrop, HEAL_LIMIT, heal, panicked, watch_nodes},
    phases::judge_protocol_errors,
    setting::Setting,
    starvation::Starvation,
};
use crate::{
    clients::{submitter::Submitter, waits::Waits},
    environment::{Environment, build::TASK},
    exit::Failure,
    nemesis::{steps::Numbers, workers},
};

/// What is still on its way gets this long before the outputs are read again, and `DS_TASK_MS`: an attempt that was given up may
/// still go on.
const QUIESCE: Duration = Duration::from_millis(500);
/// So many times `DS_TASK_MS`, and `timeouts.recovery_ms`, no job may go on after all faults.
const RECOVERY_TASKS: u32 = 20;

/// Starts jobs while workers are broken, and reads the outputs of all of them again.
///
/// # Errors
/// The nodes do not start, or keep breaking the contract, or the bench failed.
pub(super) async fn play(setting: &Setting, environment: &Arc<Environment>) -> Result<(), Failure> {
    let stream = &environment.stream;
    let starvation = Starvation::watch(Arc::clone(stream));
    stream.mark(&Mark::Phase(Phase::Ready));
    environment.nodes.start_all().await?;
    stream.mark(&Mark::Phase(Phase::Main));
    let begin = Instant::now();
    let (stop, stopped) = watch::channel(false);
    let waits = Waits::new(setting.timeouts.recovery() + TASK * RECOVERY_TASKS);
    let mut clients = start_clients(setting, environment, &stopped, &waits)?;
    let numbers = Numbers::default();
    let nemesis =
        AbortOnDrop(break_things(setting, environment, (begin, numbers.clone()), stopped));
    watch_nodes(environment, begin + setting.time_limit).await;
    stream.mark(&Mark::Phase(Phase::Heal));
    stop.send_replace(true);
    heal(environment, HEAL_LIMIT + setting.coming_back(), nemesis).await?;
    environment.revive_nodes(HEAL_LIMIT).await;
    stream.mark(&Mark::Phase(Phase::Recovery));
    let leaves_one = setting.breaks("kill") && setting.recorded.is_none();
    let workers = if leaves_one { &setting.nodes[..] } else { &[] };
    let away = workers::leave_one(environment, begin, numbers, workers, setting.seed).await;
    waits.heal();
    let mut submitters = Vec::new();
    while let Some(ended) = clients.join_next().await {
        submitters.push(ended.map_err(|error| panicked("a client", &error))?);
    }
    away.heal_all().await;
    stream.mark(&Mark::Phase(Phase::Quiesce));
    tokio::time::sleep(QUIESCE + TASK).await;
    stream.mark(&Mark::Phase(Phase::Final));
    for submitter in &mut submitters {
        submitter.read_again().await;
    }
    environment.mark_own_exits().await;
    stream.mark(&Mark::StarvedMs(starvation.longest_ms()));
    judge_protocol_errors(environment)
}

fn start_clients(
    setting: &Setting,
    environment: &Environment,
    stopped: &watch::Receiver<bool>,
    waits: &Arc<Waits>,
) -> Result<JoinSet<Submitter>, Failure> {
    let Some(mapreduce) = &environment.mapreduce else {
        return Err(Failure::Failed("there is no coordinator to ask".to_owned()));
    };
    let mut running = JoinSet::new();
    for number in 0..setting.clients {
        let shared = Arc::clone(&environment.clients);
        let submitter = Submitter::new(shared, mapreduce, setting.seed, number, Arc::clone(waits))?;
        running.spawn(closed_loop(submitter, stopped.clone(), Arc::clone(waits)));
    }
    Ok(running)
}

/// One job after the other until it is stopped; and one more when all is healed.
async fn closed_loop(
    mut submitter: Submitter,
    mut stopped: watch::Receiver<bool>,
    waits: Arc<Waits>,
) -> Submitter {
    while !*stopped.borrow() {
        submitter.job().await;
        // Cut short by the end of the main phase.
        let _ = tokio::time::timeout(submitter.rest(), stopped.wait_for(|stop| *stop)).await;
    }
    waits.until_healed().await;
    submitter.job().await;
    submitter
}

fn break_things(
    setting: &Setting,
    environment: &Arc<Environment>,
    (begin, numbers): (Instant, Numbers),
    stop: watch::Receiver<bool>,
) -> JoinHandle<std::io::Result<()>> {
    let (setting, all) = (setting.clone(), Arc::clone(environment));
    let played =
        async move { workers::play(setting.plan_input(), TASK, all, begin, numbers, stop).await };
    tokio::spawn(played)
}
