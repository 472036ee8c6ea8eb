//! Clients around an object that takes one step at a time.
//!
//! An operation is invoked, takes effect at one later moment and returns after that. What ends as `info` may take
//! effect at any later moment, even after its client went on under another number, or never; what fails never does.

use history::{Completion, Operation};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::Value;

/// What clients work on.
pub trait Object {
    /// The next operation: its function and its argument.
    fn ask(&mut self, rng: &mut ChaCha8Rng) -> (&'static str, Value);

    /// Carries an operation out for a client; `None` where it refuses.
    fn apply(
        &mut self,
        client: usize,
        f: &str,
        arguments: &Value,
        rng: &mut ChaCha8Rng,
    ) -> Option<Value>;

    /// What is asked at the end, with nothing beside it.
    fn last(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

#[derive(Clone, Copy)]
pub struct Plan {
    pub clients: usize,
    pub operations: usize,
    pub info_percent: u32,
    pub fail_percent: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Ok,
    Fail,
    Info,
}

struct Flight {
    at: usize,
    client: usize,
    fate: Fate,
    /// What came of it, once it has taken effect.
    result: Option<Option<Value>>,
    /// Nobody waits for it any more.
    abandoned: bool,
}

struct Simulation<'o> {
    object: &'o mut dyn Object,
    plan: Plan,
    rng: ChaCha8Rng,
    history: Vec<Operation>,
    events: u64,
    flights: Vec<Flight>,
    idle: Vec<usize>,
    processes: Vec<u64>,
}

pub fn run(object: &mut dyn Object, seed: u64, plan: Plan) -> Vec<Operation> {
    let mut simulation = Simulation {
        object,
        plan,
        rng: ChaCha8Rng::seed_from_u64(seed),
        history: Vec::new(),
        events: 0,
        flights: Vec::new(),
        idle: (0..plan.clients).collect(),
        processes: (0..plan.clients as u64).collect(),
    };
    while simulation.history.len() < plan.operations || simulation.idle.len() < plan.clients {
        simulation.step();
    }
    for (f, arguments) in simulation.object.last() {
        let at = simulation.invoke(0, f, arguments.clone());
        let result = simulation.object.apply(0, f, &arguments, &mut simulation.rng);
        simulation.end(at, result);
    }
    simulation.history
}

impl Simulation<'_> {
    fn step(&mut self) {
        let idle = if self.history.len() < self.plan.operations { self.idle.len() } else { 0 };
        let choices = self.flights.len() + idle;
        let chosen = self.rng.random_range(0..choices);
        if chosen < self.flights.len() { self.advance(chosen) } else { self.begin() }
    }

    fn begin(&mut self) {
        let chosen = self.rng.random_range(0..self.idle.len());
        let client = self.idle.swap_remove(chosen);
        let roll = self.rng.random_range(0..100);
        let Plan { info_percent, fail_percent, .. } = self.plan;
        let fate = match roll {
            roll if roll < info_percent => Fate::Info,
            roll if roll < info_percent + fail_percent => Fate::Fail,
            _ => Fate::Ok,
        };
        let (f, arguments) = self.object.ask(&mut self.rng);
        let at = self.invoke(client, f, arguments);
        self.flights.push(Flight { at, client, fate, result: None, abandoned: false });
    }

    fn advance(&mut self, chosen: usize) {
        let Flight { fate, client, at, abandoned, .. } = self.flights[chosen];
        let done = self.flights[chosen].result.is_some();
        let roll = self.rng.random_range(0..100);
        match fate {
            Fate::Ok if !done => self.take_effect(chosen),
            Fate::Ok => {
                let flight = self.flights.swap_remove(chosen);
                self.end(at, flight.result.flatten());
                self.idle.push(client);
            }
            Fate::Fail => {
                self.flights.swap_remove(chosen);
                self.end(at, None);
                self.idle.push(client);
            }
            Fate::Info if !abandoned && roll < 50 => {
                self.flights[chosen].abandoned = true;
                self.events += 1;
                self.processes[client] += self.plan.clients as u64;
                self.idle.push(client);
            }
            Fate::Info if !done && roll < 70 => self.take_effect(chosen),
            Fate::Info if abandoned && roll > 95 => {
                self.flights.swap_remove(chosen);
            }
            Fate::Info => {}
        }
    }

    fn take_effect(&mut self, chosen: usize) {
        let Flight { client, at, .. } = self.flights[chosen];
        let Operation { f, arguments, .. } = &self.history[at];
        let result = self.object.apply(client, f, arguments, &mut self.rng);
        self.flights[chosen].result = Some(result);
    }

    fn invoke(&mut self, client: usize, f: &str, arguments: Value) -> usize {
        self.history.push(Operation {
            call: self.events,
            process: self.processes[client],
            f: f.to_owned(),
            arguments,
            completion: Completion::Info(None),
            call_ns: self.events * 1_000_000,
            return_ns: None,
            node: None,
            phase: String::new(),
        });
        self.events += 1;
        self.history.len() - 1
    }

    fn end(&mut self, at: usize, result: Option<Value>) {
        let operation = &mut self.history[at];
        operation.return_ns = Some(self.events * 1_000_000);
        operation.completion = match result {
            Some(result) => Completion::Ok(self.events, result),
            None => Completion::Fail(self.events, None),
        };
        self.events += 1;
    }
}
