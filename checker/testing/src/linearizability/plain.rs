//! Linearizability by the plain search of Wing & Gong ("Testing and verifying concurrent objects", JPDC 1993, section 4)
//! with Lowe's memory ("Testing for linearizability", CCPE 2017, section 4), for middle-sized histories.
//!
//! Of a model it knows only `initial` and `step`, of a history only when operations were called and returned. Nothing
//! is left out but what was visited before, and nothing is shared with the search that it is compared with.

use std::collections::HashSet;

use linearizability::{CallOf, Model};

/// Does an order explain the calls? `None` where finding out takes more than `most` configurations.
pub fn is_linearizable<M: Model>(model: &M, calls: &[CallOf<M>], most: usize) -> Option<bool> {
    let calls: Vec<&CallOf<M>> = calls.iter().filter(|call| !call.failed).collect();
    assert!(calls.len() <= u128::BITS as usize, "a bit for each operation");
    Plain { model, calls, visited: HashSet::new(), most }.extend(0, &model.initial())
}

struct Plain<'a, M: Model> {
    model: &'a M,
    calls: Vec<&'a CallOf<M>>,
    /// What had been taken, one bit for each operation, and the state.
    visited: HashSet<(u128, M::State)>,
    most: usize,
}

impl<M: Model> Plain<'_, M> {
    /// Can what is left follow in this state?
    fn extend(&mut self, taken: u128, state: &M::State) -> Option<bool> {
        let left: Vec<usize> = (0..self.calls.len()).filter(|&at| taken & (1 << at) == 0).collect();
        // What has not returned may never take effect.
        let Some(first_return) = left.iter().filter_map(|&at| self.calls[at].ret).min() else {
            return Some(true);
        };
        if !self.visited.insert((taken, state.clone())) {
            return Some(false);
        }
        if self.visited.len() > self.most {
            return None;
        }
        for at in left {
            let call = self.calls[at];
            if call.call > first_return {
                continue;
            }
            let Some(next) = self.model.step(state, &call.input, call.output.as_ref()) else {
                continue;
            };
            let answer = self.extend(taken | 1 << at, &next);
            if answer != Some(false) {
                return answer;
            }
        }
        Some(false)
    }
}
