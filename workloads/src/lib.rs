//! What clients do and what must hold: one file a workload.
//!
//! A [`Workload`] makes operations and judges the record of them. It sees no network, no process and no clock: its
//! clients are deterministic by (seed, client) and the answers they got, and its checks read nothing but the record.
//! Whatever a check calls a violation must be one under every reading of the unknown (`info`) operations.

use contract::{Operation, Outcome, manifest::Capability};
use history::{CheckResult, Limits};

mod anomalies;
mod bank_swap;
mod bank_txn;
mod counter;
mod guards;
mod long_fork;
mod multi;
mod narrate;
mod overtaken;
mod random_transactions;
mod record;
mod register;
mod rotation;
mod seeded;
mod set;
mod transactions;
mod write_skew;

pub use bank_swap::BankSwap;
pub use bank_txn::BankTxn;
pub use counter::Counter;
pub use long_fork::LongFork;
pub use multi::Multi;
pub use random_transactions::RandomTransactions;
pub use register::Register;
pub use set::Set;
pub use write_skew::WriteSkew;

/// What clients do and what must hold.
pub trait Workload: Send + Sync {
    /// The name that [`by_name`] takes.
    fn name(&self) -> &'static str;

    /// One sentence for people: what the clients do and what must hold.
    fn about(&self) -> &'static str;

    /// The optional parts of the contract without which this workload cannot run.
    fn needs(&self) -> &'static [Capability];

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

    /// Judges the record.
    fn check(&self, operations: &[history::Operation], limits: &Limits) -> Vec<CheckResult>;
}

/// A source of operations: one outstanding at a time.
pub trait Client: Send {
    /// The next operation.
    fn next(&mut self) -> Operation;

    /// How the last one ended; `None` where it failed or nobody knows. Only clients that build on it care.
    fn completed(&mut self, _operation: &Operation, _outcome: Option<&Outcome>) {}
}

/// The names [`by_name`] takes. `bank` stands for the strongest form the store can serve.
pub const NAMES: [&str; 11] = [
    "register",
    "list-append",
    "rw-register",
    "set",
    "counter",
    "multi",
    "long-fork",
    "write-skew",
    "bank",
    "bank:txn",
    "bank:swap",
];

/// The workload of this name, using what `manifest_caps` offer. Whether they include what the workload
/// [needs](Workload::needs) is for the caller to decide: a record can be judged without any store.
///
/// # Errors
/// An unknown name, with the names there are; or `bank` for a store that can serve neither of its forms.
pub fn by_name(name: &str, manifest_caps: &[Capability]) -> Result<Box<dyn Workload>, String> {
    let can = |capability| manifest_caps.contains(&capability);
    match name {
        "register" => Ok(Box::new(Register::new(manifest_caps))),
        "list-append" => Ok(Box::new(RandomTransactions::list_append(manifest_caps))),
        "rw-register" => Ok(Box::new(RandomTransactions::rw_register(manifest_caps))),
        "set" => Ok(Box::new(Set::default())),
        "counter" => Ok(Box::new(Counter::default())),
        "multi" => Ok(Box::new(Multi::default())),
        "long-fork" => Ok(Box::new(LongFork::new(manifest_caps))),
        "write-skew" => Ok(Box::new(WriteSkew::default())),
        "bank:txn" => Ok(Box::new(BankTxn::new(manifest_caps))),
        "bank:swap" => Ok(Box::new(BankSwap::default())),
        "bank" if can(Capability::Txn) => Ok(Box::new(BankTxn::new(manifest_caps))),
        "bank" if can(Capability::Multi) => Ok(Box::new(BankSwap::default())),
        "bank" => Err("the workload `bank` needs a store with `txn` or `multi` in the `caps` of its manifest; \
                       try `register`"
            .to_owned()),
        _ => Err(format!("there is no workload `{name}`; there are: {}", NAMES.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_gives_a_workload_and_bank_takes_the_strongest_form() {
        let all = [Capability::Txn, Capability::Multi];
        for name in NAMES {
            let workload = by_name(name, &all).unwrap();
            assert!(workload.name().starts_with(name), "{name} gave {}", workload.name());
            assert!(workload.about().ends_with('.'));
        }
        assert_eq!(by_name("bank", &all).unwrap().name(), "bank:txn");
        assert_eq!(by_name("bank", &[Capability::Multi]).unwrap().name(), "bank:swap");
    }

    #[test]
    fn a_name_or_a_store_that_does_not_fit_is_told_what_would() {
        let unknown = by_name("banana", &[]).err().unwrap();
        assert!(NAMES.iter().all(|name| unknown.contains(name)), "{unknown}");
        assert!(by_name("bank", &[]).err().unwrap().contains("`txn` or `multi`"));
    }
}
