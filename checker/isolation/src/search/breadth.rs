//! Breadth first from one edge, over transactions and states of a class.

use super::Walk;
use super::sessions::Sessions;
use super::time::Line;
use crate::budget::{Budget, Spent};
use crate::class::{Class, STATES, State};
use crate::component::Component;
use crate::ids::{NONE, id};
use crate::links::{Link, Mask};

/// The first edge of a walk.
#[derive(Clone, Copy)]
pub(super) struct Start {
    pub(super) source: u32,
    pub(super) link: Link,
    pub(super) target: u32,
}

/// How a search from one edge ended.
pub(super) enum End {
    Back(Walk),
    /// The shortest way back, of so many transactions, meets one of them twice.
    Winding(usize),
    /// The depth did not suffice.
    Deeper,
    Never,
}

/// How a node was reached in a state.
#[derive(Clone, Copy)]
struct Visit {
    /// The search that it belongs to; others count for nothing.
    epoch: u32,
    /// The place before, `NONE` at the start.
    from: u32,
    link: Link,
}

pub(super) struct Breadth<'a, 'b> {
    pub(super) component: &'a Component,
    pub(super) class: Class,
    /// Whether real time counts.
    pub(super) in_realtime: bool,
    pub(super) budget: &'a mut Budget<'b>,
    /// By place: a node in a state.
    visits: Vec<Visit>,
    epoch: u32,
    level: Vec<u32>,
    next: Vec<u32>,
    lines: [Line; STATES],
    pub(super) sessions: Sessions,
    /// By place: the search that reached it along a process, and all that follow there.
    reached: Vec<u32>,
    /// Where the walk begins, and is to come back to.
    source: u32,
    first: Link,
    /// Whether only the way back to the source is of interest.
    is_last: bool,
    /// Whether there was another way, though.
    leads_on: bool,
}

impl<'a, 'b> Breadth<'a, 'b> {
    /// What each node in each state takes.
    pub(super) const PLACE_BYTES: usize = size_of::<Visit>() + size_of::<u32>();

    pub(super) fn new(component: &'a Component, class: Class, budget: &'a mut Budget<'b>) -> Self {
        let unvisited = Visit { epoch: 0, from: NONE, link: Link::REALTIME };
        Self {
            component,
            class,
            in_realtime: class.allowed().has(Mask::REALTIME),
            budget,
            visits: vec![unvisited; component.graph.nodes() * class.states()],
            epoch: 0,
            level: Vec::new(),
            next: Vec::new(),
            lines: [Line::new(component.txns.len()); STATES],
            sessions: Sessions::new(component),
            reached: vec![0; component.graph.nodes() * class.states()],
            source: NONE,
            first: Link::REALTIME,
            is_last: false,
            leads_on: false,
        }
    }

    /// The shortest way back along at most `depth` edges after the first.
    pub(super) fn from(&mut self, start: Start, depth: u32) -> Result<End, Spent> {
        self.begin(start);
        for distance in 1..=depth {
            self.is_last = distance == depth;
            if let Some(end) = self.expand()? {
                let walk = self.walk(end);
                let is_winding = meets_twice(&walk);
                return Ok(if is_winding { End::Winding(walk.len()) } else { End::Back(walk) });
            }
            std::mem::swap(&mut self.level, &mut self.next);
            if self.level.is_empty() {
                break;
            }
        }
        Ok(if self.leads_on { End::Deeper } else { End::Never })
    }

    fn begin(&mut self, Start { source, link, target }: Start) {
        self.epoch += 1;
        (self.source, self.first) = (source, link);
        self.leads_on = false;
        self.level.clear();
        self.next.clear();
        self.lines = [Line::new(self.component.txns.len()); STATES];
        let component = self.component;
        let direct = [target];
        let roots = if component.is_hub(target) { component.graph.next(target) } else { &direct };
        for &root in roots.iter().filter(|&&root| root != source) {
            let place = self.place(root, self.class.start(link));
            self.visits[place as usize] = Visit { epoch: self.epoch, from: NONE, link };
            self.level.push(place);
        }
    }

    fn place(&self, node: u32, state: State) -> u32 {
        id(node as usize * self.class.states() + usize::from(state))
    }

    fn node(&self, place: u32) -> u32 {
        place / id(self.class.states())
    }

