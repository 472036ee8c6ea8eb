//! Which transactions of a record certainly happened, and which versions each of them read and wrote.
//!
//! Everything rests on two premises, which are checked: every write is guarded by the version it replaces, and no two
//! transactions write the same value to the same key, so that a value names its writer. Then an unknown (`info`) transaction whose value some certain one has seen did
//! happen, and its guards held when it did; one whose values nobody saw can be left out, for nobody built on it.

use std::collections::BTreeMap;

use contract::{MicroOperation, Operation, Outcome};
use rustc_hash::FxHashMap;

use crate::{
    narrate::{self, Told, Untold},
    record::{End, Record},
};

/// What a transaction saw and wrote, as version numbers.
pub(crate) struct Transaction<'a> {
    /// Where it comes from.
    pub(crate) record: &'a Record,
    /// The versions that were current when it took effect: results of reads, and guards that held.
    pub(crate) reads: Vec<usize>,
    /// The versions it wrote.
    pub(crate) writes: Vec<usize>,
}

/// One value of one key, `None` for its absence.
pub(crate) struct Version<'a> {
    /// The key.
    pub(crate) key: &'a str,
    /// The value.
    pub(crate) value: Option<&'a str>,
    /// The transaction that wrote it, where it certainly happened.
    pub(crate) writer: Option<usize>,
    /// The transactions that saw it, its replacers included.
    pub(crate) readers: Vec<usize>,
    /// The transactions that saw it and overwrote its key, each with the version it put there.
    pub(crate) replacers: Vec<(usize, usize)>,
}

/// The transactions that certainly happened, and the versions they are about.
pub(crate) struct Transactions<'a> {
    /// In the order of the record.
    pub(crate) happened: Vec<Transaction<'a>>,
    /// Indexed by version number.
    pub(crate) versions: Vec<Version<'a>>,
    /// Transactions that were refused because a guard failed, with the versions they had expected.
    pub(crate) refused: Vec<(&'a Record, Vec<usize>)>,
    /// Values that can never have been, in the order of the record.
    pub(crate) impossible: Vec<Untold<'a>>,
}

/// What one record says it saw and wrote.
struct Footprint<'a> {
    reads: Vec<(&'a str, Option<&'a str>)>,
    writes: BTreeMap<&'a str, &'a str>,
    /// What contradicts itself inside the one transaction.
    inner: Option<Contradiction<'a>>,
}

/// What a key must have held at some point of a transaction, and what its result says.
#[derive(Clone, Copy)]
struct Contradiction<'a> {
    key: &'a str,
    known: Option<&'a str>,
    result: Option<&'a str>,
}

impl<'a> Transactions<'a> {
    /// Finds out what happened.
    ///
    /// # Errors
    /// The premise that breaks: two transactions that may both have written the same value to the same key.
    pub(crate) fn new(records: &'a [Record]) -> Result<Self, String> {
        let mut building = Building::new(records)?;
        for (index, record) in records.iter().enumerate() {
            if certainly_happened(record) {
                building.take(index);
            }
        }
        building.follow_what_was_seen();
        Ok(building.finish())
    }
}

fn certainly_happened(record: &Record) -> bool {
    match record.outcome() {
        Some(Outcome::Committed { committed, .. }) => *committed,
        Some(_) => true,
        None => false,
    }
}

fn was_refused(record: &Record) -> bool {
    matches!(record.outcome(), Some(Outcome::Committed { committed: false, .. }))
}

struct Building<'a> {
    records: &'a [Record],
    /// Who wrote, or tried to write, a value to a key.
    writers: FxHashMap<(&'a str, &'a str), usize>,
    numbers: FxHashMap<(&'a str, Option<&'a str>), usize>,
    versions: Vec<Version<'a>>,
    /// Records whose happening is established but whose footprint is not taken yet.
    taken: Vec<bool>,
    happened: Vec<(usize, Transaction<'a>)>,
    impossible: Vec<Untold<'a>>,
    /// How far [`Building::follow_what_was_seen`] got in `happened`.
    followed: usize,
}

