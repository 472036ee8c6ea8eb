//! Many independent objects.

use std::fmt::Display;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use history::Verdict;

use crate::check::{Answer, conclude, deadline, decide_by_search, decide_fast};
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
    let decided = decide_all(model, &groups, limits, deadline, &mut statistics);
    let mut report = match decided {
        Some((group, answer)) => {
            let (key, calls) = &groups[group];
            let mut report = conclude(model, calls, answer, Some(key.clone()), limits, deadline);
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

/// The first group that is not valid, a violation before anything undecided: the same whatever the number of
/// threads, as long as time and memory suffice.
fn decide_all<M: Model>(
    model: &M,
    groups: &[Group<String, M>],
    limits: &Limits,
    deadline: Instant,
    statistics: &mut Statistics,
) -> Option<(usize, Answer)> {
    let threads = limits.threads.unwrap_or_else(cores).clamp(1, THREADS_MAX);
    let mut budget = Budget {
        deadline,
        // Not by the number of threads: what is found must not depend on it.
        memory_bytes: limits.memory_bytes / THREADS_MAX as u64,
        nodes: FIRST_NODES,
        cancel: limits.cancel.as_deref(),
    };
    let fast = |group: usize, statistics: &mut Statistics| match budget.spent() {
        Some(stop) => Some(Answer::Stopped(stop)),
        None => decide_fast(model, &groups[group].1, statistics),
    };
    let all: Vec<usize> = (0..groups.len()).collect();
    let mut undecided = None;
    let mut left = Vec::new();
    for (group, answer) in in_parallel(&all, threads, statistics, fast) {
        match answer {
            None => left.push(group),
            Some(Answer::Valid) => {}
            Some(answer) if answer.is_violation() => return Some((group, answer)),
            Some(answer) => undecided = undecided.or(Some((group, answer))),
        }
    }
    let mut alone = false;
    while !left.is_empty() {
        let search = |group: usize, statistics: &mut Statistics| {
            decide_by_search(model, &groups[group].1, &budget, statistics)
        };
        let (mut again, mut crowded) = (Vec::new(), false);
        let threads = if alone { 1 } else { threads };
        for (group, answer) in in_parallel(&left, threads, statistics, search) {
            match answer {
                Answer::Valid => statistics.searched += 1,
                _ if answer.is_violation() => {
                    statistics.searched += 1;
                    return Some((group, answer));
                }
                Answer::Stopped(Stop::Nodes) => again.push(group),
                // With all the memory to itself it may still fit.
                Answer::Stopped(Stop::Memory) if !alone => {
                    crowded = true;
                    again.push(group);
                }
                answer => undecided = undecided.or(Some((group, answer))),
            }
        }
        if crowded {
            alone = true;
            budget.memory_bytes = limits.memory_bytes;
        }
        left = again;
        budget.nodes = budget.nodes.saturating_mul(GROWTH);
    }
    undecided
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Asks about each of these groups; the answers are in their order.
fn in_parallel<A: Send>(
    groups: &[usize],
    threads: usize,
    statistics: &mut Statistics,
    ask: impl Fn(usize, &mut Statistics) -> A + Sync,
) -> Vec<(usize, A)> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut statistics = Statistics::default();
        let mut answers = Vec::new();
        while let Some(&group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            answers.push((group, ask(group, &mut statistics)));
        }
        (statistics, answers)
    };
    let parts: Vec<(Statistics, Vec<(usize, A)>)> = if threads.min(groups.len()) <= 1 {
        vec![work()]
    } else {
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let joined = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
            joined
                .map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    };
    let mut answers = Vec::with_capacity(groups.len());
    let mut memory_bytes = 0;
    for (part, mut found) in parts {
        statistics.nodes += part.nodes;
        statistics.fast += part.fast;
        memory_bytes += part.memory_bytes;
        answers.append(&mut found);
    }
    statistics.memory_bytes = statistics.memory_bytes.max(memory_bytes);
    answers.sort_by_key(|&(group, _)| group);
    answers
}