    /// Follows all edges from this level. The visit that closes the walk, if one does.
    fn expand(&mut self) -> Result<Option<Visit>, Spent> {
        let component = self.component;
        let states = id(self.class.states());
        let level = std::mem::take(&mut self.level);
        for &place in &level {
            let node = place / states;
            let state = State::try_from(place % states).unwrap_or_default();
            for (to, mask) in component.graph.from(node) {
                self.budget.step()?;
                for link in mask.iter().filter(|link| *link != Link::PROCESS) {
                    let Some(state) = self.class.step(state, link) else { continue };
                    let visit = Visit { epoch: self.epoch, from: place, link };
                    let end = if component.is_hub(to) {
                        self.visit_hub(to, state, visit)?
                    } else {
                        self.visit(to, state, visit)
                    };
                    if end.is_some() {
                        return Ok(end);
                    }
                }
            }
            if let Some(visit) = self.follow_session(node, state, place)? {
                return Ok(Some(visit));
            }
            self.note_return(node, state, place);
        }
        self.level = level;
        self.level.clear();
        self.pass_time()
    }

    /// Whether the walk is complete.
    fn visit(&mut self, node: u32, state: State, visit: Visit) -> Option<Visit> {
        if node == self.source {
            return self.class.accepts(state).then_some(visit);
        }
        let place = self.place(node, state);
        let known = &mut self.visits[place as usize];
        if known.epoch != self.epoch {
            if self.is_last {
                self.leads_on = true;
            } else {
                *known = visit;
                self.next.push(place);
            }
        }
        None
    }

    /// Through a hub at once, to everyone but who came: nobody overwrites what they read themselves.
    fn visit_hub(&mut self, hub: u32, state: State, visit: Visit) -> Result<Option<Visit>, Spent> {
        let came = self.node(visit.from);
        let place = self.place(hub, state) as usize;
        let Visit { epoch, from, .. } = self.visits[place];
        let writers = self.component.graph.next(hub);
        if epoch != self.epoch {
            self.visits[place] = visit;
            for &writer in writers.iter().filter(|&&writer| writer != came) {
                self.budget.step()?;
                if let Some(end) = self.visit(writer, state, visit) {
                    return Ok(Some(end));
                }
            }
        } else if from != NONE && self.node(from) != came {
            // Only the first who came is left.
            self.visits[place].from = NONE;
            let first = self.node(from);
            if writers.contains(&first) {
                return Ok(self.visit(first, state, visit));
            }
        }
        Ok(None)
    }

    /// Visits everyone whom the same process did later.
    fn follow_session(
        &mut self,
        node: u32,
        state: State,
        place: u32,
    ) -> Result<Option<Visit>, Spent> {
        let Some(state) = self.class.step(state, Link::PROCESS) else { return Ok(None) };
        let visit = Visit { epoch: self.epoch, from: place, link: Link::PROCESS };
        let mut later = node;
        while let Some(next) = self.sessions.next(later) {
            self.budget.step()?;
            let place = self.place(next, state) as usize;
            if std::mem::replace(&mut self.reached[place], self.epoch) == self.epoch {
                break;
            }
            if let Some(end) = self.visit(next, state, visit) {
                return Ok(Some(end));
            }
            later = next;
        }
        Ok(None)
    }

    /// Remembers who leaves the line of time first.
    fn note_return(&mut self, node: u32, state: State, place: u32) {
        if !self.in_realtime {
            return;
        }
        let Some(state) = self.class.step(state, Link::REALTIME) else { return };
        self.lines[usize::from(state)].note_return(self.component.returns[node as usize], place);
    }

    /// Visits everyone who was invoked after the earliest return.
    fn pass_time(&mut self) -> Result<Option<Visit>, Spent> {
        let calls = &self.component.calls;
        for state in 0..State::try_from(self.class.states()).unwrap_or_default() {
            let mut line = self.lines[usize::from(state)];
            let visit = Visit { epoch: self.epoch, from: line.from, link: Link::REALTIME };
            if line.precedes(calls[self.source as usize])
                && let Some(end) = self.visit(self.source, state, visit)
            {
                return Ok(Some(end));
            }
            if self.is_last {
                self.leads_on |= line.leads_on(calls);
                continue;
            }
            while let Some(txn) = line.next(calls) {
                self.budget.step()?;
                if txn != self.source {
                    self.visit(txn, state, visit);
                }
            }
            self.lines[usize::from(state)] = line;
        }
        Ok(None)
    }

    /// The walk that ends with this visit of the source.
    fn walk(&self, end: Visit) -> Walk {
        let mut walk = Vec::new();
        let mut visit = end;
        while visit.from != NONE {
            walk.push((self.node(visit.from), visit.link));
            visit = self.visits[visit.from as usize];
        }
        walk.push((self.source, self.first));
        walk.reverse();
        walk
    }
}

fn meets_twice(walk: &Walk) -> bool {
    let mut nodes: Vec<u32> = walk.iter().map(|&(node, _)| node).collect();
    nodes.sort_unstable();
    !nodes.is_sorted_by(|a, b| a < b)
}
