//! Histories of lists: the longest read of a key is the order of its versions.
//!
//! Every list is a trace of all writes before it (Elle, §4.2.2), so that almost nothing has to be guessed: of each read
//! the last element tells the writer that it follows, the next element in the key's order the writer that it precedes.

mod edges;
mod orders;
mod reasons;
mod scan;

pub(crate) use edges::add_edges;
pub(crate) use orders::Orders;
pub(crate) use reasons::ListReasons;
pub(crate) use scan::scan;
