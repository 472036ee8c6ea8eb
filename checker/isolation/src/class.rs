//! The classes of cycles, each as a small automaton over the edges of a walk.
//!
//! A cycle of a class is a walk that leaves a transaction by an edge that the class requires and comes back to it. How
//! much of the requirement the walk has met is its state.

use crate::graph::{Dependency, Mask};
use crate::{Anomaly, Cycle, Order};

/// A class of cycles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) cycle: Cycle,
    pub(crate) order: Order,
}

/// What a walk has passed since its first edge, as bits.
pub(crate) type State = u8;
/// How many states a class can have.
pub(crate) const STATES: usize = 8;
/// An edge of process or real time.
const TIME: State = 1;
/// Another rw edge.
const RW: State = 2;
/// The last edge was rw.
const LAST_RW: State = 4;

/// All cycles over data alone that are looked for, the worst anomaly first.
pub(crate) const CYCLES: [Cycle; 5] =
    [Cycle::G0, Cycle::G1c, Cycle::GSingleItem, Cycle::GNonadjacentItem, Cycle::G2Item];

/// What each order of time adds, from the least.
pub(crate) const ORDERS: [Order; 3] = [Order::Data, Order::Process, Order::Realtime];

impl Class {
    pub(crate) fn anomaly(self) -> Anomaly {
        Anomaly::Cycle(self.cycle, self.order)
    }

    /// Whether a cycle of this class rules out every model that one of the other rules out.
    pub(crate) fn is_as_bad_as(self, other: Self) -> bool {
        self.cycle <= other.cycle && self.order <= other.order
    }

    /// The dependencies that its cycles are made of.
    pub(crate) fn allowed(self) -> Mask {
        let data = match self.cycle {
            Cycle::G0 => Mask::WW,
            Cycle::G1c => Mask::WW.or(Mask::WR),
            _ => Mask::DATA,
        };
        data.or(time(self.order))
    }

    /// The dependency that its walks begin with.
    pub(crate) fn first(self) -> Dependency {
        match self.cycle {
            Cycle::G0 => Dependency::Ww,
            Cycle::G1c => Dependency::Wr,
            _ => Dependency::Rw,
        }
    }

    /// States are below this number.
    pub(crate) fn states(self) -> usize {
        match self.cycle {
            Cycle::G0 | Cycle::G1c | Cycle::GSingle | Cycle::GSingleItem => 2,
            Cycle::G2 | Cycle::G2Item => 4,
            Cycle::GNonadjacent | Cycle::GNonadjacentItem => STATES,
        }
    }

    /// The state after the first edge.
    pub(crate) fn start(self) -> State {
        if self.is_nonadjacent() { LAST_RW } else { 0 }
    }

    /// The state after one more edge; `None` where the class does not allow it.
    pub(crate) fn step(self, state: State, edge: Dependency) -> Option<State> {
        match (self.cycle, edge) {
            // Of two adjacent rw edges the walk begins with the first.
            (Cycle::G2 | Cycle::G2Item, Dependency::Rw) => Some(state | RW),
            (Cycle::G2 | Cycle::G2Item, _) if state & RW == 0 => None,
            (_, Dependency::Rw) if self.is_nonadjacent() && state & LAST_RW == 0 => {
                Some(state | RW | LAST_RW)
            }
            (_, Dependency::Rw) => None,
            (_, Dependency::Ww | Dependency::Wr) => Some(state & !LAST_RW),
            (_, Dependency::Process | Dependency::Realtime) => Some(state & !LAST_RW | TIME),
        }
    }

    /// Whether a walk that is back where it began is a cycle of the class.
    pub(crate) fn accepts(self, state: State) -> bool {
        let in_time = self.order == Order::Data || state & TIME != 0;
        let in_data = match self.cycle {
            Cycle::G0 | Cycle::G1c | Cycle::GSingle | Cycle::GSingleItem => true,
            Cycle::G2 | Cycle::G2Item => state & RW != 0,
            Cycle::GNonadjacent | Cycle::GNonadjacentItem => state & (RW | LAST_RW) == RW,
        };
        in_time && in_data
    }

    fn is_nonadjacent(self) -> bool {
        matches!(self.cycle, Cycle::GNonadjacent | Cycle::GNonadjacentItem)
    }

    /// The class of a cycle with these edges.
    pub(crate) fn of(edges: &[Dependency]) -> Self {
        let has = |dependency| edges.contains(&dependency);
        let rw = edges.iter().filter(|&&edge| edge == Dependency::Rw).count();
        let next = edges.iter().cycle().skip(1);
        let is_adjacent =
            edges.iter().zip(next).any(|pair| pair == (&Dependency::Rw, &Dependency::Rw));
        let cycle = match rw {
            0 if has(Dependency::Wr) => Cycle::G1c,
            0 => Cycle::G0,
            1 => Cycle::GSingleItem,
            _ if is_adjacent => Cycle::G2Item,
            _ => Cycle::GNonadjacentItem,
        };
        let order = if has(Dependency::Realtime) {
            Order::Realtime
        } else if has(Dependency::Process) {
            Order::Process
        } else {
            Order::Data
        };
        Self { cycle, order }
    }
}

/// The dependencies that an order of time adds; real time says all that the order of processes does.
pub(crate) fn time(order: Order) -> Mask {
    match order {
        Order::Data => Mask::default(),
        Order::Process => Mask::PROCESS,
        Order::Realtime => Mask::REALTIME,
    }
}
