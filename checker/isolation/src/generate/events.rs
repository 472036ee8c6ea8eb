//! Generated histories as events, for files and for other tools.

use history::{Event, EventKind, Format, Process};
use serde_json::{Value, json};

use super::Step;
use crate::{Datatype, MicroOp, Outcome, Seen};

impl Step {
    /// The event, with micro-operations as Jepsen writes them: `[:append 3 1]` in EDN, else `["append", 3, 1]`.
    #[must_use]
    pub fn event(&self, datatype: Datatype, format: Format) -> Event {
        let keyword = if format == Format::Edn { ":" } else { "" };
        let micro_ops = self.transaction.micro_ops.iter();
        Event {
            index: self.position,
            time_ns: self.time_ns,
            process: Process::Client(self.transaction.process),
            kind: match self.transaction.outcome {
                _ if !self.completes => EventKind::Invoke,
                Outcome::Ok => EventKind::Ok,
                Outcome::Fail => EventKind::Fail,
                Outcome::Info => EventKind::Info,
            },
            f: "txn".into(),
            value: micro_ops.map(|micro_op| to_json(datatype, keyword, micro_op)).collect(),
            error: None,
            node: None,
        }
    }
}

fn to_json(datatype: Datatype, keyword: &str, micro_op: &MicroOp) -> Value {
    let write = if datatype == Datatype::ListAppend { "append" } else { "w" };
    match micro_op {
        MicroOp::Write { key, value } => json!([format!("{keyword}{write}"), key, value]),
        MicroOp::Read { key, seen } => {
            let result = match seen {
                Seen::Unknown => Value::Null,
                Seen::List(elements) => json!(elements),
                Seen::Register(value) => json!(value),
            };
            json!([format!("{keyword}r"), key, result])
        }
    }
}
