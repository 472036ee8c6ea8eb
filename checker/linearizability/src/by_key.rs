//! Many independent objects.

use std::fmt::Display;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use history::Verdict;

use crate::check::{Answer, conclude, deadline, decide};
use crate::limits::{Budget, Stop};
use crate::{CallOf, Limits, Model, Report, Statistics};

/// Configurations that a key's first search may visit: enough for nearly every key.
const FIRST_NODES: u64 = 20_000;

/// How much more the next search gets.
const GROWTH: u64 = 8;

/// The most threads: the machine is also somebody else's.
const THREADS_MAX: usize = 8;

/// The calls on one key, with the key's name.
type Group<K, M> = (K, Vec<CallOf<M>>);

/// [`crate::check`] for an object whose parts are independent, such as the keys of a store: each group is checked
/// alone, all of them within the limits, and a violation names its group.
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
    let decided = decide_all(model, &groups, limits, deadline, &mut statistics);
    let mut report = match decided {
        Some((group, answer)) => {
            let (key, calls) = &groups[group];
            let mut report = conclude(model, calls, answer, Some(key.clone()), limits, deadline);
            report.reason = report.reason.map(|reason| format!("Key {key}: {reason}"));
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

/// The first group that is not valid, a violation before anything undecided.
fn decide_all<M: Model>(
    model: &M,
    groups: &[Group<String, M>],
    limits: &Limits,
    deadline: Instant,
    statistics: &mut Statistics,
) -> Option<(usize, Answer)> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    let mut left: Vec<usize> = (0..groups.len()).collect();
    let mut undecided = None;
    let mut nodes = FIRST_NODES;
    let mut alone = false;
    while !left.is_empty() {
        let threads = if alone { 1 } else { cores.min(left.len()) };
        let budget = Budget {
            deadline,
            memory_bytes: limits.memory_bytes / threads as u64,
            nodes,
            cancel: limits.cancel.as_deref(),
        };
        let mut again = Vec::new();
        for (group, answer) in round(model, groups, &left, &budget, threads, statistics) {
            match answer {
                Answer::Valid => {}
                Answer::Illegal { .. } | Answer::Refuted(_) => return Some((group, answer)),
                Answer::Stopped(Stop::Nodes) => again.push(group),
                Answer::Stopped(Stop::Memory) if threads > 1 => {
                    // With all the memory to itself it may still fit.
                    alone = true;
                    again.push(group);
                }
                Answer::Stopped(_) | Answer::Unsound(_) => {
                    undecided = undecided.or(Some((group, answer)));
                }
            }
        }
        left = again;
        nodes = nodes.saturating_mul(GROWTH);
    }
    undecided
}

/// One search for each group, in the order of `left`.
fn round<M: Model>(
    model: &M,
    groups: &[Group<String, M>],
    left: &[usize],
    budget: &Budget<'_>,
    threads: usize,
    statistics: &mut Statistics,
) -> Vec<(usize, Answer)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut statistics = Statistics::default();
        let mut answers = Vec::new();
        while let Some(&group) = left.get(next.fetch_add(1, Ordering::Relaxed)) {
            let answer = decide(model, &groups[group].1, budget, &mut statistics);
            answers.push((group, answer));
        }
        (statistics, answers)
    };
    let mut answers = Vec::new();
    let mut memory_bytes = 0;
    let mut add = |(part, mut found): (Statistics, Vec<(usize, Answer)>)| {
        statistics.nodes += part.nodes;
        memory_bytes += part.memory_bytes;
        answers.append(&mut found);
    };
    if threads == 1 {
        add(work());
    } else {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                match worker.join() {
                    Ok(part) => add(part),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
    }
    statistics.memory_bytes = statistics.memory_bytes.max(memory_bytes);
    answers.sort_by_key(|&(group, _)| group);
    answers
}
