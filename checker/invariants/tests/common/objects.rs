//! Objects that are right.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use checker_testing::simulation::{Object, Request, Rng};
use history::Operation;
use rand::RngExt;
use serde_json::{Value, json};

use super::controller::{Controller, Use};

/// Accounts that are never overdrawn.
pub struct Bank {
    balances: BTreeMap<String, i64>,
}

impl Default for Bank {
    fn default() -> Self {
        Self { balances: (0..5).map(|number| (number.to_string(), 20)).collect() }
    }
}

impl Object for Bank {
    fn ask(&mut self, _: usize, rng: &mut Rng) -> Request {
        if rng.random_range(0..2) == 0 {
            return ("read", Value::Null);
        }
        let (from, to, amount) =
            (rng.random_range(0..5), rng.random_range(0..5), rng.random_range(1..9));
        ("transfer", json!({"from": from, "to": to, "amount": amount}))
    }

    fn apply(&mut self, _: usize, operation: &Operation, _: &mut Rng) -> Option<Value> {
        if operation.f == "read" {
            return Some(json!(self.balances));
        }
        let amount = operation.arguments["amount"].as_i64()?;
        let from = self.balances.get_mut(&operation.arguments["from"].to_string())?;
        if *from < amount {
            return None;
        }
        *from -= amount;
        *self.balances.get_mut(&operation.arguments["to"].to_string())? += amount;
        Some(operation.arguments.clone())
    }
}

/// A set that grows, under the name that a test has for adding to it.
pub struct Grown {
    add: &'static str,
    next: u64,
    elements: BTreeSet<u64>,
}

impl Grown {
    pub fn new(add: &'static str) -> Self {
        Self { add, next: 0, elements: BTreeSet::new() }
    }
}

impl Object for Grown {
    fn ask(&mut self, _: usize, rng: &mut Rng) -> Request {
        if rng.random_range(0..3) == 0 {
            return ("read", Value::Null);
        }
        self.next += 1;
        (self.add, json!(self.next))
    }

    fn apply(&mut self, _: usize, operation: &Operation, _: &mut Rng) -> Option<Value> {
        if operation.f == "read" {
            return Some(json!(self.elements));
        }
        self.elements.insert(operation.arguments.as_u64()?);
        Some(operation.arguments.clone())
    }

    fn last(&self) -> Vec<Request> {
        vec![("read", Value::Null)]
    }
}

#[derive(Default)]
pub struct Counter {
    value: i64,
}

impl Object for Counter {
    fn ask(&mut self, _: usize, rng: &mut Rng) -> Request {
        match rng.random_range(0..6) {
            0 => ("increment", Value::Null),
            1 => ("decrement", Value::Null),
            2 | 3 => ("add", json!(rng.random_range(-5..9))),
            _ => ("read", Value::Null),
        }
    }

    fn apply(&mut self, _: usize, operation: &Operation, _: &mut Rng) -> Option<Value> {
        self.value += match operation.f.as_str() {
            "increment" => 1,
            "decrement" => -1,
            "add" => operation.arguments.as_i64()?,
            _ => return Some(json!(self.value)),
        };
        Some(operation.arguments.clone())
    }
}

/// A queue without order, drained at the end.
#[derive(Default)]
pub struct Queue {
    next: u64,
    elements: Vec<Value>,
}

impl Object for Queue {
    fn ask(&mut self, _: usize, rng: &mut Rng) -> Request {
        if rng.random_range(0..5) < 2 {
            return ("dequeue", Value::Null);
        }
        self.next += 1;
        ("enqueue", json!(self.next))
    }

    fn apply(&mut self, _: usize, operation: &Operation, rng: &mut Rng) -> Option<Value> {
        match operation.f.as_str() {
            "enqueue" => {
                self.elements.push(operation.arguments.clone());
                Some(operation.arguments.clone())
            }
            "drain" => Some(Value::Array(std::mem::take(&mut self.elements))),
            _ if self.elements.is_empty() => Some(Value::Null),
            _ => {
                let chosen = rng.random_range(0..self.elements.len());
                Some(self.elements.swap_remove(chosen))
            }
        }
    }

