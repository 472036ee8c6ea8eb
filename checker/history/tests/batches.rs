//! Operations paired by the threads that read beside the same paired one by one: the same operations, or the same
//! complaint.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use std::fmt::Write;

use history::{
    Batches, Broken, Datum, Events, Format, Located, Operation, PairError, Paired, Pairing,
    Portion, ReadError, Reading,
};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

/// The operations that ended, those that did not, what is wrong, how many events there were, and the notes on a file that
/// was read to its end.
type Read = (Vec<Operation<Datum>>, Vec<Operation<Datum>>, Option<String>, u64, Vec<String>);

fn complaint(line: u64, error: &PairError) -> String {
    format!("line {line}: {error}")
}

fn one_by_one(text: &[u8], format: Format) -> Read {
    let mut events = Events::with(text, format, Reading { threads: 1, block_bytes: 1 << 20 });
    let mut pairing = Pairing::default();
    let (mut ended, mut wrong, mut count) = (Vec::new(), None, 0);
    for located in events.by_ref() {
        let Located { line, event } = match located {
            Ok(located) => located,
            Err(error) => {
                wrong = Some(error.to_string());
                break;
            }
        };
        count += 1;
        match pairing.add(event) {
            Ok(Paired::Ends(operation)) => ended.push(operation),
            Ok(Paired::Begins | Paired::Beside) => {}
            Err(error) => {
                wrong = Some(complaint(line, &error));
                break;
            }
        }
    }
    let notes = if wrong.is_none() { events.notes() } else { Vec::new() };
    (ended, pairing.finish(), wrong, count, notes)
}

/// And how many operations came with the batches.
fn in_batches(text: &[u8], format: Format, reading: Reading) -> (Read, usize) {
    let mut batches = Batches::new(text, format, reading, Vec::new());
    let (mut ended, mut wrong, mut count, mut batched) = (Vec::new(), None, 0, 0);
    for portion in batches.by_ref() {
        match portion {
            Ok(Portion { batch, between, events }) => {
                count += events;
                batched += batch.len();
                let mut between = between.into_iter().peekable();
                for (at, operation) in batch.into_iter().enumerate() {
                    while let Some((_, other)) = between.next_if(|(before, _)| *before <= at) {
                        ended.push(other);
                    }
                    ended.push(operation);
                }
                ended.extend(between.map(|(_, other)| other));
            }
            Err(Broken::Unreadable(error @ ReadError::Syntax { .. })) => {
                wrong = Some(error.to_string());
            }
            Err(Broken::Premise { line, error }) => wrong = Some(complaint(line, &error)),
            Err(other) => panic!("{other}"),
        }
    }
    let notes = if wrong.is_none() { batches.notes() } else { Vec::new() };
    ((ended, batches.finish(), wrong, count, notes), batched)
}

/// What a client does next.
#[derive(Clone, Copy)]
enum Client {
    Idle,
    Asks(&'static str),
    Gone,
}

/// A history of a few clients, which sometimes breaks a rule.
fn history(rng: &mut ChaCha8Rng, format: Format) -> String {
    let mut clients = [Client::Idle; 4];
    let (mut text, mut index) = (String::new(), 0);
    let is_strange = rng.random_range(0..3) == 0;
    let has_indices = rng.random_range(0..6) > 0;
    for _ in 0..rng.random_range(1..60) {
        let strange = is_strange && rng.random_range(0..30) == 0;
        let process = rng.random_range(0..clients.len());
        let client = &mut clients[process];
        let f = if rng.random_range(0..2) == 0 { "read" } else { "write" };
        let (mut kind, mut f) = match *client {
            Client::Idle => ("invoke", f),
            Client::Asks(f) => {
                (["ok", "fail", "info"][rng.random_range(0..12_usize).saturating_sub(9)], f)
            }
            Client::Gone if strange => ("ok", f),
            Client::Gone => continue,
        };
        if strange {
            match rng.random_range(0..4) {
                0 => kind = ["invoke", "ok", "fail", "info"][rng.random_range(0..4)],
                1 => f = "cas",
                2 => index -= rng.random_range(0..3),
                _ => index += 5,
            }
        }
        *client = match kind {
            "invoke" => Client::Asks(f),
            "info" => Client::Gone,
            _ => Client::Idle,
        };
        let name = process.to_string();
        let (process, kind, f, value) = match rng.random_range(0..40) {
            0 => ("harness", "info", "phase", ["\"main\"", "\"final\""][rng.random_range(0..2)]),
            1 => ("nemesis", "info", "kill", "[1]"),
            _ => (name.as_str(), kind, f, ["1", "null", "[1, 2, 3, 4]"][rng.random_range(0..3)]),
        };
        let has_index = has_indices && !(strange && rng.random_range(0..3) == 0);
        event(&mut text, format, has_index.then_some(index), [process, kind, f, value]);
        index += 1;
    }
    if is_strange && rng.random_range(0..4) == 0 {
        text.push_str("{ nothing");
    }
    text
}

fn event(text: &mut String, format: Format, index: Option<i64>, fields: [&str; 4]) {
    let [process, kind, f, value] = fields;
    let is_client = process.parse::<u64>().is_ok();
    if format == Format::Edn {
        let index = index.map_or(String::new(), |index| format!(":index {index}, "));
        let process = if is_client { process.to_owned() } else { format!(":{process}") };
        let value = if value == "null" { "nil" } else { value };
        writeln!(text, "{{{index}:process {process}, :type :{kind}, :f :{f}, :value {value}}}")
    } else {
        let index = index.map_or(String::new(), |index| format!("\"index\":{index},"));
        let process = if is_client { process.to_owned() } else { format!("\"{process}\"") };
        writeln!(
            text,
            "{{{index}\"process\":{process},\"type\":\"{kind}\",\"f\":\"{f}\",\"value\":{value}}}"
        )
    }
    .unwrap();
}

#[test]
fn batches_hold_the_operations_that_pairing_gives() {
    const HISTORIES: u64 = 2000;
    let (mut batched, mut between, mut wrong, mut right) = (0, 0, 0, 0);
    for seed in 0..HISTORIES {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let format = [Format::Edn, Format::JsonLines, Format::Json][(seed % 3) as usize];
        let text = history(&mut rng, format);
        let expected = one_by_one(text.as_bytes(), format);
        for block_bytes in [1, 70, 400, 1 << 20] {
            for threads in [1, 3] {
                let reading = Reading { threads, block_bytes };
                let (found, alone) = in_batches(text.as_bytes(), format, reading);
                assert_eq!(found, expected, "seed {seed}, {reading:?}:\n{text}");
                batched += alone;
                between += expected.0.len() - alone;
            }
        }
        wrong += u64::from(expected.2.is_some());
        right += u64::from(expected.2.is_none());
    }
    let each = HISTORIES / 8;
    assert!(wrong > each && right > each, "{wrong} broken, {right} right");
    assert!(batched > 10_000 && between > 10_000, "{batched} in batches, {between} between");
}
