//! Small random histories of simulated stores, from right to thoroughly broken.

use std::collections::BTreeMap;
use std::fmt;

use isolation::{Datatype, Key, MicroOp, Outcome, Seen, Transaction, Value};
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

/// How a store carries out its transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// Each at one moment while it runs.
    Serial,
    /// Each at one moment, but those that only read see some older state.
    StaleReads,
    /// On a snapshot of when it began; refused where somebody else wrote the same.
    Snapshot,
    /// On any snapshot, however old.
    OldSnapshot,
    /// On a snapshot, and nobody is ever refused.
    LostUpdates,
    /// Each read sees what is committed at that moment.
    ReadCommitted,
    /// Everything is visible at once and stays, whatever becomes of its transaction.
    Dirty,
    /// No store at all: reads return anything that fits the type.
    Random,
}

/// All of them.
pub const STORES: [Store; 8] = [
    Store::Serial,
    Store::StaleReads,
    Store::Snapshot,
    Store::OldSnapshot,
    Store::LostUpdates,
    Store::ReadCommitted,
    Store::Dirty,
    Store::Random,
];

/// What kind of history to make.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What the keys hold.
    pub datatype: Datatype,
    /// Who carries it out.
    pub store: Store,
    /// At most so many transactions.
    pub transactions: usize,
    /// Does every outcome become known, and does a last transaction read every key?
    pub complete: bool,
    /// Is one read changed afterwards?
    pub mutated: bool,
}

/// The process of the last transaction of a complete history.
const LAST: u64 = 1000;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { datatype, store, transactions, complete, mutated } = self;
        let (datatype, store) = (format!("{datatype:?}"), format!("{store:?}"));
        let complete = if *complete { "complete" } else { "" };
        let mutated = if *mutated { "mutated" } else { "" };
        write!(f, "{datatype:<10} {store:<13} {transactions} {complete:<8} {mutated:<7}")
    }
}

type State = BTreeMap<Key, Vec<Value>>;

/// A history by this plan.
pub fn history(plan: Plan, seed: u64) -> Vec<Transaction> {
    let mut simulation = Simulation::new(plan, seed);
    simulation.run();
    let Simulation { mut history, mut rng, .. } = simulation;
    if plan.store == Store::Random {
        let written = written(&history);
        for seen in reads(&mut history) {
            *seen.1 = random_result(plan.datatype, &written, seen.0, &mut rng);
        }
    }
    if plan.mutated {
        let written = written(&history);
        let mut reads = reads(&mut history);
        if !reads.is_empty() {
            let chosen = rng.random_range(0..reads.len());
            let (key, seen) = &mut reads[chosen];
            mutate(seen, *key, &written, &mut rng);
        }
    }
    history
}

struct Simulation {
    plan: Plan,
    rng: ChaCha8Rng,
    keys: Key,
    /// The initial state, and the one after each commit.
    states: Vec<State>,
    /// Who wrote what with each of these commits.
    commits: Vec<Vec<Key>>,
    history: Vec<Transaction>,
    position: u64,
    next_value: Value,
}

/// A transaction under way.
struct Running {
    /// Its place in the history.
    id: usize,
    sees: Sees,
    own: Vec<(Key, Value)>,
    left: Vec<MicroOp>,
}

/// Which state the reads of a transaction see.
#[derive(Clone, Copy)]
enum Sees {
    /// The one it commits on.
    Last,
    /// The one after so many commits.
    Snapshot(usize),
    /// The latest, read by read.
    Now,
}

impl Simulation {
    fn new(plan: Plan, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let keys = rng.random_range(1..=3);
        let (states, commits) = (vec![State::new()], Vec::new());
        Self { plan, rng, keys, states, commits, history: Vec::new(), position: 0, next_value: 1 }
    }

