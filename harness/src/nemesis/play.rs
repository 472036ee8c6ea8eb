//! Carries a plan out: act after act, each once the store has served again after the one before.

use std::{sync::Arc, time::Duration};

use contract::NodeId;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use record::{FaultRecord, FaultStep, SCENARIOS};
use tokio::{sync::watch, time::Instant};

use super::{
    Family,
    execute::{WrittenPlan, carry_out},
    fault::{Fault, Members},
    faults::{kill, partition::CutMode},
    plan::{Act, Alone, Deed, Plan, PlanInput, permanent},
    planned::PlannedFault,
    scenario::Scenario,
    script::{Ended, Script},
    steps::{Numbers, Settings},
};
use crate::environment::Environment;

/// A store serves again once so many operations have succeeded since the act.
const SERVES_AGAIN: u64 = 10;
/// After so long the next act comes, whether the store serves or not: it must be found that it never does.
const CALM_MAX: Duration = Duration::from_millis(2500);
/// From one look at the successes to the next.
const LOOK: Duration = Duration::from_millis(10);
/// A fault waits so long for its effect.
const TO_SHOW: Duration = Duration::from_millis(1000);
/// What is disturbed beside an act is so no longer, and no longer than this once the act is over: nodes that are on their way
/// back may need a network that works.
const BESIDE_MAX: Duration = Duration::from_secs(4);
const BESIDE_AFTER: Duration = Duration::from_millis(300);
/// With less time left no act begins.
const ACT_MIN: Duration = Duration::from_millis(200);

/// Breaks things from `begin` on, until `stop` turns true; returns when everything is healed.
pub async fn play(
    input: PlanInput<'_>,
    environment: Arc<Environment>,
    begin: Instant,
    stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let numbers = Numbers::default();
    let lasting = permanent(&input, || numbers.next());
    let lasting = WrittenPlan::write(lasting, &environment.stream).await?;
    let lasting = carry_out(lasting, Arc::clone(&environment), begin, stop.clone());
    let members = input.members;
    let (time_limit, interval) = (input.time_limit, input.interval);
    let player = Player {
        environment: &environment,
        begin,
        time_limit,
        interval,
        members,
        numbers: numbers.clone(),
        stop,
    };
    let acts = async {
        match input.recorded {
            Some(recorded) => player.replay(recorded).await,
            None => player.acts(Plan::new(input)).await,
        }
    };
    let (acts, ()) = tokio::join!(acts, lasting);
    acts
}

pub(super) struct Player<'a> {
    pub(super) environment: &'a Arc<Environment>,
    pub(super) begin: Instant,
    time_limit: Duration,
    interval: Option<Duration>,
    pub(super) members: Members<'a>,
    numbers: Numbers,
    pub(super) stop: watch::Receiver<bool>,
}

