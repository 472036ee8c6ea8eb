//! Histories of lists: the longest read of a key is the order of its versions.
//!
//! Every list is a trace of all writes before it (Elle, §4.2.2), so that almost nothing has to be guessed. A read
//! follows the writer of its last element, and precedes the writer of the next element in the key's order.

mod edges;
mod orders;
mod reasons;
mod scan;

pub(crate) use edges::add_edges;
pub(crate) use orders::Orders;
pub(crate) use reasons::ListReasons;
pub(crate) use scan::scan;
