//! One operation in a sentence: what it was, who asked, and when.

use crate::{Call, CallOf, Model};

/// `put "3" by process 4 (10.2000–10.4000 s)`.
pub(crate) fn describe<M: Model>(model: &M, call: &CallOf<M>) -> String {
    let seconds = |ns: u64| format!("{:.4}", ns as f64 / 1e9);
    let when = match (call.call_ns, call.return_ns.filter(|_| call.ret.is_some())) {
        // A history without times.
        (_, Some(0)) => String::new(),
        (0, None) => " (never answered)".to_owned(),
        (begin, Some(end)) => format!(" ({}–{} s)", seconds(begin), seconds(end)),
        (begin, None) => format!(" (from {} s on, never answered)", seconds(begin)),
    };
    with(call, &model.describe(&call.input, call.output.as_ref()), &when)
}

/// The same in less space, for sentences about several operations: without times, and with the beginning and the end of
/// what it says where that is long.
pub(crate) fn describe_briefly<M: Model>(model: &M, call: &CallOf<M>) -> String {
    let when = if call.ret.is_none() { " (never answered)" } else { "" };
    with(call, &elided(&model.describe(&call.input, call.output.as_ref())), when)
}

/// An operation with who asked, when, and what is not known of it.
fn with<I, O>(call: &Call<I, O>, what: &str, when: &str) -> String {
    let unknown = call.ret.is_some() && call.output.is_none() && !call.failed;
    let result = if unknown { " (result unknown)" } else { "" };
    let failed = if call.failed { ", which failed" } else { "" };
    format!("{what}{result} by process {}{when}{failed}", call.process)
}

/// At most [`BRIEF_CHARS`] characters of a text.
pub(crate) fn elided(text: &str) -> String {
    let count = text.chars().count();
    if count <= BRIEF_CHARS {
        return text.to_owned();
    }
    let start: String = text.chars().take(BRIEF_CHARS / 2).collect();
    let end: String = text.chars().skip(count - (BRIEF_CHARS / 2 - 1)).collect();
    format!("{start}…{end}")
}

/// How much of an operation a sentence about several shows.
const BRIEF_CHARS: usize = 40;
