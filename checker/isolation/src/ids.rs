//! Transactions, keys and versions by number.

/// A transaction, by its position in the history.
pub(crate) type Txn = u32;
/// A version of a key: each pair of key and value has a number of its own.
pub(crate) type Version = u32;
/// No transaction, no version, no position.
pub(crate) const NONE: u32 = u32::MAX;

/// The number of the next entry of an array.
pub(crate) fn id(len: usize) -> u32 {
    u32::try_from(len).expect("four billion entries do not fit into memory")
}
