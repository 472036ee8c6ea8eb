//! Transactions as the threads that read a file leave them.

use history::{Batch, Completion, Datum, Operation};

use crate::history::Header;
use crate::names::is_itself;
use crate::operations::{header, parts, same_transaction};
use crate::{Datatype, Outcome};

/// Recorded transactions, in the order in which they ended. Nearly all of them are made of integers: those of many
/// transactions are in one piece of memory, so that whoever takes them from the thread that read them has little to look
/// at, and nothing to free.
#[derive(Debug)]
pub struct Recorded {
    datatype: Datatype,
    words: Vec<i64>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
enum Entry {
    /// Micro-operations of the usual kinds, whose keys and values are integers.
    Usual {
        header: Header,
        outcome: Outcome,
        /// Where its words end.
        end: usize,
    },
    /// Anything else, or something is wrong with it.
    Other(Box<Operation<Datum>>),
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a>(pub(crate) Kind<'a>);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind<'a> {
    Usual { header: Header, outcome: Outcome, words: &'a [i64] },
    Other(&'a Operation<Datum>),
}

impl Recorded {
    /// None yet.
    #[must_use]
    pub fn new(datatype: Datatype) -> Self {
        Self { datatype, words: Vec::new(), entries: Vec::new() }
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Record<'_>> {
        let mut from = 0;
        self.entries.iter().map(move |entry| {
            Record(match entry {
                Entry::Usual { header, outcome, end } => {
                    let words = &self.words[from..*end];
                    from = *end;
                    Kind::Usual { header: *header, outcome: *outcome, words }
                }
                Entry::Other(operation) => Kind::Other(operation),
            })
        })
    }

    /// Adds the words of the operation, if it is usual and nothing is wrong with it: otherwise perhaps some of them.
    fn pack(&mut self, operation: &Operation<Datum>) -> Option<Outcome> {
        let (outcome, micro_ops) = match &operation.completion {
            Completion::Ok(_, result) => (Outcome::Ok, result),
            Completion::Fail(..) => (Outcome::Fail, &operation.arguments),
            Completion::Info(_) => (Outcome::Info, &operation.arguments),
        };
        let Datum::List(micro_ops) = micro_ops else { return None };
        if outcome == Outcome::Ok {
            same_transaction(&operation.arguments, micro_ops).ok()?;
        }
        for micro_op in micro_ops {
            self.pack_step(micro_op, outcome)?;
        }
        Some(outcome)
    }

    fn pack_step(&mut self, micro_op: &Datum, outcome: Outcome) -> Option<()> {
        let (f, key, value) = parts(micro_op)?;
        let key = integer(key)?;
        let (writes, lists) = match self.datatype {
            Datatype::ListAppend => ("append", true),
            Datatype::Register => ("w", false),
        };
        let mut add = |kind: i64, values: &[i64]| {
            self.words.extend([kind, key]);
            self.words.extend_from_slice(values);
        };
        match value {
            Datum::Int(_) if f == writes => add(WRITE, &[integer(value)?]),
            _ if f != "r" => return None,
            // What it saw counts only if it committed.
            _ if outcome != Outcome::Ok => add(READ_UNKNOWN, &[]),
            Datum::Nil if lists => add(READ_LIST, &[]),
            Datum::Nil => add(READ_NOTHING, &[]),
            Datum::Int(_) if !lists => add(READ_VALUE, &[integer(value)?]),
            Datum::Integers(values) if lists && values.iter().all(|&value| is_itself(value)) => {
                add(READ_LIST + i64::try_from(values.len()).ok()?, values);
            }
            Datum::List(items) if lists => {
                add(READ_LIST + i64::try_from(items.len()).ok()?, &[]);
                for item in items {
                    self.words.push(integer(item)?);
                }
            }
            _ => return None,
        }
        Some(())
    }
}

impl Batch for Recorded {
    fn clear(&mut self) {
        self.words.clear();
        self.entries.clear();
    }

    fn fresh(&self) -> Self {
        Self::new(self.datatype)
    }

    fn add(&mut self, operation: Operation<Datum>) {
        let before = self.words.len();
        let entry = if let Some(outcome) = self.pack(&operation) {
            Entry::Usual { header: header(&operation), outcome, end: self.words.len() }
        } else {
            self.words.truncate(before);
            Entry::Other(Box::new(operation))
        };
        self.entries.push(entry);
    }
}

/// The first word of a micro-operation says what it is, the second is its key; what follows is up to the first.
const WRITE: i64 = 0;
const READ_UNKNOWN: i64 = 1;
/// Of a register.
const READ_NOTHING: i64 = 2;
/// Of a register.
const READ_VALUE: i64 = 3;
/// And the length of the list.
const READ_LIST: i64 = 4;

/// A micro-operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step<'a> {
    Write(i64),
    ReadUnknown,
    ReadValue(Option<i64>),
    ReadList(&'a [i64]),
}

/// The micro-operations that these words are, each with its key.
pub(crate) fn steps(words: &[i64]) -> impl Iterator<Item = (i64, Step<'_>)> {
    let mut rest = words;
    std::iter::from_fn(move || {
        let (&[kind, key], behind) = rest.split_first_chunk()?;
        let length = match kind {
            WRITE | READ_VALUE => 1,
            READ_UNKNOWN | READ_NOTHING => 0,
            list => usize::try_from(list - READ_LIST).unwrap_or(0),
        };
        let (values, next) = behind.split_at(length);
        rest = next;
        let step = match (kind, values) {
            (WRITE, &[value]) => Step::Write(value),
            (READ_UNKNOWN, _) => Step::ReadUnknown,
            (READ_NOTHING, _) => Step::ReadValue(None),
            (READ_VALUE, &[value]) => Step::ReadValue(Some(value)),
            _ => Step::ReadList(values),
        };
        Some((key, step))
    })
}

fn integer(value: &Datum) -> Option<i64> {
    match value {
        Datum::Int(value) if is_itself(*value) => Some(*value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(datatype: Datatype, json: &str) -> Recorded {
        let result = Datum::from_json(json).unwrap();
        let mut recorded = Recorded::new(datatype);
        recorded.add(Operation {
            call: 0,
            process: 0,
            f: "txn".into(),
            arguments: Datum::Nil,
            completion: Completion::Ok(1, result),
            call_ns: 0,
            return_ns: None,
            node: None,
            phase: String::new(),
        });
        recorded
    }

    #[test]
    fn the_usual_is_packed() {
        let json =
            r#"[["append",1,2],["r",1,null],["r",3],["r",1,[]],["r",3,[1]],[":r",4,[5,4,3,2]]]"#;
        let lists = recorded(Datatype::ListAppend, json);
        let (read, four) = (Step::ReadList(&[]), [5, 4, 3, 2]);
        let expected = [
            (1, Step::Write(2)),
            (1, read),
            (3, read),
            (1, read),
            (3, Step::ReadList(&[1])),
            (4, Step::ReadList(&four)),
        ];
        assert_eq!(steps(&lists.words).collect::<Vec<_>>(), expected);
        let registers = recorded(Datatype::Register, r#"[[":w",-1,0],["r",0,7],["r",0]]"#);
        let expected =
            [(-1, Step::Write(0)), (0, Step::ReadValue(Some(7))), (0, Step::ReadValue(None))];
        assert_eq!(steps(&registers.words).collect::<Vec<_>>(), expected);
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
            r#"[["r",1,[1]],["guard",1,2]]"#,
            r#"[["r","x",null]]"#,
            r#"[["r",1,[1,"x"]]]"#,
            r#"[["append",1,1.5]]"#,
            r#"[["append",1,null]]"#,
            r#"[["append"]]"#,
            r#"[["append",1,2,3]]"#,
            r#"[["append",1,2],"x"]"#,
            r#"[["w",1,2]]"#,
            r#"[["r",1,7]]"#,
            &lowest,
            &in_list,
        ] {
            let recorded = recorded(Datatype::ListAppend, json);
            assert!(matches!(&recorded.entries[..], [Entry::Other(_)]), "{json}");
            assert!(recorded.words.is_empty(), "{json}");
        }
    }
}
