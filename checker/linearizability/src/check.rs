//! One object.

use std::time::{Duration, Instant};

use history::Verdict;

use crate::by_key::decide_all;
use crate::fast::{self, Decision};
use crate::limits::{Explained, Stop};
use crate::monitors::{MonitorVerdict, Refutation};
use crate::{CallOf, Limits, Model, Report, Statistics, certificate, witness};

/// Is there an order of the calls that the model accepts and that respects real time?
pub fn check<M: Model>(model: &M, calls: &[CallOf<M>], limits: &Limits) -> Report {
    let start = Instant::now();
    let deadline = deadline(start, limits);
    let mut statistics =
        Statistics { operations: calls.len() as u64, keys: 1, ..Statistics::default() };
    let decided = decide_all(model, &[calls], limits, deadline, &mut statistics);
    statistics.deciding = start.elapsed();
    let answer = decided.map_or(Answer::Valid, |(_, answer)| answer);
    let mut report = conclude(model, calls, answer, None, limits, deadline);
    statistics.stopped = report.statistics.stopped;
    statistics.elapsed = start.elapsed();
    report.statistics = statistics;
    report
}

/// The end of the time allowed; far away where it cannot be expressed.
pub(crate) fn deadline(start: Instant, limits: &Limits) -> Instant {
    const FAR: Duration = Duration::from_secs(365 * 24 * 3600);
    start.checked_add(limits.time).unwrap_or(start + FAR)
}

/// What a search says about one object.
pub(crate) enum Answer {
    Valid,
    /// No order exists; these calls were found impossible, the one that blocked first.
    Illegal {
        suspects: Vec<usize>,
    },
    /// No order exists, and the fast path knows why.
    Contradictory(fast::Violation),
    /// No order exists, and the model's monitor knows why.
    Refuted(Refutation),
    Stopped(Stop, Explained),
    /// The history or this crate is wrong.
    Unsound(String),
}

impl Answer {
    pub(crate) fn is_violation(&self) -> bool {
        matches!(self, Self::Illegal { .. } | Self::Contradictory(_) | Self::Refuted(_))
    }
}

/// Decides without a search, and replays what was found; `None` where that needs a search.
pub(crate) fn decide_fast<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    statistics: &mut Statistics,
) -> Option<Answer> {
    if let Some(call) = calls.iter().find(|call| call.ret.is_some_and(|ret| ret < call.call)) {
        return Some(Answer::Unsound(format!(
            "Operation {} returns before it is called.",
            call.id
        )));
    }
    if let Some(verdict) = model.monitor(calls) {
        statistics.fast += 1;
        return Some(match verdict {
            MonitorVerdict::Valid(_) => Answer::Valid,
            MonitorVerdict::Violation(refutation) => Answer::Refuted(refutation),
        });
    }
    let answer = match fast::decide(model, calls) {
        Decision::Undecided => return None,
        Decision::Order(order) if certificate::is_legal(model, calls, &order) => Answer::Valid,
        Decision::Order(_) => Answer::Unsound(
            "Internal error: the order of the fast path does not replay; the model's steps and its register \
             steps may contradict each other."
                .to_owned(),
        ),
        Decision::Violation(violation) => Answer::Contradictory(violation),
        Decision::Unsound(reason) => Answer::Unsound(reason),
    };
    statistics.fast += 1;
    Some(answer)
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
        Answer::Contradictory(violation) => {
            (Verdict::Violation, None, Some(fast::describe(model, calls, &violation, key)))
        }
        Answer::Refuted(refutation) => {
            (Verdict::Violation, None, Some(refutation.into_witness(calls, key)))
        }
        Answer::Illegal { suspects } => {
            match witness::explain(model, calls, &suspects, key, limits, deadline) {
                Ok(witness) => (Verdict::Violation, None, Some(witness)),
                Err(reason) => inconclusive(reason),
            }
        }
    };
    Report { verdict, reason, witness, statistics }
}
