//! One key of a key-value store: a string register that can be absent, with append, hashed put and compare-and-set.

use compact_str::{CompactString, ToCompactString};

use super::text::Text;
use crate::refutation::Refutation;
use crate::{CallOf, Content, Effects, Leaves, Model, Saw};

mod pieces;

/// One key, absent at first. Check a store key by key with [`crate::check_by_key`].
#[derive(Clone, Copy, Debug, Default)]
pub struct Kv;

/// What is asked of a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KvInput {
    /// Read the value.
    Get,
    /// Replace the value.
    Put(CompactString),
    /// Add to the end of the value; absent counts as empty.
    Append(CompactString),
    /// Replace the value by the decimal FNV-1a-32 hash of the previous value followed by this one.
    PutHash(CompactString),
    /// Replace the value where it is the expected one (`None`: absent).
    Cas {
        /// The value that must be there.
        expect: Option<CompactString>,
        /// The value that replaces it.
        value: CompactString,
    },
}

/// What a key answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KvOutput {
    /// The value read, or the new value after an append.
    Value(Option<CompactString>),
    /// It happened, nothing else is known.
    Done,
    /// The value before a hashed put; empty where it was absent.
    Previous(CompactString),
    /// The outcome of a compare-and-set.
    Cas {
        /// Whether the value was replaced.
        swapped: bool,
        /// The value that was there instead, where the store said so.
        current: Option<Option<CompactString>>,
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

    fn describe(&self, input: &KvInput, output: Option<&KvOutput>) -> String {
        describe::call(input, output)
    }

    fn effects<'a>(&'a self, input: &'a KvInput, output: Option<&'a KvOutput>) -> Effects<'a> {
        let (saw, leaves) = match input {
            KvInput::Get => (of_get(output), Leaves::Unchanged),
            KvInput::Put(value) => {
                (of_silent(output), Leaves::Exactly(Content::from(value.as_str())))
            }
            KvInput::Append(more) => of_append(more, output),
            KvInput::PutHash(value) => of_hash(value, output),
            KvInput::Cas { expect, value } => of_cas(expect.as_deref(), value, output),
        };
        Effects::whole(saw, leaves)
    }

    fn initially(&self, _part: &Content<'_>) -> Option<Content<'_>> {
        Some(Content::Nil)
    }

    fn state_bytes(&self, state: &KvState) -> usize {
        size_of::<KvState>() + state.0.as_ref().map_or(0, Text::own_bytes)
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

fn of_get(output: Option<&KvOutput>) -> Saw<'_> {
    match output {
        None => Saw::Anything,
        Some(KvOutput::Value(value)) => Saw::Exactly(Content::of_text(value.as_deref())),
        Some(_) => Saw::Something,
    }
}

/// Of an operation that says no more than that it happened.
fn of_silent(output: Option<&KvOutput>) -> Saw<'_> {
    if matches!(output, None | Some(KvOutput::Done)) { Saw::Anything } else { Saw::Something }
}

fn of_append<'a>(more: &'a str, output: Option<&'a KvOutput>) -> (Saw<'a>, Leaves<'a>) {
    let Some(KvOutput::Value(Some(new))) = output else {
        return (of_silent(output), Leaves::Extended { by: more, to: None });
    };
    let saw = match new.strip_suffix(more) {
        Some("") => Saw::Empty,
        Some(before) => Saw::Exactly(before.into()),
        // It cannot have answered that.
        None => Saw::Something,
    };
    (saw, Leaves::Extended { by: more, to: Some(new.as_str().into()) })
}

fn of_hash<'a>(value: &str, output: Option<&'a KvOutput>) -> (Saw<'a>, Leaves<'a>) {
    let Some(KvOutput::Previous(previous)) = output else {
        let is_hash =
            |left: &Content<'_>| left.text().is_some_and(|text| text.parse::<u32>().is_ok());
        return (of_silent(output), Leaves::Like(is_hash));
    };
    let saw = if previous.is_empty() { Saw::Empty } else { Saw::Exactly(previous.as_str().into()) };
    (saw, Leaves::Exactly(Content::Text(Text::new(previous).fnv1a_with(value).into())))
}

fn of_cas<'a>(
    expect: Option<&'a str>,
    value: &'a str,
    output: Option<&'a KvOutput>,
) -> (Saw<'a>, Leaves<'a>) {
    let (old, new) = (Content::of_text(expect), Content::from(value));
    let is_same = old == new;
    match output {
        Some(KvOutput::Cas { swapped: true, .. }) if is_same => {
            (Saw::Exactly(old), Leaves::Unchanged)
        }
        Some(KvOutput::Cas { swapped: true, .. }) => (Saw::Exactly(old), Leaves::Exactly(new)),
        Some(KvOutput::Cas { swapped: false, current }) => {
            let saw = match current {
                None => Saw::Other(old),
                // Refused because of the very value that it expected.
                Some(current) if current.as_deref() == expect => Saw::Something,
                Some(current) => Saw::Exactly(Content::of_text(current.as_deref())),
            };
            (saw, Leaves::Unchanged)
        }
        None if is_same => (Saw::Anything, Leaves::Unchanged),
        None => (Saw::Anything, Leaves::Swapped { old, new }),
        Some(_) => (Saw::Something, Leaves::Swapped { old, new }),
    }
}

/// The value of a key, or its absence.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KvState(Option<Text>);

impl KvState {
    /// The value as a string, `None` where the key is absent.
    #[must_use]
    pub fn value(&self) -> Option<CompactString> {
        self.0.as_ref().map(ToCompactString::to_compact_string)
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
    use compact_str::CompactString;

    use super::{KvInput, KvOutput};
    use crate::content::quoted;

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

    fn or_nil(value: &Option<CompactString>) -> String {
        value.as_deref().map_or_else(|| "nil".to_owned(), quoted)
    }
}
