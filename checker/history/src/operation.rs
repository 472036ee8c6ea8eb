//! Invocations paired with their completions.

use compact_str::CompactString;
use serde_json::Value;

use crate::Datum;

/// One operation: an invocation and how it ended, with values as JSON or as another type `V`. Times are event positions: unique, so that ties cannot arise.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation<V = Value> {
    /// The index of the invocation's event.
    pub call: u64,
    /// The process.
    pub process: u64,
    /// The function.
    pub f: CompactString,
    /// The arguments.
    pub arguments: V,
    /// How it ended.
    pub completion: Completion<V>,
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
pub enum Completion<V = Value> {
    /// It happened, with this result; the completion's event index comes first.
    Ok(u64, V),
    /// It did not happen; the completion's event index comes first.
    Fail(u64, Option<String>),
    /// Nobody knows, for ever: no upper bound in time.
    Info(Option<String>),
}

impl<V> Completion<V> {
    /// Whether it is known what became of the operation.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !matches!(self, Self::Info(_))
    }
}

impl<V> Operation<V> {
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
    pub fn result(&self) -> Option<&V> {
        match &self.completion {
            Completion::Ok(_, value) => Some(value),
            Completion::Fail(..) | Completion::Info(_) => None,
        }
    }
}

impl Operation<Datum> {
    /// About how many bytes it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let result = self.result().map_or(0, Datum::heap_bytes);
        let texts = self.f.len() + self.phase.len() + self.node.as_ref().map_or(0, String::len);
        size_of::<Self>() + self.arguments.heap_bytes() + result + texts
    }
}

impl<V> Operation<V> {
    /// The same operation with other values, such as JSON for [`crate::Datum`].
    #[must_use]
    pub fn map<W>(self, value: impl Fn(V) -> W) -> Operation<W> {
        let completion = match self.completion {
            Completion::Ok(index, result) => Completion::Ok(index, value(result)),
            Completion::Fail(index, error) => Completion::Fail(index, error),
            Completion::Info(error) => Completion::Info(error),
        };
        let Self { call, process, f, arguments, call_ns, return_ns, node, phase, .. } = self;
        let arguments = value(arguments);
        Operation { call, process, f, arguments, completion, call_ns, return_ns, node, phase }
    }
}
