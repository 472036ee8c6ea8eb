//! `controller`: a shard controller's groups come and go and shards are moved, while clients ask for the latest configuration
//! and for old ones.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use contract::{Configuration, Operation, Outcome, manifest::Capability};
use history::{CheckResult, Limits};
use invariants::Invariant;
use isolation::Consistency;

use crate::{Client, Workload, WorkloadEntry, record, seeded::Seeded};

/// How many groups there are at most: more and fewer than the contract's shards would be, taken together.
const GROUPS: u64 = 12;
/// How many servers each has.
const SERVERS: u64 = 3;
/// Of a hundred operations so many are changes: every configuration is kept for good, so that they must not be too many.
const CHANGES_PERCENT: u64 = 4;
/// So many of the others ask for an old configuration.
const OLD_PERCENT: u64 = 20;
/// How many old configurations are asked for at the end, at each node.
const FINAL_QUERIES: u64 = 30;

/// A shard controller, asked and changed.
#[derive(Default)]
pub struct Controller {
    /// The highest number that a client has seen.
    seen: Arc<AtomicU64>,
}

/// The row of the registry.
pub(crate) const ENTRY: WorkloadEntry = WorkloadEntry {
    name: "controller",
    about: "Groups join and leave a shard controller, and shards are moved; configurations must follow one another by its rules, \
         and every query must give the latest one, or the old one that it asks for.",
    needs: &[Capability::Configurations],
    make: |_| Box::new(Controller::default()),
};

impl Workload for Controller {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn client(&self, seed: u64, client: u32) -> Box<dyn Client> {
        let known = Configuration::first(0);
        Box::new(ControllerClient {
            choices: Seeded::new(seed, client),
            known,
            seen: self.seen.clone(),
        })
    }

    fn final_reads(&self) -> Vec<Operation> {
        let seen = self.seen.load(Ordering::Relaxed);
        let step = (seen / FINAL_QUERIES).max(1);
        let old = (0..=seen).step_by(usize::try_from(step).unwrap_or(usize::MAX));
        let old = old.filter_map(|num| i64::try_from(num).ok());
        [-1].into_iter().chain(old).map(|num| Operation::Query { num }).collect()
    }

    fn must_succeed(&self) -> &'static [&'static str] {
        &["query", "join", "leave", "move"]
    }

    fn check(
        &self,
        operations: &[history::Operation],
        _level: Consistency,
        _limits: &Limits,
    ) -> Vec<CheckResult> {
        vec![judge(operations)]
    }
}

/// Whether the configurations in the record keep the rules of a shard controller; `None` where nobody was told any.
#[must_use]
pub fn check_configurations(operations: &[history::Operation]) -> Option<CheckResult> {
    let was_told =
        |operation: &history::Operation| operation.f == "query" && operation.result().is_some();
    operations.iter().any(was_told).then(|| judge(operations))
}

fn judge(operations: &[history::Operation]) -> CheckResult {
    let records = record::read_of_controllers(operations).map(|records| {
        let asked = records.iter().map(|record| {
            let (f, arguments) = (record.operation.name(), record.operation.arguments());
            record.to_operation(f, arguments, |outcome| serde_json::to_value(outcome).ok())
        });
        asked.collect()
    });
    record::judge(Invariant::Configurations, records)
}

struct ControllerClient {
    choices: Seeded,
    /// The latest configuration that this client knows of.
    known: Configuration,
    seen: Arc<AtomicU64>,
}

impl Client for ControllerClient {
    fn next(&mut self) -> Operation {
        if self.choices.chance(CHANGES_PERCENT) {
            return self.change();
        }
        let latest = self.known.num;
        if !self.choices.chance(OLD_PERCENT) {
            return Operation::Query { num: -1 };
        }
        // Now and then one that is not there yet.
        let num = i64::try_from(self.choices.below(latest + 3)).unwrap_or(i64::MAX);
        Operation::Query { num }
    }

    fn completed(&mut self, _operation: &Operation, outcome: Option<&Outcome>) {
        let Some(Outcome::Configuration(configuration)) = outcome else { return };
        if configuration.num >= self.known.num {
            self.known = configuration.clone();
            self.seen.fetch_max(configuration.num, Ordering::Relaxed);
        }
    }
}

impl ControllerClient {
    /// One that makes sense, as far as this client knows; somebody else may have been there first.
    fn change(&mut self) -> Operation {
        let here: Vec<String> = self.known.groups.keys().cloned().collect();
        let absent = (1..=GROUPS).filter(|number| !self.known.groups.contains_key(&group(*number)));
        let absent: Vec<u64> = absent.collect();
        match self.choices.below(3) {
            _ if here.is_empty() => self.join(&absent),
            0 if !absent.is_empty() => self.join(&absent),
            1 => self.leave(&here),
            _ => {
                let shards = u64::try_from(self.known.shards.len()).unwrap_or(1);
                let shard = self.choices.below(shards.max(1));
                Operation::Move { shard, group: self.one_of(&here) }
            }
        }
    }

    /// One group joins, or two.
    fn join(&mut self, absent: &[u64]) -> Operation {
        let mut groups = BTreeMap::new();
        for _ in 0..=self.choices.below(2) {
            let number = self.one_of(absent);
            groups.insert(group(number), servers(number));
        }
        Operation::Join { groups }
    }

    /// One group leaves, or all of them but a few.
    fn leave(&mut self, here: &[String]) -> Operation {
        if self.choices.chance(85) {
            return Operation::Leave { groups: vec![self.one_of(here)] };
        }
        let stay = self.choices.below(3);
        let leaving = here.iter().skip(usize::try_from(stay).unwrap_or(0));
        let leaving: Vec<String> = leaving.cloned().collect();
        let groups = if leaving.is_empty() { here.to_vec() } else { leaving };
        Operation::Leave { groups }
    }

    /// `all` has something in it.
    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        let count = u64::try_from(all.len()).unwrap_or(1);
        all[usize::try_from(self.choices.below(count)).unwrap_or(0)].clone()
    }
}

fn group(number: u64) -> String {
    format!("g{number}")
}

fn servers(group: u64) -> Vec<String> {
    (1..=SERVERS).map(|server| format!("g{group}n{server}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_change_little_ask_much_and_every_kind_of_change_comes() {
        let workload = Controller::default();
        assert_eq!(workload.final_reads().len(), 2, "the latest, and number 0");
        let mut client = workload.client(1, 0);
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let groups = (1..=5).map(|number| (group(number), servers(number))).collect();
        let shards = vec![Some(group(1)); 10];
        let known = Configuration { num: 90, shards, groups };
        for _ in 0..10_000 {
            let operation = client.next();
            *counts.entry(operation.name()).or_default() += 1;
            client.completed(&operation, Some(&Outcome::Configuration(known.clone())));
        }
        assert!(counts["query"] > 9_000, "{counts:?}");
        assert!(["join", "leave", "move"].iter().all(|f| counts[f] > 50), "{counts:?}");
        assert_eq!(workload.final_reads().len(), 32, "every third, and the latest");
    }

    #[test]
    fn the_same_seed_gives_the_same_operations() {
        let asked = |seed| -> Vec<Operation> {
            let mut client = Controller::default().client(seed, 0);
            (0..500).map(|_| client.next()).collect()
        };
        assert_eq!(asked(3), asked(3));
        assert_ne!(asked(3), asked(4));
    }
}
