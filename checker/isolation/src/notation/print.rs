//! A history as text, which parses as the same history.

use std::collections::BTreeMap;

use crate::{Datatype, Key, MicroOp, Outcome, Seen, Transaction, Value};

/// The text of a history, one line a process in the order of their numbers.
///
/// Keys beyond the 26 letters print as `{30}`, which does not parse.
#[must_use]
pub fn print(datatype: Datatype, transactions: &[Transaction]) -> String {
    let mut events = Vec::new();
    for transaction in transactions {
        events.push((transaction.call, false, transaction));
        // What never returned ends after everything else.
        events.push((transaction.ret.unwrap_or(u64::MAX), true, transaction));
    }
    events.sort_by_key(|(position, is_return, transaction)| {
        (*position, *is_return, transaction.call)
    });
    let mut lines: BTreeMap<u64, String> = BTreeMap::new();
    let mut column = 0;
    for (_, is_return, transaction) in events {
        let line = lines.entry(transaction.process).or_default();
        column = column.max(line.len());
        line.extend(std::iter::repeat_n(' ', column - line.len()));
        line.push_str(&if is_return {
            end(transaction).to_owned()
        } else {
            format!("[{}", words(datatype, transaction))
        });
        column += 1;
    }
    lines.into_values().collect::<Vec<_>>().join("\n")
}

fn end(transaction: &Transaction) -> &'static str {
    match transaction.outcome {
        Outcome::Ok => "]",
        Outcome::Fail => "]!",
        Outcome::Info => "]?",
    }
}

/// A transaction's micro-operations, as between its brackets.
fn words(datatype: Datatype, transaction: &Transaction) -> String {
    let words: Vec<_> =
        transaction.micro_ops.iter().map(|micro_op| word(datatype, micro_op)).collect();
    words.join(" ")
}

/// One micro-operation: `ax1`.
#[must_use]
pub fn word(datatype: Datatype, micro_op: &MicroOp) -> String {
    match (micro_op, datatype) {
        (MicroOp::Write { key, value }, Datatype::ListAppend) => {
            format!("a{}{value}", letter(*key))
        }
        (MicroOp::Write { key, value }, Datatype::Register) => format!("w{}{value}", letter(*key)),
        (MicroOp::Read { key, seen }, _) => format!("r{}{}", letter(*key), result(seen)),
    }
}

fn result(seen: &Seen) -> String {
    match seen {
        Seen::Unknown => String::new(),
        Seen::Register(None) => "_".to_owned(),
        Seen::Register(Some(value)) => value.to_string(),
        Seen::List(elements) => list(elements),
    }
}

fn list(elements: &[Value]) -> String {
    let texts: Vec<_> = elements.iter().map(Value::to_string).collect();
    match elements {
        [] => "_".to_owned(),
        [element] if *element > 9 => format!("{element},"),
        _ if elements.iter().all(|element| *element <= 9) => texts.concat(),
        _ => texts.join(","),
    }
}

fn letter(key: Key) -> String {
    let letter = u8::try_from(key).ok().filter(|key| *key < 26).map(|key| char::from(b'a' + key));
    letter.map_or_else(|| format!("{{{key}}}"), String::from)
}
