//! Carries a plan out: starts each fault when it is due, says whether it took hold, heals it by its planned targets.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use network::{Delay, Gate, LinkCounters, MessageFaults, Network};
use results::{FaultRecord, FaultStep};
use tokio::{sync::watch, task::JoinSet, time::Instant};

use super::{
    Family,
    partition::{Link, Shape, around},
    plan::{Action, CutMode, PlannedFault, Profile, Targets, link_names},
};
use crate::run::{clerk::Shared, nodes::Nodes, stage::mark_trouble};

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

/// What a started fault was aimed at, and what it has really hit.
struct Hold {
    /// What healing goes by.
    aimed_at: Vec<String>,
    hit: Vec<String>,
    /// `None`: whether it takes hold shows only in what passes from now on.
    seen: Option<bool>,
    note: String,
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

    async fn start(
        &self,
        fault: &PlannedFault,
        latest: Instant,
        stop: &mut watch::Receiver<bool>,
    ) -> Hold {
        let on_links = |aimed_at: Vec<String>| {
            let hit = aimed_at.clone();
            Hold { aimed_at, hit, seen: None, note: String::new() }
        };
        match &fault.action {
            Action::Cut(shape, links, mode) => {
                let links = self.links(*shape, links).await;
                for (from, to) in &links {
                    self.network.set_gate(from, to, gate(*mode));
                }
                on_links(link_names(&links))
            }
            Action::Disturb(profile) => {
                for (from, to) in self.every_link() {
                    self.network.set_faults(&from, &to, message_faults(*profile, from == CLIENTS));
                }
                on_links(vec!["every link".to_owned()])
            }
            Action::MisuseClients => {
                self.shared.misuse.on.store(true, Ordering::Relaxed);
                on_links(vec!["every client".to_owned()])
            }
            Action::Kill(targets) => self.insist(targets, Strike::Kill, latest, stop).await,
            Action::Pause(targets) => self.insist(targets, Strike::Pause, latest, stop).await,
        }
    }

    /// Strikes until something is hit.
    async fn insist(
        &self,
        targets: &Targets,
        strike: Strike,
        latest: Instant,
        stop: &mut watch::Receiver<bool>,
    ) -> Hold {
        const REST: Duration = Duration::from_millis(50);
        let mut aimed_at = BTreeSet::new();
        loop {
            let hold = self.strike(targets, strike).await;
            aimed_at.extend(hold.aimed_at);
            let next = Instant::now() + REST;
            if !hold.hit.is_empty() || next > latest || !sleep_until(next, stop).await {
                return Hold { aimed_at: aimed_at.into_iter().collect(), ..hold };
            }
        }
    }

    async fn strike(&self, targets: &Targets, strike: Strike) -> Hold {
        let aimed_at = match targets {
            Targets::Nodes(_, nodes) => nodes.clone(),
            Targets::Leader(otherwise) => {
                vec![self.leader().await.unwrap_or_else(|| otherwise.clone())]
            }
        };
        let mut hit = Vec::new();
        let mut notes = Vec::new();
        for node in &aimed_at {
            let result = match strike {
                Strike::Kill => self.nodes.kill(node).await,
                Strike::Pause => self.nodes.pause(node).await,
            };
            match result {
                Ok(()) => hit.push(node.clone()),
                Err(reason) => notes.push(format!("{node}: {reason}")),
            }
        }
        Hold { seen: Some(!hit.is_empty()), aimed_at, hit, note: notes.join("; ") }
    }

