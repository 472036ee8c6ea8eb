//! What a transaction did, in one piece of memory.

use std::fmt::{self, Display, Formatter};

use history::{Datum, Payload};

use crate::Datatype;
use crate::names::is_itself;

/// The value of a transaction's event. Nearly all of them are made of integers: those are packed, so that whoever takes
/// an event from the thread that read it has one thing to look at, and one to free.
#[derive(Clone, Debug, PartialEq)]
pub enum Steps {
    /// Micro-operations whose keys and values are integers.
    Packed(Packed),
    /// Anything else.
    Other(Datum),
}

/// Micro-operations, one after the other: of each what kind it is, its key, and its value if there is one.
#[derive(Clone, Debug, PartialEq)]
pub struct Packed(Box<[i64]>);

/// A packed micro-operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Step<'a> {
    pub(crate) function: Function,
    pub(crate) key: i64,
    pub(crate) value: Seen<'a>,
}

/// What a packed micro-operation writes, or read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Seen<'a> {
    Nothing,
    Integer(i64),
    Integers(&'a [i64]),
}

/// The function of a packed micro-operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Append,
    Write,
    Read,
}

/// The functions with their names: EDN has keywords, JSON has texts.
const FUNCTIONS: [(&str, Function); 6] = [
    (":append", Function::Append),
    (":w", Function::Write),
    (":r", Function::Read),
    ("append", Function::Append),
    ("w", Function::Write),
    ("r", Function::Read),
];

impl Function {
    /// Whether this is how such objects are written to.
    pub(crate) fn writes(self, datatype: Datatype) -> bool {
        match datatype {
            Datatype::ListAppend => self == Self::Append,
            Datatype::Register => self == Self::Write,
        }
    }
}

/// What kind of micro-operation follows: its function by place among [`FUNCTIONS`], and its shape.
#[derive(Clone, Copy)]
struct Head {
    function: usize,
    shape: Shape,
}

/// What stands behind function and key.
#[derive(Clone, Copy)]
enum Shape {
    /// Not even nil.
    Missing,
    Nil,
    Integer,
    /// So many integers.
    Integers(usize),
}

impl Head {
    const FUNCTION_BITS: u32 = 3;
    const SHAPES: i64 = 3;

    fn word(self) -> Option<i64> {
        let shape = match self.shape {
            Shape::Missing => 0,
            Shape::Nil => 1,
            Shape::Integer => 2,
            Shape::Integers(length) => Self::SHAPES + i64::try_from(length).ok()?,
        };
        Some(shape << Self::FUNCTION_BITS | i64::try_from(self.function).ok()?)
    }

    fn of_word(word: i64) -> Self {
        let function = usize::try_from(word & ((1 << Self::FUNCTION_BITS) - 1)).unwrap_or(0);
        let shape = match word >> Self::FUNCTION_BITS {
            0 => Shape::Missing,
            1 => Shape::Nil,
            2 => Shape::Integer,
            length => Shape::Integers(usize::try_from(length - Self::SHAPES).unwrap_or(0)),
        };
        Self { function, shape }
    }
}

impl Packed {
    /// The micro-operations of this value; nothing where they are others than those that are packed.
    fn of(value: &Datum) -> Option<Self> {
        let Datum::List(micro_ops) = value else { return None };
        let mut length = 0;
        for micro_op in micro_ops {
            let Datum::List(parts) = micro_op else { return None };
            length += 2 + integers_in(parts.get(2));
        }
        let mut words = Vec::with_capacity(length);
        for micro_op in micro_ops {
            let Datum::List(parts) = micro_op else { return None };
            pack(parts, &mut words)?;
        }
        Some(Self(words.into()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Step<'_>> {
        self.parts().map(|(head, key, values)| {
            let value = match head.shape {
                Shape::Missing | Shape::Nil => Seen::Nothing,
                Shape::Integer => {
                    values.first().map_or(Seen::Nothing, |&value| Seen::Integer(value))
                }
                Shape::Integers(_) => Seen::Integers(values),
            };
            Step { function: FUNCTIONS[head.function].1, key, value }
        })
    }

    fn parts(&self) -> impl Iterator<Item = (Head, i64, &[i64])> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            let (&[head, key], values) = rest.split_first_chunk()?;
            let head = Head::of_word(head);
            let length = match head.shape {
                Shape::Missing | Shape::Nil => 0,
                Shape::Integer => 1,
                Shape::Integers(length) => length,
            };
            let (values, next) = values.split_at(length);
            rest = next;
            Some((head, key, values))
        })
    }
}

