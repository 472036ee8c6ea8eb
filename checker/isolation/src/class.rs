//! The classes of cycles, each as a small automaton over the edges of a walk.
//!
//! A cycle of a class is a walk that leaves a transaction by an edge that the class requires and comes back to it. How
//! much of the requirement the walk has met is its state.

use crate::links::{Dependency, Link, Mask};
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

    /// The links that its cycles are made of. An order of versions that only time shows is known no earlier than from
    /// G-single on.
    pub(crate) fn allowed(self) -> Mask {
        match self.cycle {
            Cycle::G0 => Mask::WW.or(time(self.order)),
            Cycle::G1c => Mask::WW.or(Mask::WR).or(time(self.order)),
            _ => known(self.order),
        }
    }

    /// The links that its walks begin with. Two writes of which only time shows the order are as good as one rw: were it
    /// the other way round, somebody missed one of them.
    pub(crate) fn first(self) -> Mask {
        let is_first = |link: &Link| match self.cycle {
            Cycle::G0 => link.dependency == Dependency::Ww,
            Cycle::G1c => link.dependency == Dependency::Wr,
            Cycle::GSingle | Cycle::GSingleItem => {
                link.dependency == Dependency::Rw
                    || link.dependency == Dependency::Ww && link.order != Order::Data
            }
            _ => link.dependency == Dependency::Rw,
        };
        let first = self.allowed().iter().filter(is_first);
        first.fold(Mask::default(), |all, link| all.or(Mask::of(link)))
    }

    /// States are below this number.
    pub(crate) fn states(self) -> usize {
        match self.cycle {
            Cycle::G0 | Cycle::G1c | Cycle::GSingle | Cycle::GSingleItem => 2,
            Cycle::G2 | Cycle::G2Item => 4,
            Cycle::GNonadjacent | Cycle::GNonadjacentItem => STATES,
        }
    }

    /// The state after the first link.
    pub(crate) fn start(self, first: Link) -> State {
        in_time(first) | if self.is_nonadjacent() { LAST_RW } else { 0 }
    }

    /// The state after one more link; `None` where the class does not allow it.
    pub(crate) fn step(self, state: State, link: Link) -> Option<State> {
        let state = state | in_time(link);
        match (self.cycle, link.dependency) {
            // Of two adjacent rw edges the walk begins with the first.
            (Cycle::G2 | Cycle::G2Item, Dependency::Rw) => Some(state | RW),
            (Cycle::G2 | Cycle::G2Item, _) if state & RW == 0 => None,
            (_, Dependency::Rw) if self.is_nonadjacent() && state & LAST_RW == 0 => {
                Some(state | RW | LAST_RW)
            }
            (_, Dependency::Rw) => None,
            _ => Some(state & !LAST_RW),
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

    /// The class of a cycle with these links.
    pub(crate) fn of(links: &[Link]) -> Self {
        let is_rw = |link: &Link| link.dependency == Dependency::Rw;
        let has = |dependency| links.iter().any(|link| link.dependency == dependency);
        let in_time =
            links.iter().any(|link| link.dependency == Dependency::Ww && link.order != Order::Data);
        let next = links.iter().cycle().skip(1);
        let is_adjacent = links.iter().zip(next).any(|(a, b)| is_rw(a) && is_rw(b));
        let cycle = match links.iter().filter(|link| is_rw(link)).count() {
            0 if in_time => Cycle::GSingleItem,
            0 if has(Dependency::Wr) => Cycle::G1c,
            0 => Cycle::G0,
            1 => Cycle::GSingleItem,
            _ if is_adjacent => Cycle::G2Item,
            _ => Cycle::GNonadjacentItem,
        };
        let order = links.iter().map(|link| link.order).max().unwrap_or(Order::Data);
        Self { cycle, order }
    }
}

fn in_time(link: Link) -> State {
    if link.order == Order::Data { 0 } else { TIME }
}

/// The links that an order of time adds by itself; real time says all that the order of processes does.
fn time(order: Order) -> Mask {
    match order {
        Order::Data => Mask::default(),
        Order::Process => Mask::PROCESS,
        Order::Realtime => Mask::REALTIME,
    }
}

/// All links up to an order of time.
pub(crate) fn known(order: Order) -> Mask {
    let data = ORDERS.into_iter().filter(|other| *other <= order).map(Mask::shown_by);
    data.fold(time(order), Mask::or)
}