impl Player<'_> {
    async fn acts(&self, mut plan: Plan<'_>) -> std::io::Result<()> {
        // The first operations meet a store that nothing has happened to.
        let mut next = self.begin + self.interval.unwrap_or(self.time_limit / 20).mul_f64(0.1);
        while self.sleep_until(next).await {
            let begun = Instant::now();
            let now = begun - self.begin;
            if now + ACT_MIN > self.time_limit {
                return Ok(());
            }
            let Some(act) = plan.next(now) else { return Ok(()) };
            let calm = act.calm;
            self.act(act).await?;
            next = self.interval.map_or(Instant::now() + calm, |interval| begun + interval);
        }
        Ok(())
    }

    /// An act, until the store serves again.
    async fn act(&self, act: Act) -> std::io::Result<()> {
        self.environment.focus_on(&act.nodes);
        let (over, until_over) = watch::channel(false);
        let beside = async {
            if act.beside.is_empty() {
                return Ok(());
            }
            let planned = |(family, fault)| self.planned(family, fault, BESIDE_MAX, BESIDE_MAX);
            let planned = act.beside.into_iter().map(planned).collect();
            let plan = WrittenPlan::write(planned, &self.environment.stream).await?;
            carry_out(plan, Arc::clone(self.environment), self.begin, until_over).await;
            Ok(())
        };
        let deed = async {
            let mut done = self.deed(act.deed, &act.nodes).await;
            if let Some(then) = act.then.filter(|_| !self.is_over()) {
                done = done.and(self.deed(then, &act.nodes).await);
            }
            let serves = self.until_it_serves();
            tokio::pin!(serves);
            if tokio::time::timeout(BESIDE_AFTER, &mut serves).await.is_err() {
                over.send_replace(true);
                serves.await;
            }
            self.probe_all();
            over.send_replace(true);
            done
        };
        let (beside, deed) = tokio::join!(beside, deed);
        deed.and(beside)
    }

    async fn deed(&self, deed: Deed, nodes: &[NodeId]) -> std::io::Result<()> {
        match deed {
            Deed::Alone(alone) => self.alone(alone).await,
            Deed::Scenario(scenario, families, seed) => {
                let rng = ChaCha8Rng::seed_from_u64(seed);
                self.scenario(scenario, families, rng, nodes).await
            }
        }
    }

    /// One fault by itself.
    async fn alone(&self, alone: Alone) -> std::io::Result<()> {
        let Alone { family, fault, lasts, away } = alone;
        let left = self.time_limit.saturating_sub(self.begin.elapsed());
        let lasts = lasts.min(left);
        let planned = self.planned(family, fault, lasts, (lasts + TO_SHOW).min(left));
        let planned = PlannedFault { away, ..planned };
        let plan = WrittenPlan::write(vec![planned], &self.environment.stream).await?;
        carry_out(plan, Arc::clone(self.environment), self.begin, self.stop.clone()).await;
        Ok(())
    }

    pub(super) fn planned(
        &self,
        family: Family,
        fault: Box<dyn Fault>,
        lasts: Duration,
        until: Duration,
    ) -> PlannedFault {
        let at = self.begin.elapsed();
        let (number, until) = (self.numbers.next(), at + until);
        PlannedFault { number, family, at, lasts, until, away: Vec::new(), fault }
    }

    async fn scenario(
        &self,
        scenario: &Scenario,
        families: Vec<Family>,
        mut rng: ChaCha8Rng,
        nodes: &[NodeId],
    ) -> std::io::Result<()> {
        let stream = &self.environment.stream;
        let number = self.numbers.next();
        let record = |time_ns: u64, step: FaultStep, note: String| FaultRecord {
            fault: number,
            time_ns,
            family: SCENARIOS.to_owned(),
            form: scenario.name.to_owned(),
            step,
            targets: Vec::new(),
            note,
            ..FaultRecord::default()
        };
        let at_ns = u64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        stream.fault(record(at_ns, FaultStep::Planned, String::new()));
        stream.flush().await?;
        let settings = Settings {
            environment: Arc::clone(self.environment),
            away_max: kill::away_max(self.members),
            begin: self.begin,
            numbers: self.numbers.clone(),
            form: Some(scenario.name),
            mode: if scenario.holds_messages { CutMode::Stall } else { CutMode::choose(&mut rng) },
        };
        let linked = match self.members.groups {
            [] => self.members.linked(),
            _ => nodes.to_vec(),
        };
        let nodes = (nodes.to_vec(), linked);
        let began_ns = stream.now_ns();
        let mut script = Script::new(nodes, families, settings, rng, self.stop.clone());
        let (step, note) = match (scenario.play)(&mut script).await {
            Ok(()) | Err(Ended::Stopped) => (FaultStep::Started, String::new()),
            Err(Ended::Failed(why)) => (FaultStep::Missed, why),
        };
        stream.fault(record(began_ns, step, note));
        stream.fault(record(stream.now_ns(), FaultStep::Healing, String::new()));
        let story = script.finish().await;
        stream.fault(record(stream.now_ns(), FaultStep::Healed, story));
        Ok(())
    }

    /// Has every node read at: each may have missed something.
    pub(super) fn probe_all(&self) {
        self.members.nodes.iter().for_each(|node| self.environment.clients.probe(node));
    }

    /// Returns once the store has served again for some operations, or does not.
    pub(super) async fn until_it_serves(&self) {
        let clients = &self.environment.clients;
        // Controllers are asked too little to show it.
        let mut nodes = self.environment.focused();
        if !nodes.iter().any(|node| self.members.nodes.contains(node)) {
            nodes = self.members.nodes.to_vec();
        }
        let (before, deadline) = (clients.served_by(&nodes).0, Instant::now() + CALM_MAX);
        while clients.served_by(&nodes).0 < before + SERVES_AGAIN {
            let next = Instant::now() + LOOK;
            if next > deadline || !self.sleep_until(next).await {
                return;
            }
        }
    }

    pub(super) fn is_over(&self) -> bool {
        *self.stop.borrow()
    }

    /// False where `stop` turned true first.
    pub(super) async fn sleep_until(&self, when: Instant) -> bool {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep_until(when) => true,
            _ = stop.wait_for(|stop| *stop) => false,
        }
    }
}