/// How many words a value takes.
fn integers_in(value: Option<&Datum>) -> usize {
    match value {
        Some(Datum::Int(_)) => 1,
        Some(Datum::List(items)) => items.len(),
        Some(Datum::Integers(values)) => values.len(),
        _ => 0,
    }
}

/// Adds a micro-operation.
fn pack(parts: &[Datum], words: &mut Vec<i64>) -> Option<()> {
    let ([Datum::Text(name), key] | [Datum::Text(name), key, _]) = parts else { return None };
    let function = FUNCTIONS.iter().position(|(own, _)| own == name)?;
    let shape = match parts.get(2) {
        None => Shape::Missing,
        Some(Datum::Nil) => Shape::Nil,
        Some(Datum::Int(_)) => Shape::Integer,
        value @ Some(Datum::List(_) | Datum::Integers(_)) => Shape::Integers(integers_in(value)),
        Some(_) => return None,
    };
    words.push(Head { function, shape }.word()?);
    words.push(integer(key)?);
    match parts.get(2) {
        Some(value @ Datum::Int(_)) => words.push(integer(value)?),
        Some(Datum::List(items)) => {
            for item in items {
                words.push(integer(item)?);
            }
        }
        Some(Datum::Integers(values)) => {
            let are_themselves = values.iter().all(|&value| is_itself(value));
            are_themselves.then(|| words.extend_from_slice(values))?;
        }
        _ => {}
    }
    Some(())
}

fn integer(value: &Datum) -> Option<i64> {
    match value {
        Datum::Int(value) if is_itself(*value) => Some(*value),
        _ => None,
    }
}

impl From<Datum> for Steps {
    fn from(value: Datum) -> Self {
        Packed::of(&value).map_or_else(|| Self::Other(value), Self::Packed)
    }
}

impl From<Steps> for Datum {
    fn from(steps: Steps) -> Self {
        let packed = match steps {
            Steps::Packed(packed) => packed,
            Steps::Other(value) => return value,
        };
        let micro_op = |(head, key, values): (Head, i64, &[i64])| {
            let mut parts = vec![Self::text(FUNCTIONS[head.function].0), Self::Int(key)];
            let integers = || values.iter().copied().map(Self::Int);
            match head.shape {
                Shape::Missing => {}
                Shape::Nil => parts.push(Self::Nil),
                Shape::Integer => parts.extend(integers()),
                Shape::Integers(_) => parts.push(Self::list(integers().collect())),
            }
            Self::list(parts)
        };
        Self::list(packed.parts().map(micro_op).collect())
    }
}

impl Default for Steps {
    fn default() -> Self {
        Self::Other(Datum::Nil)
    }
}

impl Display for Steps {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Datum::from(self.clone()).fmt(f)
    }
}

impl Payload for Steps {
    fn as_text(&self) -> Option<&str> {
        match self {
            Self::Packed(_) => None,
            Self::Other(value) => value.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Datum {
        Datum::from_json(json).unwrap()
    }

    #[test]
    fn what_is_packed_comes_out_as_it_was() {
        for json in [
            "[]",
            r#"[["append",1,2],["r",1,null],["r",3]]"#,
            r#"[[":append",-1,2],[":r",1,[]],[":r",3,[1]],[":r",4,[5,4,3,2,1]],[":w",0,0]]"#,
            r#"[["w",1,[2,3]],["append",1,null],["r",1,7]]"#,
        ] {
            let packed = Steps::from(value(json));
            assert!(matches!(packed, Steps::Packed(_)), "{json}");
            assert_eq!(packed.to_string(), value(json).to_string());
            assert_eq!(Datum::from(packed), value(json), "{json}");
        }
    }

    #[test]
    fn anything_else_stays_what_it_is() {
        let lowest = format!(r#"[["append",1,{}]]"#, i64::MIN);
        let in_list = format!(r#"[["r",1,[1,2,3,{}]]]"#, i64::MIN);
        for json in [
            "null",
            "7",
            "[1,2,3,4]",
            "[[1,2,3,4]]",
            "[[1,2]]",
            r#""main""#,
            r#"[["guard",1,2]]"#,
            r#"[["r","x",null]]"#,
            r#"[["r",1,[1,"x"]]]"#,
            r#"[["append",1,1.5]]"#,
            r#"[["append"]]"#,
            r#"[["append",1,2,3]]"#,
            r#"[["append",1,2],"x"]"#,
            &lowest,
            &in_list,
        ] {
            let steps = Steps::from(value(json));
            assert_eq!(steps, Steps::Other(value(json)), "{json}");
            assert_eq!(Datum::from(steps), value(json), "{json}");
        }
    }
}
