//! What is wrong with a history, by the names that the field has for it.

use std::fmt;

/// The kind of a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anomaly {
    /// A value was seen that nobody wrote.
    PhantomValue,
    /// A value was seen that only a failed operation wrote.
    AbortedRead,
    /// A value was seen before it was written.
    FutureRead,
    /// An older value was seen than one that was certainly there.
    StaleRead,
    /// Of what one operation wrote, only a part was seen.
    TornRead,
    /// A value that was gone came back.
    FlipFlop,
    /// Two operations replaced the same value.
    LostUpdate,
    /// Nobody ever saw a write that had finished.
    LostWrite,
    /// A value that was put into a set is not there.
    LostValue,
    /// The piece of an append that had finished is not there.
    LostAppend,
    /// The piece of an append is there too often.
    DuplicatedAppend,
    /// An append that had finished stands behind one that began later.
    OvertakenAppend,
    /// An addition that had finished does not count.
    LostAddition,
    /// More was counted than anybody can have added.
    PhantomAddition,
    /// Two readers saw two writes in different orders.
    LongFork,
    /// Two operations each missed what the other wrote.
    WriteSkew,
    /// Operations that each replaced a value made from their own.
    CircularUpdates,
    /// Operations that each must come before the next.
    CircularOrder,
    /// Values came out of a queue in another order than they went in.
    FifoOrder,
    /// A value came out of a stack from below another.
    LifoOrder,
    /// A value was taken out more often than it was put in.
    TakenTwice,
    /// A value was dequeued twice.
    DequeuedTwice,
    /// A value was popped twice.
    PoppedTwice,
    /// A value was removed from a set twice.
    RemovedTwice,
    /// Something was found empty that was not.
    WronglyEmpty,
    /// Two hold a lock at once.
    TwoHolders,
    /// A lock that nobody held was refused.
    RefusedWhileFree,
    /// A lock was released by somebody who did not hold it.
    ReleasedWithoutHolding,
    /// The holder of a lock could not release it.
    RefusedToItsHolder,
    /// A result that fits no order, for none of the reasons above.
    ImpossibleResult,
}

impl Anomaly {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PhantomValue => "phantom value",
            Self::AbortedRead => "aborted read",
            Self::FutureRead => "read from the future",
            Self::StaleRead => "stale read",
            Self::TornRead => "torn read",
            Self::FlipFlop => "flip-flop",
            Self::LostUpdate => "lost update",
            Self::LostWrite => "lost write",
            Self::LostValue => "lost value",
            Self::LostAppend => "lost append",
            Self::DuplicatedAppend => "duplicated append",
            Self::OvertakenAppend => "overtaken append",
            Self::LostAddition => "lost addition",
            Self::PhantomAddition => "phantom addition",
            Self::LongFork => "long fork",
            Self::WriteSkew => "write skew",
            Self::CircularUpdates => "circular updates",
            Self::CircularOrder => "circular order",
            Self::FifoOrder => "FIFO order",
            Self::LifoOrder => "LIFO order",
            Self::TakenTwice => "taken twice",
            Self::DequeuedTwice => "dequeued twice",
            Self::PoppedTwice => "popped twice",
            Self::RemovedTwice => "removed twice",
            Self::WronglyEmpty => "wrongly empty",
            Self::TwoHolders => "two holders",
            Self::RefusedWhileFree => "refused while free",
            Self::ReleasedWithoutHolding => "released without holding",
            Self::RefusedToItsHolder => "refused to its holder",
            Self::ImpossibleResult => "impossible result",
        }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
