//! What the generic models hold.

use std::hash::Hash;

use history::Datum as Recorded;
use serde_json::Value;

use crate::Content;
use crate::content::{plain, quoted};

/// A value that a register, set, queue or stack holds: comparable, and shown to people.
pub trait Datum: Clone + Eq + Hash + Send + Sync {
    /// The value for people: short, without control characters.
    fn shown(&self) -> String;

    /// The value as [`crate::Effects`] have it: the same for equal values, and only for those.
    fn content(&self) -> Content<'_>;
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Datum for $number {
            fn shown(&self) -> String {
                self.to_string()
            }

            fn content(&self) -> Content<'_> {
                Content::Int(*self as i128)
            }
        })*
    };
}

numbers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl Datum for bool {
    fn shown(&self) -> String {
        self.to_string()
    }

    fn content(&self) -> Content<'_> {
        Content::Plain(if *self { "true" } else { "false" }.into())
    }
}

impl Datum for String {
    fn shown(&self) -> String {
        quoted(self)
    }

    fn content(&self) -> Content<'_> {
        self.as_str().into()
    }
}

impl Datum for &'static str {
    fn shown(&self) -> String {
        quoted(self)
    }

    fn content(&self) -> Content<'_> {
        (*self).into()
    }
}

impl Datum for Recorded {
    fn shown(&self) -> String {
        match self {
            Recorded::Text(text) if !text.starts_with(':') => quoted(text),
            other => plain(&other.to_string()),
        }
    }

    fn content(&self) -> Content<'_> {
        match self {
            Recorded::Nil => Content::Nil,
            Recorded::Int(number) => Content::Int((*number).into()),
            Recorded::Text(text) => Content::Text(text.as_str().into()),
            other => Content::Plain(other.to_string().into()),
        }
    }
}

impl Datum for Value {
    /// A number as it is, anything longer shortened.
    fn shown(&self) -> String {
        match self {
            Value::String(text) => quoted(text),
            Value::Array(_) | Value::Object(_) => quoted(&self.to_string()),
            Value::Null => "nil".to_owned(),
            Value::Bool(_) | Value::Number(_) => self.to_string(),
        }
    }

    fn content(&self) -> Content<'_> {
        self.into()
    }
}

impl<V: Datum> Datum for Option<V> {
    fn shown(&self) -> String {
        self.as_ref().map_or_else(|| "nil".to_owned(), Datum::shown)
    }

    fn content(&self) -> Content<'_> {
        self.as_ref().map_or(Content::Nil, Datum::content)
    }
}
