//! One EDN value for all that are equal in Clojure.

use super::Edn;
use super::json::canonical_key_name;
use crate::datum::{Datum, number};

impl Edn {
    /// The one value for all that are equal to this one: a vector for a list, reduced fractions, sets and maps in one
    /// order.
    #[must_use]
    pub fn canonical(&self) -> Self {
        let all = |items: &[Self]| items.iter().map(Self::canonical).collect();
        match self {
            Self::Float(value) => Self::Float(value + 0.0),
            Self::Number(text) => of_number(text),
            Self::List(items) | Self::Vector(items) => Self::Vector(all(items)),
            Self::Set(items) => {
                let mut items: Vec<Self> = all(items);
                items.sort_by_cached_key(Datum::of_canonical);
                Self::Set(items)
            }
            Self::Map(entries) => {
                let mut entries: Vec<_> =
                    entries.iter().map(|(k, v)| (k.canonical(), v.canonical())).collect();
                entries.sort_by_cached_key(|(key, _)| canonical_key_name(key));
                Self::Map(entries)
            }
            Self::Tagged(tag, value) => Self::Tagged(tag.clone(), Box::new(value.canonical())),
            other => other.clone(),
        }
    }
}

fn of_number(text: &str) -> Edn {
    match number::of_edn(text) {
        Some(Datum::Int(value)) => Edn::Int(value.into()),
        Some(Datum::Number(text)) => match text.parse::<u64>() {
            Ok(large) => Edn::Int(large.into()),
            Err(_) if number::is_integer(&text) => Edn::Number(format!("{text}N")),
            Err(_) => Edn::Number(text.into()),
        },
        _ => Edn::Number(text.to_owned()),
    }
}
