//! Synthetic histories: strict serializable by construction, or with one anomaly in the middle.
//!
//! Clients run transactions against a simulated store that carries each one out whole, at one moment between its
//! invocation and its completion. What comes out is handed over event by event, so that a history of millions needs
//! memory for its keys alone.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use crate::{Datatype, MicroOp, Outcome, Seen, Transaction};

mod events;
pub mod inject;
mod store;

pub use inject::Injection;
use store::Store;

/// Which history to generate. The same options give the same history.
#[derive(Clone, Debug)]
pub struct Synthetic {
    /// What the keys hold.
    pub datatype: Datatype,
    /// How many transactions, those of the injected anomaly not counted.
    pub transactions: usize,
    /// How many clients run them; 0 counts as 1. A client goes on as another process after an unknown outcome.
    pub clients: u64,
    /// How many keys are in use at a time; 0 counts as 1. Each is used half as often as the one before.
    pub keys: usize,
    /// The most writes that a key is asked to take before a new one takes its place; 0 counts as 1. Few take so many.
    pub writes_per_key: u32,
    /// The most micro-operations of a transaction; 0 counts as 1.
    pub micro_ops: usize,
    /// The share of transactions that fail.
    pub fail: f64,
    /// The share of transactions whose outcome is unknown; half of them happened.
    pub info: f64,
    /// The seed of all choices.
    pub seed: u64,
    /// What goes wrong when half of the transactions were invoked.
    pub inject: Option<Injection>,
}

impl Default for Synthetic {
    /// The history that the checker's speed is measured on, at its smallest size.
    fn default() -> Self {
        Self {
            datatype: Datatype::ListAppend,
            transactions: 10_000,
            clients: 20,
            keys: 10,
            writes_per_key: 256,
            micro_ops: 4,
            fail: 0.01,
            info: 0.001,
            seed: 1,
            inject: None,
        }
    }
}

/// One event of a generated history.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its position in the history, from 0.
    pub position: u64,
    /// When it happened.
    pub time_ns: u64,
    /// Is it the completion, or the invocation?
    pub completes: bool,
    /// The transaction as known then: an invocation has no results yet. One of unknown outcome has no return even
    /// where its client's giving up completes it.
    pub transaction: Transaction,
}

impl Synthetic {
    /// The events, one at a time.
    #[must_use]
    pub fn steps(&self) -> Steps {
        Steps::new(self)
    }

    /// The transactions, in the order of their completions.
    pub fn transactions(&self) -> impl Iterator<Item = Transaction> {
        self.steps().filter(|step| step.completes).map(|step| step.transaction)
    }
}

/// What a client does next, in the order of a transaction's life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Invoke,
    Commit,
    Complete,
}

/// The events of a [`Synthetic`] history.
pub struct Steps {
    options: Synthetic,
    rng: ChaCha8Rng,
    store: Store,
    /// When each client does what.
    agenda: BinaryHeap<Reverse<(u64, usize, Act)>>,
    clients: Vec<Client>,
    invoked: usize,
    /// Steps that are ready to be handed over.
    ready: VecDeque<Step>,
    position: u64,
    time_ns: u64,
}

struct Client {
    process: u64,
    running: Option<Transaction>,
}

impl Steps {
    fn new(asked: &Synthetic) -> Self {
        let options = Synthetic {
            clients: asked.clients.max(1),
            keys: asked.keys.max(1),
            writes_per_key: asked.writes_per_key.max(1),
            micro_ops: asked.micro_ops.max(1),
            ..asked.clone()
        };
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        let store = Store::new(&options, &mut rng);
        let clients: Vec<_> =
            (0..options.clients).map(|process| Client { process, running: None }).collect();
        let first = |client| Reverse((rng.random_range(0..1_000_000), client, Act::Invoke));
        let agenda = (0..clients.len()).map(first).collect();
        let ready = VecDeque::new();
        Self { options, rng, store, agenda, clients, invoked: 0, ready, position: 0, time_ns: 0 }
    }

    /// What was to be injected and is not, or not yet.
    #[must_use]
    pub fn not_injected(&self) -> Option<Injection> {
        self.options.inject
    }

