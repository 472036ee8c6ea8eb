//! Carries a plan out: starts each fault when it is due, says whether it took hold, heals it when it is over.

use std::sync::Arc;

use network::Network;
use record::{FaultRecord, FaultStep};
use tokio::{sync::watch, task::JoinSet, time::Instant};

use super::{Family, plan::PlannedFault};
use crate::run::{clerk::Shared, nodes::Nodes};

/// Everything a fault may touch.
#[derive(Clone)]
pub struct Nemesis {
    /// The clerks' side: the record, the client faults, who answered last.
    pub shared: Arc<Shared>,
    /// The processes.
    pub nodes: Arc<Nodes>,
    /// The links.
    pub network: Arc<Network>,
    /// Whether killed nodes may be started again on their data.
    pub can_restart: bool,
}

impl Nemesis {
    /// Carries the plan out from `begin` on and returns when every fault has healed. Once `stop` turns true, nothing
    /// new starts and what is on heals at once. Within a family one fault follows the other, families overlap.
    pub async fn run(self, plan: Vec<PlannedFault>, begin: Instant, stop: watch::Receiver<bool>) {
        let mut families = JoinSet::new();
        for family in Family::ALL {
            let own: Vec<PlannedFault> =
                plan.iter().filter(|fault| fault.family == family).cloned().collect();
            let (nemesis, stop) = (self.clone(), stop.clone());
            families.spawn(async move {
                for fault in own {
                    nemesis.one(&fault, begin, stop.clone()).await;
                }
            });
        }
        // A panic in here is a panic of the nemesis.
        families.join_all().await;
    }

    /// Families get into each other's way: no node can be paused that is dead, no link be cut between dead nodes. So
    /// a fault waits for its effect as long as its interval has room for it, and then lasts as planned, from there on.
    async fn one(&self, fault: &PlannedFault, begin: Instant, mut stop: watch::Receiver<bool>) {
        let (latest, until) = (begin + fault.latest(), begin + fault.until);
        if !sleep_until(begin + fault.at, &mut stop).await {
            return;
        }
        if Instant::now() > latest {
            let note = "the fault before it took too long".to_owned();
            return self.record(fault, FaultStep::Missed, Vec::new(), note);
        }
        let before = self.measure(fault);
        let hold = self.start(fault, latest, &mut stop).await;
        let seen = match hold.seen {
            Some(seen) => seen,
            None => self.watch_for(fault, before, latest, &mut stop).await,
        };
        let now = Instant::now();
        // To strike may itself take long: a node that is being started cannot be paused before it is ready.
        let step = if seen && now <= latest { FaultStep::Started } else { FaultStep::Missed };
        self.record(fault, step, hold.hit.clone(), hold.note.clone());
        if step == FaultStep::Started {
            sleep_until(until.min(now + fault.lasts), &mut stop).await;
        }
        let note = self.heal(fault, &hold).await;
        self.record(fault, FaultStep::Healed, hold.hit, note);
    }

    fn record(&self, fault: &PlannedFault, step: FaultStep, targets: Vec<String>, note: String) {
        self.shared.stream.fault(FaultRecord {
            fault: fault.number,
            time_ns: self.shared.stream.now_ns(),
            family: fault.family.name().to_owned(),
            form: fault.form(),
            step,
            targets,
            note,
        });
    }
}

/// False where `stop` turned true first.
pub(super) async fn sleep_until(when: Instant, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = tokio::time::sleep_until(when) => true,
        _ = stop.wait_for(|stop| *stop) => false,
    }
}