    fn last(&self) -> Vec<Request> {
        vec![("drain", Value::Null)]
    }
}

#[derive(Default)]
pub struct Ids {
    next: u64,
}

impl Object for Ids {
    fn ask(&mut self, _: usize, _: &mut Rng) -> Request {
        ("generate", Value::Null)
    }

    fn apply(&mut self, _: usize, _: &Operation, _: &mut Rng) -> Option<Value> {
        self.next += 1;
        Some(json!(self.next))
    }
}

/// Groups of three keys, each written once.
#[derive(Default)]
pub struct Groups {
    next: u64,
    written: BTreeSet<u64>,
}

impl Object for Groups {
    fn ask(&mut self, _: usize, rng: &mut Rng) -> Request {
        if rng.random_range(0..3) == 0 {
            self.next += 1;
            return ("write", json!([["w", self.next - 1, 1]]));
        }
        let group = self.next.saturating_sub(1) / 3;
        let first = rng.random_range(0..3);
        let keys = (0..3).map(|at| group * 3 + (first + at) % 3);
        ("read", keys.map(|key| json!(["r", key, null])).collect())
    }

    fn apply(&mut self, _: usize, operation: &Operation, _: &mut Rng) -> Option<Value> {
        let steps = operation.arguments.as_array()?;
        if operation.f == "write" {
            self.written.insert(steps[0][1].as_u64()?);
            return Some(operation.arguments.clone());
        }
        let read = |step: &Value| {
            let seen = self.written.contains(&step[1].as_u64()?);
            Some(json!(["r", step[1], seen.then_some(1)]))
        };
        steps.iter().map(read).collect()
    }
}

/// Replicas of registers that tell each other of writes, late but never before what those rest on: causal, no more.
pub struct Replicas {
    next: u64,
    writes: Vec<Replicated>,
    replicas: Vec<Replica>,
}

struct Replicated {
    replica: usize,
    /// Of each replica, how many of its writes were known where it was made, itself included.
    clock: Vec<usize>,
    place: (String, Value),
}

#[derive(Clone, Default)]
struct Replica {
    clock: Vec<usize>,
    registers: BTreeMap<String, Value>,
}

impl Default for Replicas {
    fn default() -> Self {
        let replica = Replica { clock: vec![0; 3], ..Replica::default() };
        Self { next: 0, writes: Vec::new(), replicas: vec![replica; 3] }
    }
}

impl Replicas {
    /// Some of what this replica may be told next.
    fn tell(&mut self, at: usize, rng: &mut Rng) {
        for write in &self.writes {
            let replica = &mut self.replicas[at];
            let ready = (0..3)
                .all(|of| write.clock[of] <= replica.clock[of] + usize::from(of == write.replica));
            let new = write.clock[write.replica] == replica.clock[write.replica] + 1;
            if ready && new && rng.random_range(0..10) == 0 {
                replica.clock[write.replica] += 1;
                replica.registers.insert(write.place.0.clone(), write.place.1.clone());
            }
        }
    }
}

impl Object for Replicas {
    fn ask(&mut self, _: usize, rng: &mut Rng) -> Request {
        let key = format!("k{}", rng.random_range(0..3));
        if rng.random_range(0..5) < 3 {
            return ("read", json!([key, null]));
        }
        self.next += 1;
        ("write", json!([key, self.next]))
    }

    fn apply(&mut self, client: usize, operation: &Operation, rng: &mut Rng) -> Option<Value> {
        let at = client % 3;
        self.tell(at, rng);
        let key = operation.arguments[0].as_str()?.to_owned();
        let replica = &mut self.replicas[at];
        if operation.f == "read" {
            return Some(json!([key, replica.registers.get(&key)]));
        }
        replica.clock[at] += 1;
        replica.registers.insert(key.clone(), operation.arguments[1].clone());
        let clock = replica.clock.clone();
        self.writes.push(Replicated {
            replica: at,
            clock,
            place: (key, operation.arguments[1].clone()),
        });
        Some(operation.arguments.clone())
    }
}

/// Keys whose subkeys are written one after the other, with other operations in between.
#[derive(Default)]
pub struct Subkeys {
    keys: u64,
    /// How many subkeys of each key are written.
    written: BTreeMap<u64, usize>,
    under_way: VecDeque<u64>,
}

