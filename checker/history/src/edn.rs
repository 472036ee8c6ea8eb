//! Clojure's data notation, as far as Jepsen's histories use it.
//!
//! # EDN values as JSON values
//! Checkers see values as JSON, or as a [`Datum`](crate::Datum), which mirrors it. What JSON lacks is spelled so that what
//! is equal in Clojure, and only that, is equal here:
//!
//! | EDN | JSON |
//! |---|---|
//! | `nil`, `true`, `12`, `1.5`, `"text"`, `[1 2]` | `null`, `true`, `12`, `1.5`, `"text"`, `[1,2]` |
//! | `:kw` | `":kw"` |
//! | `(1 2)`, `12N` | `[1,2]`, `12` |
//! | `#{2 1}` | `{"#set":[1,2]}`, in one order for all that are equal |
//! | `sym`, `\a`, `2/4`, `1.50M` | `{"#symbol":"sym"}`, `{"#char":"a"}`, `{"#number":"1/2"}`, `{"#number":"1.5M"}` |
//! | `#inst "2026"` | `{"#tag":["inst","2026"]}` |
//! | `{:a 1, 2 3, "b" 4, [5] 6}` | `{":a":1,"2":3,"b":4,"#edn [5]":6}` |
//!
//! A string that would be taken for something else (`":kw"`, or as a key `"2"`) gets a leading backslash. JSON
//! objects that use the names with `#` for anything else come back with those keys escaped.

mod canonical;
mod integers;
mod json;
mod parse;
mod print;

use std::borrow::Cow;

pub use json::{from_json, to_json};
pub(crate) use json::{is_keyword, key_name};
use parse::Sink;
pub(crate) use parse::{Cursor, Failure, Parsed, duplicate_key, is_number};
pub use parse::{MAX_DEPTH, ParseError, parse};

/// One EDN value.
#[derive(Clone, Debug, PartialEq)]
pub enum Edn {
    /// `nil`
    Nil,
    /// `true`, `false`
    Bool(bool),
    /// An integer that JSON can hold: from `i64::MIN` to `u64::MAX`.
    Int(i128),
    /// A finite floating-point number.
    Float(f64),
    /// Any other number, as written: `12N`, `1.5M`, `1/3`, `##Inf`.
    Number(String),
    /// `"text"`
    String(String),
    /// `\a`
    Char(char),
    /// `:name`, without the colon.
    Keyword(String),
    /// `name`
    Symbol(String),
    /// `(…)`
    List(Vec<Edn>),
    /// `[…]`
    Vector(Vec<Edn>),
    /// `{…}`, without duplicate keys, in the order written.
    Map(Vec<(Edn, Edn)>),
    /// `#{…}`, in the order written.
    Set(Vec<Edn>),
    /// `#tag value`
    Tagged(String, Box<Edn>),
}

/// May this follow the colon of a keyword?
pub(crate) fn is_keyword_name(name: &str) -> bool {
    let is_plain = || name.bytes().all(|byte| SYMBOL_BYTES[usize::from(byte)]);
    !name.is_empty() && !name.starts_with(':') && (is_plain() || name.chars().all(is_symbol_char))
}

fn is_symbol_name(name: &str) -> bool {
    let unsigned = name.strip_prefix(['+', '-', '.']).unwrap_or(name);
    is_keyword_name(name)
        && !unsigned.starts_with(|c: char| c.is_ascii_digit())
        && !name.starts_with(['#', '\''])
        && !matches!(name, "nil" | "true" | "false")
}

fn is_symbol_char(c: char) -> bool {
    if c.is_ascii() { SYMBOL_BYTES[c as usize] } else { c.is_alphanumeric() }
}

/// The ASCII characters of symbols.
const SYMBOL_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b".*+!-_?$%&=<>/:#'|";
    let mut i = 0;
    while i < others.len() {
        table[others[i] as usize] = true;
        i += 1;
    }
    table
};

impl Sink for Edn {
    fn nil() -> Self {
        Edn::Nil
    }
    fn bool(value: bool) -> Self {
        Edn::Bool(value)
    }
    fn int(value: i128) -> Self {
        Edn::Int(value)
    }
    fn float(value: f64) -> Self {
        Edn::Float(value)
    }
    fn number(text: &str) -> Self {
        Edn::Number(text.to_owned())
    }
    fn string(text: Cow<'_, str>) -> Self {
        Edn::String(text.into_owned())
    }
    fn char(character: char) -> Self {
        Edn::Char(character)
    }
    fn keyword(name: &str) -> Self {
        Edn::Keyword(name.to_owned())
    }
    fn symbol(name: &str) -> Self {
        Edn::Symbol(name.to_owned())
    }
    fn list(items: Vec<Self>) -> Self {
        Edn::List(items)
    }
    fn vector(items: Vec<Self>) -> Self {
        Edn::Vector(items)
    }
    fn set(items: Vec<Self>) -> Self {
        Edn::Set(items)
    }
    fn map(entries: Vec<(Edn, Self)>) -> Self {
        Edn::Map(entries)
    }
    fn tagged(tag: &str, value: Self) -> Self {
        Edn::Tagged(tag.to_owned(), Box::new(value))
    }
}
