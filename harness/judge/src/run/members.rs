//! Who takes part in a run, and without how many of them the store has to go on.

use history::Operation;
use record::RunFile;

/// Who takes part in a run.
#[derive(Clone, Copy)]
pub(super) struct Members<'a> {
    /// The nodes that clients ask.
    pub(super) nodes: &'a [String],
    /// Decides who takes over. It does not fail itself, but it can be cut off.
    pub(super) view_service: Option<&'a str>,
}

impl<'a> Members<'a> {
    pub(super) fn of(run: &'a RunFile) -> Self {
        Self { nodes: &run.nodes, view_service: run.view_service.as_deref() }
    }

    /// The groups, each of which has to go on by itself: of a store that is not sharded, all nodes together.
    pub(super) fn electorates(run: &'a RunFile) -> Vec<Self> {
        if run.groups.is_empty() {
            return vec![Self::of(run)];
        }
        run.groups.iter().map(|nodes| Self { nodes, view_service: None }).collect()
    }

    /// The operations that these nodes were asked last, of all: where there are other groups, the others say nothing of this one.
    pub(super) fn asked<'o>(&self, run: &RunFile, all: &[&'o Operation]) -> Vec<&'o Operation> {
        let is_own = |operation: &&&Operation| {
            let node = operation.node.as_deref();
            run.groups.is_empty() || self.nodes.iter().any(|own| node == Some(own))
        };
        all.iter().filter(is_own).copied().collect()
    }

    /// Whoever has links to others.
    pub(super) fn linked(&self) -> Vec<String> {
        self.nodes.iter().cloned().chain(self.view_service.map(str::to_owned)).collect()
    }

    /// How many nodes must be there for the store to go on: a majority; all but one where two may be the only ones with
    /// the state.
    pub(super) fn needed(&self) -> usize {
        let count = self.nodes.len();
        if self.view_service.is_some() { count.saturating_sub(1).max(1) } else { count / 2 + 1 }
    }

    /// Those others, in words.
    pub(super) fn others(&self) -> &'static str {
        match self.view_service {
            Some(_) => "all others were up and connected, with the view service, too",
            None => "a majority of the others was up and connected",
        }
    }
}
