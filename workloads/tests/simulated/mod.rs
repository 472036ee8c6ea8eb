//! A store in memory with clients around it: random interleavings, lost answers, and faults planted on purpose.
//!
//! An operation is invoked, takes effect at one later moment and returns after that. What ends as `info` may take
//! effect at any later moment, even after its client went on, or never; what fails never does.

// Each test file uses a part of this module.
#![allow(dead_code)]

pub mod store;

use std::collections::BTreeSet;

use contract::{Operation, Outcome, manifest::Capability};
use history::{CheckResult, Completion, Verdict};
use isolation::Consistency;
use linearizability::Limits;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::json;
use store::{Effect, Fault, Store};
use workloads::{Client, Workload};

/// Every capability a workload can use.
pub const ALL: [Capability; 5] = [
    Capability::Append,
    Capability::Cas,
    Capability::Multi,
    Capability::Txn,
    Capability::ExactlyOnce,
];

/// What to simulate.
#[derive(Clone, Copy)]
pub struct Plan {
    pub clients: u32,
    pub operations: usize,
    pub info_percent: u32,
    pub fail_percent: u32,
    /// A planted fault, and in how many of a thousand cases it strikes.
    pub fault: Option<(Fault, u32)>,
}

impl Default for Plan {
    fn default() -> Self {
        Self { clients: 5, operations: 300, info_percent: 4, fail_percent: 4, fault: None }
    }
}

/// What came of it.
pub struct Run {
    pub history: Vec<history::Operation>,
    /// The operations at which the planted fault struck.
    pub guilty: BTreeSet<u64>,
}

/// How an operation is going to end.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Ok,
    Fail,
    Info,
}

/// An operation under way, or an unknown one that has outlived its client's patience.
struct Flight {
    /// Its place in the history.
    at: usize,
    operation: Operation,
    fate: Fate,
    effect: Effect,
    client: Option<usize>,
}

struct Simulation<'w> {
    rng: ChaCha8Rng,
    plan: Plan,
    store: Store,
    clients: Vec<Box<dyn Client>>,
    /// The process number of each client, renewed after each unknown outcome.
    processes: Vec<u64>,
    idle: Vec<usize>,
    flights: Vec<Flight>,
    history: Vec<history::Operation>,
    events: u64,
    next_process: u64,
    workload: &'w dyn Workload,
}

/// Runs a workload against the simulated store.
pub fn run(workload: &dyn Workload, seed: u64, plan: Plan) -> Run {
    let clients = (0..plan.clients).map(|client| workload.client(seed, client)).collect();
    let mut simulation = Simulation {
        rng: ChaCha8Rng::seed_from_u64(seed),
        plan,
        store: Store::new(plan.fault),
        clients,
        processes: (0..u64::from(plan.clients)).collect(),
        idle: (0..plan.clients as usize).collect(),
        flights: Vec::new(),
        history: Vec::new(),
        events: 0,
        next_process: u64::from(plan.clients),
        workload,
    };
    simulation.all();
    Run { history: simulation.history, guilty: simulation.store.guilty }
}

impl Simulation<'_> {
    fn all(&mut self) {
        for operation in self.workload.setup() {
            self.alone(&operation, "setup");
        }
        while self.history.len() < self.plan.operations || self.idle.len() < self.clients.len() {
            self.step();
        }
        for operation in self.workload.final_reads() {
            self.alone(&operation, "final");
        }
    }

    /// An operation with nothing beside it but what is still unknown; no fault strikes it.
    fn alone(&mut self, operation: &Operation, phase: &str) {
        let at = self.invoke(operation, 1_000_000, phase);
        let outcome = self.store.right(operation);
        self.end(at, Completion::Ok(self.events, json!(outcome)));
    }

    fn step(&mut self) {
        let idle = self.idle.len();
        let more = self.history.len() < self.plan.operations;
        let choices = self.flights.len() + if more { idle } else { 0 };
        if choices == 0 {
            return;
        }
        let chosen = self.rng.random_range(0..choices);
        if chosen < self.flights.len() { self.advance(chosen) } else { self.begin() }
    }

    fn begin(&mut self) {
        let chosen = self.rng.random_range(0..self.idle.len());
        let client = self.idle.swap_remove(chosen);
        let operation = self.clients[client].next();
        let roll = self.rng.random_range(0..100);
        let fate = if roll < self.plan.info_percent {
            Fate::Info
        } else if roll < self.plan.info_percent + self.plan.fail_percent {
            Fate::Fail
        } else {
            Fate::Ok
        };
        let at = self.invoke(&operation, self.processes[client], "main");
        let effect = Effect::new(self.history[at].call);
        self.flights.push(Flight { at, operation, fate, effect, client: Some(client) });
    }

    /// One more thing happens to an operation under way.
    fn advance(&mut self, chosen: usize) {
        let roll = self.rng.random_range(0..100);
        let flight = &mut self.flights[chosen];
        match (flight.fate, flight.client) {
            (Fate::Ok, _) if !flight.effect.is_done() => {
                self.store.advance(&flight.operation, &mut flight.effect, &mut self.rng);
            }
            (Fate::Ok, _) => {
                let flight = self.flights.swap_remove(chosen);
                let outcome = flight.effect.outcome.expect("it has taken effect");
                self.end(flight.at, Completion::Ok(self.events, json!(outcome)));
                self.completed(flight.client, &flight.operation, Some(&outcome));
            }
            (Fate::Fail, _) => {
                let flight = self.flights.swap_remove(chosen);
                self.store.failed(&flight.operation, flight.effect.call, &mut self.rng);
                self.end(flight.at, Completion::Fail(self.events, None));
                self.completed(flight.client, &flight.operation, None);
            }
            (Fate::Info, Some(client)) if roll < 50 => {
                flight.client = None;
                let (at, operation) = (flight.at, flight.operation.clone());
                self.end(at, Completion::Info(None));
                self.processes[client] = self.next_process;
                self.next_process += 1;
                self.completed(Some(client), &operation, None);
            }
            (Fate::Info, client) => {
                // Now, much later, or never.
                if !flight.effect.is_done() && roll % 10 < 3 {
                    self.store.right_late(&flight.operation, &mut flight.effect);
                } else if client.is_none() && (flight.effect.is_done() || roll > 90) {
                    self.flights.swap_remove(chosen);
                }
            }
        }
    }

    fn completed(
        &mut self,
        client: Option<usize>,
        operation: &Operation,
        outcome: Option<&Outcome>,
    ) {
        let client = client.expect("only unknown operations outlive their clients");
        self.clients[client].completed(operation, outcome);
        self.idle.push(client);
    }

    fn invoke(&mut self, operation: &Operation, process: u64, phase: &str) -> usize {
        let call = self.tick();
        self.store.called(call);
        self.history.push(history::Operation {
            call,
            process,
            f: operation.name().to_owned(),
            arguments: operation.arguments(),
            completion: Completion::Info(None),
            call_ns: call * 1_000_000,
            return_ns: None,
            node: None,
            phase: phase.to_owned(),
        });
        self.history.len() - 1
    }

    fn end(&mut self, at: usize, completion: Completion) {
        let now = self.tick();
        let operation = &mut self.history[at];
        operation.return_ns = Some(now * 1_000_000);
        operation.completion = completion;
    }

    fn tick(&mut self) -> u64 {
        self.events += 1;
        self.events - 1
    }
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
