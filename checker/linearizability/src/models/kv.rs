//! One key of a key-value store: a string register that can be absent, with append, hashed put and compare-and-set.

use super::datum::fingerprint;
use super::text::Text;
use crate::monitors::Refutation;
use crate::{CallOf, Content, Fact, Gives, Model, RegisterStep};

mod pieces;
mod steps;

/// One key, absent at first. Check a store key by key with [`crate::check_by_key`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Kv;

/// What is asked of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KvInput {
    /// Read the value.
    Get,
    /// Replace the value.
    Put(String),
    /// Add to the end of the value; absent counts as empty.
    Append(String),
    /// Replace the value by the decimal FNV-1a-32 hash of the previous value followed by this one.
    PutHash(String),
    /// Replace the value where it is the expected one (`None`: absent).
    Cas {
        /// The value that must be there.
        expect: Option<String>,
        /// The value that replaces it.
        value: String,
    },
}

/// What a key answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KvOutput {
    /// The value read, or the new value after an append.
    Value(Option<String>),
    /// It happened, nothing else is known.
    Done,
    /// The value before a hashed put; empty where it was absent.
    Previous(String),
    /// The outcome of a compare-and-set.
    Cas {
        /// Whether the value was replaced.
        swapped: bool,
        /// The value that was there instead, where the store said so.
        current: Option<Option<String>>,
    },
}

impl Model for Kv {
    type Input = KvInput;
    type Output = KvOutput;
    type State = KvState;

    fn initial(&self) -> KvState {
        KvState(None)
    }

    fn step(&self, state: &KvState, input: &KvInput, output: Option<&KvOutput>) -> Option<KvState> {
        match input {
            KvInput::Get => match output {
                None => Some(state.clone()),
                Some(KvOutput::Value(value)) => state.is(value.as_deref()).then(|| state.clone()),
                Some(_) => None,
            },
            KvInput::Put(value) => {
                matches!(output, None | Some(KvOutput::Done)).then(|| KvState::of(value))
            }
            KvInput::Append(more) => {
                let new = match &state.0 {
                    Some(text) => KvState(Some(text.append(more))),
                    None => KvState::of(more),
                };
                let legal = match output {
                    None | Some(KvOutput::Done) => true,
                    Some(KvOutput::Value(value)) => new.is(value.as_deref()),
                    Some(_) => false,
                };
                legal.then_some(new)
            }
            KvInput::PutHash(value) => {
                let legal = match output {
                    None | Some(KvOutput::Done) => true,
                    Some(KvOutput::Previous(previous)) => match &state.0 {
                        Some(text) => text.is(previous),
                        None => previous.is_empty(),
                    },
                    Some(_) => false,
                };
                legal.then(|| KvState::of(&state.hashed_with(value)))
            }
            KvInput::Cas { expect, value } => {
                let matches = state.is(expect.as_deref());
                let legal = match output {
                    None => true,
                    Some(KvOutput::Cas { swapped: true, .. }) => matches,
                    Some(KvOutput::Cas { swapped: false, current }) => {
                        !matches && current.as_ref().is_none_or(|c| state.is(c.as_deref()))
                    }
                    Some(_) => false,
                };
                legal.then(|| if matches { KvState::of(value) } else { state.clone() })
            }
        }
    }

    fn is_read_only(&self, input: &KvInput) -> bool {
        match input {
            KvInput::Get => true,
            KvInput::Cas { expect, value } => expect.as_ref() == Some(value),
            KvInput::Put(_) | KvInput::Append(_) | KvInput::PutHash(_) => false,
        }
    }

    fn describe(&self, input: &KvInput, output: Option<&KvOutput>) -> String {
        describe::call(input, output)
    }

    fn overwrites(&self, input: &KvInput, output: Option<&KvOutput>) -> bool {
        matches!((input, output), (KvInput::Put(_), None | Some(KvOutput::Done)))
    }

    fn gives(&self, input: &KvInput, output: Option<&KvOutput>) -> Gives {
        let value = |value: Option<&str>| Gives::Fingerprint(fingerprint(&value));
        match (input, output) {
            (KvInput::Get, _) | (_, Some(KvOutput::Cas { swapped: false, .. })) => Gives::Unchanged,
            (KvInput::Cas { .. }, _) if self.is_read_only(input) => Gives::Unchanged,
            (KvInput::Put(new) | KvInput::Cas { value: new, .. }, _) => value(Some(new)),
            (KvInput::Append(_), Some(KvOutput::Value(new))) => value(new.as_deref()),
            (KvInput::PutHash(more), Some(KvOutput::Previous(previous))) => {
                value(Some(&Text::new(previous).fnv1a_with(more)))
            }
            (KvInput::Append(_) | KvInput::PutHash(_), _) => Gives::Unclear,
        }
    }

    fn needs(&self, input: &KvInput, output: Option<&KvOutput>) -> Option<u64> {
        match needed(input, output) {
            Needed::Exactly(value) => Some(fingerprint(&value)),
            Needed::Unclear => None,
        }
    }

    fn may_enable(&self, effect: &KvInput, blocked: &KvInput, output: Option<&KvOutput>) -> bool {
        let Needed::Exactly(value) = needed(blocked, output) else { return true };
        match effect {
            KvInput::Append(more) => value.is_some_and(|value| value.ends_with(more.as_str())),
            KvInput::PutHash(_) => value.is_some_and(|value| value.parse::<u32>().is_ok()),
            KvInput::Get | KvInput::Put(_) | KvInput::Cas { .. } => true,
        }
    }

