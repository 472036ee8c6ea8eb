//! The main phase: clients work while the nemesis breaks things; then everything is healed.

use std::{sync::Arc, time::Duration};

use rand::{SeedableRng, rngs::ChaCha8Rng};
use record::{Mark, Phase};
use tokio::{
    sync::{Mutex, mpsc, watch},
    task::{JoinError, JoinHandle, JoinSet},
    time::Instant,
};
use workloads::Client;

use super::{
    phases::Runner,
    setting::{SMALL_LOG_BYTES, Setting},
};
use crate::{
    clients::{clerk::Clerk, probes},
    environment::{Environment, introspection, leader},
    exit::Failure,
    nemesis::play::play,
    stream::Stream,
};

/// One client of so many is patient.
const PATIENT: u32 = 4;
/// One client of so many is trusting.
const TRUSTING: u32 = 2;
/// How long healing may take.
pub(super) const HEAL_LIMIT: Duration = Duration::from_secs(5);
/// How often the nodes are looked at.
pub(super) const WATCH_INTERVAL: Duration = Duration::from_millis(200);
/// From one question who leads to the next.
const LEADER_INTERVAL: Duration = Duration::from_millis(200);

impl Runner<'_> {
    /// Returns when the time is over, every client has ended and every fault is undone; earlier, and with true, where a
    /// violation was proven.
    pub(super) async fn main_phase(&self) -> Result<bool, Failure> {
        let environment = self.environment;
        let (stop, stopped) = watch::channel(false);
        environment.stream.mark(&Mark::Phase(Phase::Main));
        environment.nodes.alternate_log_limits(SMALL_LOG_BYTES).await;
        let begin = Instant::now();
        let _watching_leader = AbortOnDrop(self.watch_leader());
        let mut clients = self.start_clients(&stopped);
        let (setting, all) = (self.setting.clone(), Arc::clone(environment));
        let until = stopped.clone();
        let nemesis = async move { play(setting.plan_input(), all, begin, until).await };
        let nemesis = AbortOnDrop(tokio::spawn(nemesis));
        let probing = self.probe(&mut clients, &stopped);
        let proven = tokio::select! {
            () = watch_nodes(environment, begin + self.setting.time_limit) => None,
            events = self.proven() => Some(events),
            () = probing => None,
        };
        if let Some(events) = proven {
            let after_s = begin.elapsed().as_secs_f64();
            environment.stream.mark(&Mark::Proven(events));
            environment.note(format!(
                "The run ended after {after_s:.1} s, because a violation was proven: recovery and final reads were left \
                 out. `--to-the-end` goes on."
            ));
        }
        environment.stream.mark(&Mark::Phase(Phase::Heal));
        stop.send_replace(true);
        // A node that was killed last may take long to start.
        let limit = HEAL_LIMIT + self.setting.coming_back();
        if heal(environment, limit, nemesis).await? {
            self.note_who_is_not_back().await;
        }
        while let Some(ended) = clients.join_next().await {
            ended.map_err(|error| panicked("a clerk", &error))?;
        }
        if let Some(mover) = environment.mover.lock().await.take() {
            mover.retire().await;
        }
        environment.revive_nodes(HEAL_LIMIT).await;
        Ok(proven.is_some())
    }

    async fn proven(&self) -> u64 {
        match &self.live {
            Some(live) => live.proven().await,
            None => std::future::pending().await,
        }
    }

    pub(super) fn watch_leader(&self) -> JoinHandle<()> {
        let (nodes, stream) = (&self.environment.nodes, &self.environment.stream);
        let electorate = self.environment.electorates[0].clone();
        let (nodes, stream) = (Arc::clone(nodes), Arc::clone(stream));
        tokio::spawn(leader::watch(nodes, electorate, stream, LEADER_INTERVAL))
    }

    /// Has the nodes show what they know to be chosen, all through the run, if they do.
    pub(super) fn watch_logs(&self) -> Option<AbortOnDrop> {
        let (stream, nodes) = self.with_logs();
        let pace = Arc::clone(&self.environment.pace);
        let watch = || AbortOnDrop(tokio::spawn(introspection::watch(nodes, stream, pace)));
        self.setting.shows_log.then(watch)
    }

    /// … and once more at the end, all that they still have of it.
    pub(super) async fn ask_for_last_slots(&self) {
        if self.setting.shows_log {
            let (stream, nodes) = self.with_logs();
            introspection::ask_for_last_slots(nodes, stream).await;
        }
    }

    /// Those who have logs, and where it is recorded what they show of them.
    fn with_logs(&self) -> (Arc<Stream>, introspection::Addresses) {
        let Setting { nodes, controllers, .. } = self.setting;
        let nodes = self.environment.nodes.addresses(&[&nodes[..], controllers].concat());
        (Arc::clone(&self.environment.stream), nodes)
    }

    fn start_clients(&self, stopped: &watch::Receiver<bool>) -> JoinSet<()> {
        let mut running = JoinSet::new();
        let Setting { seed, clients, rate, .. } = *self.setting;
        let pace = rate.map(|rate| Duration::from_secs_f64(f64::from(clients) / rate));
        for number in 0..clients {
            let shared = Arc::clone(&self.environment.clients);
            let clerk = Clerk::new(shared, u64::from(number), seed);
            let clerk = if number % PATIENT == PATIENT - 1 { clerk.patient() } else { clerk };
            let clerk = if number % TRUSTING == TRUSTING - 1 { clerk.trusting() } else { clerk };
            let client = self.workload.client(seed, number);
            running.spawn(closed_loop(clerk, client, pace, stopped.clone()));
        }
        running
    }

    /// Starts the probing clients among the others; then hands out probes for ever.
    fn probe(
        &self,
        clients: &mut JoinSet<()>,
        stopped: &watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + '_ {
        let Setting { seed, clients: others, probers, .. } = *self.setting;
        let (to, probes) = mpsc::channel(probers.max(1) as usize);
        let probes = Arc::new(Mutex::new(probes));
        for prober in 0..probers {
            // Behind the client that sets up and reads last.
            let number = others + 1 + prober;
            let clerk = Clerk::new(Arc::clone(&self.environment.clients), number.into(), seed);
            let client = self.workload.client(seed, number);
            clients.spawn(probes::prober(clerk, client, Arc::clone(&probes), stopped.clone()));
        }
        let rng = ChaCha8Rng::seed_from_u64(seed);
        let reads = || self.workload.final_reads();
        async move { self.environment.clients.probes.hand_out(&to, reads, rng).await }
    }

    /// A store whose nodes help each other back may go on without one that never does: a reader should know.
    async fn note_who_is_not_back(&self) {
        if !self.setting.rejoins() {
            return;
        }
        let nodes = &self.environment.nodes;
        nodes.wait_until_ready(&self.setting.nodes).await;
        let away = nodes.away_besides("").await;
        if !away.is_empty() {
            let (away, limit) = (away.join(", "), self.setting.timeouts.ready());
            self.environment.note(format!(
                "Not ready again {} s after all faults were healed: {away}. The rest of the run is that of the other nodes.",
                limit.as_secs_f64()
            ));
        }
    }
}

