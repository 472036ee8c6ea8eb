//! What is found of one object, and the report about it.

use std::time::Instant;

use history::Verdict;

use crate::limits::{Explained, Stop};
use crate::refutation::Refutation;
use crate::{CallOf, Limits, Model, Report, Statistics, fast, witness};

/// What a search says about one object.
pub(crate) enum Answer {
    Valid,
    /// No order exists.
    Violation(Evidence),
    Stopped(Stop, Explained),
    /// The history or this crate is wrong.
    Unsound(String),
}

/// What a violation was found by.
pub(crate) enum Evidence {
    /// The search: it could not place these calls, the one that blocked first.
    Suspects(Vec<usize>),
    /// The fast path.
    Register(fast::Violation),
    /// The model's monitor.
    Monitor(Refutation),
}

impl Answer {
    pub(crate) fn is_violation(&self) -> bool {
        matches!(self, Self::Violation(_))
    }
}

/// The report, without statistics; explains a violation.
pub(crate) fn conclude<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    answer: Answer,
    key: Option<String>,
    limits: &Limits,
    deadline: Instant,
) -> Report {
    let mut statistics = Statistics::default();
    let inconclusive = |reason| (Verdict::Inconclusive, Some(reason), None);
    let (verdict, reason, witness) = match answer {
        Answer::Valid => (Verdict::Valid, None, None),
        Answer::Stopped(stop, explained) => {
            statistics.stopped = Some(explained);
            inconclusive(stop.reason(limits, explained))
        }
        Answer::Unsound(reason) => inconclusive(reason),
        Answer::Violation(evidence) => match explain(model, calls, evidence, limits, deadline) {
            Ok(found) => (Verdict::Violation, None, Some(found.into_witness(calls, key))),
            Err(reason) => inconclusive(reason),
        },
    };
    Report { verdict, reason, witness, statistics }
}

/// Whoever found the violation, here it gets its words. An error means that this crate contradicts itself.
fn explain<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    evidence: Evidence,
    limits: &Limits,
    deadline: Instant,
) -> Result<Refutation, String> {
    match evidence {
        Evidence::Suspects(suspects) => witness::explain(model, calls, &suspects, limits, deadline),
        Evidence::Register(violation) => Ok(fast::describe(model, calls, &violation)),
        Evidence::Monitor(refutation) => Ok(refutation),
    }
}
