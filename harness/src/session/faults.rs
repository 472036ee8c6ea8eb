//! Faults that a person starts and heals, by the code of the nemesis: each is a plan of its own, which is on disk before
//! anything breaks, and lasts until it is stopped.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use contract::NodeId;
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};

use crate::{
    environment::Environment,
    nemesis::{
        Family,
        execute::{WrittenPlan, carry_out},
        fault::{Fault, Hits, Members, Work},
        faults::{
            kill,
            partition::{self, Link},
            pause,
        },
        plan::{PlannedFault, UNTIL_HEALED},
    },
    run::AbortOnDrop,
};

/// What is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// These links are cut.
    Cut(Vec<Link>),
    /// This node is killed.
    Killed(NodeId),
    /// This node is paused.
    Paused(NodeId),
}

/// A fault that is on.
struct Broken {
    what: What,
    stop: watch::Sender<bool>,
    carried_out: AbortOnDrop,
}

/// The faults that are on. What is left of them when this is dropped is neither healed nor recorded.
pub struct Faults {
    environment: Arc<Environment>,
    /// How many nodes may be killed or on their way back at once, where the store limits it.
    away_max: Option<usize>,
    begin: Instant,
    started: u64,
    on: Vec<Broken>,
}

impl Faults {
    /// None yet; the main phase begins now.
    #[must_use]
    pub fn new(environment: Arc<Environment>, members: Members<'_>) -> Self {
        let away_max = kill::away_max(members);
        Self { environment, away_max, begin: Instant::now(), started: 0, on: Vec::new() }
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
        let environment = &self.environment;
        let (family, fault) = match &what {
            What::Cut(links) => ("partition", partition::chosen(links.clone())),
            What::Killed(node) => {
                ("kill", kill::chosen(node, environment.can_restart, self.away_max))
            }
            What::Paused(node) => ("pause", pause::chosen(node)),
        };
        let (told, tried) = oneshot::channel();
        let at = self.begin.elapsed();
        let planned = PlannedFault {
            number: self.started,
            family: Family::by_name(family).ok_or("there is no such family of faults")?,
            at,
            lasts: UNTIL_HEALED,
            until: at + UNTIL_HEALED,
            fault: Box::new(Announced { fault, told: Mutex::new(Some(told)) }),
        };
        self.started += 1;
        let plan = WrittenPlan::write(vec![planned], &environment.stream).await;
        let plan = plan.map_err(|error| error.to_string())?;
        let (stop, stopped) = watch::channel(false);
        let carried_out = carry_out(plan, Arc::clone(environment), self.begin, stopped);
        let broken = Broken { what, stop, carried_out: AbortOnDrop(tokio::spawn(carried_out)) };
        let hits = tried.await.map_err(|_| "the fault was not tried")?;
        if hits.hit.is_empty() {
            broken.heal().await;
            return Err(hits.note());
        }
        self.on.push(broken);
        Ok(())
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
        self.0.iter().for_each(Broken::stop);
        for broken in self.0 {
            broken.heal().await;
        }
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
struct Announced {
    fault: Box<dyn Fault>,
    told: Mutex<Option<oneshot::Sender<Hits>>>,
}

impl fmt::Debug for Announced {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(formatter)
    }
}

impl Fault for Announced {
    fn form(&self) -> String {
        self.fault.form()
    }

    fn targets(&self) -> Vec<String> {
        self.fault.targets()
    }

    fn manner(&self) -> Option<&'static str> {
        self.fault.manner()
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
