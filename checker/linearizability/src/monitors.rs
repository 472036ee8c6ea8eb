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

mod core;
mod cover;
mod elements;
mod order;
pub mod queue;
pub mod set;
pub mod stack;
mod timeline;
mod trees;

use crate::{Call, Witness};

/// What a monitor found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MonitorVerdict {
    /// The calls (by position) in an order that explains them; those that need not have happened may be left out.
    Valid(Vec<u32>),
    /// No order exists.
    Violation(Refutation),
}

/// A few operations that no order explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refutation {
    /// The anomaly in the field's terms.
    pub kind: &'static str,
    /// What happened, in words that need nothing else.
    pub sentence: String,
    /// Positions of the operations that prove it, in order of invocation.
    pub operations: Vec<u32>,
}

impl Refutation {
    /// The same as a report has it.
    pub(crate) fn into_witness<I, O>(self, calls: &[Call<I, O>], key: Option<String>) -> Witness {
        let place = key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default();
        Witness {
            kind: self.kind.to_owned(),
            sentence: format!("{place}{}", self.sentence),
            operations: self.operations.iter().map(|&i| calls[i as usize].id).collect(),
            key,
        }
    }
}

/// Why a monitor does not go on.
enum Stop {
    /// Not a history that it can decide.
    Outside,
    /// There is nothing left to decide.
    Refuted(Refutation),
}

impl Stop {
    /// The verdict, where that is one.
    fn verdict(self) -> Option<MonitorVerdict> {
        match self {
            Stop::Outside => None,
            Stop::Refuted(refutation) => Some(MonitorVerdict::Violation(refutation)),
        }
    }
}
