//! Which transactions of a record certainly happened, and which versions each of them saw.
//!
//! Everything rests on two premises, which are checked: every write is guarded by the version it replaces, and no two
//! transactions write the same value to the same key, so that a value names its writer. Then an unknown (`info`)
//! transaction whose value some certain one has seen did happen, and its guards held when it did; one whose values
//! nobody saw can be left out, for nobody built on it.

use std::collections::BTreeMap;

use contract::{MicroOperation, Operation, Outcome};
use rustc_hash::FxHashMap;

use crate::{
    record::{End, Record},
    words,
};

/// What a transaction that happened saw and wrote.
pub(crate) struct Transaction<'a> {
    /// Where it comes from.
    pub(crate) record: &'a Record,
    /// The versions, by number, that were current when it took effect: results of reads, and guards that held. One a key.
    pub(crate) reads: Vec<usize>,
    /// How many keys it wrote.
    pub(crate) writes: usize,
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
}

/// A transaction that a guard refused.
pub(crate) struct Refusal<'a> {
    /// Where it comes from.
    pub(crate) record: &'a Record,
    /// The versions, by number, that its guards expected.
    pub(crate) expected: Vec<usize>,
}

/// The transactions that certainly happened, and the versions they are about.
pub(crate) struct Transactions<'a> {
    /// Those that are certain by themselves first.
    pub(crate) happened: Vec<Transaction<'a>>,
    /// Indexed by version number.
    pub(crate) versions: Vec<Version<'a>>,
    /// In the order of the record.
    pub(crate) refused: Vec<Refusal<'a>>,
}

impl<'a> Transactions<'a> {
    /// Finds out what happened.
    ///
    /// # Errors
    /// The premise that breaks: an unguarded write, or two transactions that both write the same value to the same key.
    pub(crate) fn new(records: &'a [Record]) -> Result<Self, String> {
        let mut building = Building {
            writers: writers(records)?,
            numbers: FxHashMap::default(),
            transactions: Self { happened: Vec::new(), versions: Vec::new(), refused: Vec::new() },
        };
        for record in records.iter().filter(|record| certainly_happened(record)) {
            building.take(record);
        }
        building.follow_what_was_seen();
        for record in records.iter().filter(|record| was_refused(record)) {
            building.refuse(record);
        }
        Ok(building.transactions)
    }
}

fn certainly_happened(record: &Record) -> bool {
    record.outcome().is_some() && !was_refused(record)
}

fn was_refused(record: &Record) -> bool {
    matches!(record.outcome(), Some(Outcome::Committed { committed: false, .. }))
}

/// Who wrote, or tried to write, each value of each key.
fn writers(records: &[Record]) -> Result<FxHashMap<(&str, &str), &Record>, String> {
    let mut writers = FxHashMap::default();
    for record in records {
        if !is_guarded(&record.operation) {
            let who = record.who();
            return Err(format!(
                "{who} is no read and no guarded transaction, so no order of versions is known"
            ));
        }
        for (key, value) in written(&record.operation) {
            let Some(first) = writers.insert((key, value), record) else { continue };
            if first.call != record.call {
                return Err(format!(
                    "values must be unique, but {} and {} both write {} to {key}",
                    first.who(),
                    record.who(),
                    words::value(Some(value))
                ));
            }
        }
    }
    Ok(writers)
}

struct Building<'a> {
    writers: FxHashMap<(&'a str, &'a str), &'a Record>,
    numbers: FxHashMap<(&'a str, Option<&'a str>), usize>,
    transactions: Transactions<'a>,
}

impl<'a> Building<'a> {
    fn number(&mut self, key: &'a str, value: Option<&'a str>) -> usize {
        let versions = &mut self.transactions.versions;
        *self.numbers.entry((key, value)).or_insert_with(|| {
            versions.push(Version { key, value, writer: None, readers: Vec::new() });
            versions.len() - 1
        })
    }

    /// Adds a record that certainly happened.
    fn take(&mut self, record: &'a Record) {
        let transaction = self.transactions.happened.len();
        let seen = seen(record);
        let reads: Vec<usize> =
            seen.into_iter().map(|(key, value)| self.number(key, value)).collect();
        for &version in &reads {
            self.transactions.versions[version].readers.push(transaction);
        }
        // Of several writes to a key the last is the version that it left.
        let left: BTreeMap<&str, &str> = written(&record.operation).into_iter().collect();
        for (key, value) in &left {
            let version = self.number(key, Some(value));
            self.transactions.versions[version].writer = Some(transaction);
        }
        self.transactions.happened.push(Transaction { record, reads, writes: left.len() });
    }

    /// Whoever wrote what a certain transaction saw did happen, and so on from there.
    fn follow_what_was_seen(&mut self) {
        let mut reader = 0;
        while reader < self.transactions.happened.len() {
            for at in 0..self.transactions.happened[reader].reads.len() {
                let version = self.transactions.happened[reader].reads[at];
                let Version { key, value, writer, .. } = self.transactions.versions[version];
                let source = value.and_then(|value| self.writers.get(&(key, value)).copied());
                // Those with an answer are known already.
                if let (None, Some(source)) = (writer, source)
                    && source.end == End::Info
                {
                    self.take(source);
                }
            }
            reader += 1;
        }
    }

    fn refuse(&mut self, record: &'a Record) {
        let Operation::Txn { guards, .. } = &record.operation else { return };
        let expected = guards.iter().map(|(key, value)| self.number(key, value.as_deref()));
        let expected = expected.collect();
        self.transactions.refused.push(Refusal { record, expected });
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

/// What each key held when an operation that happened took effect, as far as it tells: its guards, and what it read
/// before it wrote the key.
fn seen(record: &Record) -> BTreeMap<&str, Option<&str>> {
    match (&record.operation, record.outcome()) {
        (Operation::Get { key }, Some(Outcome::Value { value })) => {
            BTreeMap::from([(key.as_str(), value.as_deref())])
        }
        (Operation::MultiGet { .. }, Some(Outcome::Values { values })) => {
            values.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect()
        }
        (Operation::Txn { guards, ops }, outcome) => {
            // Every key that is written has a guard, so that reads of own writes do not get here.
            let mut seen: BTreeMap<&str, Option<&str>> =
                guards.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
            if let Some(Outcome::Committed { results: Some(results), .. }) = outcome {
                for (op, result) in ops.iter().zip(results) {
                    if let MicroOperation::Read(key) = op {
                        seen.entry(key).or_insert(result.as_deref());
                    }
                }
            }
            seen
        }
        _ => BTreeMap::new(),
    }
}
