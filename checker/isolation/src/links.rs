//! Why one transaction comes before another, and sets of such reasons.

use std::fmt;

use crate::Order;

/// Why one transaction comes before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Dependency {
    /// The later one wrote the version that follows one of the earlier's.
    Ww,
    /// The later one read what the earlier wrote.
    Wr,
    /// The earlier one read a version that the later overwrote.
    Rw,
    /// The same process did one after the other.
    Process,
    /// The earlier had returned before the later was invoked.
    Realtime,
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dependency::Ww => "ww",
            Dependency::Wr => "wr",
            Dependency::Rw => "rw",
            Dependency::Process => "process",
            Dependency::Realtime => "rt",
        })
    }
}

/// A dependency, and what shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) dependency: Dependency,
    /// The order of time without which it would not be known; of process and real time, that order itself.
    pub(crate) order: Order,
}

impl Link {
    pub(crate) const PROCESS: Self = Self::shown_by(Order::Process, Dependency::Process);
    pub(crate) const REALTIME: Self = Self::shown_by(Order::Realtime, Dependency::Realtime);

    pub(crate) const fn shown_by(order: Order, dependency: Dependency) -> Self {
        Self { dependency, order }
    }

    /// By which bit a mask says it.
    const fn bit(self) -> u16 {
        match self.dependency {
            Dependency::Process => 1 << 9,
            Dependency::Realtime => 1 << 10,
            data => 1 << (3 * self.order as u16 + data as u16),
        }
    }
}

/// A set of links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mask(u16);

impl Mask {
    pub(crate) const WW: Self = Self::of(Link::shown_by(Order::Data, Dependency::Ww));
    pub(crate) const WR: Self = Self::of(Link::shown_by(Order::Data, Dependency::Wr));
    pub(crate) const RW: Self = Self::of(Link::shown_by(Order::Data, Dependency::Rw));
    pub(crate) const PROCESS: Self = Self::of(Link::PROCESS);
    pub(crate) const REALTIME: Self = Self::of(Link::REALTIME);
    /// What data shows.
    pub(crate) const DATA: Self = Self::WW.or(Self::WR).or(Self::RW);

    pub(crate) const fn of(link: Link) -> Self {
        Self(link.bit())
    }

    /// Data, as an order of time shows it.
    pub(crate) const fn shown_by(order: Order) -> Self {
        Self(Self::DATA.0 << (3 * order as u16))
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The links in it, the strongest first.
    pub(crate) fn iter(self) -> impl Iterator<Item = Link> {
        LINKS.into_iter().filter(move |&link| self.has(Self::of(link)))
    }

    /// Of ww, wr and rw the one that proves most: a cycle that needs no rw is a worse anomaly than one that does. What
    /// needs an order of time counts only where it proves more than the data.
    pub(crate) fn strongest(self) -> Self {
        let data = self.and(Self::DATA);
        let best = Self(data.0 & data.0.wrapping_neg());
        let in_time = Self::shown_by(Order::Process).or(Self::shown_by(Order::Realtime));
        let weaker = match best {
            Self::WW | Self::WR => in_time,
            Self::RW => Self::RW_IN_TIME,
            _ => Self::default(),
        };
        self.without(data).or(best).without(weaker)
    }

    const RW_IN_TIME: Self = Self::of(Link::shown_by(Order::Process, Dependency::Rw))
        .or(Self::of(Link::shown_by(Order::Realtime, Dependency::Rw)));
}

/// Every link that there is.
const LINKS: [Link; 9] = [
    Link::shown_by(Order::Data, Dependency::Ww),
    Link::shown_by(Order::Data, Dependency::Wr),
    Link::shown_by(Order::Data, Dependency::Rw),
    Link::shown_by(Order::Process, Dependency::Ww),
    Link::shown_by(Order::Process, Dependency::Rw),
    Link::shown_by(Order::Realtime, Dependency::Ww),
    Link::shown_by(Order::Realtime, Dependency::Rw),
    Link::PROCESS,
    Link::REALTIME,
];
