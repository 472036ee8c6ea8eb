//! The phases of a run: ready → setup → main → heal → recovery → restart → compaction → restart → quiesce → final reads → stop.

use std::{sync::Arc, time::Duration};

use contract::{Operation, Outcome};
use record::{Folder, Mark, Phase};
use tokio::time::Instant;
use workloads::{Client, Workload};

use super::{
    by_hand, folder,
    interrupt::Interrupts,
    jobs,
    live::Live,
    main_phase::AbortOnDrop,
    open_files::{OpenFiles, RAN_OUT},
    recovery::Recoveries,
    scripts,
    setting::Setting,
    starvation::Starvation,
};
use crate::{
    clients::{Patience, attempts::Performed, clerk::Clerk, repeats},
    confine::Confined,
    duration::format_duration,
    environment::{Environment, build::Parts},
    exit::Failure,
    session::Session,
    stream::{Reader, Stream},
    target::Target,
};

/// How long the store may take for each operation before the main phase, where nothing is broken; a slow store longer.
const SETUP_LIMIT: Duration = Duration::from_secs(15);
/// How long all final reads together may take; those of a slow store longer.
const FINAL_LIMIT: Duration = Duration::from_secs(3);
/// So many old configurations are asked for at the end.
const FINAL_QUERIES_MAX: usize = 100;
/// What is still on its way gets this long to arrive before the final reads.
const QUIESCE: Duration = Duration::from_millis(300);
/// More than one broken answer to so many good ones: the record says nothing about the store any more.
const BROKEN_SHARE: u64 = 10;

/// Who asks, and what.
#[derive(Clone, Copy)]
pub enum Play<'a> {
    /// Clients.
    Clients(&'a dyn Workload),
    /// A person.
    ByHand(&'a Session<'a>),
    /// The servers of a view service.
    Scripts,
    /// Clients that start jobs of MapReduce.
    Jobs,
}

/// Runs `target` into `folder`; `onlooker` shows it.
///
/// # Errors
/// A broken submission, or a failure of the harness or machine. Whatever was recorded until then is in the folder.
pub async fn execute(
    setting: &Setting,
    target: &Target,
    play: Play<'_>,
    folder: &Folder,
    onlooker: Box<dyn Reader>,
    interrupts: &Interrupts,
) -> Result<(), Failure> {
    let mut readers = folder::readers(folder, setting.shows_log)?;
    readers.push(onlooker);
    let (stream, reading) = Stream::start(readers)?;
    let parts = Parts {
        nodes: &setting.nodes,
        view_service: setting.view_service.as_ref(),
        groups: &setting.groups,
        controllers: &setting.controllers,
        coordinator: setting.coordinator.as_ref(),
        snapshot_bytes: setting.snapshot_bytes,
        played: &setting.played,
        clerks: setting.clerks(),
        for_a_person: matches!(play, Play::ByHand(_)),
        is_confined: setting.confined == Confined::Namespaces,
        seed: setting.seed,
        target,
        folder: folder.path(),
    };
    let outcome = match Environment::build(&parts, stream).await {
        Ok(environment) => {
            let environment = Arc::new(environment);
            let open_files = OpenFiles::watch();
            let played = async {
                let (workload, session): (&dyn Workload, _) = match play {
                    Play::Scripts => return scripts::play(setting, &environment).await,
                    Play::Jobs => return jobs::play(setting, &environment).await,
                    Play::Clients(workload) => (workload, None),
                    Play::ByHand(session) => (&session.workload, Some(session)),
                };
                let live = if setting.to_the_end { None } else { Some(Live::watch(folder)?) };
                let (environment, open_files) = (&environment, &open_files);
                Runner { setting, workload, session, environment, open_files, live }
                    .all_phases()
                    .await
            };
            let outcome = tokio::select! {
                outcome = played => outcome,
                () = record_broke(&reading) => Ok(()),
                () = interrupts.next() => Err(Failure::Interrupted),
            };
            interrupts.end_at_once();
            environment.tear_down().await;
            outcome.map_err(|failure| open_files.blame(failure))
        }
        Err(failure) => Err(failure),
    };
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

/// Takes one run through its phases.
pub(super) struct Runner<'a> {
    pub(super) setting: &'a Setting,
    pub(super) workload: &'a dyn Workload,
    session: Option<&'a Session<'a>>,
    pub(super) environment: &'a Arc<Environment>,
    open_files: &'a OpenFiles,
    /// Finds violations while the run is on; `None` where it goes on to its end.
    pub(super) live: Option<Live>,
}

