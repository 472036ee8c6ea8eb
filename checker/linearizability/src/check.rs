//! The questions that this crate answers.

use std::fmt::Display;
use std::time::{Duration, Instant};

use history::Verdict;
use rustc_hash::FxHashMap;

use crate::answer::{Answer, conclude};
use crate::decide::decide_all;
use crate::{CallOf, Limits, Model, Report, Statistics};

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

/// The calls on one key, with the key's name.
type Group<K, M> = (K, Vec<CallOf<M>>);

/// [`crate::check()`] for an object whose parts are independent, such as the keys of a store: each group is checked
/// alone, all of them within the limits, and a violation names its group as it is to be called, such as `Key x`.
///
/// Every key gets a cheap search first, so that one hard key does not hide another's violation.
pub fn check_by_key<M: Model, K: Display>(
    model: &M,
    groups: Vec<(K, Vec<CallOf<M>>)>,
    limits: &Limits,
) -> Report {
    let start = Instant::now();
    let deadline = deadline(start, limits);
    let groups: Vec<Group<String, M>> =
        groups.into_iter().map(|(key, calls)| (key.to_string(), calls)).collect();
    let mut statistics = Statistics {
        operations: groups.iter().map(|(_, calls)| calls.len() as u64).sum(),
        keys: groups.len() as u64,
        ..Statistics::default()
    };
    let parts: Vec<&[CallOf<M>]> = groups.iter().map(|(_, calls)| calls.as_slice()).collect();
    let decided = decide_all(model, &parts, limits, deadline, &mut statistics);
    statistics.deciding = start.elapsed();
    let mut report = match decided {
        Some((group, answer)) => {
            let (key, calls) = &groups[group];
            let mut report = conclude(model, calls, answer, Some(key.clone()), limits, deadline);
            statistics.stopped = report.statistics.stopped;
            report.reason = report.reason.map(|reason| format!("{key}: {reason}"));
            report
        }
        None => Report {
            verdict: Verdict::Valid,
            reason: None,
            witness: None,
            statistics: Statistics::default(),
        },
    };
    statistics.elapsed = start.elapsed();
    report.statistics = statistics;
    report
}

/// [`check_by_key`] with the parts that [`Model::part`] tells, or [`check`] where some operation belongs to none.
pub fn check_partitioned<M: Model>(model: &M, calls: Vec<CallOf<M>>, limits: &Limits) -> Report {
    let parts: Option<Vec<String>> = calls.iter().map(|call| model.part(&call.input)).collect();
    let Some(parts) = parts else { return check(model, &calls, limits) };
    let mut places: FxHashMap<String, usize> = FxHashMap::default();
    let mut groups: Vec<(String, Vec<CallOf<M>>)> = Vec::new();
    for (call, part) in calls.into_iter().zip(parts) {
        let place = *places.entry(part).or_insert_with_key(|part| {
            groups.push((part.clone(), Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(call);
    }
    check_by_key(model, groups, limits)
}

/// The end of the time allowed; far away where it cannot be expressed.
pub(crate) fn deadline(start: Instant, limits: &Limits) -> Instant {
    const FAR: Duration = Duration::from_secs(365 * 24 * 3600);
    start.checked_add(limits.time).unwrap_or(start + FAR)
}
