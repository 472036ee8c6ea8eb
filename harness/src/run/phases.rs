//! The phases of a run: set up → ready → main → stop the faults → recovered? → quiesce → final reads → stop.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use contract::{NodeId, Operation};
use record::{Folder, Mark, Phase};
use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle, JoinSet},
    time::Instant,
};
use workloads::{Client, Workload};

use super::{
    clerk::{Clerk, Performed},
    folder,
    interrupt::Interrupts,
    progress::Progress,
    stage::Stage,
    starvation::Starvation,
    stream::Stream,
};
use crate::{
    exit::Failure,
    nemesis::{
        Family,
        execute::Nemesis,
        plan::{PlanInput, PlannedFault, plan},
    },
    target::Target,
};

/// How long the store may take for the operations before the main phase, where nothing is broken.
const SETUP_LIMIT: Duration = Duration::from_secs(15);
/// How long healing may take.
const HEAL_LIMIT: Duration = Duration::from_secs(5);
/// How long the store may take to serve again once its nodes answer.
const RECOVERY_LIMIT: Duration = Duration::from_secs(8);
/// How long all final reads together may take.
const FINAL_LIMIT: Duration = Duration::from_secs(3);
/// What is still on its way gets this long to arrive before the final reads.
const QUIESCE: Duration = Duration::from_millis(300);
/// More than one broken answer to so many good ones: the record says nothing about the store any more.
const BROKEN_SHARE: u64 = 10;

/// What a run is made of.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The nodes' ids.
    pub nodes: Vec<NodeId>,
    /// Closed-loop clerks.
    pub clients: u32,
    /// Operations a second over all of them.
    pub rate: Option<f64>,
    /// Decides workload and plan.
    pub seed: u64,
    /// The families of faults.
    pub families: Vec<Family>,
    /// From fault to fault within a family.
    pub interval: Duration,
    /// Length of the main phase.
    pub time_limit: Duration,
}

/// Runs `workload` against `target` into `folder`; `progress` shows it to a person.
///
/// # Errors
/// A broken submission, or a failure of the harness or machine. Whatever was recorded until then is in the folder.
pub async fn execute(
    setting: &Setting,
    target: &Target,
    workload: &dyn Workload,
    folder: &Folder,
    progress: Progress,
    interrupts: &Interrupts,
) -> Result<(), Failure> {
    let mut readers = folder::readers(folder)?;
    readers.push(Box::new(progress));
    let (stream, reading) = Stream::start(readers)?;
    let outcome = match Stage::build(setting, target, folder, Arc::clone(&stream)).await {
        Ok(stage) => {
            let play = Play { setting, workload, stage: &stage };
            let outcome = tokio::select! {
                outcome = play.all() => outcome,
                () = record_broke(&reading) => Ok(()),
                () = interrupts.next() => Err(Failure::Interrupted),
            };
            interrupts.end_at_once();
            stage.strike().await;
            outcome
        }
        Err(failure) => Err(failure),
    };
    drop(stream);
    match tokio::task::spawn_blocking(move || reading.join()).await {
        Ok(Ok(Ok(()))) => outcome,
        Ok(Ok(Err(error))) => {
            Err(Failure::Failed(format!("the record could not be written: {error}")))
        }
        Ok(Err(_)) | Err(_) => {
            Err(Failure::Failed("the thread that writes the record panicked".to_owned()))
        }
    }
}

/// Returns once the thread that writes the record has ended, which it does early only after an error.
async fn record_broke(reading: &std::thread::JoinHandle<std::io::Result<()>>) {
    while !reading.is_finished() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// One run on its stage.
struct Play<'a> {
    setting: &'a Setting,
    workload: &'a dyn Workload,
    stage: &'a Stage,
}

