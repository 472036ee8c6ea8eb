//! Histories as text, for tests and documentation: one line a process, time from left to right.
//!
//! ```text
//! [ax1 ay1]      [rx12]
//!      [ax2  ]
//! ```
//!
//! Each pair of brackets is a transaction, from its invocation to its completion: the column is the time, and what
//! shares a column overlaps. A line without brackets is one transaction that overlaps everything. `/` separates lines,
//! too: `rx_ ay1 / ry_ ax1` is write skew.
//!
//! | text | means |
//! |---|---|
//! | `ax1` | append 1 to the list x |
//! | `wx1` | write 1 to the register x |
//! | `rx12` | read x: the list 1, 2, or the register 12 |
//! | `rx12,3` | read the list 12, 3; of a single element of many digits: `rx12,` |
//! | `rx_` | read the empty list, or the register's initial nothing |
//! | `rx` | read x, with an unknown result |
//! | `]` | it committed |
//! | `]!` | it failed (without brackets: ` !` at the end) |
//! | `]?` | nobody knows, for ever (without brackets: ` ?`); the last of its process |
//!
//! Keys are the letters from `a`. A history is of registers where anything is written with `w`, of lists otherwise.

use std::fmt;

use crate::{Datatype, Key, MicroOp, Outcome, Seen, Transaction, Value};

mod print;

pub use print::{print, word};

/// What is wrong with the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(String);

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

/// The history that the text describes; the transactions in the order of their invocations. Positions are those of the
/// events, an unknown completion not being one, and a position lasts a microsecond.
///
/// # Errors
/// The first thing that is not in this notation.
pub fn parse(text: &str) -> Result<(Datatype, Vec<Transaction>), Malformed> {
    let mut drawn = Vec::new();
    for (process, line) in
        text.split(['\n', '/']).filter(|line| !line.trim().is_empty()).enumerate()
    {
        drawn.extend(parse_line(process as u64, line)?);
    }
    let datatype = datatype(&drawn)?;
    let transactions =
        drawn.iter().map(|drawn| drawn.transaction(datatype)).collect::<Result<_, _>>()?;
    Ok((datatype, in_time(&drawn, transactions)))
}

/// A transaction where it stands in the text.
struct Drawn<'a> {
    process: u64,
    call_column: usize,
    return_column: usize,
    words: &'a str,
    outcome: Outcome,
}

fn parse_line(process: u64, line: &str) -> Result<Vec<Drawn<'_>>, Malformed> {
    if !line.contains(['[', ']']) {
        let (words, outcome) = match line.trim_end() {
            line if line.ends_with('!') => (&line[..line.len() - 1], Outcome::Fail),
            line if line.ends_with('?') => (&line[..line.len() - 1], Outcome::Info),
            line => (line, Outcome::Ok),
        };
        return Ok(vec![Drawn {
            process,
            call_column: 0,
            return_column: usize::MAX,
            words,
            outcome,
        }]);
    }
    let mut drawn: Vec<Drawn<'_>> = Vec::new();
    let mut rest = line;
    while !rest.trim().is_empty() {
        if drawn.last().is_some_and(|last| last.outcome == Outcome::Info) {
            return Err(Malformed(format!("nothing can follow `?` in its process: `{line}`")));
        }
        let (gap, words, after) = brackets(rest).ok_or_else(|| {
            Malformed(format!(
                "every transaction of a line is between `[` and `]`, or none is: `{line}`"
            ))
        })?;
        if !gap.trim().is_empty() {
            return Err(Malformed(format!(
                "`{}` stands outside of brackets: `{line}`",
                gap.trim()
            )));
        }
        let outcome = match after.chars().next() {
            Some('!') => Outcome::Fail,
            Some('?') => Outcome::Info,
            _ => Outcome::Ok,
        };
        let call_column = line.len() - rest.len() + gap.len();
        // Columns count from 1, so that a line without brackets begins before all others.
        let (call_column, return_column) = (call_column + 1, call_column + words.len() + 2);
        drawn.push(Drawn { process, call_column, return_column, words, outcome });
        rest = after.strip_prefix(['!', '?']).unwrap_or(after);
    }
    Ok(drawn)
}

