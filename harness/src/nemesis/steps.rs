//! Faults that start and heal one by one, as a scenario or a person wants it: each is written down before anything breaks,
//! and lasts until it is healed.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use contract::NodeId;
use network::Caught;
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};

use super::{
    Family,
    execute::{WrittenPlan, carry_out},
    fault::{Fault, Hits, Members, Work},
    faults::{
        held, kill,
        kinds::{self, Mishaps},
        partition::{self, CutMode, Link},
        pause,
    },
    planned::{PlannedFault, UNTIL_HEALED},
};
use crate::{environment::Environment, run::AbortOnDrop};

/// What is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// These links are cut.
    Cut(Vec<Link>),
    /// This node is killed.
    Killed(NodeId),
    /// This node is paused.
    Paused(NodeId),
    /// A message on this link is held.
    Held(Link),
    /// This happens to messages of some kinds on these links.
    Kinds(Mishaps, Vec<Link>),
}

impl What {
    /// Whether it takes this node away, whose links to everybody else are `around`.
    #[must_use]
    pub fn takes_away(&self, node: &NodeId, around: &[Link]) -> bool {
        match self {
            Self::Killed(taken) | Self::Paused(taken) => taken == node,
            Self::Cut(links) => links == around,
            Self::Held(_) | Self::Kinds(..) => false,
        }
    }
}

/// Numbers for the faults of a run: no two have the same.
#[derive(Clone, Debug, Default)]
pub struct Numbers(Arc<AtomicU64>);

impl Numbers {
    /// The next one, from 0.
    #[must_use]
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// What faults that are started one by one have in common.
#[derive(Clone)]
pub struct Settings {
    /// What they break.
    pub environment: Arc<Environment>,
    /// How many nodes may be killed or on their way back at once, where the store limits it.
    pub away_max: Option<usize>,
    /// When the main phase began.
    pub begin: Instant,
    /// Where their numbers come from.
    pub numbers: Numbers,
    /// The form that they have in the record; else each has its own.
    pub form: Option<&'static str>,
    /// How links are cut.
    pub mode: CutMode,
}

impl Settings {
    /// For a person; the main phase begins now.
    #[must_use]
    pub fn by_hand(environment: Arc<Environment>, members: Members<'_>) -> Self {
        Self {
            environment,
            away_max: kill::away_max(members),
            begin: Instant::now(),
            numbers: Numbers::default(),
            form: None,
            mode: CutMode::Stall,
        }
    }
}

/// A fault that is on.
struct Broken {
    what: What,
    stop: watch::Sender<bool>,
    carried_out: AbortOnDrop,
}

/// The faults that are on. What is left of them when this is dropped is neither healed nor recorded.
pub struct Steps {
    settings: Settings,
    on: Vec<Broken>,
}

impl Steps {
    /// None yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, on: Vec::new() }
    }

    /// What is broken now.
    pub fn on(&self) -> impl Iterator<Item = &What> {
        self.on.iter().map(|broken| &broken.what)
    }

    /// Breaks something, and returns once that was tried.
    ///
    /// # Errors
    /// Why nothing broke.
    pub async fn start(&mut self, what: What) -> Result<(), String> {
        let Settings { environment, away_max, mode, .. } = &self.settings;
        let (family, fault) = match &what {
            What::Cut(links) => ("partition", partition::chosen(links.clone(), *mode)),
            What::Killed(node) => ("kill", kill::chosen(node, environment.can_restart, *away_max)),
            What::Paused(node) => ("pause", pause::chosen(node)),
            What::Kinds(mishaps, links) => {
                ("network", kinds::chosen(mishaps.clone(), links.clone()))
            }
            What::Held((from, to)) => return Err(format!("no message {from}>{to} was caught")),
        };
        self.begin(what, family, fault).await
    }