/// Waits for the end of the main phase; records nodes that end meanwhile though nobody killed them.
pub(super) async fn watch_nodes(environment: &Environment, end: Instant) {
    while Instant::now() < end {
        tokio::time::sleep_until(end.min(Instant::now() + WATCH_INTERVAL)).await;
        environment.mark_own_exits().await;
    }
}

/// Stops the faults, always: the nemesis heals what it started, and then every link is healed once more. Whether it has come to
/// its end.
pub(super) async fn heal(
    environment: &Environment,
    limit: Duration,
    mut nemesis: AbortOnDrop<std::io::Result<()>>,
) -> Result<bool, Failure> {
    let healed = tokio::time::timeout(limit, &mut nemesis.0).await;
    environment.heal_all();
    match healed {
        Ok(Ok(played)) => Ok(played.map(|()| true)?),
        Ok(Err(error)) => Err(panicked("the nemesis", &error)),
        Err(_) => {
            let how = "the nemesis did not finish healing in time".to_owned();
            environment.stream.mark(&Mark::Hindered(how));
            Ok(false)
        }
    }
}

/// A task that must not outlive the run: on Ctrl-C nothing is healed any more, everything is ended.
pub(crate) struct AbortOnDrop<T = ()>(pub(crate) JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) fn panicked(who: &str, error: &JoinError) -> Failure {
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
        let next = (begun + pace.unwrap_or_default()).max(Instant::now() + clerk.rest());
        if next > Instant::now() {
            // Cut short by the end of the main phase.
            let _ = tokio::time::timeout_at(next, stopped.wait_for(|stop| *stop)).await;
        }
    }
    clerk.retire().await;
}