impl<'a> Building<'a> {
    fn new(records: &'a [Record]) -> Result<Self, String> {
        let mut writers = FxHashMap::default();
        for (index, record) in records.iter().enumerate() {
            if !is_guarded(&record.operation) {
                let who = narrate::who(record);
                return Err(format!(
                    "{who} is no read and no guarded transaction, so no order can be told"
                ));
            }
            for (key, value) in written(&record.operation) {
                let Some(other) = writers.insert((key, value), index) else { continue };
                if other != index {
                    let first: &Record = &records[other];
                    return Err(format!(
                        "values must be unique, but {} and {} both write {} to {key}",
                        narrate::who(first),
                        narrate::who(record),
                        narrate::value(Some(value))
                    ));
                }
            }
        }
        Ok(Self {
            records,
            writers,
            numbers: FxHashMap::default(),
            versions: Vec::new(),
            taken: vec![false; records.len()],
            happened: Vec::new(),
            impossible: Vec::new(),
            followed: 0,
        })
    }

    fn number(&mut self, key: &'a str, value: Option<&'a str>) -> usize {
        let next = self.versions.len();
        let number = *self.numbers.entry((key, value)).or_insert(next);
        if number == next {
            let (readers, replacers) = (Vec::new(), Vec::new());
            self.versions.push(Version { key, value, writer: None, readers, replacers });
        }
        number
    }

    /// Adds a record that certainly happened.
    fn take(&mut self, index: usize) {
        if std::mem::replace(&mut self.taken[index], true) {
            return;
        }
        let record = &self.records[index];
        let footprint = footprint(record);
        if let Some(contradiction) = footprint.inner {
            self.report("internal inconsistency", move || contradiction.tell(record));
        }
        let transaction = self.happened.len();
        let mut reads = Vec::with_capacity(footprint.reads.len());
        for (key, value) in footprint.reads {
            let version = self.number(key, value);
            if !reads.contains(&version) {
                self.versions[version].readers.push(transaction);
                reads.push(version);
            }
        }
        let mut writes = Vec::with_capacity(footprint.writes.len());
        for (key, value) in footprint.writes {
            let version = self.number(key, Some(value));
            if reads.contains(&version) {
                self.report("read from the future", move || {
                    let (who, value) = (narrate::who(record), narrate::value(Some(value)));
                    (format!("{who} saw {key} = {value} before it wrote that"), vec![record.call])
                });
            }
            self.versions[version].writer = Some(transaction);
            writes.push(version);
            let seen = reads.iter().find(|&&read| self.versions[read].key == key);
            if let Some(&seen) = seen {
                self.versions[seen].replacers.push((transaction, version));
            }
        }
        self.happened.push((index, Transaction { record, reads, writes }));
    }

    /// Whoever wrote what a certain transaction saw did happen, and so on from there.
    fn follow_what_was_seen(&mut self) {
        while self.followed < self.happened.len() {
            let reader = self.followed;
            self.followed += 1;
            for at in 0..self.happened[reader].1.reads.len() {
                let version = self.happened[reader].1.reads[at];
                self.follow(reader, version);
            }
        }
    }

    fn follow(&mut self, reader: usize, version: usize) {
        let Version { key, value, writer, .. } = self.versions[version];
        let Some(written) = value else { return };
        if writer.is_some() {
            return;
        }
        let seen_by = self.happened[reader].1.record;
        let Some(&index) = self.writers.get(&(key, written)) else {
            return self.report("phantom value", move || {
                let (who, value) = (narrate::who(seen_by), narrate::value(value));
                let sentence = format!("{who} saw {key} = {value}, which nobody ever wrote");
                (sentence, vec![seen_by.call])
            });
        };
        let source = &self.records[index];
        let why = match source.end {
            End::Fail => "failed and can never have happened",
            End::Ok(_) if was_refused(source) => "was refused because a guard did not hold",
            End::Ok(_) | End::Info => return self.take(index),
        };
        self.report("aborted read", move || {
            let (who, writer) = (narrate::who(seen_by), narrate::who(source));
            let value = narrate::value(value);
            let sentence = format!("{who} saw {key} = {value}, the value of {writer}, which {why}");
            (sentence, vec![seen_by.call, source.call])
        });
    }

    fn report(&mut self, kind: &'static str, tell: impl Fn() -> Told + 'a) {
        self.impossible.push(Untold::new(kind, tell));
    }