    fn run(&mut self) {
        let last = usize::from(self.plan.complete);
        let transactions = self.rng.random_range(2 + last..=self.plan.transactions) - last;
        let clients = self.rng.random_range(1..=4);
        let mut processes: Vec<u64> = (0..clients).collect();
        let mut running: Vec<Option<Running>> = processes.iter().map(|_| None).collect();
        loop {
            let client = self.rng.random_range(0..running.len());
            match running[client].take() {
                None if self.history.len() < transactions => {
                    let count = self.rng.random_range(1..=3);
                    let micro_ops = (0..count).map(|_| self.micro_op()).collect();
                    running[client] = Some(self.begin(processes[client], micro_ops));
                }
                None if running.iter().all(Option::is_none) => break,
                None => {}
                Some(transaction) if transaction.left.is_empty() => {
                    let unknown = self.end(&transaction) == Outcome::Info;
                    processes[client] += if unknown { clients } else { 0 };
                }
                Some(mut transaction) => {
                    self.advance(&mut transaction);
                    running[client] = Some(transaction);
                }
            }
        }
        if self.plan.complete {
            let all =
                (0..self.keys).map(|key| MicroOp::Read { key, seen: Seen::Unknown }).collect();
            let last = self.begin(LAST, all);
            self.end(&last);
        }
    }

    fn tick(&mut self) -> u64 {
        self.position += 1;
        self.position - 1
    }

    fn micro_op(&mut self) -> MicroOp {
        let key = self.rng.random_range(0..self.keys);
        if self.rng.random() {
            return MicroOp::Read { key, seen: Seen::Unknown };
        }
        self.next_value += 1;
        MicroOp::Write { key, value: self.next_value - 1 }
    }

    fn begin(&mut self, process: u64, micro_ops: Vec<MicroOp>) -> Running {
        let latest = self.states.len() - 1;
        let only_reads = micro_ops.iter().all(|micro_op| matches!(micro_op, MicroOp::Read { .. }));
        let any = self.rng.random_range(0..=latest);
        let sees = match self.plan.store {
            Store::StaleReads if only_reads => Sees::Snapshot(any),
            Store::Serial | Store::StaleReads => Sees::Last,
            Store::Snapshot | Store::LostUpdates => Sees::Snapshot(latest),
            Store::OldSnapshot => Sees::Snapshot(any),
            Store::ReadCommitted | Store::Dirty | Store::Random => Sees::Now,
        };
        let mut left = micro_ops.clone();
        left.reverse();
        let call = self.tick();
        let (ret, return_ns, outcome) = (None, None, Outcome::Info);
        self.history.push(Transaction {
            process,
            call,
            ret,
            call_ns: call * 1000,
            return_ns,
            outcome,
            micro_ops,
        });
        Running { id: self.history.len() - 1, sees, own: Vec::new(), left }
    }

    fn advance(&mut self, running: &mut Running) {
        let Some(micro_op) = running.left.pop() else { return };
        let at = self.history[running.id].micro_ops.len() - running.left.len() - 1;
        match micro_op {
            MicroOp::Write { key, value } if self.plan.store == Store::Dirty => {
                self.apply(&[(key, value)]);
            }
            MicroOp::Write { key, value } => running.own.push((key, value)),
            MicroOp::Read { key, .. } => {
                let state = match running.sees {
                    Sees::Last => return,
                    Sees::Snapshot(state) => state,
                    Sees::Now => self.states.len() - 1,
                };
                self.fill_in(running.id, at, key, state, &running.own);
            }
        }
    }

    fn fill_in(&mut self, id: usize, at: usize, key: Key, state: usize, own: &[(Key, Value)]) {
        let mut list = self.states[state].get(&key).cloned().unwrap_or_default();
        list.extend(own.iter().filter(|(other, _)| *other == key).map(|(_, value)| *value));
        let seen = match self.plan.datatype {
            Datatype::ListAppend => Seen::List(list),
            Datatype::Register => Seen::Register(list.last().copied()),
        };
        self.history[id].micro_ops[at] = MicroOp::Read { key, seen };
    }

    fn apply(&mut self, writes: &[(Key, Value)]) {
        let mut state = self.states.last().cloned().unwrap_or_default();
        for (key, value) in writes {
            state.entry(*key).or_default().push(*value);
        }
        self.states.push(state);
        self.commits.push(writes.iter().map(|(key, _)| *key).collect());
    }

