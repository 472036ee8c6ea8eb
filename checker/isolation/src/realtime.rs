//! Real time in linearly many edges: a line of moments. A transaction leads to the first moment after its return, each
//! moment to the next, and the last moment before an invocation to the transaction invoked.

use crate::Outcome;
use crate::graph::Edges;
use crate::history::History;
use crate::ids::{NONE, Txn};
use crate::links::Mask;

/// An invocation or a return.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) node: u32,
    pub(crate) is_return: bool,
}

/// Adds the line for these events, which are in order.
pub(crate) fn add_timeline(edges: &mut Edges, events: impl Iterator<Item = Event>) {
    let mut moment = NONE;
    // Returns with no invocation between them share a moment.
    let mut is_invoked = true;
    for Event { node, is_return } in events {
        if is_return {
            if is_invoked {
                let next = edges.node();
                edges.add(moment, next, Mask::REALTIME);
                (moment, is_invoked) = (next, false);
            }
            edges.add(node, moment, Mask::REALTIME);
        } else if moment != NONE {
            edges.add(moment, node, Mask::REALTIME);
            is_invoked = true;
        }
    }
}

/// The events of all transactions that may have happened.
pub(crate) fn events(history: &History) -> impl Iterator<Item = Event> + use<> {
    const RETURN: u32 = 1;
    let ranks = history.calls.iter().chain(&history.returns).filter(|&&rank| rank != NONE);
    let mut by_rank = vec![NONE; ranks.max().map_or(0, |&last| last as usize + 1)];
    for txn in history.txns().filter(|&txn| history.outcome(txn) != Outcome::Fail) {
        by_rank[history.calls[txn as usize] as usize] = txn << 1;
        if let Some(slot) = by_rank.get_mut(history.returns[txn as usize] as usize) {
            *slot = txn << 1 | RETURN;
        }
    }
    let event = |event| Event { node: event >> 1, is_return: event & RETURN != 0 };
    by_rank.into_iter().filter(|&event| event != NONE).map(event)
}

/// Adds an edge between those of these transactions that follow each other on a process. One in doubt is the last of its
/// process.
pub(crate) fn add_successors(history: &History, concerned: &[bool], edges: &mut Edges) {
    let may_have_happened = |&txn: &Txn| history.outcome(txn) != Outcome::Fail;
    let is_concerned = |txn: &Txn| concerned[*txn as usize] && may_have_happened(txn);
    let mut order: Vec<Txn> = history.txns().filter(is_concerned).collect();
    let process = |txn: Txn| history.header(txn).process;
    order.sort_unstable_by_key(|&txn| (process(txn), history.calls[txn as usize]));
    let is_known = |txn: Txn| history.outcome(txn) == Outcome::Ok;
    let follows = |pair: &&[Txn]| process(pair[0]) == process(pair[1]) && is_known(pair[0]);
    for pair in order.windows(2).filter(follows) {
        edges.add(pair[0], pair[1], Mask::PROCESS);
    }
}
