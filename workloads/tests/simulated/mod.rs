//! Workloads against a simulated store, right or with a fault planted on purpose.

// Each test file uses a part of this module.
#![allow(dead_code)]

pub mod store;

use std::collections::BTreeSet;

use checker_testing::simulation::{self, Object, Plan, Request, Rng};
use contract::{Operation, manifest::Capability};
use history::{CheckResult, Completion, Operation as Recorded, Verdict};
use isolation::Consistency;
use linearizability::Limits;
use serde_json::{Value, json};
use store::{Fault, Store};
use workloads::{Client, Workload};

/// Every capability a workload can use.
pub const ALL: [Capability; 5] = [
    Capability::Append,
    Capability::Cas,
    Capability::Multi,
    Capability::Txn,
    Capability::ExactlyOnce,
];

/// What most tests simulate.
pub const PLAN: Plan = Plan { clients: 5, operations: 300, info_percent: 4, fail_percent: 4 };

/// What came of it.
pub struct Run {
    pub history: Vec<Recorded>,
    /// The operations at which the planted fault struck.
    pub guilty: BTreeSet<u64>,
}

/// A workload's clients, and the store that they talk to.
struct System<'w> {
    workload: &'w dyn Workload,
    clients: Vec<Box<dyn Client>>,
    store: Store,
}

/// Runs a workload against the simulated store. A planted fault strikes in so many of a thousand cases.
pub fn run(workload: &dyn Workload, seed: u64, plan: Plan, fault: Option<(Fault, u32)>) -> Run {
    let clients = (0..plan.clients as u32).map(|client| workload.client(seed, client)).collect();
    let mut system = System { workload, clients, store: Store::new(fault, plan.clients) };
    let history = simulation::run(&mut system, seed, plan);
    Run { history, guilty: system.store.guilty }
}

impl Object for System<'_> {
    fn setup(&self) -> Vec<Request> {
        self.workload.setup().iter().map(request).collect()
    }

    fn ask(&mut self, client: usize, _: &mut Rng) -> Request {
        self.store.began(client);
        request(&self.clients[client].next())
    }

    fn apply(&mut self, client: usize, recorded: &Recorded, rng: &mut Rng) -> Option<Value> {
        Some(json!(self.store.apply(client, recorded.call, &operation(recorded), rng)))
    }

    fn apply_without_fault(&mut self, _: usize, recorded: &Recorded, _: &mut Rng) -> Option<Value> {
        Some(json!(self.store.right(&operation(recorded))))
    }

    fn ended(&mut self, client: usize, recorded: &Recorded, rng: &mut Rng) {
        let operation = operation(recorded);
        match &recorded.completion {
            Completion::Ok(..) => self.store.finish(recorded.call),
            Completion::Fail(..) => self.store.failed(recorded.call, &operation, rng),
            Completion::Info(_) => {}
        }
        let told = |result| operation.parse_outcome(result).expect("results have their shape");
        self.clients[client].completed(&operation, recorded.result().map(told).as_ref());
    }

    fn last(&self) -> Vec<Request> {
        self.workload.final_reads().iter().map(request).collect()
    }
}

fn request(operation: &Operation) -> Request {
    (operation.name(), operation.arguments())
}

fn operation(recorded: &Recorded) -> Operation {
    Operation::from_parts(&recorded.f, &recorded.arguments).expect("a client asked for it")
}

/// Judges a run of a store that promises all that there is.
pub fn judge(workload: &dyn Workload, run: &Run) -> Vec<CheckResult> {
    judge_at(workload, run, Consistency::StrictSerializable)
}

/// Judges a run of a store that promises this level.
pub fn judge_at(workload: &dyn Workload, run: &Run, level: Consistency) -> Vec<CheckResult> {
    workload.check(&run.history, level, &Limits::default())
}

/// The kinds of all violations found.
pub fn kinds(results: &[CheckResult]) -> BTreeSet<&str> {
    results.iter().flat_map(|result| &result.violations).map(|found| found.kind.as_str()).collect()
}

/// Whether any check found a violation.
pub fn violated(results: &[CheckResult]) -> bool {
    results.iter().any(|result| result.verdict == Verdict::Violation)
}
