//! Which keys belong together.

use std::collections::{BTreeMap, BTreeSet};

use contract::Operation;

use crate::record::Record;

/// So many keys of an object are named.
const NAMED_KEYS: usize = 4;

/// Which keys belong together: those that one operation touched, and so on from each to the next.
pub(super) struct Objects {
    /// The object of each key.
    of: BTreeMap<String, usize>,
    /// The keys of each object.
    keys: BTreeMap<usize, Vec<String>>,
    /// The objects with several keys, or with an operation that could have touched several.
    together: BTreeSet<usize>,
}

impl Objects {
    pub(super) fn of(records: &[Record]) -> Self {
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        // A number points to a smaller one of its object, the smallest to itself.
        let mut smaller: Vec<usize> = Vec::new();
        for record in records {
            let mut object = None;
            for key in record.operation.keys() {
                let number = *numbers.entry(key.to_owned()).or_insert_with(|| {
                    smaller.push(smaller.len());
                    smaller.len() - 1
                });
                let (one, other) = (smallest(&smaller, number), object.unwrap_or(number));
                let other = smallest(&smaller, other);
                smaller[one.max(other)] = one.min(other);
                object = Some(one.min(other));
            }
        }
        let mut keys: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for (key, number) in &mut numbers {
            *number = smallest(&smaller, *number);
            keys.entry(*number).or_default().push(key.clone());
        }
        let several = keys.iter().filter(|(_, keys)| keys.len() > 1);
        let mut objects =
            Self { together: several.map(|(object, _)| *object).collect(), of: numbers, keys };
        let touched = records.iter().map(|record| &record.operation).filter(|it| is_multi_key(it));
        let touched: Vec<usize> = touched.filter_map(|it| objects.of_operation(it)).collect();
        objects.together.extend(touched);
        objects
    }

    /// `None` of an operation on no key.
    pub(super) fn of_operation(&self, operation: &Operation) -> Option<usize> {
        self.of.get(*operation.keys().first()?).copied()
    }

    /// Whether an operation is on an object that needs the whole store's model. All operations of an object are, or none.
    pub(super) fn are_together(&self, operation: &Operation) -> bool {
        let object = self.of_operation(operation);
        object.is_none_or(|object| self.together.contains(&object))
    }

    /// `Keys x, y`, as a sentence calls them.
    pub(super) fn name(&self, object: usize) -> String {
        let keys = &self.keys[&object];
        let more = if keys.len() > NAMED_KEYS { " …" } else { "" };
        let named: Vec<&str> = keys.iter().take(NAMED_KEYS).map(String::as_str).collect();
        format!("Keys {}{more}", named.join(", "))
    }
}

/// Whether the operation is of a kind that names several keys, even where this one names one.
fn is_multi_key(operation: &Operation) -> bool {
    match operation {
        Operation::MultiGet { .. } | Operation::MultiPut { .. } => true,
        Operation::Swap { .. } | Operation::Txn { .. } => true,
        Operation::Get { .. } | Operation::Put { .. } | Operation::Append { .. } => false,
        Operation::PutHash { .. } | Operation::Cas { .. } => false,
        Operation::Join { .. } | Operation::Leave { .. } => false,
        Operation::Move { .. } | Operation::Query { .. } | Operation::Internal { .. } => false,
    }
}

fn smallest(smaller: &[usize], mut number: usize) -> usize {
    while smaller[number] != number {
        number = smaller[number];
    }
    number
}
