//! The operations that prove a violation, as a small table.

use history::words::cut;
use history::{Completion, Datum, Operation};
use serde::Serialize;
use serde_json::Value;

use super::{Question, file};

/// So many are listed.
const LISTED_MAX: usize = 12;
/// So much of an operation is shown.
const CHARS_MAX: usize = 72;

/// One of the operations.
#[derive(Clone, Debug, Serialize)]
pub struct WitnessLine {
    /// The index of its invocation's event.
    pub event: u64,
    /// The line of the file at which it begins.
    pub line: u64,
    /// Who asked.
    pub process: u64,
    /// The function.
    pub f: String,
    /// The arguments.
    pub arguments: Value,
    /// The result, where it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// `ok`, `fail` or `info`.
    pub outcome: &'static str,
    /// When it was invoked, in nanoseconds since the start of the record; 0 where the record has no times.
    pub call_ns: u64,
    /// When it was answered.
    pub return_ns: Option<u64>,
}

pub(super) fn of(question: &Question, calls: &[u64]) -> Vec<WitnessLine> {
    file::operations(question, calls).into_iter().map(one).collect()
}

fn one((operation, line): (Operation, u64)) -> WitnessLine {
    WitnessLine {
        event: operation.call,
        line,
        process: operation.process,
        result: operation.result().cloned(),
        outcome: match operation.completion {
            Completion::Ok(..) => "ok",
            Completion::Fail(..) => "fail",
            Completion::Info(_) => "info",
        },
        call_ns: operation.call_ns,
        return_ns: operation.return_ns,
        f: operation.f.into(),
        arguments: operation.arguments,
    }
}

/// Lines of a table, its head first.
#[must_use]
pub fn table(witness: &[WitnessLine]) -> Vec<String> {
    let has_times = witness.iter().any(|one| one.call_ns > 0);
    let head = ["line", "event", "process", "from", "to", "operation"].map(str::to_owned);
    let rows = witness.iter().take(LISTED_MAX).map(row);
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(rows).collect();
    // Without times, sentences name operations by their events.
    let columns: Vec<usize> = if has_times { vec![0, 2, 3, 4] } else { vec![0, 1, 2] };
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let line = |row: &[String; 6]| {
        let cells = columns.iter().map(|&c| format!("{:>1$}", row[c], width(c)));
        let mut cells: Vec<String> = cells.collect();
        cells.push(row[5].clone());
        cells.join("  ")
    };
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    if witness.len() > LISTED_MAX {
        lines.push(format!("… and {} more", witness.len() - LISTED_MAX));
    }
    lines
}

fn row(one: &WitnessLine) -> [String; 6] {
    let seconds = |ns: u64| format!("{:.6} s", ns as f64 / 1e9);
    [
        one.line.to_string(),
        one.event.to_string(),
        one.process.to_string(),
        seconds(one.call_ns),
        one.return_ns.map_or_else(|| "never".to_owned(), seconds),
        cut(&describe(one), CHARS_MAX),
    ]
}

/// `append k "x" → ok`, `read → 3`, `txn [[:append 3 1] [:r 4 [2]]] → ok`.
fn describe(one: &WitnessLine) -> String {
    if let Some(result) =
        one.result.as_ref().filter(|result| is_transaction(&one.arguments, result))
    {
        return format!("{} {} → ok", one.f, plain(result));
    }
    let mut text = one.f.clone();
    for argument in arguments(&one.arguments) {
        text.push(' ');
        text.push_str(&argument);
    }
    let result = match (&one.result, one.outcome) {
        // An answer that only repeats the question, or says nothing where nothing was asked.
        (Some(result), _) if *result == one.arguments && !result.is_null() => "ok".to_owned(),
        (Some(Value::Null), _) if !is_question(&one.f) => "ok".to_owned(),
        (Some(result), _) => plain(result),
        (None, "fail") => "failed".to_owned(),
        (None, _) => "nobody knows".to_owned(),
    };
    format!("{text} → {result}")
}

/// Lists of micro-operations: the result is the arguments with what was read.
fn is_transaction(arguments: &Value, result: &Value) -> bool {
    let micro_ops = |value: &Value| {
        let list = value.as_array().filter(|list| list.iter().all(Value::is_array));
        list.map(Vec::len)
    };
    micro_ops(arguments).is_some_and(|count| count > 0 && micro_ops(result) == Some(count))
}

/// Does it ask for a value, so that nil is one?
fn is_question(f: &str) -> bool {
    ["read", "get", "r", "dequeue", "deq", "pop", "contains"].contains(&f)
}

/// An object's key first, then its other fields; a nil is no argument.
fn arguments(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Object(fields) => {
            let key = fields.get("key");
            let others = fields.iter().filter(|(name, _)| *name != "key").map(|(_, value)| value);
            key.into_iter().chain(others).filter(|value| !value.is_null()).map(plain).collect()
        }
        other => vec![plain(other)],
    }
}

fn plain(value: &Value) -> String {
    Datum::from(value).to_string()
}
