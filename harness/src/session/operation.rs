//! Operations as they are typed: `put x 1`, `cas x 1 2`, `txn if x=1 w x 2 r y`.

use std::{borrow::Cow, collections::BTreeMap};

use contract::{MicroOperation, Operation, operations::OPERATIONS};

/// What stands for a missing key.
const NULL: &str = "null";

/// How an operation is typed.
pub(super) fn usage(name: &str) -> Option<&'static str> {
    Some(match name {
        "get" => "get KEY",
        "put" => "put KEY VALUE",
        "append" => "append KEY VALUE",
        "puthash" => "puthash KEY VALUE",
        "cas" => "cas KEY EXPECTED|null VALUE",
        "multiget" => "multiget KEY…",
        "multiput" => "multiput KEY=VALUE…",
        "swap" => "swap KEY KEY",
        "join" => "join GROUP=SERVER,SERVER…",
        "leave" => "leave GROUP…",
        "move" => "move SHARD GROUP",
        "query" => "query [NUMBER]",
        "txn" => "txn [if KEY=VALUE|null…] (r KEY | w KEY VALUE | append KEY VALUE)…",
        _ => return None,
    })
}

/// The operation that these words are, the first of which is its name; `None` where they are none.
pub(super) fn parse(words: &[&str]) -> Option<Operation> {
    let text = |word: &str| word.to_owned();
    Some(match *words {
        ["get", key] => Operation::Get { key: text(key) },
        ["put", key, value] => Operation::Put { key: text(key), value: text(value) },
        ["append", key, value] => Operation::Append { key: text(key), value: text(value) },
        ["puthash", key, value] => Operation::PutHash { key: text(key), value: text(value) },
        ["cas", key, expect, value] => {
            Operation::Cas { key: text(key), expect: or_missing(expect), value: text(value) }
        }
        ["multiget", ref keys @ ..] if !keys.is_empty() => {
            Operation::MultiGet { keys: keys.iter().copied().map(text).collect() }
        }
        ["multiput", ref pairs @ ..] if !pairs.is_empty() => {
            let pair = |pair: &&str| pair.split_once('=').map(|(k, v)| (text(k), text(v)));
            let values: BTreeMap<String, String> = pairs.iter().map(pair).collect::<Option<_>>()?;
            // One key twice is a slip of the pen.
            (values.len() == pairs.len()).then_some(Operation::MultiPut { values })?
        }
        ["swap", a, b] => Operation::Swap { a: text(a), b: text(b) },
        ["txn", ref rest @ ..] => transaction(rest)?,
        ["join", ref groups @ ..] if !groups.is_empty() => {
            let servers = |list: &str| list.split(',').map(text).collect();
            let group =
                |group: &&str| group.split_once('=').map(|(id, list)| (text(id), servers(list)));
            Operation::Join { groups: groups.iter().map(group).collect::<Option<_>>()? }
        }
        ["leave", ref groups @ ..] if !groups.is_empty() => {
            Operation::Leave { groups: groups.iter().copied().map(text).collect() }
        }
        ["move", shard, group] => {
            Operation::Move { shard: shard.parse().ok()?, group: text(group) }
        }
        ["query"] => Operation::Query { num: -1 },
        ["query", num] => Operation::Query { num: num.parse().ok()? },
        _ => return None,
    })
}

fn transaction(words: &[&str]) -> Option<Operation> {
    let (mut guards, mut rest) = (BTreeMap::new(), words);
    if let ["if", after @ ..] = rest {
        rest = after;
        while let [guard, after @ ..] = rest
            && let Some((key, expected)) = guard.split_once('=')
        {
            guards.insert(key.to_owned(), or_missing(expected));
            rest = after;
        }
        if guards.is_empty() {
            return None;
        }
    }
    let mut ops = Vec::new();
    while !rest.is_empty() {
        let (op, after) = match rest {
            ["r", key, after @ ..] => (MicroOperation::Read((*key).to_owned()), after),
            ["w", key, value, after @ ..] => {
                (MicroOperation::Write((*key).to_owned(), (*value).to_owned()), after)
            }
            ["append", key, value, after @ ..] => {
                (MicroOperation::Append((*key).to_owned(), (*value).to_owned()), after)
            }
            _ => return None,
        };
        ops.push(op);
        rest = after;
    }
    (!ops.is_empty()).then_some(Operation::Txn { guards, ops })
}

