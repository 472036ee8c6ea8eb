//! EDN ↔ JSON by the table in the module above.

use std::borrow::Cow;

use serde_json::{Map, Number, Value, json};

use super::parse::{Cursor, Sink};
use super::{Edn, is_keyword_name, is_symbol_name};

/// Names of the objects that stand for what JSON lacks.
const MARKERS: [&str; 6] = ["#set", "#list", "#symbol", "#char", "#number", "#tag"];

/// Before the text of a key that is neither keyword, string nor integer.
const EDN_KEY: &str = "#edn ";

impl Sink for Value {
    fn nil() -> Self {
        Value::Null
    }
    fn bool(value: bool) -> Self {
        Value::Bool(value)
    }
    fn int(value: i128) -> Self {
        integer(value).map_or_else(|| Self::number(&value.to_string()), Value::Number)
    }
    fn float(value: f64) -> Self {
        let number = Number::from_f64(value);
        number.map_or_else(|| Self::number(&value.to_string()), Value::Number)
    }
    fn number(text: &str) -> Self {
        json!({ "#number": text })
    }
    fn string(text: Cow<'_, str>) -> Self {
        Value::String(escaped(text, is_keyword))
    }
    fn char(character: char) -> Self {
        json!({ "#char": character })
    }
    fn keyword(name: &str) -> Self {
        Value::String(format!(":{name}"))
    }
    fn symbol(name: &str) -> Self {
        json!({ "#symbol": name })
    }
    fn list(items: Vec<Self>) -> Self {
        json!({ "#list": items })
    }
    fn vector(items: Vec<Self>) -> Self {
        Value::Array(items)
    }
    fn set(items: Vec<Self>) -> Self {
        json!({ "#set": items })
    }
    fn map(entries: Vec<(Edn, Self)>) -> Self {
        Value::Object(entries.into_iter().map(|(k, v)| (key_to_json(&k), v)).collect())
    }
    fn tagged(tag: &str, value: Self) -> Self {
        json!({ "#tag": [tag, value] })
    }
}

/// The JSON value that stands for an EDN value.
#[must_use]
pub fn to_json(edn: &Edn) -> Value {
    let all = |items: &[Edn]| items.iter().map(to_json).collect();
    match edn {
        Edn::Nil => Value::nil(),
        Edn::Bool(value) => Sink::bool(*value),
        Edn::Int(value) => Value::int(*value),
        Edn::Float(value) => Value::float(*value),
        Edn::Number(text) => Value::number(text),
        Edn::String(text) => Value::string(Cow::Borrowed(text)),
        Edn::Char(character) => Value::char(*character),
        Edn::Keyword(name) => Value::keyword(name),
        Edn::Symbol(name) => Value::symbol(name),
        Edn::List(items) => Value::list(all(items)),
        Edn::Set(items) => Value::set(all(items)),
        Edn::Vector(items) => Value::vector(all(items)),
        Edn::Map(entries) => {
            let entry = |(k, v): &(Edn, Edn)| (key_to_json(k), to_json(v));
            Value::Object(entries.iter().map(entry).collect())
        }
        Edn::Tagged(tag, value) => Value::tagged(tag, to_json(value)),
    }
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

fn integer(value: i128) -> Option<Number> {
    match i64::try_from(value) {
        Ok(signed) => Some(signed.into()),
        Err(_) => u64::try_from(value).ok().map(Into::into),
    }
}

/// What an object with a single marker stands for.
fn marked(object: &Map<String, Value>) -> Option<Edn> {
    let (marker, value) = object.iter().next().filter(|_| object.len() == 1)?;
    let items = || Some(value.as_array()?.iter().map(from_json).collect());
    match marker.as_str() {
        "#set" => items().map(Edn::Set),
        "#list" => items().map(Edn::List),
        "#symbol" => {
            value.as_str().filter(|s| is_symbol_name(s)).map(|s| Edn::Symbol(s.to_owned()))
        }
        "#char" => {
            let mut chars = value.as_str()?.chars();
            chars.next().filter(|_| chars.as_str().is_empty()).map(Edn::Char)
        }
        "#number" => {
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

fn key_to_json(key: &Edn) -> String {
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

fn is_keyword(text: &str) -> bool {
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
    integer(value).map(|_| value)
}

/// The value that `#edn …` stands for, where it is spelled the way it would be written.
fn edn_key(key: &str) -> Option<Edn> {
    let text = key.strip_prefix(EDN_KEY)?;
    let value = single(text)?;
    let other_spelling = matches!(value, Edn::Keyword(_) | Edn::String(_) | Edn::Int(_));
    (!other_spelling && value.to_string() == text).then_some(value)
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
