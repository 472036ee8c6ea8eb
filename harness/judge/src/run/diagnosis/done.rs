//! One operation of the contract: what it found, wrote, replaced, or may have left.

use contract::{MicroOperation, Operation as Asked, Outcome, puthash};
use history::Operation;

/// An operation of the contract, and its result where it succeeded.
pub(super) struct Done<'a> {
    pub(super) operation: &'a Operation,
    pub(super) asked: Asked,
    pub(super) answer: Option<Outcome>,
}

impl<'a> Done<'a> {
    pub(super) fn of(operation: &'a Operation) -> Option<Self> {
        let asked = Asked::from_parts(&operation.f, &operation.arguments).ok()?;
        let answer = operation.result().and_then(|result| asked.parse_outcome(result).ok());
        Some(Self { operation, asked, answer })
    }

    /// Whether it saw this at the key, or something that contains it, and had not ended before that moment.
    pub(super) fn saw_from(&self, from_ns: u64, key: &str, value: &str) -> bool {
        if self.operation.return_ns.is_some_and(|end| end < from_ns) {
            return false;
        }
        let own = self.whole_value().map(|(of, value)| (of, Some(value)));
        let refused_for = self.refused_for(key).map(|value| (key, Some(value)));
        let mut seen = self.found().into_iter().chain(own).chain(refused_for);
        seen.any(|(of, found)| of == key && found.is_some_and(|found| found.contains(value)))
    }