    fn state_bytes(&self, state: &KvState) -> usize {
        size_of::<KvState>() + state.0.as_ref().map_or(0, Text::own_bytes)
    }

    fn register_steps(&self, calls: &[CallOf<Self>]) -> Option<Vec<RegisterStep>> {
        steps::of(calls)
    }

    fn facts<'a>(&self, input: &'a KvInput, output: Option<&'a KvOutput>) -> Vec<Fact<'a>> {
        let saw = match needed(input, output) {
            Needed::Exactly(value) => Some(Fact::Saw("".into(), Content::of_text(value))),
            Needed::Unclear => None,
        };
        let content = |value: &'a str| Content::of_text(Some(value));
        let left = match (input, output) {
            (KvInput::Get, _) | (_, Some(KvOutput::Cas { swapped: false, .. })) => None,
            (KvInput::Cas { .. }, _) if self.is_read_only(input) => None,
            (KvInput::Put(value), _)
            | (KvInput::Cas { value, .. }, Some(_))
            | (KvInput::Append(_), Some(KvOutput::Value(Some(value)))) => {
                Some(Fact::Left("".into(), content(value)))
            }
            (KvInput::Cas { value, .. }, None) => Some(Fact::MayLeave("".into(), content(value))),
            (KvInput::Append(_) | KvInput::PutHash(_), _) => Some(Fact::Changed("".into())),
        };
        saw.into_iter().chain(left).collect()
    }

    fn initially(&self, _part: &str) -> Option<Content<'_>> {
        Some(Content::Nil)
    }

    fn answer(&self, state: &KvState, input: &KvInput) -> Option<KvOutput> {
        Some(match input {
            KvInput::Get => KvOutput::Value(state.value()),
            KvInput::Put(_) => KvOutput::Done,
            KvInput::Append(more) => {
                KvOutput::Value(Some(state.value().unwrap_or_default() + more))
            }
            KvInput::PutHash(_) => KvOutput::Previous(state.value().unwrap_or_default()),
            KvInput::Cas { expect, .. } => {
                let swapped = state.is(expect.as_deref());
                KvOutput::Cas { swapped, current: (!swapped).then(|| state.value()) }
            }
        })
    }

    fn explain(&self, stuck: usize, calls: &[CallOf<Self>]) -> Option<Refutation> {
        pieces::explain(stuck, calls)
    }
}

/// The value that must be there for an operation to have its result.
enum Needed<'a> {
    Exactly(Option<&'a str>),
    Unclear,
}

fn needed<'a>(input: &'a KvInput, output: Option<&'a KvOutput>) -> Needed<'a> {
    match (input, output) {
        (KvInput::Get, Some(KvOutput::Value(value))) => Needed::Exactly(value.as_deref()),
        (KvInput::PutHash(_), Some(KvOutput::Previous(previous))) if !previous.is_empty() => {
            Needed::Exactly(Some(previous))
        }
        (KvInput::Append(more), Some(KvOutput::Value(Some(new)))) => {
            match new.strip_suffix(more.as_str()) {
                // Empty or absent; or an impossible answer.
                Some("") | None => Needed::Unclear,
                before => Needed::Exactly(before),
            }
        }
        (KvInput::Cas { expect, .. }, Some(KvOutput::Cas { swapped: true, .. })) => {
            Needed::Exactly(expect.as_deref())
        }
        (KvInput::Cas { .. }, Some(KvOutput::Cas { current: Some(current), .. })) => {
            Needed::Exactly(current.as_deref())
        }
        _ => Needed::Unclear,
    }
}

/// The value of a key, or its absence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KvState(Option<Text>);

impl KvState {
    /// The value as a string, `None` where the key is absent.
    #[must_use]
    pub fn value(&self) -> Option<String> {
        self.0.as_ref().map(ToString::to_string)
    }

    fn of(value: &str) -> Self {
        Self(Some(Text::new(value)))
    }

    fn is(&self, value: Option<&str>) -> bool {
        match (&self.0, value) {
            (Some(text), Some(value)) => text.is(value),
            (None, None) => true,
            _ => false,
        }
    }

    fn hashed_with(&self, value: &str) -> String {
        match &self.0 {
            Some(text) => text.fnv1a_with(value),
            None => Text::new("").fnv1a_with(value),
        }
    }
}

mod describe {
    use super::{KvInput, KvOutput};
    use crate::models::quoted;

    pub(super) fn call(input: &KvInput, output: Option<&KvOutput>) -> String {
        let asked = match input {
            KvInput::Get => "get".to_owned(),
            KvInput::Put(value) => format!("put {}", quoted(value)),
            KvInput::Append(more) => format!("append {}", quoted(more)),
            KvInput::PutHash(value) => format!("puthash {}", quoted(value)),
            KvInput::Cas { expect, value } => {
                format!("cas {} to {}", or_nil(expect), quoted(value))
            }
        };
        match output {
            None | Some(KvOutput::Done) => asked,
            Some(KvOutput::Value(value)) => format!("{asked} = {}", or_nil(value)),
            Some(KvOutput::Previous(previous)) => {
                format!("{asked}, previously {}", quoted(previous))
            }
            Some(KvOutput::Cas { swapped: true, .. }) => format!("{asked}, swapped"),
            Some(KvOutput::Cas { swapped: false, current: None }) => format!("{asked}, refused"),
            Some(KvOutput::Cas { swapped: false, current: Some(current) }) => {
                format!("{asked}, refused because of {}", or_nil(current))
            }
        }
    }

    fn or_nil(value: &Option<String>) -> String {
        value.as_deref().map_or_else(|| "nil".to_owned(), quoted)
    }
}