    fn act(&mut self, now_ns: u64, client: usize, act: Act) {
        match act {
            Act::Invoke if self.invoked == self.options.transactions => {}
            Act::Invoke => {
                if self.invoked >= self.options.transactions / 2 {
                    self.inject(now_ns);
                }
                self.invoke(now_ns, client);
            }
            Act::Commit => self.commit(client),
            Act::Complete => self.complete(now_ns, client),
        }
    }

    fn invoke(&mut self, now_ns: u64, client: usize) {
        self.invoked += 1;
        let outcome = match self.rng.random::<f64>() {
            chance if chance < self.options.fail => Outcome::Fail,
            chance if chance < self.options.fail + self.options.info => Outcome::Info,
            _ => Outcome::Ok,
        };
        let transaction = Transaction {
            process: self.clients[client].process,
            call: 0,
            ret: None,
            call_ns: 0,
            return_ns: None,
            outcome,
            micro_ops: self.micro_ops(),
        };
        // Mostly a millisecond, now and then ten.
        let slow = self.rng.random_bool(0.01);
        let lasts_ns = self.rng.random_range(200_000..if slow { 10_000_000 } else { 1_200_000 });
        let commits_ns = now_ns + self.rng.random_range(1..lasts_ns);
        self.agenda.push(Reverse((commits_ns, client, Act::Commit)));
        self.agenda.push(Reverse((now_ns + lasts_ns, client, Act::Complete)));
        let transaction = self.hand_over(now_ns, false, transaction);
        self.clients[client].running = Some(transaction);
    }

    fn micro_ops(&mut self) -> Vec<MicroOp> {
        let count = self.rng.random_range(1..=self.options.micro_ops);
        let micro_op = |_| {
            if self.rng.random() {
                self.store.write(&mut self.rng)
            } else {
                MicroOp::Read { key: self.store.pick(&mut self.rng), seen: Seen::Unknown }
            }
        };
        (0..count).map(micro_op).collect()
    }

    fn commit(&mut self, client: usize) {
        let Some(transaction) = self.clients[client].running.as_mut() else { return };
        let happens = match transaction.outcome {
            Outcome::Ok => true,
            Outcome::Fail => false,
            Outcome::Info => self.rng.random(),
        };
        if happens {
            self.store.carry_out(transaction);
        }
    }

    fn complete(&mut self, now_ns: u64, client: usize) {
        let Some(transaction) = self.clients[client].running.take() else { return };
        if transaction.outcome == Outcome::Info {
            self.clients[client].process += self.options.clients + inject::PROCESSES;
        }
        let transaction = self.hand_over(now_ns, true, transaction);
        self.store.acknowledge(&transaction);
        let pause_ns = self.rng.random_range(1..100_000);
        self.agenda.push(Reverse((now_ns + pause_ns, client, Act::Invoke)));
    }

    /// Makes an event of it. Times grow strictly, as positions do.
    fn hand_over(
        &mut self,
        now_ns: u64,
        completes: bool,
        mut transaction: Transaction,
    ) -> Transaction {
        self.time_ns = now_ns.max(self.time_ns + 1);
        if !completes {
            (transaction.call, transaction.call_ns) = (self.position, self.time_ns);
        } else if transaction.outcome == Outcome::Info {
            forget_results(&mut transaction);
        } else {
            (transaction.ret, transaction.return_ns) = (Some(self.position), Some(self.time_ns));
        }
        let step = Step {
            position: self.position,
            time_ns: self.time_ns,
            completes,
            transaction: transaction.clone(),
        };
        self.ready.push_back(step);
        self.position += 1;
        transaction
    }
}

impl Iterator for Steps {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        while self.ready.is_empty() {
            let Reverse((now_ns, client, act)) = self.agenda.pop()?;
            self.act(now_ns, client, act);
        }
        self.ready.pop_front()
    }
}

/// Only a committed transaction knows what it read.
fn forget_results(transaction: &mut Transaction) {
    for micro_op in &mut transaction.micro_ops {
        if let MicroOp::Read { seen, .. } = micro_op {
            *seen = Seen::Unknown;
        }
    }
}