fn or_missing(word: &str) -> Option<String> {
    (word != NULL).then(|| word.to_owned())
}

/// The operation as one would type it.
pub(super) fn typed(operation: &Operation) -> String {
    let mut words = vec![operation.name().to_owned()];
    let expected = |value: &Option<String>| value.clone().unwrap_or_else(|| NULL.to_owned());
    match operation {
        Operation::Get { key } => words.push(key.clone()),
        Operation::Put { key, value }
        | Operation::Append { key, value }
        | Operation::PutHash { key, value } => words.extend([key.clone(), value.clone()]),
        Operation::Cas { key, expect, value } => {
            words.extend([key.clone(), expected(expect), value.clone()]);
        }
        Operation::MultiGet { keys } => words.extend(keys.iter().cloned()),
        Operation::MultiPut { values } => {
            words.extend(values.iter().map(|(key, value)| format!("{key}={value}")));
        }
        Operation::Swap { a, b } => words.extend([a.clone(), b.clone()]),
        Operation::Join { groups } => {
            words.extend(groups.iter().map(|(id, servers)| format!("{id}={}", servers.join(","))));
        }
        Operation::Leave { groups } => words.extend(groups.iter().cloned()),
        Operation::Move { shard, group } => words.extend([shard.to_string(), group.clone()]),
        Operation::Query { num } => words.push(num.to_string()),
        Operation::Internal { command } => words.push(command.clone()),
        Operation::Txn { guards, ops } => {
            words.extend((!guards.is_empty()).then(|| "if".to_owned()));
            let guards = guards.iter().map(|(key, value)| format!("{key}={}", expected(value)));
            words.extend(guards);
            words.extend(ops.iter().flat_map(|op| match op {
                MicroOperation::Read(key) => vec!["r".to_owned(), key.clone()],
                MicroOperation::Write(key, value) => {
                    vec!["w".to_owned(), key.clone(), value.clone()]
                }
                MicroOperation::Append(key, value) => {
                    vec!["append".to_owned(), key.clone(), value.clone()]
                }
            }));
        }
    }
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word in quotes where it needs them to be read as one.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |sign: char| sign.is_alphanumeric() || "=-_.,:;/+%!?()[]{}".contains(sign);
    match word.chars().all(is_plain) && !word.is_empty() {
        true => Cow::Borrowed(word),
        // Only a zero byte cannot be quoted.
        false => shlex::try_quote(word).unwrap_or(Cow::Borrowed(word)),
    }
}

/// The names of all operations.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|entry| entry.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<Operation> {
        parse(&line.split(' ').collect::<Vec<_>>())
    }

    #[test]
    fn every_operation_of_the_contract_can_be_typed() {
        for entry in OPERATIONS {
            let (operation, _) = (entry.example)();
            let line = typed(&operation);
            let words = shlex::split(&line).unwrap();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            assert_eq!(parse(&words).as_ref(), Some(&operation), "{line}");
            assert!(usage(entry.name).unwrap().starts_with(entry.name));
        }
        let guarded = "txn if x=1 y=null w x 2 append z 3 r y";
        assert_eq!(typed(&parsed(guarded).unwrap()), guarded);
        assert_eq!(typed(&parsed("cas x null 1").unwrap()), "cas x null 1");
    }

    #[test]
    fn what_is_no_operation_is_none() {
        for line in [
            "get",
            "get x y",
            "put x",
            "cas x 1",
            "multiget",
            "multiput x",
            "multiput x=1 x=2",
            "swap x",
            "txn",
            "txn if w x 1",
            "txn if x=1",
            "txn w x",
            "txn r x y",
            "steal x",
        ] {
            assert_eq!(parsed(line), None, "{line}");
        }
    }
}
