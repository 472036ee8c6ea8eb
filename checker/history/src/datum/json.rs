//! [`Datum`] ↔ the JSON value that stands for it.

use serde_json::{Map, Number, Value};

use super::{Datum, NUMBER, number};
use crate::edn;

impl From<Datum> for Value {
    fn from(datum: Datum) -> Self {
        Self::from(&datum)
    }
}

impl From<&Datum> for Value {
    fn from(datum: &Datum) -> Self {
        match datum {
            Datum::Nil => Self::Null,
            Datum::Bool(value) => Self::Bool(*value),
            Datum::Int(value) => Self::Number((*value).into()),
            Datum::Number(text) => number_of(text).map_or_else(|| marked(text), Self::Number),
            Datum::Text(text) => Self::String(text.as_str().to_owned()),
            Datum::List(items) => Self::Array(items.iter().map(Self::from).collect()),
            Datum::Integers(values) => {
                Self::Array(values.iter().copied().map(Self::from).collect())
            }
            Datum::Map(entries) => {
                let entry = |(name, value): &(compact_str::CompactString, Datum)| {
                    (name.as_str().to_owned(), Self::from(value))
                };
                Self::Object(entries.iter().map(entry).collect())
            }
        }
    }
}

/// The number, where a JSON value can hold it as it is.
fn number_of(text: &str) -> Option<Number> {
    if let Ok(integer) = text.parse::<u64>() {
        return Some(integer.into());
    }
    let is_same = |float: &f64| number::decimal(&format!("{float:?}")).is_some_and(|t| *t == *text);
    let is_decimal = text.contains(['.', 'e']) && !text.ends_with('M');
    let float = text.parse().ok().filter(|float: &f64| is_decimal && float.is_finite());
    float.filter(is_same).and_then(Number::from_f64)
}

/// A number that JSON lacks; an integer is spelled as Clojure spells large ones.
fn marked(text: &str) -> Value {
    let text = if number::is_integer(text) { format!("{text}N") } else { text.to_owned() };
    Value::Object(Map::from_iter([(NUMBER.to_owned(), Value::String(text))]))
}

impl From<&Datum> for Datum {
    fn from(datum: &Datum) -> Self {
        datum.clone()
    }
}

impl From<&Value> for Datum {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nil,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => of_number(number),
            Value::String(text) => Self::text(text),
            Value::Array(items) => Self::list(items.iter().map(Self::from).collect()),
            Value::Object(object) => of_marked(object).unwrap_or_else(|| {
                // They are sorted by name already.
                let entry = |(name, value): (&String, &Value)| (name.into(), Self::from(value));
                Self::Map(object.iter().map(entry).collect())
            }),
        }
    }
}

fn of_number(number: &Number) -> Datum {
    match (number.as_i64(), number.as_u64()) {
        (Some(small), _) => Datum::Int(small),
        (_, Some(large)) => number::integer(&large.to_string()),
        _ => {
            let text = number.to_string();
            number::decimal(&text).map_or_else(|| Datum::text(&text), Datum::Number)
        }
    }
}

/// A number that JSON lacks, where the object is one.
fn of_marked(object: &Map<String, Value>) -> Option<Datum> {
    let text = object.get(NUMBER).filter(|_| object.len() == 1)?.as_str()?;
    if !edn::is_number(text) {
        return None;
    }
    // Decimals that no double holds have no spelling in EDN.
    let is_decimal = text.contains(['.', 'e']) && number_of(text).is_none();
    let exact = number::decimal(text).filter(|exact| is_decimal && **exact == *text);
    exact.map_or_else(|| number::of_edn(text), |exact| Some(Datum::Number(exact)))
}
