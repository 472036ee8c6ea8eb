//! What a fault is.

use std::{collections::BTreeMap, fmt, pin::Pin};

use record::Mishap;

use crate::environment::Environment;

/// A future, as the methods of a trait object give it.
pub type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The nodes that a fault is planned for.
#[derive(Clone, Copy, Debug)]
pub struct Members<'a> {
    /// The nodes' ids.
    pub nodes: &'a [String],
    /// The replica groups that they form; empty where they are one.
    pub groups: &'a [Vec<String>],
    /// The shard controllers of a sharded store, which are a group, too.
    pub controllers: &'a [String],
    /// The view service, or the coordinator of MapReduce, where there is one: it may be cut off, but is neither killed nor
    /// paused.
    pub view_service: Option<&'a String>,
    /// Whether a killed node may be started again on its data.
    pub can_restart: bool,
    /// Whether that holds even if all are killed at once. Otherwise a minority at most may be killed or on its way back.
    pub can_restart_all: bool,
    /// Whether a request may be sent twice.
    pub exactly_once: bool,
}

impl<'a> Members<'a> {
    /// The groups that faults are aimed at, one at a time: a fault that takes away a minority of all nodes could take all of one
    /// group.
    #[must_use]
    pub fn electorates(self) -> Vec<Self> {
        let of = |nodes: &'a [String]| Self { nodes, groups: &[], controllers: &[], ..self };
        let groups = self.groups.iter().map(Vec::as_slice);
        let controllers = (!self.controllers.is_empty()).then_some(self.controllers);
        match self.groups {
            [] => vec![self],
            _ => groups.chain(controllers).map(of).collect(),
        }
    }

    /// Whoever has links to others.
    #[must_use]
    pub fn linked(&self) -> Vec<String> {
        self.nodes.iter().chain(self.view_service).chain(self.controllers).cloned().collect()
    }

    /// How many nodes may be away at once while the store has to go on: any minority, or a single one where two of them
    /// may be the only ones with the state.
    #[must_use]
    pub fn dispensable(&self) -> usize {
        let count = self.nodes.len().saturating_sub(1);
        if self.view_service.is_some() { count.min(1) } else { count / 2 }
    }
}

/// One fault of a plan: what it breaks, how that shows, and how it is undone.
pub trait Fault: fmt::Debug + Send + Sync {
    /// Which form of its family it is, in the words of `faults.jsonl`: `halves`, `kill-leader`…
    fn form(&self) -> String;

    /// What it is aimed at, as planned: nodes, links as `n1>n2`, or words such as `leader`.
    fn targets(&self) -> Vec<String>;

    /// What the form leaves open, for the note of the plan.
    fn manner(&self) -> Option<&'static str> {
        None
    }

    /// What happens to messages of single kinds, where that is what it does.
    fn kinds(&self) -> BTreeMap<String, Mishap> {
        BTreeMap::new()
    }

    /// Tries once to break something. Where nothing was hit it is tried again.
    fn start<'a>(&'a self, environment: &'a Environment) -> Work<'a, Hits>;

    /// How often faults of this family have shown so far: the fault has taken hold once this number grows. `None`
    /// where [`Fault::start`] itself sees what it hits.
    fn observed(&self, _environment: &Environment) -> Option<u64> {
        None
    }

    /// Undoes it, given everything that the attempts to start it were aimed at. Says what went wrong.
    fn heal<'a>(
        &'a self,
        environment: &'a Environment,
        aimed_at: &'a [String],
    ) -> Work<'a, Vec<String>>;
}

/// What an attempt to start a fault was aimed at, and what it hit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// What it was aimed at: what healing goes by.
    pub aimed_at: Vec<String>,
    /// What it has hit, or, where that shows only in what passes from now on, is meant to hit.
    pub hit: Vec<String>,
    /// Why the rest was not hit.
    pub misses: Vec<String>,
    /// Who was taken for the leader, if that is a guess.
    pub guess: Option<String>,
}

impl Hits {
    /// An attempt that cannot miss; whether it takes hold, [`Fault::observed`] shows.
    #[must_use]
    pub fn on(targets: Vec<String>) -> Self {
        Self { hit: targets.clone(), aimed_at: targets, ..Self::default() }
    }

    /// What a person should know of the attempt.
    #[must_use]
    pub fn note(&self) -> String {
        let notes: Vec<&str> = self.misses.iter().chain(&self.guess).map(String::as_str).collect();
        notes.join("; ")
    }

    /// Adds one target and whether it was hit.
    pub fn add(&mut self, target: String, result: Result<(), String>) {
        match result {
            Ok(()) => self.hit.push(target.clone()),
            Err(reason) => self.misses.push(format!("{target}: {reason}")),
        }
        self.aimed_at.push(target);
    }
}