impl Play<'_> {
    async fn all(&self) -> Result<(), Failure> {
        let stage = self.stage;
        let starvation = Starvation::watch();
        stage.mark(&Mark::Phase(Phase::Ready));
        stage.nodes.start_all().await?;
        stage.mark(&Mark::Phase(Phase::Setup));
        let number = u64::from(self.setting.clients);
        let mut usher = Clerk::new(Arc::clone(&stage.shared), number, self.setting.seed);
        self.set_up(&mut usher).await?;
        self.main().await?;
        stage.mark(&Mark::Phase(Phase::Recovery));
        if let Err(failure) = stage.nodes.wait_until_bound().await {
            stage.mark(&Mark::Note(failure.to_string()));
        }
        let recovered = self.recovered(&mut usher).await;
        stage.mark_own_exits().await;
        stage.mark(&Mark::Recovered(recovered));
        stage.mark(&Mark::Phase(Phase::Quiesce));
        tokio::time::sleep(QUIESCE).await;
        stage.mark(&Mark::Phase(Phase::Final));
        if recovered {
            self.final_reads(&mut usher).await;
        }
        stage.mark(&Mark::StarvedMs(starvation.longest_ms()));
        self.judge_manners()
    }

    /// Each operation once, however many attempts it takes: repeated, it would be another one.
    async fn set_up(&self, usher: &mut Clerk) -> Result<(), Failure> {
        for operation in self.workload.setup() {
            let performed = usher.perform_within(&operation, SETUP_LIMIT).await;
            if performed.outcome().is_none() {
                return Err(Failure::Broken(self.why_nothing_works(&operation)));
            }
        }
        Ok(())
    }

    fn why_nothing_works(&self, operation: &Operation) -> String {
        match self.example_of_broken_answers() {
            Some(example) => example,
            None => format!(
                "with nothing broken, `{}` did not succeed within {} s of its nodes being ready.",
                operation.name(),
                SETUP_LIMIT.as_secs()
            ),
        }
    }

    fn example_of_broken_answers(&self) -> Option<String> {
        let examples = self.stage.shared.protocol_errors.examples();
        examples.keys().next().map(|example| format!("its answers break the contract: {example}"))
    }

    async fn main(&self) -> Result<(), Failure> {
        let stage = self.stage;
        let (stop, stopped) = watch::channel(false);
        let faults = self.plan();
        for fault in &faults {
            stage.shared.stream.fault(fault.planned_record());
        }
        stage.mark(&Mark::Phase(Phase::Main));
        let begin = Instant::now();
        let mut clerks = self.start_clerks(&stopped);
        let nemesis = Nemesis {
            shared: Arc::clone(&stage.shared),
            nodes: Arc::clone(&stage.nodes),
            network: Arc::clone(&stage.network),
            can_restart: stage.can_restart,
        };
        let nemesis = AbortOnDrop(tokio::spawn(nemesis.run(faults, begin, stopped)));
        self.watch_nodes(begin + self.setting.time_limit).await;
        stage.mark(&Mark::Phase(Phase::Heal));
        stop.send_replace(true);
        self.heal(nemesis).await?;
        while let Some(ended) = clerks.join_next().await {
            ended.map_err(|error| panicked("a clerk", &error))?;
        }
        stage.revive(HEAL_LIMIT).await;
        Ok(())
    }

    fn plan(&self) -> Vec<PlannedFault> {
        plan(&PlanInput {
            seed: self.setting.seed,
            families: &self.setting.families,
            nodes: &self.setting.nodes,
            interval: self.setting.interval,
            time_limit: self.setting.time_limit,
            can_restart: self.stage.can_restart,
        })
    }

    fn start_clerks(&self, stopped: &watch::Receiver<bool>) -> JoinSet<()> {
        let mut clerks = JoinSet::new();
        let Setting { seed, clients, rate, .. } = *self.setting;
        let pace = rate.map(|rate| Duration::from_secs_f64(f64::from(clients) / rate));
        for number in 0..clients {
            let clerk = Clerk::new(Arc::clone(&self.stage.shared), u64::from(number), seed);
            let client = self.workload.client(seed, number);
            clerks.spawn(closed_loop(clerk, client, pace, stopped.clone()));
        }
        clerks
    }

    /// Waits for the end of the main phase; tells of nodes that end meanwhile though nobody killed them.
    async fn watch_nodes(&self, end: Instant) {
        while Instant::now() < end {
            tokio::time::sleep_until(end.min(Instant::now() + Duration::from_millis(200))).await;
            self.stage.mark_own_exits().await;
        }
    }

    /// Stops the faults, always: the nemesis heals what it started, and then every link is healed once more.
    async fn heal(&self, mut nemesis: AbortOnDrop) -> Result<(), Failure> {
        let healed = tokio::time::timeout(HEAL_LIMIT, &mut nemesis.0).await;
        self.stage.calm();
        match healed {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(panicked("the nemesis", &error)),
            Err(_) => {
                let hindered = "the nemesis did not finish healing in time".into();
                self.stage.mark(&Mark::Hindered(hindered));
                Ok(())
            }
        }
    }

    /// Whether both a read and a write succeed again: operations of one more client, in the record like all others.
    async fn recovered(&self, usher: &mut Clerk) -> bool {
        let deadline = Instant::now() + RECOVERY_LIMIT;
        let mut client = self.workload.client(self.setting.seed, self.setting.clients);
        let (mut read, mut written) = (false, false);
        while Instant::now() < deadline && !(read && written) {
            let operation = client.next();
            let performed = usher.perform(&operation).await;
            client.completed(&operation, performed.outcome());
            let succeeded = matches!(performed, Performed::Ok(_));
            read |= succeeded && operation.is_read_only();
            written |= succeeded && !operation.is_read_only();
        }
        read && written
    }

    /// Every node is asked first for every read; should time run out, it does so for all nodes alike.
    async fn final_reads(&self, usher: &mut Clerk) {
        let deadline = Instant::now() + FINAL_LIMIT;
        let (mut asked, mut answered) = (0_u64, 0_u64);
        for read in self.workload.final_reads() {
            for node in 0..self.setting.nodes.len() {
                asked += 1;
                if Instant::now() < deadline {
                    usher.move_home(node);
                    answered += u64::from(usher.perform(&read).await.outcome().is_some());
                }
            }
        }
        self.stage.mark(&Mark::FinalReads { asked, answered });
    }

    /// Puts into the record how often the contract was broken; a store that keeps breaking it is broken.
    fn judge_manners(&self) -> Result<(), Failure> {
        let shared = &self.stage.shared;
        for (example, count) in shared.protocol_errors.examples() {
            let note = format!("{count} answers broke the contract: {example}.");
            self.stage.mark(&Mark::Note(note));
        }
        match self.example_of_broken_answers() {
            Some(example)
                if shared.protocol_errors.total() * BROKEN_SHARE
                    > shared.successes.load(Ordering::Relaxed) =>
            {
                Err(Failure::Broken(example))
            }
            _ => Ok(()),
        }
    }
}

/// A task that must not outlive the run: on Ctrl-C nothing is healed any more, everything is ended.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn panicked(who: &str, error: &JoinError) -> Failure {
    Failure::Failed(format!("{who} panicked: {error}"))
}

/// One client until it is stopped; the operation it is in comes to its end.
async fn closed_loop(
    mut clerk: Clerk,
    mut client: Box<dyn Client>,
    pace: Option<Duration>,
    mut stopped: watch::Receiver<bool>,
) {
    while !*stopped.borrow() {
        let begun = Instant::now();
        let operation = client.next();
        let performed = clerk.perform(&operation).await;
        client.completed(&operation, performed.outcome());
        if let Some(pace) = pace {
            // Cut short by the end of the main phase.
            let _ = tokio::time::timeout_at(begun + pace, stopped.wait_for(|stop| *stop)).await;
        }
    }
    clerk.retire().await;
}