    /// Holds a message that was caught, until this is healed.
    ///
    /// # Errors
    /// The record cannot be written.
    pub async fn hold(&mut self, caught: Arc<Caught>) -> Result<(), String> {
        let link = (caught.from.clone(), caught.to.clone());
        self.begin(What::Held(link), "network", held::chosen(caught)).await
    }

    async fn begin(
        &mut self,
        what: What,
        family: &str,
        fault: Box<dyn Fault>,
    ) -> Result<(), String> {
        let Settings { environment, begin, numbers, form, .. } = &self.settings;
        let (told, tried) = oneshot::channel();
        let at = begin.elapsed();
        let planned = PlannedFault {
            number: numbers.next(),
            family: Family::by_name(family).ok_or("there is no such family of faults")?,
            at,
            lasts: UNTIL_HEALED,
            until: at + UNTIL_HEALED,
            away: Vec::new(),
            fault: Box::new(Step { fault, form: *form, told: Mutex::new(Some(told)) }),
        };
        let plan = WrittenPlan::write(vec![planned], &environment.stream).await;
        let plan = plan.map_err(|error| error.to_string())?;
        let (stop, stopped) = watch::channel(false);
        let carried_out = carry_out(plan, Arc::clone(environment), *begin, stopped);
        let broken = Broken { what, stop, carried_out: AbortOnDrop(tokio::spawn(carried_out)) };
        let hits = tried.await.map_err(|_| "the fault was not tried")?;
        if hits.hit.is_empty() {
            broken.heal().await;
            return Err(hits.note());
        }
        self.on.push(broken);
        Ok(())
    }

    /// Heals all of them.
    pub async fn heal_all(mut self) {
        self.take(|_| true).finish().await;
    }

    /// The faults for which this holds, which are to be healed.
    pub fn take(&mut self, which: impl Fn(&What) -> bool) -> Healing {
        Healing(self.on.extract_if(.., |broken| which(&broken.what)).collect())
    }
}

/// Faults that are to be healed.
pub struct Healing(Vec<Broken>);

impl Healing {
    /// Returns when they are.
    pub async fn finish(self) {
        self.begin();
        for broken in self.0 {
            broken.heal().await;
        }
    }

    /// Heals all of them at once, without waiting for it.
    pub fn begin(&self) {
        self.0.iter().for_each(Broken::stop);
    }
}

impl Broken {
    fn stop(&self) {
        self.stop.send_replace(true);
    }

    async fn heal(mut self) {
        self.stop();
        // A panic in there ends what it had to do; healing everything at the end does not depend on it.
        let _ = (&mut self.carried_out.0).await;
    }
}

/// A fault whose first attempt is told.
struct Step {
    fault: Box<dyn Fault>,
    form: Option<&'static str>,
    told: Mutex<Option<oneshot::Sender<Hits>>>,
}

impl fmt::Debug for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(formatter)
    }
}

impl Fault for Step {
    fn form(&self) -> String {
        self.form.map_or_else(|| self.fault.form(), str::to_owned)
    }

    fn targets(&self) -> Vec<String> {
        self.fault.targets()
    }

    fn manner(&self) -> Option<&'static str> {
        self.fault.manner()
    }

    fn kinds(&self) -> Mishaps {
        self.fault.kinds()
    }

    fn start<'a>(&'a self, environment: &'a Environment) -> Work<'a, Hits> {
        Box::pin(async move {
            let hits = self.fault.start(environment).await;
            let told = self.told.lock().unwrap_or_else(PoisonError::into_inner).take();
            // Nobody waits any more where the session is over.
            let _ = told.map(|told| told.send(hits.clone()));
            hits
        })
    }

    fn observed(&self, environment: &Environment) -> Option<u64> {
        self.fault.observed(environment)
    }

    fn heal<'a>(
        &'a self,
        environment: &'a Environment,
        aimed_at: &'a [String],
    ) -> Work<'a, Vec<String>> {
        self.fault.heal(environment, aimed_at)
    }
}
