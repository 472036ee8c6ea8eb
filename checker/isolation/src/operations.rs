//! Recorded operations → transactions.

use history::{Completion, Operation};
use serde_json::Value;

use crate::build::Builder;
use crate::history::{Header, History};
use crate::names::display;
use crate::{Datatype, Outcome};

/// An operation that is no transaction of this datatype.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {index}: {problem}")]
pub struct Unfit {
    /// Its invocation.
    pub index: u64,
    /// What is wrong with it.
    pub problem: String,
}

impl History {
    /// The history of these operations, which are in the order of their invocations.
    ///
    /// The arguments of a transaction, and the result where it committed, are a list of micro-operations `[f, key, value]`:
    /// `append` or `w`, and `r`, whose value in the result is what was read. `guard` is a read of a register whose value
    /// the client demanded. A transaction whose guards did not hold cannot have committed, so its arguments already say
    /// what it read, if it committed.
    ///
    /// # Errors
    /// An operation that is no such list.
    pub fn from_operations<'a>(
        datatype: Datatype,
        operations: impl IntoIterator<Item = &'a Operation>,
    ) -> Result<Self, Unfit> {
        let mut builder = Builder::new(datatype);
        for operation in operations {
            let added = builder.operation(operation);
            added.map_err(|problem| Unfit { index: operation.call, problem })?;
        }
        Ok(builder.finish())
    }
}

impl Builder {
    fn operation(&mut self, operation: &Operation) -> Result<(), String> {
        let (outcome, micro_ops) = match &operation.completion {
            Completion::Ok(_, result) => (Outcome::Ok, result),
            Completion::Fail(..) => (Outcome::Fail, &operation.arguments),
            Completion::Info(_) => (Outcome::Info, &operation.arguments),
        };
        let ret = operation.return_index();
        let header = Header {
            process: operation.process,
            call: operation.call,
            ret,
            call_ns: operation.call_ns,
            return_ns: operation.return_ns.filter(|_| ret.is_some()),
        };
        self.begin(header, outcome);
        match (micro_ops, outcome) {
            (Value::Array(micro_ops), _) => {
                micro_ops.iter().try_for_each(|micro_op| self.json_micro_op(micro_op))?;
            }
            // Of what failed it is enough that it did.
            (Value::Null, Outcome::Fail) => {}
            (_, Outcome::Ok) => return Err(not_a_list("of an ok, with what its reads saw")),
            (_, Outcome::Fail | Outcome::Info) => return Err(not_a_list("of an invocation")),
        }
        self.end();
        Ok(())
    }

    fn json_micro_op(&mut self, micro_op: &Value) -> Result<(), String> {
        // What a tool wrote may be long.
        let shown = || display(micro_op);
        let (f, key, value) = match micro_op.as_array().map(Vec::as_slice) {
            Some([f, key, value]) => (f, key, value),
            Some([f, key]) => (f, key, &Value::Null),
            _ => return Err(format!("{} is no micro-operation [function, key, value]", shown())),
        };
        let key = self.names.datum(key);
        let f = f.as_str().unwrap_or_default();
        match (f.strip_prefix(':').unwrap_or(f), self.datatype) {
            ("append", Datatype::ListAppend) | ("w", Datatype::Register) => {
                if value.is_null() {
                    return Err(format!(
                        "{} writes nothing: nil is what was there before",
                        shown()
                    ));
                }
                let value = self.names.datum(value);
                self.write(key, value);
            }
            ("r", Datatype::ListAppend | Datatype::Register) if !self.has_committed() => {
                self.read_unknown(key);
            }
            ("r" | "guard", Datatype::Register) => {
                let value = (!value.is_null()).then(|| self.names.datum(value));
                self.read_value(key, value);
            }
            ("r", Datatype::ListAppend) => {
                let elements = match value {
                    Value::Null => &[][..],
                    Value::Array(elements) => elements,
                    other => {
                        return Err(format!("a read must show a list, not {}", display(other)));
                    }
                };
                let list = elements.iter().map(|element| self.names.datum(element)).collect();
                self.read_list(key, list);
            }
            (_, Datatype::ListAppend) => {
                return Err(format!("{} is neither append nor r", shown()));
            }
            (_, Datatype::Register) => return Err(format!("{} is neither w nor r", shown())),
        }
        Ok(())
    }
}

fn not_a_list(what: &str) -> String {
    format!("the value {what} must be a list of micro-operations")
}
