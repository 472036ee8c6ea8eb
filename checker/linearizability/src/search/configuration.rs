//! Where a search stands.

use crate::mask::Mask;
use crate::problem::{Nature, Problem};

/// No state, no operation.
pub(super) const NONE: u32 = u32::MAX;

/// A few words, however long the history.
#[derive(Clone, Copy)]
pub(super) struct Configuration<const W: usize> {
    /// The return that comes next; every earlier one is behind us.
    pub(super) blocked: u32,
    pub(super) state: u32,
    /// Which optional operations have been used.
    pub(super) used: u32,
    /// Open operations that must take effect before they return.
    pub(super) due: Mask<W>,
    /// Open operations that have taken effect, reads excepted.
    pub(super) taken: Mask<W>,
    /// The operation that returns next could have been let go, but was not: it must be taken before it does.
    pub(super) committed: bool,
    /// The required operation or (numbered after those) optional group that made the state, or [`NONE`].
    pub(super) producer: u32,
    pub(super) before: Before,
}

impl<const W: usize> Configuration<W> {
    pub(super) const START: Self = Self {
        blocked: 0,
        state: NONE,
        used: 0,
        due: Mask::EMPTY,
        taken: Mask::EMPTY,
        committed: false,
        producer: NONE,
        before: Before::NOTHING,
    };
}

/// What the operation that came last has yet to prove itself useful against.
#[derive(Clone, Copy)]
pub(super) struct Before {
    /// The state without it, or [`NONE`].
    pub(super) state: u32,
    /// It need not have been taken until this event.
    pub(super) until: u32,
    /// Only an operation that overwrites it shows it useless.
    pub(super) was_due: bool,
}

impl Before {
    pub(super) const NOTHING: Self = Self { state: NONE, until: NONE, was_due: false };
}

/// Who is open where the search stands: no more than the position tells.
pub(super) struct Open<const W: usize> {
    pub(super) all: Mask<W>,
    pub(super) reads: Mask<W>,
    /// Blind writes that may be hidden by a later operation.
    pub(super) coverable: Mask<W>,
    /// Neither.
    pub(super) others: Mask<W>,
    occupant: Vec<u32>,
}

impl<const W: usize> Open<W> {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            all: Mask::EMPTY,
            reads: Mask::EMPTY,
            coverable: Mask::EMPTY,
            others: Mask::EMPTY,
            occupant: vec![NONE; slots],
        }
    }

    /// The operation that has this slot.
    pub(super) fn op(&self, slot: usize) -> u32 {
        self.occupant[slot]
    }

    pub(super) fn enter(&mut self, problem: &Problem, op: u32) {
        let required = &problem.required[op as usize];
        self.occupant[required.slot] = op;
        self.all.insert(required.slot);
        if problem.classes[required.class as usize].nature == Nature::Read {
            self.reads.insert(required.slot);
        } else if required.coverable {
            self.coverable.insert(required.slot);
        } else {
            self.others.insert(required.slot);
        }
    }

    pub(super) fn leave(&mut self, slot: usize) {
        for mask in [&mut self.all, &mut self.reads, &mut self.coverable, &mut self.others] {
            mask.remove(slot);
        }
    }
}