    async fn heal(&self, fault: &PlannedFault, hold: &Hold) -> String {
        let mut notes = Vec::new();
        match &fault.action {
            Action::Cut(..) => {
                // Not by what was thought to be hit: no other family closes gates, so every gate opens.
                self.network.open_all_gates();
            }
            Action::Disturb(_) => self.network.clear_faults(),
            Action::MisuseClients => self.shared.misuse.on.store(false, Ordering::Relaxed),
            Action::Kill(_) if !self.can_restart => {
                notes.push("stays down: the store cannot restart".to_owned());
            }
            Action::Kill(_) => {
                for node in &hold.aimed_at {
                    if let Err(trouble) = self.nodes.start_again(node).await {
                        mark_trouble(&self.shared.stream, &trouble);
                        notes.push(trouble.reason);
                    }
                }
            }
            Action::Pause(_) => {
                for node in &hold.aimed_at {
                    if let Err(reason) = self.nodes.resume(node).await {
                        notes.push(format!("{node}: {reason}"));
                    }
                }
            }
        }
        notes.join("; ")
    }

    /// The links a partition cuts: those of the leader, where it is about the leader.
    async fn links(&self, shape: Shape, planned: &[Link]) -> Vec<Link> {
        if shape != Shape::IsolateLeader {
            return planned.to_vec();
        }
        match self.leader().await {
            Some(leader) => around(&leader, &self.shared.nodes),
            None => planned.to_vec(),
        }
    }

    /// Who leads: by the nodes' own word, else whoever answered a client last.
    async fn leader(&self) -> Option<String> {
        if let Some(leader) = self.nodes.leader().await {
            return Some(leader);
        }
        self.shared.last_answer.lock().ok()?.clone()
    }

    fn every_link(&self) -> Vec<Link> {
        self.network.counters().into_iter().map(|(from, to, _)| (from, to)).collect()
    }

    /// How often a fault of this family has shown so far.
    fn measure(&self, fault: &PlannedFault) -> u64 {
        let count = |figure: fn(&LinkCounters) -> u64| {
            self.network.counters().iter().map(|(_, _, counters)| figure(counters)).sum()
        };
        match &fault.action {
            Action::Cut(..) => count(|link| link.stalled),
            Action::Disturb(_) => count(|link| {
                link.request_dropped
                    + link.response_dropped
                    + link.duplicated
                    + link.delayed
                    + link.reordered
            }),
            Action::MisuseClients => self.shared.misuse.count.load(Ordering::Relaxed),
            Action::Kill(_) | Action::Pause(_) => 0,
        }
    }

    async fn watch_for(
        &self,
        fault: &PlannedFault,
        before: u64,
        latest: Instant,
        stop: &mut watch::Receiver<bool>,
    ) -> bool {
        while self.measure(fault) == before {
            let next = Instant::now() + Duration::from_millis(20);
            if next > latest || !sleep_until(next, stop).await {
                return self.measure(fault) != before;
            }
        }
        true
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

#[derive(Clone, Copy)]
enum Strike {
    Kill,
    Pause,
}

fn gate(mode: CutMode) -> Gate {
    match mode {
        CutMode::Stall => Gate::Stall,
        CutMode::Refuse => Gate::Refuse,
    }
}

/// The name of the clients' end of a link.
pub const CLIENTS: &str = "clients";

/// On client links nothing is doubled: a doubled request that was refused once and executed once would make the
/// refusal a lie of the bench. Clients send their copies themselves and know about it.
fn message_faults(profile: Profile, from_clients: bool) -> MessageFaults {
    let faults = match profile {
        Profile::Mit => MessageFaults::mit(),
        Profile::Dslabs => MessageFaults::dslabs(),
        Profile::Disorder => MessageFaults {
            duplicate: 0.1,
            reorder: 0.1,
            delay: Some(Delay { probability: 0.1, min_ms: 50, max_ms: 600 }),
            ..MessageFaults::default()
        },
    };
    if from_clients { MessageFaults { duplicate: 0.0, ..faults } } else { faults }
}

/// False where `stop` turned true first.
async fn sleep_until(when: Instant, stop: &mut watch::Receiver<bool>) -> bool {
    tokio::select! {
        () = tokio::time::sleep_until(when) => true,
        _ = stop.wait_for(|stop| *stop) => false,
    }
}