    /// Whether it did nothing, because of what it found.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.answer, Some(Outcome::Swapped { swapped: false, .. }))
    }

    /// What stood in the way of a `cas`.
    pub(super) fn refused_for(&self, key: &str) -> Option<&str> {
        match (&self.asked, &self.answer) {
            (Asked::Cas { key: of, .. }, Some(Outcome::Swapped { swapped: false, value })) => {
                value.as_ref()?.as_deref().filter(|_| of == key)
            }
            _ => None,
        }
    }

    /// The value at the key where it took effect; `None` where that depends on what was there.
    pub(super) fn would_leave(&self, key: &str) -> Option<&str> {
        match &self.asked {
            Asked::Put { key: of, value } | Asked::Cas { key: of, value, .. } if of == key => {
                Some(value)
            }
            Asked::MultiPut { values } => values.get(key).map(String::as_str),
            Asked::Txn { ops, .. } => {
                let mut written = ops.iter().filter_map(written_by).filter(|(of, _)| *of == key);
                written.next_back().map(|(_, value)| value.as_str())
            }
            _ => None,
        }
    }

    /// May it have put something else in the place of what was at the key?
    pub(super) fn may_replace(&self, key: &str) -> bool {
        match (&self.asked, &self.answer) {
            (Asked::Get { .. } | Asked::MultiGet { .. } | Asked::Append { .. }, _)
            | (
                _,
                Some(
                    Outcome::Swapped { swapped: false, .. }
                    | Outcome::Committed { committed: false, .. },
                ),
            ) => false,
            (Asked::Put { key: of, .. } | Asked::Cas { key: of, .. }, _) => of == key,
            (Asked::Txn { ops, .. }, _) => {
                ops.iter().any(|op| matches!(op, MicroOperation::Write(of, _) if of == key))
            }
            _ => mentions(&self.operation.arguments, key),
        }
    }

    /// What it certainly wrote or added, and where.
    pub(super) fn wrote(&self) -> Vec<(&str, &str)> {
        let written: Vec<(&String, &String)> = match (&self.asked, &self.answer) {
            (_, None) => Vec::new(),
            (Asked::Put { key, value } | Asked::Append { key, value }, _)
            | (Asked::Cas { key, value, .. }, Some(Outcome::Swapped { swapped: true, .. })) => {
                vec![(key, value)]
            }
            (Asked::MultiPut { values }, _) => values.iter().collect(),
            (Asked::Txn { ops, .. }, Some(Outcome::Committed { committed: true, .. })) => {
                ops.iter().filter_map(written_by).collect()
            }
            _ => Vec::new(),
        };
        let pairs = written.into_iter().map(|(key, value)| (key.as_str(), value.as_str()));
        pairs.filter(|(_, value)| !value.is_empty()).collect()
    }

    /// A value that was answered whole.
    pub(super) fn whole_value(&self) -> Option<(&str, &str)> {
        match (&self.asked, &self.answer) {
            (Asked::Get { key } | Asked::Append { key, .. }, Some(Outcome::Value { value })) => {
                Some((key, value.as_deref()?))
            }
            _ => None,
        }
    }

    /// Every value that its answer shows whole, and at which key.
    pub(super) fn shown(&self) -> Vec<(&str, &str)> {
        let mut shown: Vec<(&str, &str)> = match (&self.asked, &self.answer) {
            (Asked::Append { .. } | Asked::Get { .. }, _) => {
                self.whole_value().into_iter().collect()
            }
            (Asked::Cas { key, .. }, Some(Outcome::Swapped { swapped: false, .. })) => {
                self.refused_for(key).map(|value| (key.as_str(), value)).into_iter().collect()
            }
            (Asked::Txn { ops, .. }, Some(Outcome::Committed { results: Some(results), .. })) => {
                let whole = ops.iter().zip(results).filter_map(|(op, result)| match op {
                    MicroOperation::Append(key, _) => Some((key.as_str(), result.as_deref()?)),
                    MicroOperation::Read(_) | MicroOperation::Write(..) => None,
                });
                whole.collect()
            }
            _ => Vec::new(),
        };
        if !matches!(self.asked, Asked::Append { .. } | Asked::Get { .. }) {
            shown.extend(self.found().into_iter().filter_map(|(key, value)| Some((key, value?))));
        }
        shown
    }

    /// What it asks to append at this key.
    pub(super) fn added(&self, key: &str) -> Vec<&str> {
        match &self.asked {
            Asked::Append { key: of, value } if of == key => vec![value],
            Asked::Txn { ops, .. } => {
                let appended = ops.iter().filter_map(|op| match op {
                    MicroOperation::Append(of, value) if of == key => Some(value.as_str()),
                    _ => None,
                });
                appended.collect()
            }
            _ => Vec::new(),
        }
    }

    /// What it appended; at which key, and the value that it was answered.
    pub(super) fn appended(&self) -> Option<(&str, (&str, &str))> {
        match &self.asked {
            Asked::Append { value, .. } => Some((value, self.whole_value()?)),
            _ => None,
        }
    }

    /// May it have written a text that contains this?
    pub(super) fn may_write(&self, text: &str) -> bool {
        match &self.asked {
            Asked::Get { .. } | Asked::MultiGet { .. } | Asked::PutHash { .. } => false,
            Asked::Put { value, .. } | Asked::Append { value, .. } | Asked::Cas { value, .. } => {
                value.contains(text)
            }
            Asked::MultiPut { values } => values.values().any(|value| value.contains(text)),
            Asked::Txn { ops, .. } => {
                ops.iter().filter_map(written_by).any(|(_, value)| value.contains(text))
            }
            // It may bring a value from another key, but each of its pieces was once written.
            Asked::Swap { .. } => false,
            Asked::Join { .. }
            | Asked::Leave { .. }
            | Asked::Move { .. }
            | Asked::Query { .. }
            | Asked::Internal { .. } => false,
        }
    }

    pub(super) fn is_puthash(&self) -> bool {
        matches!(self.asked, Asked::PutHash { .. })
    }

    /// What it replaced, and where; nothing counts as the empty text.
    pub(super) fn replaced(&self) -> Vec<(&str, Option<&str>)> {
        match (&self.asked, &self.answer) {
            (Asked::Append { key, value }, Some(Outcome::Value { value: Some(new) })) => {
                let old = new.strip_suffix(value.as_str());
                old.map(|old| (key.as_str(), some(Some(old)))).into_iter().collect()
            }
            (Asked::Cas { key, expect, value }, Some(Outcome::Swapped { swapped: true, .. }))
                if expect.as_ref() != Some(value) =>
            {
                vec![(key, some(expect.as_deref()))]
            }
            (Asked::PutHash { key, .. }, Some(Outcome::Previous { previous })) => {
                vec![(key, some(Some(previous)))]
            }
            (Asked::Txn { .. }, _) => {
                let written = self.wrote();
                let is_written = |key: &str| written.iter().any(|(of, _)| *of == key);
                let mut found = self.found_by_transaction();
                found.retain(|(key, _)| is_written(key));
                found
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn replaces(&self, key: &str) -> bool {
        self.replaced().iter().any(|(of, _)| *of == key)
    }

    /// What it found, and where; nothing counts as the empty text.
    pub(super) fn found(&self) -> Vec<(&str, Option<&str>)> {
        match (&self.asked, &self.answer) {
            (Asked::Get { key }, Some(Outcome::Value { value })) => {
                vec![(key, some(value.as_deref()))]
            }
            (Asked::MultiGet { .. }, Some(Outcome::Values { values })) => {
                values.iter().map(|(key, value)| (key.as_str(), some(value.as_deref()))).collect()
            }
            (Asked::Txn { .. }, _) => self.found_by_transaction(),
            _ => self.replaced(),
        }
    }

    pub(super) fn found_at(&self, key: &str) -> Option<Option<&str>> {
        self.found().into_iter().find(|(of, _)| *of == key).map(|(_, found)| found)
    }

    /// What a transaction that committed found before it wrote there itself: by its guards and its reads.
    pub(super) fn found_by_transaction(&self) -> Vec<(&str, Option<&str>)> {
        let (Asked::Txn { guards, ops }, Some(Outcome::Committed { committed: true, results })) =
            (&self.asked, &self.answer)
        else {
            return Vec::new();
        };
        let mut found: Vec<(&str, Option<&str>)> =
            guards.iter().map(|(key, value)| (key.as_str(), some(value.as_deref()))).collect();
        let mut written: Vec<&str> = Vec::new();
        for (op, result) in ops.iter().zip(results.iter().flatten()) {
            match op {
                MicroOperation::Read(key) if !written.contains(&key.as_str()) => {
                    found.push((key, some(result.as_deref())));
                }
                MicroOperation::Read(_) => {}
                MicroOperation::Write(key, _) | MicroOperation::Append(key, _) => {
                    written.push(key);
                }
            }
        }
        found
    }

    /// May this have been at the key when it had taken effect, and not before? Of what is not known, anything.
    pub(super) fn may_leave(&self, key: &str, value: &str) -> bool {
        match (&self.asked, &self.answer) {
            (Asked::Get { .. } | Asked::MultiGet { .. }, _) => false,
            (Asked::Put { key: of, value: new }, _) => of == key && new == value,
            (
                _,
                Some(
                    Outcome::Swapped { swapped: false, .. }
                    | Outcome::Committed { committed: false, .. },
                ),
            ) => false,
            (Asked::Cas { key: of, value: new, .. }, _) => of == key && new == value,
            (Asked::Txn { ops, .. }, _) => ops.iter().any(|op| match op {
                MicroOperation::Read(_) => false,
                MicroOperation::Write(of, new) => of == key && new == value,
                MicroOperation::Append(of, piece) => of == key && value.ends_with(piece.as_str()),
            }),
            (Asked::MultiPut { values }, _) => values.get(key).is_some_and(|new| new == value),
            (Asked::Append { key: of, .. }, Some(Outcome::Value { value: Some(new) })) => {
                of == key && new == value
            }
            (Asked::Append { key: of, value: piece }, _) => {
                of == key && value.ends_with(piece.as_str())
            }
            (Asked::PutHash { key: of, value: piece }, Some(Outcome::Previous { previous })) => {
                of == key && puthash(previous, piece) == value
            }
            (Asked::PutHash { key: of, .. }, _) => of == key && value.parse::<u32>().is_ok(),
            _ => mentions(&self.operation.arguments, key),
        }
    }
}

/// Nothing counts as the empty text.
fn some(value: Option<&str>) -> Option<&str> {
    value.filter(|value| !value.is_empty())
}

fn written_by(op: &MicroOperation) -> Option<(&String, &String)> {
    match op {
        MicroOperation::Read(_) => None,
        MicroOperation::Write(key, value) | MicroOperation::Append(key, value) => {
            Some((key, value))
        }
    }
}

/// Does the text stand anywhere in there?
pub(super) fn mentions(value: &serde_json::Value, text: &str) -> bool {
    match value {
        serde_json::Value::String(found) => found.contains(text),
        serde_json::Value::Array(all) => all.iter().any(|one| mentions(one, text)),
        serde_json::Value::Object(all) => {
            all.iter().any(|(name, one)| name.contains(text) || mentions(one, text))
        }
        _ => false,
    }
}
