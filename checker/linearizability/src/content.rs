//! What a part of an object holds: compared, and shown to people.

use std::borrow::Cow;
use std::fmt;
use std::hash::{BuildHasher, Hash};

use rustc_hash::FxBuildHasher;
use serde_json::Value;

/// A value of an object, or the name of one of its parts. Equal values have equal contents, different values different
/// ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Content<'a> {
    /// Nothing.
    Nil,
    /// A text, which is shown in quotes.
    Text(Cow<'a, str>),
    /// A number.
    Int(i128),
    /// Any other JSON value.
    Json(&'a Value),
    /// Anything else, shown as it is.
    Plain(Cow<'a, str>),
    /// Something that is only compared, and that no sentence shows.
    Hidden(i128),
}

impl<'a> Content<'a> {
    /// The whole object, as the name of a part.
    pub const WHOLE: Content<'static> = Content::Nil;

    /// A text, or nothing.
    #[must_use]
    pub fn of_text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Nil, Self::from)
    }

    /// The text, `""` where there is nothing; `None` for anything else.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Nil => Some(""),
            Self::Text(text) => Some(text),
            Self::Int(_) | Self::Json(_) | Self::Plain(_) | Self::Hidden(_) => None,
        }
    }

    pub(crate) fn is_hidden(&self) -> bool {
        matches!(self, Self::Hidden(_))
    }

    /// The name of a part, without quotes; `""` for the whole.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Nil => String::new(),
            Self::Text(text) | Self::Plain(text) => text.to_string(),
            other => other.to_string(),
        }
    }
}

impl<'a> From<&'a str> for Content<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl<'a> From<&'a Value> for Content<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Nil,
            Value::String(text) => Self::Text(text.into()),
            other => {
                let number = other.as_i64().map(i128::from).or(other.as_u64().map(i128::from));
                number.map_or(Self::Json(other), Self::Int)
            }
        }
    }
}

impl fmt::Display for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Int(number) => number.fmt(f),
            Self::Json(value) => f.write_str(&plain(&value.to_string())),
            Self::Plain(text) => f.write_str(&plain(text)),
            Self::Hidden(number) => write!(f, "#{number}"),
        }
    }
}

/// How much of a value a sentence shows.
const SHOWN_CHARS: usize = 40;

/// A value for people: quoted, escaped and, since tests write long ones, shortened to its end, where appends
/// differ.
pub(crate) fn quoted(value: &str) -> String {
    let length = value.chars().count();
    if length <= SHOWN_CHARS {
        return format!("{value:?}");
    }
    let end: String = value.chars().skip(length - SHOWN_CHARS).collect();
    format!("…{end:?} ({length} characters)")
}

pub(crate) fn plain(text: &str) -> String {
    if text.len() <= SHOWN_CHARS { text.to_owned() } else { quoted(text) }
}

/// A number for a value: where two are different, so are the values.
pub(crate) fn fingerprint(value: &impl Hash) -> u64 {
    FxBuildHasher.hash_one(value)
}
