//! The order of versions that processes give: what one left at a key is not newer than what it found there next.

use super::lives::COMPARED;
use super::visits::{Visit, for_each_visit};
use crate::budget::Budget;
use crate::history::History;
use crate::ids::{Txn, Version};
use crate::writers::Writers;

/// One version before another, and the transactions of one process that show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) earlier: Version,
    pub(super) later: Version,
    pub(super) by: (Txn, Txn),
}

/// The pairs of all keys whose later version one of these transactions wrote, by the earlier version.
#[derive(Debug)]
pub(crate) struct Sessions(Vec<Pair>);

impl Sessions {
    /// As far as memory allows.
    pub(super) fn new(
        history: &History,
        writers: &Writers,
        concerned: &[bool],
        budget: &mut Budget<'_>,
    ) -> Self {
        let beside = Self::bytes_beside(history);
        if !budget.allows(beside) {
            return Self(Vec::new());
        }
        let process = |txn: Txn| history.header(txn).process;
        let mut is_concerned = vec![false; history.keys()];
        for txn in history.txns().filter(|&txn| concerned[txn as usize]) {
            for micro in history.micros_of(txn) {
                is_concerned[micro.key() as usize] = true;
            }
        }
        let touches = |txn: &Txn| {
            history.micros_of(*txn).iter().any(|micro| is_concerned[micro.key() as usize])
        };
        let mut txns: Vec<Txn> = history.txns().filter(touches).collect();
        txns.sort_unstable_by_key(|&txn| (process(txn), history.calls[txn as usize]));
        let mut last: Vec<Option<Visit>> = vec![None; history.keys()];
        let mut pairs = Vec::new();
        for_each_visit(history, writers, txns.into_iter(), |visit| {
            let before = last[visit.key as usize].replace(*visit);
            let before = before.filter(|before| process(before.txn) == process(visit.txn));
            let Some(before) = before else { return };
            let (earlier, later) = (before.left, visit.found);
            let initial = |version| history.names.is_initial(version);
            if earlier != later
                && !initial(earlier)
                && !initial(later)
                && concerned[writers.txn(history, later) as usize]
                && budget.allows(beside + pairs.capacity() * size_of::<Pair>())
            {
                pairs.push(Pair { earlier, later, by: (before.txn, visit.txn) });
            }
        });
        pairs.sort_unstable();
        pairs.dedup_by_key(|pair| (pair.earlier, pair.later));
        budget.hold(pairs.capacity() * size_of::<Pair>());
        Self(pairs)
    }

    /// What finding them takes beside the pairs.
    fn bytes_beside(history: &History) -> usize {
        history.len() * size_of::<Txn>() + history.keys() * size_of::<(bool, Option<Visit>)>()
    }

    /// A version that more others follow than it is compared with.
    pub(super) fn crowded(&self) -> Option<Version> {
        let mut by_earlier = self.0.chunk_by(|a, b| a.earlier == b.earlier);
        by_earlier.find(|same| same.len() > COMPARED).map(|same| same[0].earlier)
    }

    pub(super) fn pairs(&self) -> &[Pair] {
        &self.0
    }

    /// Who shows that one version comes before another.
    pub(super) fn precedes(&self, earlier: Version, later: Version) -> Option<(Txn, Txn)> {
        let wanted = (earlier, later);
        let at = self.0.binary_search_by_key(&wanted, |pair| (pair.earlier, pair.later)).ok()?;
        Some(self.0[at].by)
    }
}
