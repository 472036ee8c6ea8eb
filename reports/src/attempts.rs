//! The requests behind the operations that prove a violation.

use std::collections::BTreeMap;

use record::{AttemptEnd, AttemptRecord, Folder, FolderError, Reading};

use crate::markup::cut;
use crate::operations::WitnessRow;

/// So many requests of one operation are kept.
const OF_ONE_MAX: usize = 40;
const NAME_CHARS_MAX: usize = 40;
const REASON_CHARS_MAX: usize = 200;

/// The requests behind one operation.
#[derive(Clone, Debug, Default)]
pub struct OfOne {
    /// In the order in which they were sent.
    pub requests: Vec<AttemptRecord>,
    /// How many more there were.
    pub left_out: u64,
}

/// By the index of the operation's invocation. One whose only request was answered has none.
pub type Attempts = BTreeMap<u64, OfOne>;

/// Reads the requests behind these operations.
pub fn read(
    folder: &Folder,
    witnesses: &BTreeMap<u64, WitnessRow>,
) -> (Attempts, Result<Reading, FolderError>) {
    let mut attempts = Attempts::new();
    let reading = folder.read_attempts(|mut request| {
        if !witnesses.contains_key(&request.operation) {
            return;
        }
        let of_one = attempts.entry(request.operation).or_default();
        if of_one.requests.len() >= OF_ONE_MAX {
            of_one.left_out += 1;
            return;
        }
        request.node = cut(&request.node, NAME_CHARS_MAX);
        request.reason = cut(&request.reason, REASON_CHARS_MAX);
        of_one.requests.push(request);
    });
    for of_one in attempts.values_mut() {
        of_one.requests.sort_by_key(|request| request.sent_ns);
    }
    (attempts, reading)
}

impl OfOne {
    /// All of them in one line: `n2 refused (not_leader), n1 answered`.
    pub fn summary(&self) -> String {
        let one = |request: &AttemptRecord| {
            let copy = if request.copy { "copy to " } else { "" };
            let code = match request.end {
                AttemptEnd::Refused => format!(" ({})", request.reason),
                _ => String::new(),
            };
            format!("{copy}{} {}{code}", request.node, end_in_words(request.end))
        };
        self.requests.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// What came of a request.
pub fn end_in_words(end: AttemptEnd) -> &'static str {
    match end {
        AttemptEnd::Answered => "answered",
        AttemptEnd::Refused => "refused",
        AttemptEnd::NotSent => "not sent",
        AttemptEnd::NoAnswer => "no answer",
        AttemptEnd::Garbled => "answer broke the contract",
        AttemptEnd::ReplyLost => "answered, reply dropped by the bench",
    }
}
