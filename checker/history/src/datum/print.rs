//! Values for people, on one line.

use std::fmt::{self, Display, Formatter, Write};

use super::{Datum, SET};
use crate::edn::is_keyword;

impl Display for Datum {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => f.write_str("nil"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Number(text) => f.write_str(text),
            Self::Text(text) if is_keyword(text) => f.write_str(text),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(items) => sequence(f, "[", items, "]"),
            Self::Integers(values) => sequence(f, "[", values, "]"),
            Self::Map(entries) => match &entries[..] {
                [(name, Self::List(items))] if name == SET => sequence(f, "#{", items, "}"),
                [(name, Self::Integers(values))] if name == SET => sequence(f, "#{", values, "}"),
                _ => map(f, entries),
            },
        }
    }
}

fn sequence(f: &mut Formatter<'_>, open: &str, items: &[impl Display], close: &str) -> fmt::Result {
    f.write_str(open)?;
    for (i, item) in items.iter().enumerate() {
        let separator = if i == 0 { "" } else { " " };
        write!(f, "{separator}{item}")?;
    }
    f.write_str(close)
}

/// A key that is a keyword or a number stands as in EDN, any other as in JSON.
fn map(f: &mut Formatter<'_>, entries: &[(compact_str::CompactString, Datum)]) -> fmt::Result {
    f.write_char('{')?;
    for (i, (name, value)) in entries.iter().enumerate() {
        let separator = if i == 0 { "" } else { ", " };
        match is_keyword(name) || name.parse::<i64>().is_ok() {
            true => write!(f, "{separator}{name} {value}")?,
            false => write!(f, "{separator}{name:?}: {value}")?,
        }
    }
    f.write_char('}')
}
