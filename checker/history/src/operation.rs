//! Invocations paired with their completions.

use serde_json::Value;

/// One operation: an invocation and how it ended. Times are event positions: unique, so that ties cannot arise.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// The index of the invocation's event.
    pub call: u64,
    /// The process.
    pub process: u64,
    /// The function.
    pub f: String,
    /// The arguments.
    pub arguments: Value,
    /// How it ended.
    pub completion: Completion,
    /// When it began, in nanoseconds since the start of the run.
    pub call_ns: u64,
    /// When it ended, where it did.
    pub return_ns: Option<u64>,
    /// The node that was asked (last).
    pub node: Option<String>,
    /// The phase in which it was invoked (`main`, `final`…), empty where the history has no phases.
    pub phase: String,
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Completion {
    /// It happened, with this result; the completion's event index comes first.
    Ok(u64, Value),
    /// It did not happen; the completion's event index comes first.
    Fail(u64, Option<String>),
    /// Nobody knows, for ever: no upper bound in time.
    Info(Option<String>),
}

impl Completion {
    /// Whether it is known what became of the operation.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !matches!(self, Completion::Info(_))
    }
}

impl Operation {
    /// The event index at which it returned; `None` where it stays open for ever.
    #[must_use]
    pub fn return_index(&self) -> Option<u64> {
        match self.completion {
            Completion::Ok(index, _) | Completion::Fail(index, _) => Some(index),
            Completion::Info(_) => None,
        }
    }

    /// The result, where it succeeded.
    #[must_use]
    pub fn result(&self) -> Option<&Value> {
        match &self.completion {
            Completion::Ok(_, value) => Some(value),
            Completion::Fail(..) | Completion::Info(_) => None,
        }
    }
}