/// The client that sets up before the others come, asks whether the store serves again, and reads last.
pub(super) struct Admin {
    pub(super) clerk: Clerk,
    /// What it asks for in between: the same client each time, so that its values stay unique.
    client: Box<dyn Client>,
}

impl Runner<'_> {
    async fn all_phases(&self) -> Result<(), Failure> {
        let (environment, stream) = (self.environment, &self.environment.stream);
        let starvation = Starvation::watch(Arc::clone(stream));
        let watching_footprints = AbortOnDrop(self.watch_footprints());
        stream.mark(&Mark::Phase(Phase::Ready));
        environment.nodes.start_all().await?;
        let watching_logs = self.watch_logs();
        if !environment.clients.exactly_once {
            environment.note(
                "No write was sent again after an attempt of which nobody knows what came of it, and no request was \
                 sent twice: `exactly-once` is not in the `caps` of the store.",
            );
        }
        if self.setting.rejoins() {
            environment.note(
                "Not more than a minority of the nodes was ever killed or on its way back: the store has `rejoin` in its \
                 `caps`, and not `restart`. What is left when more of them die at once was not tested.",
            );
        }
        stream.mark(&Mark::Phase(Phase::Setup));
        let number = u64::from(self.setting.clients);
        let mut admin = Admin {
            clerk: Clerk::new(Arc::clone(&environment.clients), number, self.setting.seed),
            client: self.workload.client(self.setting.seed, self.setting.clients),
        };
        self.set_up(&mut admin.clerk).await?;
        let _watching_unrecorded = self.session.map(|_| self.watch_unrecorded());
        let ends_early = match self.session {
            None => self.main_phase().await?,
            Some(session) => {
                self.by_hand(session).await;
                false
            }
        };
        if !ends_early {
            self.after_main(&mut admin, watching_footprints).await;
        }
        drop(watching_logs);
        self.ask_for_last_slots().await;
        environment.mark_own_exits().await;
        by_hand::mark_unrecorded(environment, 0);
        stream.mark(&Mark::StarvedMs(starvation.longest_ms()));
        if self.open_files.ran_out() {
            stream.mark(&Mark::Hindered(RAN_OUT.to_owned()));
        }
        judge_protocol_errors(environment)
    }

    /// Whether the store serves again, after a restart, too; whether its log compacts; and what every node reads.
    async fn after_main(&self, admin: &mut Admin, watching_footprints: AbortOnDrop) {
        let (environment, stream) = (self.environment, &self.environment.stream);
        stream.mark(&Mark::Phase(Phase::Recovery));
        if let Err(failure) = environment.nodes.wait_until_bound().await {
            environment.note(failure.to_string());
        }
        // A person who had a group leave wants it so.
        if self.session.is_none() {
            self.join_groups(&mut admin.clerk).await;
        }
        let recovered = self.recovered(admin).await;
        environment.mark_own_exits().await;
        stream.mark(&Mark::Recovered(recovered));
        if recovered {
            environment.start_after_their_ends().await;
        }
        let serves = recovered && self.restart_all(admin).await;
        // A look that began before the overwriting must not be recorded after it.
        drop(watching_footprints);
        let serves = serves && self.restart_compacted(admin).await;
        if serves && self.setting.sends_again() {
            repeats::send_again(&environment.clients).await;
        }
        stream.mark(&Mark::Phase(Phase::Quiesce));
        tokio::time::sleep(QUIESCE).await;
        stream.mark(&Mark::Phase(Phase::Final));
        if serves {
            self.final_reads(&mut admin.clerk).await;
        }
    }

    /// Has the logs compacted, and starts all nodes anew from what is left of them; whether the store serves then.
    async fn restart_compacted(&self, admin: &mut Admin) -> bool {
        if !self.setting.compacts {
            return true;
        }
        self.overwrite(admin).await;
        self.restart_all(admin).await
    }

    /// Each operation once, however many attempts it takes: repeated, it would be another one.
    async fn set_up(&self, admin: &mut Clerk) -> Result<(), Failure> {
        for operation in self.setting.joins() {
            self.must_perform(admin, &operation).await?;
        }
        if self.session.is_none() {
            self.spread_shards(admin).await;
        }
        for operation in self.workload.setup() {
            self.must_perform(admin, &operation).await?;
        }
        Ok(())
    }

    async fn must_perform(&self, admin: &mut Clerk, operation: &Operation) -> Result<(), Failure> {
        let performed = admin.perform_within(operation, self.setup_patience()).await;
        match performed.outcome() {
            Some(_) => Ok(()),
            None => Err(Failure::Broken(self.why_nothing_works(operation).await)),
        }
    }

    /// In the beginning every second shard is the other group's, so that transactions go over both. What is there already is
    /// refused.
    async fn spread_shards(&self, admin: &mut Clerk) {
        for operation in self.setting.moves() {
            admin.perform_within(&operation, self.setup_patience()).await;
        }
    }

    /// Has every group of a sharded store in the configuration again: a fault may have left one out.
    async fn join_groups(&self, admin: &mut Clerk) {
        let deadline = Instant::now() + self.setting.timeouts.recovery();
        for operation in self.setting.joins() {
            let Operation::Join { groups } = operation else { continue };
            while Instant::now() < deadline {
                let latest = admin.perform(&Operation::Query { num: -1 }).await;
                let Some(Outcome::Configuration(latest)) = latest.outcome() else { continue };
                let mut absent = groups.clone();
                absent.retain(|group, _| !latest.groups.contains_key(group));
                if absent.is_empty() {
                    break;
                }
                admin.perform(&Operation::Join { groups: absent }).await;
            }
        }
    }

    /// Asks for every configuration that there was, or for many of them: so the record shows what the controllers did.
    async fn final_queries(&self, admin: &mut Clerk, deadline: Instant) {
        if self.setting.groups.is_empty() {
            return;
        }
        let latest = admin.perform(&Operation::Query { num: -1 }).await;
        let Some(Outcome::Configuration(latest)) = latest.outcome() else { return };
        let nums = i64::try_from(latest.num).unwrap_or(0);
        for num in (0..nums).rev().take(FINAL_QUERIES_MAX) {
            if Instant::now() < deadline {
                admin.perform(&Operation::Query { num }).await;
            }
        }
    }

    fn setup_patience(&self) -> Patience {
        let clients = &self.environment.clients;
        let operation = SETUP_LIMIT.max(clients.patience.operation);
        // A write that is sent only once gets all the time there is.
        let attempt = if clients.exactly_once { clients.patience.attempt } else { operation };
        Patience { attempt, operation }
    }

    async fn why_nothing_works(&self, operation: &Operation) -> String {
        if let Some(example) = example_of_broken_answers(self.environment) {
            return example;
        }
        let mut why = format!(
            "with nothing broken, `{}` did not succeed within {} of its nodes being ready.",
            operation.name(),
            format_duration(self.setup_patience().operation)
        );
        for own in self.environment.mark_own_exits().await {
            why.push_str(&format!(" {own}."));
        }
        why
    }

    /// Whether the store serves again: asked by operations of one more client, in the record like all others.
    pub(super) async fn recovered(&self, admin: &mut Admin) -> bool {
        let Admin { clerk, client } = admin;
        let deadline = Instant::now() + self.setting.timeouts.recovery();
        let mut recovery = Recoveries::new(self.setting.groups.len());
        while !recovery.is_done() && (Instant::now() < deadline || recovery.is_too_little()) {
            let operation = client.next();
            let group = self.environment.clients.routing.group_of(&operation);
            let performed = clerk.perform(&operation).await;
            client.completed(&operation, performed.outcome());
            recovery.add(&operation, matches!(performed, Performed::Ok(_)), group);
        }
        recovery.has_recovered()
    }

    /// Every node is asked first for every read; should time run out, it does so for all nodes alike.
    async fn final_reads(&self, admin: &mut Clerk) {
        let deadline =
            Instant::now() + FINAL_LIMIT.max(self.environment.clients.patience.operation);
        let (mut asked, mut answered) = (0_u64, 0_u64);
        for read in self.workload.final_reads() {
            for node in 0..self.setting.nodes.len() {
                asked += 1;
                if Instant::now() < deadline {
                    admin.move_home(node);
                    answered += u64::from(admin.perform(&read).await.outcome().is_some());
                }
            }
        }
        self.environment.stream.mark(&Mark::FinalReads { asked, answered });
        self.final_queries(admin, deadline).await;
    }
}

fn example_of_broken_answers(environment: &Environment) -> Option<String> {
    let examples = environment.clients.protocol_errors.examples();
    examples.keys().next().map(|example| format!("its answers break the contract: {example}"))
}

/// Puts into the record how often the contract was broken; a store that keeps breaking it is broken.
pub(super) fn judge_protocol_errors(environment: &Environment) -> Result<(), Failure> {
    let clients = &environment.clients;
    for (example, count) in clients.protocol_errors.examples() {
        environment.note(format!("{count} answers broke the contract: {example}."));
    }
    match example_of_broken_answers(environment) {
        Some(example) if clients.protocol_errors.total() * BROKEN_SHARE > clients.successes() => {
            Err(Failure::Broken(example))
        }
        _ => Ok(()),
    }
}
