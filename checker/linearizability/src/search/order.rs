//! The order that a search found, with what it left implicit.

use crate::problem::{Nature, Problem};

/// An operation in the order.
#[derive(Clone, Copy)]
pub(super) struct Taken {
    pub(super) source: u32,
    /// The return that was next.
    pub(super) blocked: u32,
    pub(super) overwrites: bool,
}

/// The sources in a legal order. Blind writes that the search did not take go right before something that was
/// taken while they were open and overwrites them, where nobody sees them.
pub(super) fn complete(problem: &Problem, order: &[Taken]) -> Vec<u32> {
    let highest = problem.required.iter().map(|op| op.source as usize + 1).max().unwrap_or(0);
    let mut placed = vec![false; highest];
    for taken in order {
        if let Some(placed) = placed.get_mut(taken.source as usize) {
            *placed = true;
        }
    }
    let covers: Vec<usize> = (0..order.len()).filter(|&i| order[i].overwrites).collect();
    let mut hidden: Vec<(usize, u32)> = Vec::new();
    for op in &problem.required {
        let write = problem.classes[op.class as usize].nature == Nature::Write;
        if !write || placed[op.source as usize] {
            continue;
        }
        let first = covers.partition_point(|&cover| order[cover].blocked <= op.call_event);
        hidden.extend(covers.get(first).map(|&cover| (cover, op.source)));
    }
    hidden.sort_unstable();
    let mut hidden = hidden.into_iter().peekable();
    let mut sources = Vec::with_capacity(problem.required.len());
    for (place, taken) in order.iter().enumerate() {
        while let Some((_, source)) = hidden.next_if(|&(cover, _)| cover == place) {
            sources.push(source);
        }
        sources.push(taken.source);
    }
    sources
}
