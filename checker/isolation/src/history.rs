//! A history of transactions as the checker wants it: flat arrays and small numbers.

use crate::ids::{Txn, Version, id};
use crate::names::Names;
use crate::{Datatype, Outcome};

/// Transactions and what they saw. A read of a list that is a prefix of its key's longest list is only a length.
#[derive(Debug)]
pub struct History {
    pub(crate) datatype: Datatype,
    pub(crate) names: Names,
    pub(crate) headers: Vec<Header>,
    pub(crate) outcomes: Vec<Outcome>,
    /// The rank of each invocation among all events.
    pub(crate) calls: Vec<u32>,
    /// The rank of the completion of each committed transaction; `NONE` of the others, which have no upper bound.
    pub(crate) returns: Vec<u32>,
    /// Where the micro-operations of each transaction start, and where the last one's end.
    pub(crate) starts: Vec<u32>,
    pub(crate) micros: Vec<Micro>,
    /// The longest list that was read, key after key.
    pub(crate) order: Vec<Version>,
    /// Where each key's list starts in `order`, and where the last one's ends.
    pub(crate) order_starts: Vec<u32>,
    /// Lists that are no prefix of their key's longest one.
    pub(crate) divergent: Vec<Vec<Version>>,
}

/// What only explanations ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    pub(crate) process: u64,
    pub(crate) call: u64,
    pub(crate) ret: Option<u64>,
    pub(crate) call_ns: u64,
    /// `call_ns` where it is not known.
    pub(crate) return_ns: u64,
}

/// A micro-operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Micro {
    Write {
        key: u32,
        version: Version,
    },
    /// A read of a register. Of a transaction in doubt it is what it read if it happened.
    Value {
        key: u32,
        version: Version,
    },
    /// A read of the first elements of the key's longest list.
    Prefix {
        key: u32,
        len: u32,
    },
    /// A read of some other list.
    Divergent {
        key: u32,
        list: u32,
    },
    /// A read without a result.
    Unknown {
        key: u32,
    },
}

impl Micro {
    pub(crate) fn key(self) -> u32 {
        let (Micro::Write { key, .. }
        | Micro::Value { key, .. }
        | Micro::Prefix { key, .. }
        | Micro::Divergent { key, .. }
        | Micro::Unknown { key }) = self;
        key
    }
}

impl History {
    /// How many transactions there are, whatever became of them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.headers.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }

    pub(crate) fn txns(&self) -> std::ops::Range<Txn> {
        0..id(self.len())
    }

    /// Those that committed, as their clients were told.
    pub(crate) fn committed(&self) -> impl Iterator<Item = Txn> + '_ {
        self.txns().filter(|&txn| self.outcome(txn) == Outcome::Ok)
    }

    pub(crate) fn outcome(&self, txn: Txn) -> Outcome {
        self.outcomes[txn as usize]
    }

    pub(crate) fn header(&self, txn: Txn) -> &Header {
        &self.headers[txn as usize]
    }

    pub(crate) fn keys(&self) -> usize {
        self.order_starts.len() - 1
    }

    /// The positions of its micro-operations in `micros`.
    pub(crate) fn span(&self, txn: Txn) -> std::ops::Range<usize> {
        self.starts[txn as usize] as usize..self.starts[txn as usize + 1] as usize
    }

    pub(crate) fn micros_of(&self, txn: Txn) -> &[Micro] {
        &self.micros[self.span(txn)]
    }

    /// Where the key's longest list lies in `order`.
    pub(crate) fn order_span(&self, key: u32) -> std::ops::Range<usize> {
        self.order_starts[key as usize] as usize..self.order_starts[key as usize + 1] as usize
    }

    /// The longest list that was read of the key.
    pub(crate) fn order_of(&self, key: u32) -> &[Version] {
        &self.order[self.order_span(key)]
    }

    /// The list that a read returned; `None` of anything else.
    pub(crate) fn list(&self, micro: Micro) -> Option<&[Version]> {
        match micro {
            Micro::Prefix { key, len } => Some(&self.order_of(key)[..len as usize]),
            Micro::Divergent { list, .. } => Some(&self.divergent[list as usize]),
            Micro::Write { .. } | Micro::Value { .. } | Micro::Unknown { .. } => None,
        }
    }
}
