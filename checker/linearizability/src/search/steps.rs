//! The steps between states, each taken once by a thread. (Of `hard`, `kv 1000/50 5 swapped reads` takes several times as
//! long if each is taken anew.)

use super::context::{REMEMBERED_MAX, SearchContext};

/// A step that was not taken yet.
const UNKNOWN: u32 = u32::MAX;

/// A step that cannot be taken.
const ILLEGAL: u32 = u32::MAX - 1;

/// The steps that a thread took so far.
#[derive(Default)]
pub(super) struct Steps {
    /// By state and class: the state after.
    after: Vec<u32>,
}

impl Steps {
    /// The state after an operation of this class, or `None` where it is illegal.
    pub(super) fn step(
        &mut self,
        context: &SearchContext<'_>,
        state: u32,
        class: u32,
    ) -> Option<u32> {
        let classes = context.problem.classes.len();
        let place = state as usize * classes + class as usize;
        if place >= REMEMBERED_MAX {
            return context.object.step(state, class);
        }
        if place >= self.after.len() {
            let rows = (state as usize + 1) * classes;
            self.after.resize(rows.max(2 * self.after.len()).min(REMEMBERED_MAX), UNKNOWN);
        }
        if self.after[place] == UNKNOWN {
            self.after[place] = context.object.step(state, class).unwrap_or(ILLEGAL);
        }
        Some(self.after[place]).filter(|&after| after != ILLEGAL)
    }
}
