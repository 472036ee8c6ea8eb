//! What clients do and what must hold: one file a workload.
//!
//! A [`Workload`] makes operations and judges the record of them. It sees no network, no process and no clock: its
//! clients are deterministic by (seed, client) and the answers they got, and its checks read nothing but the record.
//! Whatever a check calls a violation must be one under every reading of the unknown (`info`) operations.

use contract::{Operation, Outcome, manifest::Capability};
use history::{CheckResult, Limits};
use isolation::Consistency;

mod anomalies;
mod bank_swap;
mod bank_txn;
pub mod by_hand;
mod controller;
mod counter;
mod guards;
pub mod levels;
mod long_fork;
pub mod mapreduce;
mod multi;
mod random_transactions;
mod record;
mod register;
mod rotation;
mod seeded;
mod set;
pub mod store;
mod transactions;
pub mod view_service;
mod words;
mod write_skew;

pub use controller::check_configurations;
pub use levels::Levels;

/// What clients do and what must hold.
pub trait Workload: Send + Sync {
    /// Its name in [`WORKLOADS`].
    fn name(&self) -> &'static str;

    /// What one clerk does, in order, before the main phase: nothing, where clients make what they need.
    fn setup(&self) -> Vec<Operation> {
        Vec::new()
    }

    /// The client with this number: deterministic by (seed, client) and the answers it gets.
    fn client(&self, seed: u64, client: u32) -> Box<dyn Client>;

    /// What is asked at each node after the faults have stopped.
    fn final_reads(&self) -> Vec<Operation>;

    /// The functions of which at least one must succeed in the main phase; otherwise nothing was tested.
    fn must_succeed(&self) -> &'static [&'static str];

    /// The levels at which it can judge.
    fn levels(&self) -> Levels {
        Levels::Only(Consistency::Linearizable)
    }

    /// Judges whether the record keeps this level, one of [`Self::levels`].
    fn check(
        &self,
        operations: &[history::Operation],
        level: Consistency,
        limits: &Limits,
    ) -> Vec<CheckResult>;
}

/// A source of operations: one outstanding at a time.
pub trait Client: Send {
    /// The next operation.
    fn next(&mut self) -> Operation;

    /// How the last one ended; `None` where it failed or nobody knows. Only clients that build on it care.
    fn completed(&mut self, _operation: &Operation, _outcome: Option<&Outcome>) {}
}

/// One row of the registry of workloads.
pub struct WorkloadEntry {
    /// The name that [`by_name`] takes.
    pub name: &'static str,
    /// One sentence for people: what the clients do and what must hold.
    pub about: &'static str,
    /// The optional parts of the contract of which a store must have one; empty where it needs none.
    pub needs: &'static [Capability],
    /// The workload, using what a store with these parts offers. Whether they [suit](Self::suits) it is for the caller to
    /// decide: a record can be judged without any store.
    pub make: fn(&[Capability]) -> Box<dyn Workload>,
}

/// All workloads for stores.
pub const WORKLOADS: [WorkloadEntry; 14] = [
    register::REGISTER,
    register::APPEND,
    register::PUTHASH,
    random_transactions::LIST_APPEND,
    random_transactions::RW_REGISTER,
    set::ENTRY,
    counter::ENTRY,
    multi::ENTRY,
    long_fork::ENTRY,
    write_skew::ENTRY,
    BANK,
    bank_txn::ENTRY,
    bank_swap::ENTRY,
    controller::ENTRY,
];

/// The strongest form that the store can serve.
const BANK: WorkloadEntry = WorkloadEntry {
    name: "bank",
    about: "The same as `bank:txn` for a store with `txn`, otherwise the same as `bank:swap`.",
    needs: &[Capability::Txn, Capability::Multi],
    make: |caps| {
        let form = if bank_txn::ENTRY.suits(caps) { bank_txn::ENTRY } else { bank_swap::ENTRY };
        (form.make)(caps)
    },
};

impl WorkloadEntry {
    /// Whether a store with these optional parts can serve the workload. A shard controller has no keys.
    #[must_use]
    pub fn suits(&self, manifest_caps: &[Capability]) -> bool {
        let has_keys = !manifest_caps.contains(&Capability::Configurations);
        match self.needs {
            [] => has_keys,
            needs => needs.iter().any(|part| manifest_caps.contains(part)),
        }
    }

    /// What a store must have: `` `txn` or `multi` ``.
    #[must_use]
    pub fn needs_in_words(&self) -> String {
        if self.needs.is_empty() {
            return "a store with keys".to_owned();
        }
        self.needs.iter().map(|part| format!("`{}`", part.name())).collect::<Vec<_>>().join(" or ")
    }
}

/// The names of all workloads, and what they do in a sentence: of those for stores, of [`view_service`] and of [`mapreduce`].
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_stores = WORKLOADS.into_iter().map(|entry| (entry.name, entry.about));
    let others = [(view_service::NAME, view_service::ABOUT), (mapreduce::NAME, mapreduce::ABOUT)];
    of_stores.chain(others)
}

/// The names of all workloads.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().map(|(name, _)| name)
}

/// The row of this name, of a workload for stores.
///
/// # Errors
/// An unknown name, with the names there are.
pub fn entry(name: &str) -> Result<WorkloadEntry, String> {
    WORKLOADS.into_iter().find(|entry| entry.name == name).ok_or_else(|| {
        let known = names().collect::<Vec<_>>().join(", ");
        format!("there is no workload `{name}`; there are: {known}")
    })
}

/// The workload of this name, [made](WorkloadEntry::make) for a store with these parts; that of a person, too, which is none
/// of [`WORKLOADS`].
///
/// # Errors
/// An unknown name, with the names there are.
pub fn by_name(name: &str, manifest_caps: &[Capability]) -> Result<Box<dyn Workload>, String> {
    if name == by_hand::NAME {
        return Ok(Box::new(by_hand::ByHand::default()));
    }
    entry(name).map(|entry| (entry.make)(manifest_caps))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_gives_a_workload_and_bank_takes_the_strongest_form() {
        let all = [Capability::Txn, Capability::Multi];
        for WorkloadEntry { name, about, .. } in WORKLOADS {
            let workload = by_name(name, &all).unwrap();
            assert!(workload.name().starts_with(name), "{name} gave {}", workload.name());
            assert!(about.ends_with('.'), "{about}");
        }
        assert_eq!(by_name("bank", &all).unwrap().name(), "bank:txn");
        assert_eq!(by_name("bank", &[Capability::Multi]).unwrap().name(), "bank:swap");
    }

    #[test]
    fn an_unknown_name_is_told_which_there_are_and_a_store_what_it_lacks() {
        let unknown = by_name("banana", &[]).err().unwrap();
        assert!(names().all(|name| unknown.contains(name)), "{unknown}");
        let suits = |name, caps: &[Capability]| entry(name).unwrap().suits(caps);
        assert!(suits("register", &[]) && suits("long-fork", &[Capability::Txn]));
        assert!(!suits("bank", &[Capability::Cas]) && !suits("bank:txn", &[Capability::Multi]));
        assert_eq!(entry("bank").unwrap().needs_in_words(), "`txn` or `multi`");
    }
}
