//! What operations say about the parts of an object.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use crate::models::quoted;

/// What an operation says about one part of the object, such as one key of several: what explanations are made of.
///
/// An object that is one part calls it `""`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact<'a> {
    /// It found this in this part, before its own effect.
    Saw(Cow<'a, str>, Content<'a>),
    /// Whenever it takes effect, it leaves this in this part.
    Left(Cow<'a, str>, Content<'a>),
    /// It may leave this in this part, or nothing, as a compare-and-set whose result is unknown.
    MayLeave(Cow<'a, str>, Content<'a>),
    /// It may leave in this part what another part had, as a swap.
    Moved(Cow<'a, str>),
    /// It may leave anything in this part.
    Changed(Cow<'a, str>),
}

/// What a part of an object holds: compared, and shown to people.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Content<'a> {
    /// Nothing.
    Nil,
    /// A text, which is shown in quotes.
    Text(Cow<'a, str>),
    /// Anything else, shown as it is.
    Plain(Cow<'a, str>),
}

impl Fact<'_> {
    /// The part that it is about.
    #[must_use]
    pub fn part(&self) -> &str {
        match self {
            Self::Saw(part, _)
            | Self::Left(part, _)
            | Self::MayLeave(part, _)
            | Self::Moved(part)
            | Self::Changed(part) => part,
        }
    }
}

impl<'a> Content<'a> {
    /// A text, or nothing.
    #[must_use]
    pub fn of_text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Nil, |text| Self::Text(text.into()))
    }
}

impl<'a> From<&'a Value> for Content<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Nil,
            Value::String(text) => Self::Text(text.into()),
            other => Self::Plain(other.to_string().into()),
        }
    }
}

impl fmt::Display for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_MAX: usize = 40;
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Plain(text) if text.len() <= SHOWN_MAX => f.write_str(text),
            Self::Plain(text) => f.write_str(&quoted(text)),
        }
    }
}
