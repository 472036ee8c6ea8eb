//! The shortest cycle of a class in a component: breadth first over transactions and states of the class, from each edge
//! that the class requires, to a depth that grows until a walk comes back.

use crate::class::{Class, STATES, State};
use crate::component::Component;
use crate::graph::{Dependency, Mask};
use crate::history::{NONE, id};

/// A cycle: transactions by their number in the component, each with the edge that leaves it.
pub(crate) type Walk = Vec<(u32, Dependency)>;

/// What a search came to.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The shortest cycle of the class.
    Shortest(Walk),
    /// A cycle of the class; the work did not suffice to know of a shorter one.
    Some(Walk),
    /// There is none.
    Nothing,
    /// The work did not suffice.
    Unfinished,
}

impl Outcome {
    pub(crate) fn map(self, change: impl FnOnce(Walk) -> Walk) -> Self {
        match self {
            Outcome::Shortest(walk) => Outcome::Shortest(change(walk)),
            Outcome::Some(walk) => Outcome::Some(change(walk)),
            Outcome::Nothing | Outcome::Unfinished => self,
        }
    }
}

/// Looks for a cycle of the class among the nodes of one component. It takes what it uses off `work`.
pub(crate) fn search(
    component: &Component,
    inside: &[u32],
    class: Class,
    work: &mut u64,
) -> Outcome {
    let mut starts = starts(component, inside, class);
    if starts.is_empty() {
        return Outcome::Nothing;
    }
    let reserve = *work / 4;
    let mut search = Search::new(component, inside, class, *work - reserve);
    let found = search.shortest(&mut starts);
    let outcome = match found {
        Ok(Some(walk)) => Outcome::Shortest(walk),
        Ok(None) => Outcome::Nothing,
        Err(OutOfWork) => {
            search.work += reserve;
            let mut any = starts.iter().map_while(|&start| search.from(start, NONE).ok());
            let walk =
                any.find_map(|end| if let End::Back(walk) = end { Some(walk) } else { None });
            walk.map_or(Outcome::Unfinished, Outcome::Some)
        }
    };
    *work = search.work;
    outcome
}

/// The edges that the class's walks begin with. One to a hub stands for those to all of its writers.
fn starts(component: &Component, inside: &[u32], class: Class) -> Vec<(u32, u32)> {
    let mut starts = Vec::new();
    for &node in inside.iter().filter(|&&node| !component.is_hub(node)) {
        let required =
            component.graph.from(node).filter(|(_, mask)| mask.has(Mask::of(class.first())));
        let required = required.filter(|(to, _)| inside.binary_search(to).is_ok());
        starts.extend(required.map(|(to, _)| (node, to)));
    }
    starts
}

/// How a search from one edge ended.
enum End {
    Back(Walk),
    /// The depth did not suffice.
    Deeper,
    Never,
}

struct OutOfWork;

/// How a node was reached in a state.
#[derive(Clone, Copy)]
struct Visit {
    /// The search that it belongs to; others count for nothing.
    epoch: u32,
    /// The place before, `NONE` at the start.
    from: u32,
    edge: Dependency,
}

struct Search<'a> {
    component: &'a Component,
    class: Class,
    allowed: Mask,
    /// The transactions inside, for real time; in the order of their invocations.
    txns: Vec<u32>,
    is_inside: Vec<bool>,
    visits: Vec<Visit>,
    epoch: u32,
    work: u64,
    level: Vec<u32>,
    next: Vec<u32>,
    lines: [Line; STATES],
    /// Where the walk is to come back to.
    source: u32,
    /// Whether only the way back to the source is of interest.
    is_last: bool,
    /// Whether there was another way, though.
    leads_on: bool,
}

/// Real time, for one state: who was reached through it, and who may be next.
#[derive(Clone, Copy)]
struct Line {
    /// Transactions from this position of `txns` on were reached.
    reached: usize,
    /// The earliest return on this level, and whose it was.
    earliest: u32,
    from: u32,
}

impl<'a> Search<'a> {
    fn new(component: &'a Component, inside: &[u32], class: Class, work: u64) -> Self {
        let nodes = component.graph.nodes();
        let mut is_inside = vec![false; nodes];
        for &node in inside {
            is_inside[node as usize] = true;
        }
        let unvisited = Visit { epoch: 0, from: NONE, edge: Dependency::Ww };
        let txns = inside.iter().copied().filter(|&node| !component.is_hub(node)).collect();
        Self {
            component,
            class,
            allowed: class.allowed(),
            txns,
            is_inside,
            visits: vec![unvisited; nodes * class.states()],
            epoch: 0,
            work,
            level: Vec::new(),
            next: Vec::new(),
            lines: [Line { reached: 0, earliest: NONE, from: NONE }; STATES],
            source: NONE,
            is_last: false,
            leads_on: false,
        }
    }

    /// The shortest walk from any of the edges; those from which none comes back are dropped. The depth doubles, and
    /// once a walk is found, only shorter ones are looked for.
    fn shortest(&mut self, starts: &mut Vec<(u32, u32)>) -> Result<Option<Walk>, OutOfWork> {
        let (mut ruled_out, mut depth) = (0, 1);
        while !starts.is_empty() {
            let mut best: Option<Walk> = None;
            let mut open = Vec::new();
            for &start in starts.iter() {
                // A walk has one edge more than the way back.
                let bound = best.as_ref().map_or(depth, |best| id(best.len()) - 2);
                if bound <= ruled_out {
                    break;
                }
                match self.from(start, bound)? {
                    End::Back(walk) => best = Some(walk),
                    End::Deeper => open.push(start),
                    End::Never => {}
                }
            }
            if best.is_some() {
                return Ok(best);
            }
            *starts = open;
            (ruled_out, depth) = (depth, depth.saturating_mul(2));
        }
        Ok(None)
    }

