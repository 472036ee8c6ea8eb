//! Cycles where the shortest walk of the class meets a transaction twice: depth first, longer and longer.

use super::Walk;
use super::breadth::{Breadth, Start};
use crate::budget::Spent;
use crate::class::State;
use crate::ids::id;
use crate::links::Link;

/// An edge, and the number of transactions below which no cycle begins with it.
pub(super) type Winding = (Start, usize);

/// Longer ones are not looked for: nobody follows them, and the time grows with each transaction.
const LONGEST: usize = 48;

/// The shortest cycle of fewer than `below` transactions that begins with one of these edges and meets nobody twice.
pub(super) fn shortest(
    search: &mut Breadth<'_, '_>,
    winding: &[Winding],
    below: usize,
) -> Result<Option<Walk>, Spent> {
    let Some(least) = winding.iter().map(|(_, least)| *least).min() else { return Ok(None) };
    let on_path = vec![false; search.component.txns.len()];
    let mut simple = Simple { search, source: 0, path: Vec::new(), on_path, is_cut: false };
    for len in least..below {
        if len > LONGEST {
            return Err(Spent);
        }
        simple.is_cut = false;
        for (start, least) in winding {
            if *least > len {
                simple.is_cut = true;
            } else if simple.from(*start, len)? {
                return Ok(Some(simple.path));
            }
        }
        if !simple.is_cut {
            break;
        }
    }
    Ok(None)
}

struct Simple<'s, 'a, 'b> {
    search: &'s mut Breadth<'a, 'b>,
    source: u32,
    /// Each transaction, with what leads from it to the next.
    path: Walk,
    on_path: Vec<bool>,
    /// Whether a path ended because it was as long as it may be.
    is_cut: bool,
}

impl Simple<'_, '_, '_> {
    /// Whether there is a cycle of at most so many transactions; it is the path then.
    fn from(&mut self, Start { source, link, target }: Start, len: usize) -> Result<bool, Spent> {
        self.source = source;
        let state = self.search.class.start(link);
        for next in self.through(source, target) {
            self.search.budget.step()?;
            if self.enter(source, link, next, state, len - 1)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Goes on from one transaction to the next, which has `left` transactions with it at most.
    fn enter(
        &mut self,
        from: u32,
        link: Link,
        to: u32,
        state: State,
        left: usize,
    ) -> Result<bool, Spent> {
        self.on_path[from as usize] = true;
        self.path.push((from, link));
        let is_cycle = self.go_on(to, state, left)?;
        if !is_cycle {
            self.path.pop();
            self.on_path[from as usize] = false;
        }
        Ok(is_cycle)
    }

    fn go_on(&mut self, node: u32, state: State, left: usize) -> Result<bool, Spent> {
        for (link, next) in self.steps(node) {
            self.search.budget.step()?;
            let Some(state) = self.search.class.step(state, link) else { continue };
            if next == self.source {
                if self.search.class.accepts(state) {
                    self.path.push((node, link));
                    return Ok(true);
                }
                continue;
            }
            if self.on_path[next as usize] {
                continue;
            }
            if left == 1 {
                self.is_cut = true;
            } else if self.enter(node, link, next, state, left - 1)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// All that one transaction leads to.
    fn steps(&self, node: u32) -> Vec<(Link, u32)> {
        let component = self.search.component;
        let mut steps = Vec::new();
        for (to, mask) in component.graph.from(node) {
            for link in mask.iter().filter(|link| *link != Link::PROCESS) {
                steps.extend(self.through(node, to).into_iter().map(|next| (link, next)));
            }
        }
        steps.extend(self.search.sessions.later(node).map(|next| (Link::PROCESS, next)));
        if self.search.in_realtime {
            let returned = component.returns[node as usize];
            let first = component.calls.partition_point(|&call| call <= returned);
            let later = first..component.calls.len();
            steps.extend(later.map(|next| (Link::REALTIME, id(next))));
        }
        steps
    }

    /// The transaction that an edge leads to, or those behind a hub but for who came.
    fn through(&self, from: u32, to: u32) -> Vec<u32> {
        let component = self.search.component;
        if !component.is_hub(to) {
            return vec![to];
        }
        component.graph.next(to).iter().copied().filter(|&next| next != from).collect()
    }
}
