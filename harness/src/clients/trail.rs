//! What is recorded of the attempts of one operation.

use record::{AttemptEnd, AttemptRecord, attempt::bounded_reason};

use super::connection::AttemptResult;

/// When a request left and when it was over, in nanoseconds of the record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) sent_ns: u64,
    pub(super) ended_ns: u64,
}

/// The attempts of one operation, in order.
pub(super) struct Trail {
    /// The index of the operation's invocation.
    pub(super) operation: u64,
    process: u64,
    records: Vec<AttemptRecord>,
    copied: bool,
}

impl Trail {
    /// No attempt yet.
    pub(super) fn new(operation: u64, process: u64) -> Self {
        Self { operation, process, records: Vec::new(), copied: false }
    }

    /// A copy of the request is under way, so that the attempt is not the only request.
    pub(super) fn copy_sent(&mut self) {
        self.copied = true;
    }

    /// An attempt has ended; `lost`: its reply was dropped on purpose.
    pub(super) fn add(&mut self, node: &str, span: Span, result: &AttemptResult, lost: bool) {
        let mut record = line(self.operation, self.process, node, span, result);
        if lost {
            record.end = AttemptEnd::ReplyLost;
        }
        self.records.push(record);
    }

    /// What is worth recording: nothing of an operation whose only request was answered.
    pub(super) fn into_records(self) -> Vec<AttemptRecord> {
        match self.records.as_slice() {
            [only] if only.end == AttemptEnd::Answered && !self.copied => Vec::new(),
            _ => self.records,
        }
    }
}

/// The line of one request.
pub(super) fn line(
    operation: u64,
    process: u64,
    node: &str,
    span: Span,
    result: &AttemptResult,
) -> AttemptRecord {
    let (end, reason) = match result {
        AttemptResult::Answered(_) => (AttemptEnd::Answered, ""),
        AttemptResult::Refused(refusal) => (AttemptEnd::Refused, refusal.code.name()),
        AttemptResult::NotSent(reason) => (AttemptEnd::NotSent, reason.as_str()),
        AttemptResult::Uncertain(reason) => (AttemptEnd::NoAnswer, reason.as_str()),
        AttemptResult::Garbled(reason) => (AttemptEnd::Garbled, reason.as_str()),
    };
    AttemptRecord {
        operation,
        process,
        node: node.to_owned(),
        sent_ns: span.sent_ns,
        ended_ns: span.ended_ns,
        copy: false,
        end,
        reason: bounded_reason(reason),
    }
}
