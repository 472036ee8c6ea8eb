//! Histories in a line: `add 1; 3-9 add 2 ?; 4-6 p1 read -> [1]`.
//!
//! Operations are separated by `;`. Each is a function with an argument in EDN, and `-> RESULT` (without it the result
//! repeats the argument), `!` where it failed or `?` where nobody knows. Before it may stand the events of its
//! invocation and return (`3-9`; otherwise it follows all before it) and its process (`p1`; otherwise its own).

use history::{Completion, Operation, edn};
use serde_json::Value;

pub fn history(text: &str) -> Vec<Operation> {
    let mut operations: Vec<Operation> = Vec::new();
    let mut next = 0;
    for (number, words) in
        text.split(';').map(str::trim).filter(|word| !word.is_empty()).enumerate()
    {
        let one = operation(words, next, 100 + number as u64);
        next = next.max(one.return_ns.unwrap_or(one.call_ns) / 1_000_000 + 1);
        operations.push(one);
    }
    operations.sort_by_key(|operation| operation.call);
    operations
}

/// The same for a shard controller: `join 1 2; move 0 2; leave 1 ?; query -1 = 3 | 2 2 nil | 2`, the number that a query
/// saw, who owns the shards, and the groups. The server of a group has its number, or another: `join 1:8`.
pub fn controller(text: &str) -> String {
    text.split(';').map(change_or_query).collect::<Vec<_>>().join("; ")
}

fn change_or_query(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_function = |word: &&str| ["join", "leave", "move", "query"].contains(word);
    let at = words.iter().position(is_function).unwrap();
    let (before, function, mut rest) = (words[..at].join(" "), words[at], words[at + 1..].to_vec());
    let end = rest.pop_if(|word| ["!", "?"].contains(word)).unwrap_or("-> {}");
    let groups = |groups: &str| {
        let group = |group: &str| {
            let (id, server) = group.split_once(':').unwrap_or((group, group));
            format!("{id} [{server}]")
        };
        groups.split_whitespace().map(group).collect::<Vec<_>>().join(" ")
    };
    let rest = rest.join(" ");
    let asked = match function {
        "join" => format!("{{:groups {{{}}}}} {end}", groups(&rest)),
        "leave" => format!("{{:groups [{rest}]}} {end}"),
        "move" => {
            let (shard, group) = rest.split_once(' ').unwrap();
            format!("{{:shard {shard} :group {group}}} {end}")
        }
        _ => match rest.split_once('=') {
            None => format!("{{:num {rest}}} {end}"),
            Some((asked, saw)) => {
                let [number, shards, seen] = saw.split('|').collect::<Vec<_>>()[..] else {
                    panic!("{text} has not three parts")
                };
                let seen = groups(seen);
                format!(
                    "{{:num {asked}}} -> {{:num {number} :shards [{shards}] :groups {{{seen}}}}}"
                )
            }
        },
    };
    format!("{before} {function} {asked}")
}

fn operation(words: &str, next: u64, process: u64) -> Operation {
    let (interval, rest) = prefixed(words, |word| {
        let (from, to) = word.split_once('-')?;
        Some((from.parse().ok()?, to.parse().ok()?))
    });
    let (call, end): (u64, u64) = interval.unwrap_or((next, next + 1));
    let (named, rest) = prefixed(rest, |word| word.strip_prefix('p')?.parse().ok());
    let (f, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (arguments, completion) = match (rest.strip_suffix('!'), rest.strip_suffix('?')) {
        (Some(arguments), _) => (value(arguments), Completion::Fail(end, None)),
        (_, Some(arguments)) => (value(arguments), Completion::Info(None)),
        _ => {
            let (arguments, result) = rest.split_once("->").unwrap_or((rest, rest));
            (value(arguments), Completion::Ok(end, value(result)))
        }
    };
    Operation {
        call,
        process: named.unwrap_or(process),
        f: f.into(),
        arguments,
        return_ns: completion.is_known().then_some(end * 1_000_000),
        completion,
        call_ns: call * 1_000_000,
        node: None,
        phase: String::new(),
    }
}

/// The first word, if it is one of these, and the rest.
fn prefixed<T>(words: &str, read: impl Fn(&str) -> Option<T>) -> (Option<T>, &str) {
    let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
    read(first).map_or((None, words), |found| (Some(found), rest.trim_start()))
}

fn value(text: &str) -> Value {
    let text = text.trim();
    if text.is_empty() {
        return Value::Null;
    }
    let values = edn::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
    let [value] = &values[..] else { panic!("{text} is not one value") };
    edn::to_json(value)
}
