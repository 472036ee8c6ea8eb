//! Recorded operations → transactions.

use history::words::cut;
use history::{Completion, Datum, Operation};

use crate::build::Builder;
use crate::history::{Header, History};
use crate::names::display;
use crate::recorded::{Kind, Step, steps};
use crate::{Datatype, Outcome, Record};

/// An operation that is no transaction of this datatype.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {index}: {problem}")]
pub struct Unfit {
    /// Its invocation.
    pub index: u64,
    /// What is wrong with it.
    pub problem: String,
}

/// Makes a history of operations that come one by one, in any order; none of them is kept.
#[derive(Debug)]
pub struct HistoryBuilder(Builder);

impl HistoryBuilder {
    /// Nothing yet.
    #[must_use]
    pub fn new(datatype: Datatype) -> Self {
        Self(Builder::new(datatype))
    }

    /// Adds an operation that has ended, or whose end nobody knows.
    ///
    /// The arguments of a transaction, and the result where it committed, are a list of micro-operations `[f, key, value]`:
    /// `append` or `w`, and `r`, whose value in the result is what was read. `guard` is a read of a register whose value
    /// the client demanded. A transaction whose guards did not hold cannot have committed, so its arguments already say
    /// what it read, if it committed.
    ///
    /// # Errors
    /// An operation that is no such list, or whose result is of another one than its arguments.
    pub fn add(&mut self, operation: &Operation<Datum>) -> Result<(), Unfit> {
        let added = self.0.operation(operation);
        added.map_err(|problem| Unfit { index: operation.call, problem })
    }

    /// The same for one that was recorded.
    ///
    /// # Errors
    /// As there.
    pub fn add_recorded(&mut self, Record(kind): Record<'_>) -> Result<(), Unfit> {
        match kind {
            Kind::Usual { header, outcome, words } => {
                self.0.usual(header, outcome, words);
                Ok(())
            }
            Kind::Other(operation) => self.add(operation),
        }
    }

    /// About how many bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes()
    }

    /// The history of all of them.
    #[must_use]
    pub fn finish(self) -> History {
        self.0.finish()
    }
}

impl History {
    /// The history of these operations: see [`HistoryBuilder::add`].
    ///
    /// # Errors
    /// As there.
    pub fn from_operations<'a, V>(
        datatype: Datatype,
        operations: impl IntoIterator<Item = &'a Operation<V>>,
    ) -> Result<Self, Unfit>
    where
        V: Clone + 'a,
        Datum: for<'v> From<&'v V>,
    {
        let mut builder = HistoryBuilder::new(datatype);
        for operation in operations {
            builder.add(&operation.clone().map(|value| Datum::from(&value)))?;
        }
        Ok(builder.finish())
    }
}

impl Builder {
    fn operation(&mut self, operation: &Operation<Datum>) -> Result<(), String> {
        let (outcome, micro_ops) = match &operation.completion {
            Completion::Ok(_, result) => (Outcome::Ok, result),
            Completion::Fail(..) => (Outcome::Fail, &operation.arguments),
            Completion::Info(_) => (Outcome::Info, &operation.arguments),
        };
        self.begin(header(operation), outcome);
        match (micro_ops.as_list(), outcome) {
            (Some(micro_ops), _) => {
                if outcome == Outcome::Ok {
                    same_transaction(&operation.arguments, &micro_ops)?;
                }
                micro_ops.iter().try_for_each(|micro_op| self.recorded_micro_op(micro_op))?;
            }
            // Of what failed it is enough that it did.
            (None, Outcome::Fail) if micro_ops.is_nil() => {}
            (_, Outcome::Ok) => return Err(not_a_list("of an ok, with what its reads saw")),
            (_, Outcome::Fail | Outcome::Info) => return Err(not_a_list("of an invocation")),
        }
        self.end();
        Ok(())
    }

