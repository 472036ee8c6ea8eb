//! A transaction as its client saw it: the plain form, for building histories by hand or from a file.

/// A key, numbered.
pub type Key = u32;
/// A value that was written or an element that was appended, numbered; unique within its key in a recoverable history.
pub type Value = u32;

/// What the keys hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Datatype {
    /// Lists: a write appends one element, a read shows all of them. Reads tell the order of the writes.
    ListAppend,
    /// Registers: a write replaces the value, a read shows it. The initial value is nothing.
    Register,
}

impl Datatype {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ListAppend, Self::Register];

    /// The name of the model on the command line, Jepsen's name of the workload.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Datatype::ListAppend => "list-append",
            Datatype::Register => "rw-register",
        }
    }

    /// The datatype of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|datatype| datatype.name() == name)
    }
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It committed.
    Ok,
    /// It did not happen.
    Fail,
    /// Nobody knows.
    Info,
}

/// One micro-operation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MicroOp {
    /// `[:append key value]` or `[:w key value]`, by the datatype of the history.
    Write {
        /// Where.
        key: Key,
        /// What.
        value: Value,
    },
    /// `[:r key …]`.
    Read {
        /// Where.
        key: Key,
        /// What came back.
        seen: Seen,
    },
}

/// What a read saw. Of a transaction in doubt a register's value is what it read if it happened: what a guard demanded,
/// say. A list is only believed where the transaction committed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Seen {
    /// The result is unknown: the transaction did not return one.
    Unknown,
    /// The elements of a list, in order; empty where nothing was there.
    List(Vec<Value>),
    /// The value of a register; `None` is the initial one.
    Register(Option<Value>),
}

/// One transaction. Event positions are unique, so ties cannot arise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The process that asked for it: one transaction at a time.
    pub process: u64,
    /// The position of its invocation in the history: what witnesses name.
    pub call: u64,
    /// The position of its completion; `None` where it stays open for ever.
    pub ret: Option<u64>,
    /// When it was invoked, in nanoseconds since the start of the run.
    pub call_ns: u64,
    /// When it completed.
    pub return_ns: Option<u64>,
    /// How it ended.
    pub outcome: Outcome,
    /// What it did, in order.
    pub micro_ops: Vec<MicroOp>,
}
