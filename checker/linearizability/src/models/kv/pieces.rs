//! Appends whose piece is in a value too often, or too rarely.

use std::collections::BTreeMap;

use super::{Kv, KvInput, KvOutput};
use crate::CallOf;
use crate::explain::told;
use crate::monitors::Refutation;

/// More character comparisons than this are too much for a name.
const NAMING_WORK_MAX: usize = 20_000_000;

/// Why the value that this operation saw cannot be, in whatever order.
pub(super) fn explain(stuck: usize, calls: &[CallOf<Kv>]) -> Option<Refutation> {
    let (kind, append) = misplaced(&calls[stuck], calls)?;
    let (reader, tale) = (told(&Kv, &calls[stuck]), told(&Kv, &calls[append]));
    let text = match kind {
        "lost append" => {
            format!("{reader} began after {tale} had finished, yet what it appended is missing")
        }
        "aborted read" => format!("{reader} saw the piece of {tale}"),
        _ => format!("{reader} saw the piece of {tale} more often than it was appended"),
    };
    let mut operations = vec![stuck as u32, append as u32];
    operations.sort_unstable_by_key(|&op| (calls[op as usize].call, op));
    operations.dedup();
    Some(Refutation { kind, sentence: format!("{kind}: {text}."), operations })
}

/// The anomaly's name, and the append to blame.
fn misplaced(stuck: &CallOf<Kv>, calls: &[CallOf<Kv>]) -> Option<(&'static str, usize)> {
    let (KvInput::Get | KvInput::Append(_), Some(KvOutput::Value(Some(value)))) =
        (&stuck.input, &stuck.output)
    else {
        return None;
    };
    // Where something replaces the whole, pieces may come and go.
    let keeps =
        |call: &CallOf<Kv>| call.failed || matches!(call.input, KvInput::Get | KvInput::Append(_));
    if !calls.iter().all(keeps) {
        return None;
    }
    // How often each piece was appended (at least, at most, and by operations that failed), and the last to do so.
    let mut pieces: BTreeMap<&str, ([usize; 3], usize)> = BTreeMap::new();
    for (i, call) in calls.iter().enumerate() {
        let KvInput::Append(more) = &call.input else { continue };
        if more.is_empty() {
            continue;
        }
        let finished = call.ret.is_some_and(|ret| ret < stuck.call);
        let ([least, most, failed], last) = pieces.entry(more).or_default();
        *least += usize::from(!call.failed && finished);
        *most += usize::from(!call.failed);
        *failed += usize::from(call.failed);
        *last = i;
    }
    if pieces.len() * (value.len() + 8 * pieces.len()) > NAMING_WORK_MAX {
        return None;
    }
    pieces.iter().find_map(|(piece, &(_, last))| {
        // One piece may be part of another, as "1;" is of "11;".
        let [least, most, failed] = pieces.iter().fold([0; 3], |sums, (other, (counts, _))| {
            let within = other.matches(piece).count();
            [0, 1, 2].map(|i| sums[i] + counts[i] * within)
        });
        let seen = value.matches(piece).count();
        if seen > most && !pieces.keys().any(|other| may_begin(piece, other)) {
            Some((if failed > 0 { "aborted read" } else { "duplicated append" }, last))
        } else {
            (seen < least).then_some(("lost append", last))
        }
    })
}

/// May the piece be seen where `other` and the next pieces meet?
fn may_begin(piece: &str, other: &str) -> bool {
    let beginnings = piece.char_indices().skip(1).map(|(end, _)| &piece[..end]);
    beginnings.into_iter().any(|beginning| other.ends_with(beginning))
}
