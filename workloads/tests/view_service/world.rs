//! Scripts against a simulated service: time passes, requests and answers take a while.

use history::{Completion, Operation};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::json;
use workloads::view_service::{Heard, LOOK, PING, START, Script};

use super::service::{Manner, Service};

const NS_A_US: u64 = 1000;

/// How long things take.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// One request in a hundred takes long.
    pub slow_percent: u32,
    /// One round in a hundred, everything stands still.
    pub stall_percent: u32,
}

pub struct World {
    rng: ChaCha8Rng,
    pace: Pace,
    service: Service,
    now_us: u64,
    next_tick_us: u64,
    operations: Vec<Operation>,
    index: u64,
}

/// A ping that is under way.
struct Flight {
    process: u64,
    server: String,
    num: u64,
    call: u64,
    call_us: u64,
    arrives_us: u64,
    returns_us: u64,
}

impl World {
    pub fn new(manner: Manner, pace: Pace, seed: u64) -> Self {
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            pace,
            service: Service::new(manner),
            now_us: 1000,
            next_tick_us: 1000,
            operations: Vec::new(),
            index: 0,
        }
    }

    /// The record of these scripts, one after the other, each against a service that starts anew.
    pub fn play(mut self, scripts: Vec<(String, Box<dyn Script>)>) -> Vec<Operation> {
        for (name, script) in scripts {
            self.play_one(&name, script);
        }
        self.operations
    }

    fn play_one(&mut self, name: &str, mut script: Box<dyn Script>) {
        let manner = self.service.manner;
        self.service = Service::new(manner);
        let (call, call_us) = (self.index(), self.now_us);
        let start = json!({ "script": name, "ping_ms": 50, "dead_ms": 300 });
        self.record((call, call_us), 3, START, start, json!({}));
        let mut heard = Heard::default();
        while let Some(round) = script.next(&heard) {
            let begun_us = self.now_us;
            if self.rng.random_range(0..100) < self.pace.stall_percent {
                // The service stands still as well.
                self.now_us += self.rng.random_range(100_000..2_000_000);
                self.next_tick_us = self.next_tick_us.max(self.now_us);
            }
            if round.is_between {
                self.tick_until(self.now_us + 25_000);
            }
            if round.looks {
                let (called, view) = ((self.index(), self.now_us), self.service.view());
                self.now_us += 200;
                self.record(called, 3, LOOK, json!({}), json!(view));
                heard.looked(&view);
            }
            let groups: Vec<Vec<_>> = match round.at_once {
                true => vec![round.pings],
                false => round.pings.into_iter().map(|ping| vec![ping]).collect(),
            };
            for group in groups {
                let flights = group.iter().map(|ping| self.send(&ping.node, ping.view)).collect();
                self.fly(flights, &mut heard);
            }
            self.tick_until((begun_us + 50_000).max(self.now_us));
        }
    }

    fn send(&mut self, server: &str, num: u64) -> Flight {
        self.now_us += self.rng.random_range(20..300);
        let (call, call_us) = (self.index(), self.now_us);
        let arrives_us = call_us + self.delay_us();
        let returns_us = arrives_us + self.delay_us();
        let process = u64::from(server.as_bytes()[1] - b'1');
        Flight { process, server: server.to_owned(), num, call, call_us, arrives_us, returns_us }
    }

    fn delay_us(&mut self) -> u64 {
        match self.rng.random_range(0..100) < self.pace.slow_percent {
            true => self.rng.random_range(2_000..250_000),
            false => self.rng.random_range(50..1_500),
        }
    }

    fn fly(&mut self, mut flights: Vec<Flight>, heard: &mut Heard) {
        flights.sort_by_key(|flight| flight.arrives_us);
        let mut answers = Vec::new();
        for flight in flights {
            self.tick_until(flight.arrives_us);
            let now_ms = flight.arrives_us / 1000;
            answers.push((self.service.ping(&flight.server, flight.num, now_ms), flight));
        }
        answers.sort_by_key(|(_, flight)| flight.returns_us);
        for (view, flight) in answers {
            self.tick_until(flight.returns_us);
            let arguments = json!({ "node": flight.server, "view": flight.num });
            let called = (flight.call, flight.call_us);
            self.record(called, flight.process, PING, arguments, json!(view));
            heard.told(&flight.server, view);
        }
    }

    fn tick_until(&mut self, end_us: u64) {
        while self.next_tick_us <= end_us {
            self.service.look(self.next_tick_us / 1000);
            self.next_tick_us += self.service.manner.tick_ms * 1000;
        }
        self.now_us = self.now_us.max(end_us);
    }

    fn index(&mut self) -> u64 {
        self.index += 1;
        self.index
    }

    fn record(
        &mut self,
        (call, call_us): (u64, u64),
        process: u64,
        f: &str,
        arguments: serde_json::Value,
        result: serde_json::Value,
    ) {
        let index = self.index();
        self.operations.push(Operation {
            call,
            process,
            f: f.into(),
            arguments,
            completion: Completion::Ok(index, result),
            call_ns: call_us * NS_A_US,
            return_ns: Some(self.now_us * NS_A_US),
            node: None,
            phase: "main".to_owned(),
        });
    }
}
