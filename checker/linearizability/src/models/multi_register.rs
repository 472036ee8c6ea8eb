//! Several registers read, written and swapped together, atomically.

use std::collections::BTreeMap;

use super::quoted;
use crate::{Content, Fact, Model};

/// Keys with string values, all absent at first. Operations span keys, so the whole is one object.
#[derive(Clone, Copy, Debug, Default)]
pub struct MultiRegister;

/// What is asked of the registers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MultiInput {
    /// Read these keys at one moment.
    Read(Vec<String>),
    /// Write these keys at one moment.
    Write(BTreeMap<String, String>),
    /// Exchange the values of two keys; absence swaps too.
    Swap(String, String),
}

/// What the registers answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MultiOutput {
    /// The values read, `None` where a key is absent.
    Values(BTreeMap<String, Option<String>>),
    /// It happened.
    Done,
}

impl Model for MultiRegister {
    type Input = MultiInput;
    type Output = MultiOutput;
    type State = BTreeMap<String, String>;

    fn initial(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(
        &self,
        state: &Self::State,
        input: &MultiInput,
        output: Option<&MultiOutput>,
    ) -> Option<Self::State> {
        match (input, output) {
            (MultiInput::Read(_), None) => Some(state.clone()),
            (MultiInput::Read(keys), Some(MultiOutput::Values(values))) => {
                let same =
                    |key: &String| values.get(key).is_some_and(|v| v.as_ref() == state.get(key));
                // Values of keys that nobody asked for are as wrong as wrong ones.
                let asked = |key: &String| keys.contains(key);
                (keys.iter().all(same) && values.keys().all(asked)).then(|| state.clone())
            }
            (MultiInput::Write(values), None | Some(MultiOutput::Done)) => {
                let mut next = state.clone();
                next.extend(values.iter().map(|(k, v)| (k.clone(), v.clone())));
                Some(next)
            }
            (MultiInput::Swap(a, b), None | Some(MultiOutput::Done)) => {
                let mut next = state.clone();
                if a != b {
                    let (from_a, from_b) = (next.remove(a), next.remove(b));
                    next.extend(from_a.map(|value| (b.clone(), value)));
                    next.extend(from_b.map(|value| (a.clone(), value)));
                }
                Some(next)
            }
            _ => None,
        }
    }

    fn is_read_only(&self, input: &MultiInput) -> bool {
        matches!(input, MultiInput::Read(_))
    }

    fn describe(&self, input: &MultiInput, output: Option<&MultiOutput>) -> String {
        match (input, output) {
            (MultiInput::Read(_), Some(MultiOutput::Values(values))) => {
                let pair = |(k, v): (&String, &Option<String>)| {
                    let value = v.as_deref().map_or_else(|| "nil".to_owned(), quoted);
                    format!("{} = {value}", key(k))
                };
                format!("multiget {}", list(values.iter().map(pair)))
            }
            (MultiInput::Read(keys), _) => {
                format!("multiget {}", list(keys.iter().map(|k| key(k))))
            }
            (MultiInput::Write(values), _) => {
                let pair = |(k, v): (&String, &String)| format!("{} = {}", key(k), quoted(v));
                format!("multiput {}", list(values.iter().map(pair)))
            }
            (MultiInput::Swap(a, b), _) => format!("swap {} and {}", key(a), key(b)),
        }
    }

    fn may_enable(
        &self,
        effect: &MultiInput,
        blocked: &MultiInput,
        output: Option<&MultiOutput>,
    ) -> bool {
        let (MultiInput::Read(_), Some(MultiOutput::Values(read))) = (blocked, output) else {
            return true;
        };
        match effect {
            MultiInput::Read(_) => false,
            // Right after a write its values stand.
            MultiInput::Write(values) => values
                .iter()
                .all(|(key, value)| read.get(key).is_none_or(|r| r.as_ref() == Some(value))),
            MultiInput::Swap(..) => true,
        }
    }

    fn facts<'a>(&self, input: &'a MultiInput, output: Option<&'a MultiOutput>) -> Vec<Fact<'a>> {
        let value = |value: &'a Option<String>| Content::of_text(value.as_deref());
        match (input, output) {
            (MultiInput::Read(_), Some(MultiOutput::Values(read))) => {
                read.iter().map(|(key, read)| Fact::Saw(key.into(), value(read))).collect()
            }
            (MultiInput::Read(_), _) => Vec::new(),
            (MultiInput::Write(values), _) => {
                let left = |value: &'a String| Content::of_text(Some(value));
                values.iter().map(|(key, value)| Fact::Left(key.into(), left(value))).collect()
            }
            (MultiInput::Swap(a, b), _) => vec![Fact::Moved(a.into()), Fact::Moved(b.into())],
        }
    }

    fn initially(&self, _key: &str) -> Option<Content<'_>> {
        Some(Content::Nil)
    }

    fn answer(&self, state: &Self::State, input: &MultiInput) -> Option<MultiOutput> {
        Some(match input {
            MultiInput::Read(keys) => {
                let value = |key: &String| (key.clone(), state.get(key).cloned());
                MultiOutput::Values(keys.iter().map(value).collect())
            }
            MultiInput::Write(_) | MultiInput::Swap(..) => MultiOutput::Done,
        })
    }

    fn state_bytes(&self, state: &Self::State) -> usize {
        let entry = |(k, v): (&String, &String)| k.len() + v.len() + 2 * size_of::<String>();
        size_of::<Self::State>() + 64 + state.iter().map(entry).sum::<usize>()
    }
}

/// A key for people: bare where it is a plain word.
fn key(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
    if key.len() <= 32 && !key.is_empty() && key.chars().all(plain) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

/// The first few of a list.
fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    const SHOWN: usize = 8;
    let more = items.len().saturating_sub(SHOWN);
    let mut text = items.take(SHOWN).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