    fn usual(&mut self, header: Header, outcome: Outcome, words: &[i64]) {
        self.begin(header, outcome);
        for (key, step) in steps(words) {
            match step {
                Step::Write(value) => self.write(key, value),
                Step::ReadUnknown => self.read_unknown(key),
                Step::ReadValue(value) => self.read_value(key, value),
                Step::ReadList(elements) => self.read_integers(key, elements),
            }
        }
        self.end();
    }

    fn recorded_micro_op(&mut self, micro_op: &Datum) -> Result<(), String> {
        let Some((f, key, value)) = parts(micro_op) else {
            let shown = shown(micro_op);
            return Err(format!("{shown} is no micro-operation [function, key, value]"));
        };
        let key = self.names.datum(key);
        match (f, self.datatype) {
            ("append", Datatype::ListAppend) | ("w", Datatype::Register) => {
                if value.is_nil() {
                    let shown = shown(micro_op);
                    return Err(format!("{shown} writes nothing: nil is what was there before"));
                }
                let value = self.names.datum(value);
                self.write(key, value);
            }
            ("r", Datatype::ListAppend | Datatype::Register) if !self.has_committed() => {
                self.read_unknown(key);
            }
            ("r" | "guard", Datatype::Register) => {
                let value = (!value.is_nil()).then(|| self.names.datum(value));
                self.read_value(key, value);
            }
            ("r", Datatype::ListAppend) => match value {
                Datum::Nil => self.read_elements(key, &[]),
                Datum::List(elements) => self.read_elements(key, elements),
                Datum::Integers(elements) => self.read_integers(key, elements),
                other => {
                    return Err(format!("a read must show a list, found {}", display(other)));
                }
            },
            (_, Datatype::ListAppend) => {
                return Err(format!("{} is neither append nor r", shown(micro_op)));
            }
            (_, Datatype::Register) => {
                return Err(format!("{} is neither w nor r", shown(micro_op)));
            }
        }
        Ok(())
    }
}

pub(crate) fn header<V>(operation: &Operation<V>) -> Header {
    let ret = operation.return_index();
    Header {
        process: operation.process,
        call: operation.call,
        ret,
        call_ns: operation.call_ns,
        return_ns: operation.return_ns.filter(|_| ret.is_some()).unwrap_or(operation.call_ns),
    }
}

/// Function, key and value of a micro-operation.
pub(crate) fn parts(micro_op: &Datum) -> Option<(&str, &Datum, &Datum)> {
    let Datum::List(parts) = micro_op else { return None };
    let (f, key, value) = match &parts[..] {
        [f, key, value] => (f, key, value),
        [f, key] => (f, key, &Datum::Nil),
        _ => return None,
    };
    let f = f.as_str().unwrap_or_default();
    Some((f.strip_prefix(':').unwrap_or(f), key, value))
}

/// A completion says what was read; for the rest it repeats what was asked, where that was recorded.
pub(crate) fn same_transaction(asked: &Datum, done: &[Datum]) -> Result<(), String> {
    let Some(asked) = asked.as_list().filter(|asked| !asked.is_empty()) else { return Ok(()) };
    if asked.len() != done.len() {
        return Err(format!(
            "its completion contradicts its invocation: {} micro-operations were asked for, {} are said to have happened",
            asked.len(),
            done.len()
        ));
    }
    let differs = |(asked, done): &(&Datum, &Datum)| match (parts(asked), parts(done)) {
        (Some((f, key, value)), Some((done_f, done_key, done_value))) => {
            let is_write = matches!(f, "append" | "w");
            (f, key) != (done_f, done_key) || (is_write && value != done_value)
        }
        (asked, done) => asked.is_some() != done.is_some(),
    };
    asked.iter().zip(done).find(differs).map_or(Ok(()), |(asked, done)| {
        Err(format!(
            "its completion contradicts its invocation: {} was asked for, {} is said to have happened",
            shown(asked),
            shown(done)
        ))
    })
}

/// What a tool wrote may be long.
fn shown(micro_op: &Datum) -> String {
    const CHARS_MAX: usize = 60;
    cut(&micro_op.to_string(), CHARS_MAX)
}

fn not_a_list(what: &str) -> String {
    format!("the value {what} must be a list of micro-operations")
}