    fn finish(mut self) -> Transactions<'a> {
        let mut refused = Vec::new();
        for record in self.records.iter().filter(|record| was_refused(record)) {
            if let Operation::Txn { guards, .. } = &record.operation {
                let expected = guards.iter().map(|(key, value)| self.number(key, value.as_deref()));
                refused.push((record, expected.collect()));
            }
        }
        Transactions {
            happened: self.happened.into_iter().map(|(_, transaction)| transaction).collect(),
            versions: self.versions,
            refused,
            impossible: self.impossible,
        }
    }
}

/// Whether the operation only reads, or names the version of every key it writes.
fn is_guarded(operation: &Operation) -> bool {
    match operation {
        Operation::Get { .. } | Operation::MultiGet { .. } => true,
        Operation::Txn { guards, ops } => ops.iter().all(|op| match op {
            MicroOperation::Read(_) => true,
            MicroOperation::Write(key, _) => guards.contains_key(key),
            MicroOperation::Append(..) => false,
        }),
        _ => false,
    }
}

/// The key-value pairs an operation means to write: all writes are in transactions, as [`is_guarded`] says.
fn written(operation: &Operation) -> Vec<(&str, &str)> {
    let Operation::Txn { ops, .. } = operation else { return Vec::new() };
    let writes = ops.iter().filter_map(|op| match op {
        MicroOperation::Write(key, value) => Some((key.as_str(), value.as_str())),
        MicroOperation::Read(_) | MicroOperation::Append(..) => None,
    });
    writes.collect()
}

/// What an operation that happened saw and wrote; its results count where it has any.
fn footprint(record: &Record) -> Footprint<'_> {
    let mut footprint = Footprint { reads: Vec::new(), writes: BTreeMap::new(), inner: None };
    match (&record.operation, record.outcome()) {
        (Operation::Get { key }, Some(Outcome::Value { value })) => {
            footprint.reads.push((key, value.as_deref()));
        }
        (Operation::MultiGet { .. }, Some(Outcome::Values { values })) => {
            let values = values.iter().map(|(key, value)| (key.as_str(), value.as_deref()));
            footprint.reads.extend(values);
        }
        (Operation::Txn { guards, ops }, outcome) => {
            let held = guards.iter().map(|(key, value)| (key.as_str(), value.as_deref()));
            footprint.reads.extend(held);
            let results = match outcome {
                Some(Outcome::Committed { results: Some(results), .. }) => Some(results.as_slice()),
                _ => None,
            };
            footprint.run(ops, results);
        }
        _ => {}
    }
    footprint
}

impl<'a> Footprint<'a> {
    /// Follows the micro-operations, comparing each result with what the transaction itself knows.
    fn run(&mut self, ops: &'a [MicroOperation], results: Option<&'a [Option<String>]>) {
        for (at, op) in ops.iter().enumerate() {
            let result = results.and_then(|results| results.get(at)).map(Option::as_deref);
            match op {
                MicroOperation::Read(key) => {
                    let Some(result) = result else { continue };
                    match self.known(key) {
                        Some(known) if known != result => self.contradiction(key, known, result),
                        Some(_) => {}
                        None => self.reads.push((key, result)),
                    }
                }
                MicroOperation::Write(key, value) => {
                    self.writes.insert(key, value);
                    if let Some(result) = result.filter(|result| *result != Some(value)) {
                        self.contradiction(key, Some(value), result);
                    }
                }
                // Ruled out by `is_guarded`: a value after an append would name no single writer.
                MicroOperation::Append(..) => {}
            }
        }
    }

    /// What the key must hold at this point, as far as the transaction itself tells.
    fn known(&self, key: &str) -> Option<Option<&'a str>> {
        let written = self.writes.get(key).map(|value| Some(*value));
        written
            .or_else(|| self.reads.iter().find(|(read, _)| *read == key).map(|(_, value)| *value))
    }

    fn contradiction(&mut self, key: &'a str, known: Option<&'a str>, result: Option<&'a str>) {
        self.inner.get_or_insert(Contradiction { key, known, result });
    }
}

impl Contradiction<'_> {
    fn tell(self, record: &Record) -> Told {
        let (key, who) = (self.key, narrate::who(record));
        let (known, result) = (narrate::value(self.known), narrate::value(self.result));
        let sentence = format!(
            "{who} contradicts itself: {key} must hold {known} at that point, yet the result says {result}"
        );
        (sentence, vec![record.call])
    }
}
