//! EDN → [`Datum`], and EDN ↔ JSON, by the table in the module above.

use std::borrow::Cow;

use compact_str::CompactString;
use serde_json::{Map, Value};

use super::parse::{Cursor, Sink};
use super::{Edn, is_keyword_name, is_symbol_name};
use crate::datum::{Datum, NUMBER, SET, number};

/// Names of the objects that stand for what JSON lacks.
const MARKERS: [&str; 5] = [SET, "#symbol", "#char", NUMBER, "#tag"];

/// Before the text of a key that is neither keyword, string nor integer.
const EDN_KEY: &str = "#edn ";

impl Sink for Datum {
    fn nil() -> Self {
        Self::Nil
    }
    fn bool(value: bool) -> Self {
        Self::Bool(value)
    }
    fn int(value: i128) -> Self {
        i64::try_from(value).map_or_else(|_| number::integer(&value.to_string()), Self::Int)
    }
    fn float(value: f64) -> Self {
        number::double(&format!("{value:?}")).map_or_else(Self::nil, Self::Number)
    }
    fn number(text: &str) -> Self {
        number::of_edn(text).unwrap_or_else(|| Self::text(text))
    }
    fn string(text: Cow<'_, str>) -> Self {
        Self::Text(escaped(text, is_keyword).into())
    }
    fn char(character: char) -> Self {
        marker("#char", Self::text(character.encode_utf8(&mut [0; 4])))
    }
    fn keyword(name: &str) -> Self {
        let mut text = CompactString::with_capacity(1 + name.len());
        text.push(':');
        text.push_str(name);
        Self::Text(text)
    }
    fn symbol(name: &str) -> Self {
        marker("#symbol", Self::text(name))
    }
    fn list(items: Vec<Self>) -> Self {
        Self::list(items)
    }
    fn vector(items: Vec<Self>) -> Self {
        Self::list(items)
    }
    fn integers(values: Vec<i64>, _: fn(Vec<Self>) -> Self) -> Self {
        Self::Integers(values.into())
    }
    fn set(mut items: Vec<Self>) -> Self {
        items.sort_unstable();
        marker(SET, Self::list(items))
    }
    fn map(entries: Vec<(Edn, Self)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key_name(&key).into(), value));
        Self::map(entries.collect()).unwrap_or_default()
    }
    fn tagged(tag: &str, value: Self) -> Self {
        marker("#tag", Self::List([Self::text(tag), value].into()))
    }
}

fn marker(name: &'static str, value: Datum) -> Datum {
    Datum::Map([(CompactString::const_new(name), value)].into())
}

impl From<&Edn> for Datum {
    fn from(edn: &Edn) -> Self {
        Self::with_names(edn, key_name)
    }
}

impl Datum {
    /// What stands for a [canonical](Edn::canonical) value.
    pub(super) fn of_canonical(edn: &Edn) -> Self {
        Self::with_names(edn, canonical_key_name)
    }

    fn with_names(edn: &Edn, name: fn(&Edn) -> String) -> Self {
        let all = |items: &[Edn]| items.iter().map(|item| Self::with_names(item, name)).collect();
        match edn {
            Edn::Nil => Self::Nil,
            Edn::Bool(value) => Self::Bool(*value),
            Edn::Int(value) => Sink::int(*value),
            Edn::Float(value) => Sink::float(*value),
            Edn::Number(text) => Sink::number(text),
            Edn::String(text) => Sink::string(Cow::Borrowed(text)),
            Edn::Char(character) => Sink::char(*character),
            Edn::Keyword(name) => Sink::keyword(name),
            Edn::Symbol(name) => Sink::symbol(name),
            Edn::List(items) | Edn::Vector(items) => Sink::vector(all(items)),
            Edn::Set(items) => Sink::set(all(items)),
            Edn::Map(entries) => {
                let entry =
                    |(key, value): &(Edn, Edn)| (name(key).into(), Self::with_names(value, name));
                Self::map(entries.iter().map(entry).collect()).unwrap_or_default()
            }
            Edn::Tagged(tag, value) => Sink::tagged(tag, Self::with_names(value, name)),
        }
    }
}

/// The JSON value that stands for an EDN value: the same for all that are equal.
#[must_use]
pub fn to_json(edn: &Edn) -> Value {
    Datum::from(edn).into()
}

