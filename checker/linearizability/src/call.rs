//! One operation of the history that is checked.

use history::{Completion, Operation};

/// One operation: what was asked, what came back, and when.
///
/// `call` and `ret` order the operations (event indices, or any clock that all clients share); a call counts
/// as earlier than a return at the same position. The times in nanoseconds are only shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<I, O> {
    /// Its name in the witness: the index of the invocation's event.
    pub id: u64,
    /// Who asked.
    pub process: u64,
    /// The operation with its arguments.
    pub input: I,
    /// The result; `None` where it is unknown.
    pub output: Option<O>,
    /// When it was invoked.
    pub call: u64,
    /// When it returned; `None`: open for ever, it may take effect at any later time, or never.
    pub ret: Option<u64>,
    /// When it was invoked, in nanoseconds since the start of the run.
    pub call_ns: u64,
    /// When it returned, in nanoseconds since the start of the run.
    pub return_ns: Option<u64>,
    /// It certainly did not happen: no part of any order, but its arguments help to name an aborted read.
    pub failed: bool,
}

/// Positions of calls in the order of these, each once.
pub(crate) fn sort_by_call<I, O>(calls: &[Call<I, O>], positions: &mut Vec<usize>) {
    // Sorted with their keys: a sort by a key would be compiled for each model.
    let mut keyed: Vec<(u64, usize)> = positions.iter().map(|&at| (calls[at].call, at)).collect();
    keyed.sort_unstable();
    keyed.dedup();
    positions.clear();
    positions.extend(keyed.into_iter().map(|(_, at)| at));
}

impl<I, O> Call<I, O> {
    /// The call for a recorded operation: an `ok` returns with `output`, a `fail` never happened, an `info`
    /// stays open with an unknown result.
    pub fn from_operation<V>(operation: &Operation<V>, input: I, output: Option<O>) -> Self {
        let (ret, output, failed) = match operation.completion {
            Completion::Ok(index, _) => (Some(index), output, false),
            Completion::Fail(index, _) => (Some(index), None, true),
            Completion::Info(_) => (None, None, false),
        };
        Self {
            id: operation.call,
            process: operation.process,
            input,
            output,
            call: operation.call,
            ret,
            call_ns: operation.call_ns,
            return_ns: operation.return_ns,
            failed,
        }
    }
}
