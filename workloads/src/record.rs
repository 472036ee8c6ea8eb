//! The record of a store's operations, typed: what was asked and what came of it.

use contract::{
    Operation, Outcome,
    manifest::Capability,
    operations::{OperationEntry, entry},
};
use history::{CheckResult, Completion, words};
use invariants::Invariant;
use linearizability::Call;
use serde_json::Value;

/// One operation of the record.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// The event index of its invocation, by which witnesses name it.
    pub(crate) call: u64,
    /// The event index of its completion; `None` where nobody knows how it ended.
    pub(crate) ret: Option<u64>,
    /// The process.
    pub(crate) process: u64,
    /// Nanoseconds at its invocation.
    pub(crate) call_ns: u64,
    /// Nanoseconds at its completion.
    pub(crate) return_ns: Option<u64>,
    /// What was asked.
    pub(crate) operation: Operation,
    /// What came of it.
    pub(crate) end: End,
}

#[cfg(test)]
thread_local! {
    /// How often an operation was named: what sentences cost.
    pub(crate) static NAMED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    /// With this result.
    Ok(Outcome),
    /// It certainly never happened.
    Fail,
    /// Nobody knows.
    Info,
}

impl Record {
    /// The result, where it succeeded.
    pub(crate) fn outcome(&self) -> Option<&Outcome> {
        match &self.end {
            End::Ok(outcome) => Some(outcome),
            End::Fail | End::Info => None,
        }
    }

    /// The same operation under another name, for the checkers that know no contract. Where `result` finds none in the
    /// outcome, the operation did nothing.
    pub(crate) fn to_operation(
        &self,
        f: &str,
        arguments: Value,
        result: impl FnOnce(&Outcome) -> Option<Value>,
    ) -> history::Operation {
        let end = self.ret.unwrap_or(self.call);
        let completion = match &self.end {
            End::Ok(outcome) => match result(outcome) {
                Some(result) => Completion::Ok(end, result),
                None => Completion::Fail(end, None),
            },
            End::Fail => Completion::Fail(end, None),
            End::Info => Completion::Info(None),
        };
        history::Operation {
            call: self.call,
            process: self.process,
            f: f.into(),
            arguments,
            completion,
            call_ns: self.call_ns,
            return_ns: self.return_ns,
            node: None,
            phase: String::new(),
        }
    }

    /// `the multiget of process 3 (10.203–10.207 s)`.
    pub(crate) fn who(&self) -> String {
        #[cfg(test)]
        NAMED.set(NAMED.get() + 1);
        let name = self.operation.name();
        words::named(name, self.process, self.call, self.call_ns, self.return_ns)
    }

    /// Why a workload cannot judge a record with this operation in it.
    pub(crate) fn foreign(&self, workload: &str) -> String {
        format!("{} is no operation of `{workload}`, so its checks do not apply.", self.who())
    }

    /// The same operation for the linearizability checker.
    pub(crate) fn as_call<I, O>(&self, input: I, output: Option<O>) -> Call<I, O> {
        Call {
            id: self.call,
            process: self.process,
            input,
            output,
            call: self.call,
            ret: self.ret,
            call_ns: self.call_ns,
            return_ns: self.return_ns,
            failed: self.end == End::Fail,
        }
    }
}

/// Reads the operations on keys out of a history, skipping all else.
///
/// An `ok` whose result does not fit its operation is kept as unknown: a store that answers gibberish has
/// promised nothing, and the clerk has counted the protocol error already.
pub(crate) fn read(operations: &[history::Operation]) -> Result<Vec<Record>, String> {
    read_those(operations, |entry| entry.capability != Some(Capability::Configurations))
}

/// The same, of what is asked of shard controllers.
pub(crate) fn read_of_controllers(
    operations: &[history::Operation],
) -> Result<Vec<Record>, String> {
    read_those(operations, |entry| entry.capability == Some(Capability::Configurations))
}

fn read_those(
    operations: &[history::Operation],
    are_meant: impl Fn(&OperationEntry) -> bool,
) -> Result<Vec<Record>, String> {
    let meant = operations.iter().filter(|operation| entry(&operation.f).is_some_and(&are_meant));
    meant.map(read_one).collect()
}

/// What an invariant says of these operations, which were made from the record for it.
pub(crate) fn judge(
    invariant: Invariant,
    operations: Result<Vec<history::Operation>, String>,
) -> CheckResult {
    match operations {
        Ok(operations) => invariant.check(&operations),
        Err(reason) => CheckResult::inconclusive(invariant.name(), reason),
    }
}

fn read_one(source: &history::Operation) -> Result<Record, String> {
    let operation = Operation::from_parts(&source.f, &source.arguments).map_err(|reason| {
        format!("the record cannot be read at event {}: {reason}", source.call)
    })?;
    let end = match &source.completion {
        Completion::Ok(_, result) => operation.parse_outcome(result).map_or(End::Info, End::Ok),
        Completion::Fail(..) => End::Fail,
        Completion::Info(_) => End::Info,
    };
    let known = end != End::Info;
    Ok(Record {
        call: source.call,
        ret: source.return_index().filter(|_| known),
        process: source.process,
        call_ns: source.call_ns,
        return_ns: source.return_ns.filter(|_| known),
        operation,
        end,
    })
}
