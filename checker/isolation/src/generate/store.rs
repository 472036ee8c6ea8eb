//! The simulated store: every value that every key ever held, and which keys are in use.

use rand::RngExt;
use rand::rngs::ChaCha8Rng;

use super::Synthetic;
use crate::{Datatype, Key, MicroOp, Outcome, Seen, Transaction, Value};

pub(super) struct Store {
    datatype: Datatype,
    writes_per_key: u32,
    in_use: Vec<InUse>,
    /// The writes of each key that happened, in their order.
    versions: Vec<Vec<Version>>,
}

/// A key that transactions ask for.
struct InUse {
    key: Key,
    next_value: Value,
    last_value: Value,
}

struct Version {
    value: Value,
    /// The invocation of its transaction.
    writer: u64,
    /// Did the writer read the version before? If so, the order of the two is known.
    read_before: bool,
    /// Has the writer committed and returned?
    acknowledged: bool,
}

impl Store {
    pub(super) fn new(options: &Synthetic, rng: &mut ChaCha8Rng) -> Self {
        let (datatype, writes_per_key) = (options.datatype, options.writes_per_key);
        let mut store = Self { datatype, writes_per_key, in_use: Vec::new(), versions: Vec::new() };
        for _ in 0..options.keys {
            let next = store.fresh(rng);
            store.in_use.push(next);
        }
        store
    }

    /// A key that nobody used yet.
    pub(super) fn fresh_key(&mut self) -> Key {
        let key = Key::try_from(self.versions.len())
            .expect("fewer keys than micro-operations, which memory bounds");
        self.versions.push(Vec::new());
        key
    }

    fn fresh(&mut self, rng: &mut ChaCha8Rng) -> InUse {
        let halvings = rng.random_range(0..=self.writes_per_key.ilog2());
        InUse { key: self.fresh_key(), next_value: 1, last_value: self.writes_per_key >> halvings }
    }

    /// One of the keys in use.
    pub(super) fn pick(&self, rng: &mut ChaCha8Rng) -> Key {
        self.in_use[self.slot(rng)].key
    }

    fn slot(&self, rng: &mut ChaCha8Rng) -> usize {
        (rng.random::<u64>().trailing_zeros() as usize).min(self.in_use.len() - 1)
    }

    /// A write of a new value; a key that has taken its last one goes out of use.
    pub(super) fn write(&mut self, rng: &mut ChaCha8Rng) -> MicroOp {
        let slot = self.slot(rng);
        let InUse { key, next_value: value, last_value } = self.in_use[slot];
        if value == last_value {
            self.in_use[slot] = self.fresh(rng);
        } else {
            self.in_use[slot].next_value += 1;
        }
        MicroOp::Write { key, value }
    }

    /// Applies the writes and fills in the results of the reads.
    pub(super) fn carry_out(&mut self, transaction: &mut Transaction) {
        let writer = transaction.call;
        let mut read = Vec::new();
        for micro_op in &mut transaction.micro_ops {
            match micro_op {
                MicroOp::Write { key, value } => {
                    let read_before = read.contains(key);
                    let version =
                        Version { value: *value, writer, read_before, acknowledged: false };
                    self.versions[*key as usize].push(version);
                }
                MicroOp::Read { key, seen } => {
                    *seen = self.read(*key, usize::MAX);
                    read.push(*key);
                }
            }
        }
    }

    /// Takes note that the transaction returned.
    pub(super) fn acknowledge(&mut self, transaction: &Transaction) {
        if transaction.outcome != Outcome::Ok {
            return;
        }
        for micro_op in &transaction.micro_ops {
            if let MicroOp::Write { key, value } = micro_op {
                let version = self.versions[*key as usize]
                    .iter_mut()
                    .rfind(|version| version.value == *value);
                version.expect("it was carried out").acknowledged = true;
            }
        }
    }

    /// What a read sees, or saw when the key had had only so many writes.
    fn read(&self, key: Key, writes: usize) -> Seen {
        let versions = &self.versions[key as usize];
        let versions = &versions[..writes.min(versions.len())];
        match self.datatype {
            Datatype::ListAppend => {
                Seen::List(versions.iter().map(|version| version.value).collect())
            }
            Datatype::Register => Seen::Register(versions.last().map(|version| version.value)),
        }
    }

    /// A read that misses about half of a key in use, and with that a transaction that returned already.
    pub(super) fn stale_read(&self) -> Option<MicroOp> {
        self.in_use.iter().find_map(|in_use| {
            let versions = &self.versions[in_use.key as usize];
            let missed = (1..=versions.len() / 2).rev().find(|i| {
                let [seen, missed] = [&versions[*i - 1], &versions[*i]];
                // Not between two writes of one transaction: that would be another anomaly.
                missed.acknowledged && missed.read_before && seen.writer != missed.writer
            })?;
            Some(MicroOp::Read { key: in_use.key, seen: self.read(in_use.key, missed) })
        })
    }
}
