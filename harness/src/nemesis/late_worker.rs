//! A worker of MapReduce stands still with something in its hands until that is given to another one; and just when it goes on, it is
//! killed. What it does late must not touch what the other one has done.

use std::{ops::Range, sync::Arc, time::Duration};

use contract::NodeId;
use network::Boundary;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng, seq::IndexedRandom};
use record::{FaultRecord, FaultStep, SCENARIOS};
use tokio::{sync::watch, time::Instant};

use super::{
    faults::partition::CutMode,
    plan::PlanInput,
    script::{Done, Ended, Script},
    steps::{Numbers, Settings},
};
use crate::environment::Environment;

/// The form that its faults have in the record.
const FORM: &str = "late-worker";
/// From one to the next, in milliseconds.
const PAUSE_MS: Range<u64> = 500..2500;
/// So long a message may take to come, in milliseconds.
const SOON_MS: u64 = 1000;
/// How many messages of the worker are let by at most, before it stands still and before it dies.
const SKIP_MAX: u32 = 4;
/// How long it stands still, in times of `DS_TASK_MS`.
const STANDS_STILL: Range<f64> = 1.1..2.0;

/// Plays it again and again, until `stop` turns true.
///
/// # Errors
/// The record cannot be written.
pub(super) async fn play(
    input: &PlanInput<'_>,
    task: Duration,
    environment: &Arc<Environment>,
    begin: Instant,
    numbers: &Numbers,
    mut stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let families = input.families;
    let has = |name: &str| families.iter().any(|family| family.name() == name);
    if !has("kill") || !has("pause") {
        return Ok(());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(input.seed ^ 0x1A7E);
    let linked = input.members.linked();
    loop {
        let pause = Duration::from_millis(rng.random_range(PAUSE_MS));
        let stopped = stop.wait_for(|stop| *stop);
        if tokio::time::timeout(pause, stopped).await.is_ok() {
            return Ok(());
        }
        let Some(worker) = input.members.nodes.choose(&mut rng) else { return Ok(()) };
        let stands_still = task.mul_f64(rng.random_range(STANDS_STILL));
        let settings = Settings {
            environment: Arc::clone(environment),
            away_max: None,
            begin,
            numbers: numbers.clone(),
            form: Some(FORM),
            mode: CutMode::Stall,
        };
        let nodes = (input.members.nodes.to_vec(), linked.clone());
        let script_rng = ChaCha8Rng::seed_from_u64(rng.random());
        let script = Script::new(nodes, families.to_vec(), settings, script_rng, stop.clone());
        tell(script, worker, stands_still, environment, numbers.next(), begin).await?;
    }
}

/// Plays it once, and has the record say so.
async fn tell(
    mut script: Script,
    worker: &NodeId,
    stands_still: Duration,
    environment: &Environment,
    number: u64,
    begin: Instant,
) -> std::io::Result<()> {
    let stream = &environment.stream;
    let record = |time_ns: u64, step: FaultStep, note: String| FaultRecord {
        fault: number,
        time_ns,
        family: SCENARIOS.to_owned(),
        form: FORM.to_owned(),
        step,
        targets: vec![worker.clone()],
        note,
        ..FaultRecord::default()
    };
    let at_ns = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
    stream.fault(record(at_ns, FaultStep::Planned, String::new()));
    stream.flush().await?;
    let began_ns = stream.now_ns();
    let (step, note) = match once(&mut script, worker, stands_still).await {
        Ok(()) | Err(Ended::Stopped) => (FaultStep::Started, String::new()),
        Err(Ended::Failed(why)) => (FaultStep::Missed, why),
    };
    stream.fault(record(began_ns, step, note));
    stream.fault(record(stream.now_ns(), FaultStep::Healing, String::new()));
    let story = script.finish().await;
    stream.fault(record(stream.now_ns(), FaultStep::Healed, story));
    Ok(())
}

async fn once(script: &mut Script, worker: &NodeId, stands_still: Duration) -> Done {
    let never = || Ended::Failed(format!("no message of {worker} came"));
    let mut armed = script.arm_around(worker, Boundary::Answered, SKIP_MAX);
    let caught = script.caught(&mut armed, SOON_MS).await?.ok_or_else(never)?;
    script.pause(worker).await?;
    drop(caught);
    script.tell(format!("{worker} stood still"));
    let ms = u64::try_from(stands_still.as_millis()).unwrap_or(u64::MAX);
    script.wait(ms..ms + 1).await?;
    let boundary = script.one_of(&[Boundary::BeforeDelivery, Boundary::Answered])?;
    let mut armed = script.arm_around(worker, boundary, SKIP_MAX);
    script.resume(worker).await;
    let caught = script.caught(&mut armed, SOON_MS).await?.ok_or_else(never)?;
    script.wait(0..12).await?;
    script.kill(worker).await?;
    drop(caught);
    script.tell(format!("{worker} went on and died"));
    script.wait(20..200).await
}