/// The EDN value that a JSON value stands for.
#[must_use]
pub fn from_json(value: &Value) -> Edn {
    match value {
        Value::Null => Edn::Nil,
        Value::Bool(value) => Edn::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(integer), ..) => Edn::Int(integer.into()),
            (_, Some(integer), _) => Edn::Int(integer.into()),
            (.., Some(float)) => Edn::Float(float),
            _ => Edn::Number(number.to_string()),
        },
        Value::String(text) if is_keyword(text) => Edn::Keyword(text[1..].to_owned()),
        Value::String(text) => Edn::String(unescaped(text, is_keyword)),
        Value::Array(items) => Edn::Vector(items.iter().map(from_json).collect()),
        Value::Object(object) => marked(object).unwrap_or_else(|| {
            Edn::Map(object.iter().map(|(k, v)| (key_from_json(k), from_json(v))).collect())
        }),
    }
}

/// What an object with a single marker stands for.
fn marked(object: &Map<String, Value>) -> Option<Edn> {
    let (marker, value) = object.iter().next().filter(|_| object.len() == 1)?;
    let items = || Some(value.as_array()?.iter().map(from_json).collect());
    match marker.as_str() {
        SET => items().map(Edn::Set),
        "#symbol" => {
            value.as_str().filter(|s| is_symbol_name(s)).map(|s| Edn::Symbol(s.to_owned()))
        }
        "#char" => {
            let mut chars = value.as_str()?.chars();
            chars.next().filter(|_| chars.as_str().is_empty()).map(Edn::Char)
        }
        NUMBER => {
            let text = value.as_str()?;
            match single(text)? {
                Edn::Number(number) => Some(Edn::Number(number)),
                _ => None,
            }
        }
        "#tag" => match value.as_array()?.as_slice() {
            [Value::String(tag), value] if is_symbol_name(tag) => {
                Some(Edn::Tagged(tag.clone(), Box::new(from_json(value))))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The name under which JSON has what belongs to a key: the same for all keys that are equal.
pub(crate) fn key_name(key: &Edn) -> String {
    match key {
        Edn::Keyword(_) | Edn::String(_) | Edn::Int(_) => canonical_key_name(key),
        other => canonical_key_name(&other.canonical()),
    }
}

/// The same for a key that is [canonical](Edn::canonical): making it so again at each level of a nested key would double
/// the work with each.
pub(super) fn canonical_key_name(key: &Edn) -> String {
    match key {
        Edn::Keyword(name) => format!(":{name}"),
        Edn::String(text) => escaped(Cow::Borrowed(text), is_special_key),
        Edn::Int(value) => value.to_string(),
        other => format!("{EDN_KEY}{other}"),
    }
}

fn key_from_json(key: &str) -> Edn {
    if is_keyword(key) {
        return Edn::Keyword(key[1..].to_owned());
    }
    if let Some(value) = edn_key(key) {
        return value;
    }
    match canonical_integer(key) {
        Some(value) => Edn::Int(value),
        None => Edn::String(unescaped(key, is_special_key)),
    }
}

pub(crate) fn is_keyword(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(is_keyword_name)
}

/// Would this key be taken for something other than a string?
fn is_special_key(key: &str) -> bool {
    is_keyword(key)
        || MARKERS.contains(&key)
        || canonical_integer(key).is_some()
        || edn_key(key).is_some()
}

fn canonical_integer(text: &str) -> Option<i128> {
    let value = text.parse::<i128>().ok().filter(|v| v.to_string() == text)?;
    (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value).then_some(value)
}

/// The value that `#edn …` stands for, where it is spelled the way it would be written.
fn edn_key(key: &str) -> Option<Edn> {
    let text = key.strip_prefix(EDN_KEY)?;
    let value = single(text)?;
    let other_spelling = matches!(value, Edn::Keyword(_) | Edn::String(_) | Edn::Int(_));
    (!other_spelling && value.canonical().to_string() == text).then_some(value)
}

fn single(text: &str) -> Option<Edn> {
    let mut cursor = Cursor::new(text.as_bytes());
    let (_, value) = cursor.next_form().ok()??;
    cursor.next_form().ok()?.is_none().then_some(value)
}

/// Adds a backslash where the string, but for its leading backslashes, is special.
fn escaped(text: Cow<'_, str>, special: impl Fn(&str) -> bool) -> String {
    if special(text.trim_start_matches('\\')) { format!("\\{text}") } else { text.into_owned() }
}

/// Undoes [`escaped`].
fn unescaped(text: &str, special: impl Fn(&str) -> bool) -> String {
    match text.strip_prefix('\\') {
        Some(rest) if special(rest.trim_start_matches('\\')) => rest.to_owned(),
        _ => text.to_owned(),
    }
}
