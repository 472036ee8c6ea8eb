//! The limits of a search while it runs, and why it ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use history::Limits;

use crate::parallel::{Cancelled, Threads};

/// The limits of one search, with the clock running.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget<'a> {
    pub(crate) deadline: Instant,
    pub(crate) memory_bytes: u64,
    /// Configurations to visit; what a first, cheap attempt is bounded by.
    pub(crate) nodes: u64,
    pub(crate) cancel: Option<&'a AtomicBool>,
    pub(crate) race: Option<Cancelled<'a>>,
    pub(crate) threads: &'a Threads,
}

impl Budget<'_> {
    /// For histories of a handful of operations.
    #[cfg(any(test, feature = "alone"))]
    pub(crate) fn unlimited() -> Self {
        let deadline = Instant::now() + std::time::Duration::from_secs(365 * 24 * 3600);
        Self {
            deadline,
            memory_bytes: u64::MAX,
            nodes: u64::MAX,
            cancel: None,
            race: None,
            threads: &crate::parallel::ALONE,
        }
    }

    pub(crate) fn spent(&self) -> Option<Stop> {
        if self.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed))
            || self.race.is_some_and(Cancelled::is_cancelled)
        {
            Some(Stop::Cancelled)
        } else if Instant::now() >= self.deadline {
            Some(Stop::Time)
        } else {
            None
        }
    }
}

/// Why a search ended without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Time,
    Memory,
    Nodes,
    Cancelled,
    TooConcurrent(usize),
}

impl Stop {
    /// Of two attempts: once the time is over it is over for both; and where more configurations are all that one
    /// needs, it gets them.
    pub(crate) fn or(self, other: Self) -> Self {
        let rank = |stop| match stop {
            Self::Time | Self::Cancelled => 0,
            Self::Nodes => 1,
            Self::Memory | Self::TooConcurrent(_) => 2,
        };
        if rank(other) < rank(self) { other } else { self }
    }

    /// Why, and how far the search came.
    pub(crate) fn reason(self, limits: &Limits, explained: Explained) -> String {
        let why = match self {
            Stop::Time | Stop::Nodes => format!(
                "The search did not finish within {:.1} s; allow it more time",
                limits.time.as_secs_f64()
            ),
            Stop::Memory => format!(
                "The search needs more than {} MB of memory; allow it more",
                limits.memory_bytes / 1_000_000
            ),
            Stop::Cancelled => "The check was cancelled".to_owned(),
            Stop::TooConcurrent(open) => {
                return format!(
                    "{open} operations are open at once, more than the search can follow."
                );
            }
        };
        let Explained { first, of } = explained;
        if of == 0 {
            return format!("{why}.");
        }
        format!("{why}. It stopped after explaining the first {first} of {of} operations.")
    }
}

/// How far a search came: so many of the operations that returned, in order of their returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Explained {
    /// As many returned before the first that fitted no order.
    pub first: u64,
    /// All that returned and tell anything.
    pub of: u64,
}
