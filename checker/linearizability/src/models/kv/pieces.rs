//! Appends whose piece is in a value too often, or too rarely.

use std::collections::BTreeMap;

use super::{Kv, KvInput, KvOutput};
use crate::call::sort_by_call;
use crate::content::quoted;
use crate::describe::describe;
use crate::refutation::Refutation;
use crate::{Anomaly, CallOf};

/// More character comparisons than this are too much for a name.
const NAMING_WORK_MAX: usize = 20_000_000;

/// Appends that a sentence lists, at most.
const LISTED_MAX: usize = 11;

/// Why the value that this operation saw cannot be, in whatever order.
pub(super) fn explain(stuck: usize, calls: &[CallOf<Kv>]) -> Option<Refutation> {
    let (KvInput::Get | KvInput::Append(_), Some(KvOutput::Value(Some(value)))) =
        (&calls[stuck].input, &calls[stuck].output)
    else {
        return None;
    };
    let pieces = Piece::all(stuck, calls)?;
    if pieces.len() * (value.len() + 8 * pieces.len()) > NAMING_WORK_MAX {
        return None;
    }
    let (kind, text, operations) = pieces
        .iter()
        .find_map(|(piece, own)| misplaced(stuck, calls, value, (piece, own), &pieces))?;
    let operations = operations.into_iter().chain([stuck]).map(|op| op as u32);
    Some(Refutation::new(calls, kind, &text, operations))
}

/// Who appended a piece, in the order of the history.
#[derive(Default)]
struct Piece {
    /// Before the reader began.
    finished: Vec<usize>,
    /// Those too, and all others that did not fail.
    effective: Vec<usize>,
    failed: Vec<usize>,
}

impl Piece {
    /// `None` where something replaces the whole, so that pieces may come and go.
    fn all(stuck: usize, calls: &[CallOf<Kv>]) -> Option<BTreeMap<&str, Self>> {
        let mut pieces: BTreeMap<&str, Self> = BTreeMap::new();
        for (at, call) in calls.iter().enumerate() {
            match &call.input {
                KvInput::Append(more) if !more.is_empty() => {
                    pieces.entry(more).or_default().add(at, call, calls[stuck].call);
                }
                KvInput::Get | KvInput::Append(_) => {}
                _ if call.failed => {}
                _ => return None,
            }
        }
        Some(pieces)
    }

    fn add(&mut self, at: usize, call: &CallOf<Kv>, begin: u64) {
        if call.failed {
            self.failed.push(at);
            return;
        }
        self.effective.push(at);
        if call.ret.is_some_and(|ret| ret < begin) {
            self.finished.push(at);
        }
    }
}

/// The anomaly's name, what to tell of it, and the appends that prove it.
fn misplaced(
    stuck: usize,
    calls: &[CallOf<Kv>],
    value: &str,
    (piece, own): (&str, &Piece),
    pieces: &BTreeMap<&str, Piece>,
) -> Option<(Anomaly, String, Vec<usize>)> {
    // One piece may be part of another, as "1;" is of "11;".
    let count = |which: fn(&Piece) -> &[usize]| -> usize {
        pieces.iter().map(|(other, by)| which(by).len() * other.matches(piece).count()).sum()
    };
    let (seen, reader) = (value.matches(piece).count(), || describe(&Kv, &calls[stuck]));
    if seen > count(|by| &by.effective) && !pieces.keys().any(|other| may_begin(piece, other)) {
        let (kind, append, more) = match own.failed.last() {
            Some(&append) => (Anomaly::AbortedRead, append, ""),
            None => (
                Anomaly::DuplicatedAppend,
                *own.effective.last()?,
                " more often than it was appended",
            ),
        };
        let append_text = describe(&Kv, &calls[append]);
        return Some((
            kind,
            format!("{} saw the piece of {append_text}{more}", reader()),
            vec![append],
        ));
    }
    let least = count(|by| &by.finished);
    let last = *own.finished.last().filter(|_| seen < least)?;
    let append_text = describe(&Kv, &calls[last]);
    if seen == 0 {
        let text = format!(
            "{} began after {append_text} had finished, yet what it appended is missing",
            reader()
        );
        return Some((Anomaly::LostAppend, text, vec![last]));
    }
    let times = if seen == 1 { "once".to_owned() } else { format!("{seen} times") };
    let text = format!(
        "{} saw {} only {times}, but began after it had been appended {least} times, the last time by {append_text}",
        reader(),
        quoted(piece)
    );
    let containing = pieces.iter().filter(|(other, _)| other.contains(piece));
    let mut appends: Vec<usize> = containing.flat_map(|(_, by)| by.finished.clone()).collect();
    sort_by_call(calls, &mut appends);
    appends.drain(..appends.len().saturating_sub(LISTED_MAX));
    Some((Anomaly::LostAppend, text, appends))
}

/// May the piece be seen where `other` and the next pieces meet?
fn may_begin(piece: &str, other: &str) -> bool {
    let beginnings = piece.char_indices().skip(1).map(|(end, _)| &piece[..end]);
    beginnings.into_iter().any(|beginning| other.ends_with(beginning))
}
