//! The transactions of a record that certainly happened, and which versions each of them saw.
//!
//! Which did is for `isolation` to say; of an unknown (`info`) one that did, the guards held. Two premises are checked:
//! every write is guarded by the version it replaces, and no two transactions write the same value to the same key.

use std::collections::BTreeMap;

use contract::{MicroOperation, Operation, Outcome};
use isolation::History;
use rustc_hash::FxHashMap;

use crate::record::Record;

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
    /// In the order of the record.
    pub(crate) happened: Vec<Transaction<'a>>,
    /// Indexed by version number.
    pub(crate) versions: Vec<Version<'a>>,
    /// In the order of the record.
    pub(crate) refused: Vec<Refusal<'a>>,
}

impl<'a> Transactions<'a> {
    /// Those of the records that happened, as the history made from them tells, and those that were refused.
    ///
    /// # Errors
    /// Two transactions that both write the same value to the same key.
    pub(crate) fn new(records: &'a [Record], history: &History) -> Result<Self, String> {
        let mut numbered = Numbered::default();
        let happened: Vec<Transaction<'a>> = records
            .iter()
            .zip(history.happened()?)
            .filter_map(|(record, happened)| happened.then_some(record))
            .enumerate()
            .map(|(number, record)| numbered.transaction(number, record))
            .collect();
        let refused = records.iter().filter_map(|record| numbered.refusal(record)).collect();
        Ok(Self { happened, versions: numbered.versions, refused })
    }
}

/// The versions so far, each with its number.
#[derive(Default)]
struct Numbered<'a> {
    versions: Vec<Version<'a>>,
    numbers: FxHashMap<(&'a str, Option<&'a str>), usize>,
}

impl<'a> Numbered<'a> {
    fn number(&mut self, key: &'a str, value: Option<&'a str>) -> usize {
        *self.numbers.entry((key, value)).or_insert_with(|| {
            self.versions.push(Version { key, value, writer: None, readers: Vec::new() });
            self.versions.len() - 1
        })
    }

    fn transaction(&mut self, number: usize, record: &'a Record) -> Transaction<'a> {
        let seen = seen(record).into_iter();
        let reads: Vec<usize> = seen.map(|(key, value)| self.number(key, value)).collect();
        for &version in &reads {
            self.versions[version].readers.push(number);
        }
        // Of several writes to a key the last is the version that it left.
        let left: BTreeMap<&str, &str> = written(&record.operation).into_iter().collect();
        for (key, value) in &left {
            let version = self.number(key, Some(value));
            self.versions[version].writer = Some(number);
        }
        Transaction { record, reads, writes: left.len() }
    }

    fn refusal(&mut self, record: &'a Record) -> Option<Refusal<'a>> {
        let (Operation::Txn { guards, .. }, Some(Outcome::Committed { committed: false, .. })) =
            (&record.operation, record.outcome())
        else {
            return None;
        };
        let expected = guards.iter().map(|(key, value)| self.number(key, value.as_deref()));
        Some(Refusal { record, expected: expected.collect() })
    }
}

/// What is to be checked first: that every write has a guard.
pub(crate) fn premise(records: &[Record]) -> Result<(), String> {
    let blind = records.iter().find(|record| !is_guarded(&record.operation));
    blind.map_or(Ok(()), |blind| {
        let who = blind.who();
        Err(format!(
            "{who} is no read and no guarded transaction, so no order of versions is known"
        ))
    })
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

/// The key-value pairs an operation means to write.
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
