//! The graph of a history, ready to be searched.

use crate::budget::Budget;
use crate::graph::Graph;
use crate::history::History;

/// The graph, and what else the search of its cycles asks for.
pub(crate) struct Dependencies<'a> {
    pub(crate) history: &'a History,
    pub(crate) graph: &'a Graph,
    /// Nodes from here on are moments in time.
    pub(crate) first_moment: u32,
    /// What the order of processes adds, for the transactions that it may concern.
    pub(crate) in_processes: &'a dyn Fn(&[bool], &mut Budget<'_>) -> Graph,
}