    /// The shortest way back along at most `depth` edges after the first.
    fn from(&mut self, (source, target): (u32, u32), depth: u32) -> Result<End, OutOfWork> {
        self.begin(source, target);
        for distance in 1..=depth {
            self.is_last = distance == depth;
            if let Some(end) = self.expand()? {
                // A walk that meets a transaction twice has a shorter cycle in it, which is of a class as bad.
                return Ok(self.walk(end).map_or(End::Never, End::Back));
            }
            std::mem::swap(&mut self.level, &mut self.next);
            if self.level.is_empty() {
                break;
            }
        }
        Ok(if self.leads_on { End::Deeper } else { End::Never })
    }

    fn begin(&mut self, source: u32, target: u32) {
        self.epoch += 1;
        self.source = source;
        self.leads_on = false;
        self.level.clear();
        self.next.clear();
        self.lines = [Line { reached: self.txns.len(), earliest: NONE, from: NONE }; STATES];
        let component = self.component;
        let hub = if component.is_hub(target) { component.graph.next(target) } else { &[] };
        for &root in hub.iter().chain((!component.is_hub(target)).then_some(&target)) {
            if root != source && self.is_inside[root as usize] {
                let place = self.place(root, self.class.start());
                self.visits[place as usize] =
                    Visit { epoch: self.epoch, from: NONE, edge: self.class.first() };
                self.level.push(place);
            }
        }
    }

    fn place(&self, node: u32, state: State) -> u32 {
        id(node as usize * self.class.states() + usize::from(state))
    }

    fn node(&self, place: u32) -> u32 {
        place / id(self.class.states())
    }

    /// Follows all edges from this level. The visit that closes the walk, if one does.
    fn expand(&mut self) -> Result<Option<Visit>, OutOfWork> {
        let component = self.component;
        let states = id(self.class.states());
        let level = std::mem::take(&mut self.level);
        for &place in &level {
            let node = place / states;
            let state = State::try_from(place % states).unwrap_or_default();
            for (to, mask) in component.graph.from(node) {
                self.spend()?;
                for edge in mask.and(self.allowed).iter() {
                    let Some(state) = self.class.step(state, edge) else { continue };
                    if !self.is_inside[to as usize] {
                        continue;
                    }
                    let visit = Visit { epoch: self.epoch, from: place, edge };
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
            self.note_return(node, state, place);
        }
        self.level = level;
        self.level.clear();
        self.pass_time()
    }

    fn spend(&mut self) -> Result<(), OutOfWork> {
        self.work = self.work.checked_sub(1).ok_or(OutOfWork)?;
        Ok(())
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
    fn visit_hub(
        &mut self,
        hub: u32,
        state: State,
        visit: Visit,
    ) -> Result<Option<Visit>, OutOfWork> {
        let came = self.node(visit.from);
        let place = self.place(hub, state) as usize;
        let Visit { epoch, from, .. } = self.visits[place];
        let writers = self.component.graph.next(hub);
        if epoch != self.epoch {
            self.visits[place] = visit;
            for &writer in writers.iter().filter(|&&writer| writer != came) {
                self.spend()?;
                if self.is_inside[writer as usize]
                    && let Some(end) = self.visit(writer, state, visit)
                {
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

    /// Remembers who leaves the line of time first.
    fn note_return(&mut self, node: u32, state: State, place: u32) {
        if !self.allowed.has(Mask::REALTIME) {
            return;
        }
        let Some(state) = self.class.step(state, Dependency::Realtime) else { return };
        let returned = self.component.returns[node as usize];
        let line = &mut self.lines[usize::from(state)];
        if returned < line.earliest {
            (line.earliest, line.from) = (returned, place);
        }
    }

    /// Visits everyone who was invoked after the earliest return.
    fn pass_time(&mut self) -> Result<Option<Visit>, OutOfWork> {
        for state in 0..State::try_from(self.class.states()).unwrap_or_default() {
            let Line { mut reached, earliest, from } = self.lines[usize::from(state)];
            let visit = Visit { epoch: self.epoch, from, edge: Dependency::Realtime };
            if self.component.calls[self.source as usize] > earliest
                && let Some(end) = self.visit(self.source, state, visit)
            {
                return Ok(Some(end));
            }
            if self.is_last {
                let next = self.txns[..reached].last();
                self.leads_on |=
                    next.is_some_and(|&txn| self.component.calls[txn as usize] > earliest);
                continue;
            }
            while let Some(&txn) = self.txns[..reached].last() {
                if self.component.calls[txn as usize] <= earliest {
                    break;
                }
                reached -= 1;
                self.spend()?;
                if txn != self.source {
                    self.visit(txn, state, visit);
                }
            }
            self.lines[usize::from(state)].reached = reached;
        }
        Ok(None)
    }

    /// The walk that ends with this visit of the source, where it meets nobody twice.
    fn walk(&self, end: Visit) -> Option<Walk> {
        let mut walk = Vec::new();
        let mut visit = end;
        while visit.from != NONE {
            walk.push((self.node(visit.from), visit.edge));
            visit = self.visits[visit.from as usize];
        }
        walk.push((self.source, self.class.first()));
        walk.reverse();
        let mut nodes: Vec<u32> = walk.iter().map(|&(node, _)| node).collect();
        nodes.sort_unstable();
        nodes.is_sorted_by(|a, b| a < b).then_some(walk)
    }
}