impl Subkeys {
    const COUNT: usize = 4;

    fn go_on(&mut self, rng: &mut Rng) {
        while rng.random_range(0..3) > 0 && !self.under_way.is_empty() {
            let chosen = rng.random_range(0..self.under_way.len());
            let key = self.under_way[chosen];
            let count = self.written.entry(key).or_default();
            *count += 1;
            if *count == Self::COUNT {
                self.under_way.remove(chosen);
            }
        }
    }
}

impl Object for Subkeys {
    fn ask(&mut self, _: usize, rng: &mut Rng) -> Request {
        if rng.random_range(0..3) == 0 {
            self.keys += 1;
            return ("write", json!(self.keys - 1));
        }
        ("read", json!(rng.random_range(self.keys.saturating_sub(3)..=self.keys)))
    }

    fn apply(&mut self, _: usize, operation: &Operation, rng: &mut Rng) -> Option<Value> {
        let key = operation.arguments.as_u64()?;
        if operation.f == "write" {
            self.under_way.push_back(key);
            return Some(operation.arguments.clone());
        }
        let read = |subkey: usize| {
            self.go_on(rng);
            let found = self.written.get(&key).is_some_and(|count| subkey < *count);
            found.then(|| format!("{key}_{subkey}"))
        };
        let subkeys: Vec<Option<String>> = (0..Self::COUNT).rev().map(read).collect();
        Some(json!([key, subkeys]))
    }
}

/// Two tables with rows of each key, of which only one may be inserted.
#[derive(Default)]
pub struct Tables {
    next: u64,
    inserted: BTreeSet<u64>,
}

impl Object for Tables {
    fn ask(&mut self, _: usize, _: &mut Rng) -> Request {
        self.next += 1;
        let (key, id) = (self.next / 2, self.next);
        let row = if id.is_multiple_of(2) { json!([id, null]) } else { json!([null, id]) };
        ("insert", json!([key, row]))
    }

    fn apply(&mut self, _: usize, operation: &Operation, _: &mut Rng) -> Option<Value> {
        self.inserted.insert(operation.arguments[0].as_u64()?).then(|| operation.arguments.clone())
    }
}

/// Rows with growing values and timestamps.
#[derive(Default)]
pub struct Rows {
    rows: Vec<Value>,
    clock: u64,
}

impl Object for Rows {
    fn ask(&mut self, _: usize, rng: &mut Rng) -> Request {
        (if rng.random_range(0..9) == 0 { "read" } else { "add" }, Value::Null)
    }

    fn apply(&mut self, _: usize, operation: &Operation, rng: &mut Rng) -> Option<Value> {
        if operation.f == "read" {
            return Some(json!(self.rows));
        }
        self.clock += rng.random_range(1..9);
        let row = json!({"val": self.rows.len() + 1, "sts": self.clock});
        self.rows.push(row.clone());
        Some(row)
    }

    fn last(&self) -> Vec<Request> {
        vec![("read", Value::Null)]
    }
}

/// A right object of the kind that each checker is for.
pub fn right(invariant: invariants::Invariant) -> Box<dyn Object> {
    use invariants::Invariant;
    match invariant {
        Invariant::Bank | Invariant::BankNegative => Box::new(Bank::default()),
        Invariant::SetFinal | Invariant::SetFull | Invariant::SetFullLinearizable => {
            Box::new(Grown::new("add"))
        }
        Invariant::CounterBounds => Box::new(Counter::default()),
        Invariant::UnorderedQueue | Invariant::TotalQueue => Box::new(Queue::default()),
        Invariant::UniqueIds => Box::new(Ids::default()),
        Invariant::LongFork => Box::new(Groups::default()),
        Invariant::Causal => Box::new(Replicas::default()),
        Invariant::CausalReverse => Box::new(Grown::new("write")),
        Invariant::Sequential => Box::new(Subkeys::default()),
        Invariant::G2 => Box::new(Tables::default()),
        Invariant::Monotonic => Box::new(Rows::default()),
        Invariant::Configurations => Box::new(Controller::new(Use::default(), None, 0)),
    }
}