/// What stands before, between and after the next brackets.
fn brackets(text: &str) -> Option<(&str, &str, &str)> {
    let (gap, text) = text.split_once('[')?;
    let (words, after) = text.split_once(']')?;
    Some((gap, words, after))
}

fn datatype(drawn: &[Drawn<'_>]) -> Result<Datatype, Malformed> {
    let any = |first| {
        drawn.iter().any(|drawn| drawn.words.split_whitespace().any(|word| word.starts_with(first)))
    };
    match (any('a'), any('w')) {
        (true, true) => {
            Err(Malformed("appends to lists and writes of registers in one history".to_owned()))
        }
        (_, false) => Ok(Datatype::ListAppend),
        (false, true) => Ok(Datatype::Register),
    }
}

impl Drawn<'_> {
    /// Its positions are still those of the text.
    fn transaction(&self, datatype: Datatype) -> Result<Transaction, Malformed> {
        let micro_ops = self
            .words
            .split_whitespace()
            .map(|word| micro_op(datatype, word))
            .collect::<Result<_, _>>()?;
        let (process, outcome) = (self.process, self.outcome);
        Ok(Transaction {
            process,
            call: 0,
            ret: None,
            call_ns: 0,
            return_ns: None,
            outcome,
            micro_ops,
        })
    }
}

fn micro_op(datatype: Datatype, word: &str) -> Result<MicroOp, Malformed> {
    let malformed =
        || Malformed(format!("`{word}` is not a micro-operation such as ax1, wx1, rx12 or rx_"));
    let number = |text: &str| text.parse::<Value>().map_err(|_| malformed());
    let mut letters = word.chars();
    let (Some(f), Some(letter @ 'a'..='z')) = (letters.next(), letters.next()) else {
        return Err(malformed());
    };
    let (key, rest) = (Key::from(letter as u8 - b'a'), letters.as_str());
    let seen = match (f, rest, datatype) {
        ('a' | 'w', _, _) => return Ok(MicroOp::Write { key, value: number(rest)? }),
        ('r', "", _) => Seen::Unknown,
        ('r', "_", Datatype::ListAppend) => Seen::List(Vec::new()),
        ('r', "_", Datatype::Register) => Seen::Register(None),
        ('r', _, Datatype::Register) => Seen::Register(Some(number(rest)?)),
        ('r', _, Datatype::ListAppend) if rest.contains(',') => {
            let elements = rest.strip_suffix(',').unwrap_or(rest).split(',');
            Seen::List(elements.map(number).collect::<Result<_, _>>()?)
        }
        ('r', _, Datatype::ListAppend) => {
            let digits = rest.chars().map(|digit| digit.to_digit(10).ok_or_else(malformed));
            Seen::List(digits.collect::<Result<_, _>>()?)
        }
        _ => return Err(malformed()),
    };
    Ok(MicroOp::Read { key, seen })
}

/// Gives each event its position. In one column, invocations come first: what shares a column overlaps.
fn in_time(drawn: &[Drawn<'_>], mut transactions: Vec<Transaction>) -> Vec<Transaction> {
    let calls = drawn.iter().enumerate().map(|(i, drawn)| (drawn.call_column, false, i));
    let known = drawn.iter().enumerate().filter(|(_, drawn)| drawn.outcome != Outcome::Info);
    let mut events: Vec<_> =
        calls.chain(known.map(|(i, drawn)| (drawn.return_column, true, i))).collect();
    events.sort_unstable();
    for (position, (_, is_return, i)) in (0..).zip(events) {
        let (transaction, time_ns) = (&mut transactions[i], position * 1000);
        if is_return {
            (transaction.ret, transaction.return_ns) = (Some(position), Some(time_ns));
        } else {
            (transaction.call, transaction.call_ns) = (position, time_ns);
        }
    }
    transactions.sort_by_key(|transaction| transaction.call);
    transactions
}
