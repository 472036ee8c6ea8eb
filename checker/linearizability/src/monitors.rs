//! Sets, queues and stacks whose values are all different, decided without a search.
//!
//! Finding an order is hard in general, but where no value is added twice it is a matter of sorting: Lee & Mathur,
//! "Efficient Decrease-and-Conquer Linearizability Monitoring" (OOPSLA 2025), and for queues already Henzinger,
//! Sezgin & Vafeiadis, "Aspect-Oriented Linearizability Proofs" (CONCUR 2013). What a monitor needs to know is
//! when a value was *certainly* there: from the return of what put it in to the call of what took it out.
//!
//! A monitor answers only what it can prove. `Valid` has been replayed on a plain queue, stack or set; a
//! violation comes with a few operations, which have been tried in every order where there are few enough. All
//! else (a value added twice, a removal of which nobody knows what it took) is left to the search.

pub(crate) mod core;
pub(crate) mod cover;
pub(crate) mod elements;
pub(crate) mod order;
pub(crate) mod timeline;
pub(crate) mod trees;

use crate::refutation::{MonitorVerdict, Refutation};

/// Why a monitor does not go on.
pub(crate) enum Stop {
    /// Not a history that it can decide.
    Outside,
    /// There is nothing left to decide.
    Refuted(Refutation),
}

impl Stop {
    /// The verdict, where that is one.
    pub(crate) fn verdict(self) -> Option<MonitorVerdict> {
        match self {
            Stop::Outside => None,
            Stop::Refuted(refutation) => Some(MonitorVerdict::Violation(refutation)),
        }
    }
}
