//! What each fault does to nodes, links and clients, and how it is undone.

use std::{collections::BTreeSet, sync::atomic::Ordering, time::Duration};

use network::{Delay, Gate, MessageFaults};
use tokio::{sync::watch, time::Instant};

use super::{
    execute::{Nemesis, sleep_until},
    partition::{Link, Shape, around},
    plan::{Action, CutMode, PlannedFault, Profile, Targets, link_names},
};
use crate::run::stage::mark_trouble;

/// What a started fault was aimed at, and what it has really hit.
pub(super) struct Hold {
    /// What healing goes by.
    aimed_at: Vec<String>,
    pub(super) hit: Vec<String>,
    /// `None`: whether it takes hold shows only in what passes from now on.
    pub(super) seen: Option<bool>,
    pub(super) note: String,
}

impl Nemesis {
    /// Does what the fault is about, process faults again and again until something is hit.
    pub(super) async fn start(
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

    /// Undoes it, by what it was aimed at.
    pub(super) async fn heal(&self, fault: &PlannedFault, hold: &Hold) -> String {
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
