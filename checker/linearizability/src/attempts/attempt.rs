//! One way to decide a history, begun.

use crate::limits::{Budget, Stop};
use crate::refute;
use crate::search::{Found, Running, Strategy};

/// A way to decide.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Whole(Strategy),
    /// The events between two times, from any state.
    Window(u64, u64),
}

/// One that has begun.
pub(super) struct Attempt<'a> {
    pub(super) kind: Kind,
    /// Nothing once it has no more to say.
    pub(super) search: Option<Box<dyn Running + 'a>>,
    pub(super) waits_for_memory: bool,
    pub(super) nodes: u64,
}

impl Kind {
    /// What it may take of the memory beside the others, all of which are there at the same time: one part of so many.
    pub(super) fn memory_divisor(self) -> u64 {
        match self {
            Self::Whole(Strategy::Depth) => 2,
            Self::Whole(Strategy::Breadth) => 4,
            Self::Window(..) => 8 * refute::SIZES.len() as u64,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Whole(Strategy::Depth) => "depth first",
            Self::Whole(Strategy::Breadth) => "breadth first",
            Self::Window(..) => "a window",
        }
    }

    pub(super) fn decides(self, found: &Found) -> bool {
        match self {
            Self::Whole(_) => found.answer.is_ok(),
            // That a window can be explained says nothing about the rest.
            Self::Window(..) => matches!(found.answer, Ok(None)),
        }
    }
}

impl Attempt<'_> {
    /// Has it more to do, and memory enough?
    pub(super) fn is_active(&self) -> bool {
        self.search.is_some() && !self.waits_for_memory
    }

    pub(super) fn go_on(&mut self, budget: &Budget<'_>) -> Found {
        let Some(search) = &mut self.search else { return Found::stopped(Stop::Nodes) };
        let found = search.run(budget);
        self.nodes = found.spent.nodes;
        let out_of_memory = found.answer == Err(Stop::Memory);
        // Depth first can go on where it was.
        self.waits_for_memory = out_of_memory && self.kind == Kind::Whole(Strategy::Depth);
        if found.answer.is_ok() || (out_of_memory && !self.waits_for_memory) {
            self.search = None;
        }
        found
    }
}