    fn end(&mut self, running: &Running) -> Outcome {
        let writes = |key: &Key| running.own.iter().any(|(own, _)| own == key);
        let conflict = match (self.plan.store, running.sees) {
            (Store::Snapshot | Store::OldSnapshot, Sees::Snapshot(state)) => {
                self.commits[state..].iter().flatten().any(writes)
            }
            _ => false,
        };
        let outcome = match self.rng.random_range(0..20) {
            _ if conflict => Outcome::Fail,
            _ if self.history[running.id].process == LAST => Outcome::Ok,
            0 => Outcome::Fail,
            1 | 2 if !self.plan.complete => Outcome::Info,
            _ => Outcome::Ok,
        };
        let unknown_but_happened = outcome == Outcome::Info && self.rng.random();
        if outcome == Outcome::Ok || unknown_but_happened {
            self.commit(running);
        }
        let position = self.tick();
        let transaction = &mut self.history[running.id];
        transaction.outcome = outcome;
        if outcome != Outcome::Info {
            (transaction.ret, transaction.return_ns) = (Some(position), Some(position * 1000));
        }
        if outcome == Outcome::Ok {
            return outcome;
        }
        // What a guard of a register demanded is known even of a transaction in doubt; if that did not happen, it may be
        // anything.
        let is_guarded = outcome == Outcome::Info && self.plan.datatype == Datatype::Register;
        for micro_op in &mut transaction.micro_ops {
            let MicroOp::Read { seen, .. } = micro_op else { continue };
            if !is_guarded || self.rng.random() {
                *seen = Seen::Unknown;
            } else if !unknown_but_happened {
                *seen = Seen::Register(self.rng.random_range(0..=self.next_value).checked_sub(1));
            }
        }
        outcome
    }

    fn commit(&mut self, running: &Running) {
        let latest = self.states.len() - 1;
        let mut own = Vec::new();
        for (at, micro_op) in self.history[running.id].micro_ops.clone().into_iter().enumerate() {
            match micro_op {
                MicroOp::Write { key, value } => own.push((key, value)),
                MicroOp::Read { key, seen: Seen::Unknown } => {
                    self.fill_in(running.id, at, key, latest, &own);
                }
                MicroOp::Read { .. } => {}
            }
        }
        if !running.own.is_empty() {
            self.apply(&running.own);
        }
    }
}

/// The reads of committed transactions.
fn reads(history: &mut [Transaction]) -> Vec<(Key, &mut Seen)> {
    let committed = history.iter_mut().filter(|transaction| transaction.outcome == Outcome::Ok);
    let reads =
        committed.flat_map(|transaction| &mut transaction.micro_ops).filter_map(|micro_op| {
            match micro_op {
                MicroOp::Read { key, seen } => Some((*key, seen)),
                MicroOp::Write { .. } => None,
            }
        });
    reads.collect()
}

fn written(history: &[Transaction]) -> BTreeMap<Key, Vec<Value>> {
    let mut written = BTreeMap::<Key, Vec<Value>>::new();
    for micro_op in history.iter().flat_map(|transaction| &transaction.micro_ops) {
        if let MicroOp::Write { key, value } = micro_op {
            written.entry(*key).or_default().push(*value);
        }
    }
    written
}

fn random_result(datatype: Datatype, written: &State, key: Key, rng: &mut ChaCha8Rng) -> Seen {
    let mut values = written.get(&key).cloned().unwrap_or_default();
    match datatype {
        // Mostly in the order of writing, as most stores would have them.
        Datatype::ListAppend => {
            if rng.random_bool(0.2) {
                values.shuffle(rng);
            }
            let len = rng.random_range(0..=values.len());
            values.truncate(len);
            Seen::List(values)
        }
        Datatype::Register => {
            let choice = rng.random_range(0..=values.len());
            Seen::Register(values.get(choice).copied())
        }
    }
}

fn mutate(seen: &mut Seen, key: Key, written: &State, rng: &mut ChaCha8Rng) {
    let (garbage, values) = (99, written.get(&key).cloned().unwrap_or_default());
    let any = |rng: &mut ChaCha8Rng| {
        values.get(rng.random_range(0..values.len() + 1)).copied().unwrap_or(garbage)
    };
    match seen {
        Seen::Unknown => {}
        Seen::Register(value) => *value = if rng.random_bool(0.2) { None } else { Some(any(rng)) },
        Seen::List(list) => match rng.random_range(0..4) {
            0 => {
                list.pop();
            }
            1 => list.push(any(rng)),
            2 => list.truncate(list.len() / 2),
            _ => list.shuffle(rng),
        },
    }
}
