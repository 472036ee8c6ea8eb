//! What the generic models hold.

use std::hash::{BuildHasher, Hash};

use rustc_hash::FxBuildHasher;
use serde_json::Value;

use super::{cas_register, quoted};
use crate::Content;

/// A value that a register, set, queue or stack holds: comparable, and shown to people.
pub trait Datum: Clone + Eq + Hash + Send + Sync {
    /// The value for people: short, without control characters.
    fn shown(&self) -> String;

    /// The value where explanations compare it: different for different values.
    fn content(&self) -> Content<'_> {
        Content::Plain(self.shown().into())
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Datum for $number {
            fn shown(&self) -> String {
                self.to_string()
            }
        })*
    };
}

numbers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, bool);

impl Datum for String {
    fn shown(&self) -> String {
        quoted(self)
    }

    fn content(&self) -> Content<'_> {
        Content::of_text(Some(self))
    }
}

impl Datum for &'static str {
    fn shown(&self) -> String {
        quoted(self)
    }

    fn content(&self) -> Content<'_> {
        Content::of_text(Some(self))
    }
}

impl Datum for Value {
    fn shown(&self) -> String {
        cas_register::shown(self)
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

/// What the search compares instead of values.
pub(super) fn fingerprint(value: &impl Hash) -> u64 {
    FxBuildHasher.hash_one(value)
}

/// An operation for people, with its result where that is known.
pub(super) fn told(asked: String, answered: Option<String>) -> String {
    match answered {
        None => asked,
        Some(answer) if answer.is_empty() => asked,
        Some(answer) => format!("{asked} {answer}"),
    }
}
