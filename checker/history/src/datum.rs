//! A value of a history in little room, in one form for all that is equal.

mod json;
pub(crate) mod number;
mod print;

use std::borrow::Cow;

use compact_str::CompactString;

/// A value.
///
/// Values are equal where they are in Clojure and in JSON. For each there is one [`Datum`], so that `==` and hashes are
/// right everywhere:
///
/// - Integers are exact, whatever their size: `1` and `1N` are the same.
/// - Numbers with a point or an exponent are compared by value (`1.5`, `1.50`, `15e-1`), and never equal an integer:
///   `1` is not `1.0`. JSON's are exact; EDN's are doubles as in Clojure, or exact with an `M`, and `1.5M` is not `1.5`.
/// - Fractions are reduced: `2/4` is `1/2`, and `4/2` is `2`.
/// - `(1 2)` is `[1 2]`. Sets and maps have no order. All this holds for keys of maps, too.
///
/// It mirrors the JSON value that stands for it (see [`crate::edn`]): a keyword is a text with its colon, a set a map
/// with the only key `#set`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Datum {
    /// Nothing.
    #[default]
    Nil,
    /// `true`, `false`
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// Any other number, in the one way to write it.
    Number(Box<str>),
    /// A text or keyword.
    Text(CompactString),
    /// Values in order, other than those of [`Integers`](Self::Integers).
    List(Box<[Datum]>),
    /// Integers of 64 bits in order, at least [`INTEGERS_MIN`]: what most long lists hold.
    Integers(Box<[i64]>),
    /// Values by name, sorted by name, each name once.
    Map(Box<[(CompactString, Datum)]>),
}

/// So many values are a list of integers if all are integers.
pub const INTEGERS_MIN: usize = 4;

/// Most of what a history takes is made of these.
const _: () = assert!(size_of::<Datum>() == 24);

impl Datum {
    /// Values in order.
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        let integer = |item: &Self| match item {
            Self::Int(value) => Some(*value),
            _ => None,
        };
        let is_long = items.len() >= INTEGERS_MIN;
        match is_long.then(|| items.iter().map(integer).collect()).flatten() {
            Some(integers) => Self::Integers(integers),
            None => Self::List(items.into()),
        }
    }

    /// A text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(CompactString::new(text))
    }

    /// Values by name; `None` where a name is there twice.
    #[must_use]
    pub fn map(mut entries: Vec<(CompactString, Self)>) -> Option<Self> {
        if !entries.is_sorted_by(|(a, _), (b, _)| a < b) {
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            if entries.windows(2).any(|pair| pair[0].0 == pair[1].0) {
                return None;
            }
        }
        Some(Self::Map(entries.into()))
    }

    /// The value that this JSON text stands for, exactly.
    ///
    /// # Errors
    /// What is wrong with the text, and where.
    pub fn from_json(text: &str) -> Result<Self, String> {
        crate::json::whole_value(text)
    }

    /// About how many bytes it takes beside its own.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        const INLINE: usize = size_of::<CompactString>();
        let text = |text: &CompactString| if text.len() > INLINE { text.len() } else { 0 };
        match self {
            Self::Nil | Self::Bool(_) | Self::Int(_) => 0,
            Self::Number(digits) => digits.len(),
            Self::Text(of) => text(of),
            Self::Integers(values) => size_of_val(&**values),
            Self::List(items) => {
                size_of_val(&**items) + items.iter().map(Self::heap_bytes).sum::<usize>()
            }
            Self::Map(entries) => {
                let each = entries.iter().map(|(name, value)| text(name) + value.heap_bytes());
                size_of_val(&**entries) + each.sum::<usize>()
            }
        }
    }

    /// Is there nothing?
    #[must_use]
    pub fn is_nil(&self) -> bool {
        *self == Self::Nil
    }

    /// The text, of a text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The values, of a vector or list.
    #[must_use]
    pub fn as_list(&self) -> Option<Cow<'_, [Self]>> {
        match self {
            Self::List(items) => Some(Cow::Borrowed(items)),
            Self::Integers(values) => Some(values.iter().copied().map(Self::Int).collect()),
            _ => None,
        }
    }

    /// The values, of a vector or list of so many, fewer than [`INTEGERS_MIN`].
    #[must_use]
    pub fn as_tuple<const N: usize>(&self) -> Option<&[Self; N]> {
        const { assert!(N < INTEGERS_MIN) };
        match self {
            Self::List(items) => (&**items).try_into().ok(),
            _ => None,
        }
    }

    /// The values by name, of a map.
    #[must_use]
    pub fn as_map(&self) -> Option<&[(CompactString, Self)]> {
        match self {
            Self::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The value of this name, of a map that has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_map()?.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// What is in a vector, list or set.
    #[must_use]
    pub fn elements(&self) -> Option<Cow<'_, [Self]>> {
        match self {
            Self::Map(entries) if entries.len() == 1 => self.get(SET)?.as_list(),
            other => other.as_list(),
        }
    }
}

/// The name under which a set holds its elements.
pub(crate) const SET: &str = "#set";
/// The name under which JSON holds a number that is none of its own.
pub(crate) const NUMBER: &str = "#number";
