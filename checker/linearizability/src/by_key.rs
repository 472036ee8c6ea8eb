//! Many independent objects.

use std::fmt::Display;
use std::time::Instant;

use history::Verdict;

use crate::attempts::Case;
use crate::check::{Answer, conclude, deadline, decide_fast};
use crate::limits::{Budget, Explained, Stop};
use crate::parallel::{ALONE, THREADS_MAX, Threads, in_parallel};
use crate::{CallOf, Limits, Model, Report, Statistics};

/// Configurations that a key's first search may visit: enough for nearly every key.
const FIRST_NODES: u64 = 20_000;

/// And that much more for each operation: a search that needs no second try is never cut short.
const NODES_EACH: u64 = 4;

/// How many times as many it may have visited after the next try.
const GROWTH: u64 = 2;

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

/// The first part that is not valid, a violation before anything undecided: the same whatever the number of
/// threads, as long as time and memory suffice.
pub(crate) fn decide_all<'a, M: Model>(
    model: &'a M,
    parts: &[&'a [CallOf<M>]],
    limits: &Limits,
    deadline: Instant,
    statistics: &mut Statistics,
) -> Option<(usize, Answer)> {
    let threads = Threads::new(limits.threads.unwrap_or_else(cores).clamp(1, THREADS_MAX));
    let budget = Budget {
        deadline,
        memory_bytes: limits.memory_bytes,
        nodes: FIRST_NODES,
        cancel: limits.cancel.as_deref(),
        outrun: None,
        threads: &threads,
    };
    let fast = |part: usize, statistics: &mut Statistics| match budget.spent() {
        Some(stop) => (part, Some(Answer::Stopped(stop, Explained::default()))),
        None => (part, decide_fast(model, parts[part], statistics)),
    };
    let mut undecided = None;
    let mut left = Vec::new();
    for (part, answer) in asked(0..parts.len(), &threads, statistics, fast) {
        match answer {
            None => left.push(part),
            Some(Answer::Valid) => {}
            Some(answer) if answer.is_violation() => return Some((part, answer)),
            Some(answer) => undecided = undecided.or(Some((part, answer))),
        }
    }
    match decide_by_search(model, parts, left, budget, statistics) {
        Some((part, answer)) if answer.is_violation() => Some((part, answer)),
        searched => undecided.or(searched),
    }
}

/// The same of these parts. Each gets a little, and goes on with more until it is decided.
fn decide_by_search<'a, M: Model>(
    model: &'a M,
    parts: &[&'a [CallOf<M>]],
    left: Vec<usize>,
    budget: Budget<'_>,
    statistics: &mut Statistics,
) -> Option<(usize, Answer)> {
    let mut left: Vec<(usize, Option<Case<'a, M>>)> =
        left.into_iter().map(|part| (part, None)).collect();
    let mut nodes = budget.nodes;
    let mut sharing = THREADS_MAX;
    // They had not memory enough beside others, and get all of it when those are done.
    let mut crowded = Vec::new();
    let mut undecided = None;
    loop {
        if left.is_empty() {
            if crowded.is_empty() {
                return undecided;
            }
            left = std::mem::take(&mut crowded);
            sharing = 1;
        }
        if sharing > left.len() {
            sharing = left.len();
            left.iter_mut().filter_map(|(_, case)| case.as_mut()).for_each(Case::gets_more_memory);
        }
        // Not by the number of threads: what is found must not depend on it.
        let memory_bytes = budget.memory_bytes / sharing as u64;
        let across = if sharing == 1 { &ALONE } else { budget.threads };
        // As many as share it are there at once; more of them keep nothing from one try to the next.
        let goes_on = sharing == left.len();
        let search = |(part, case): (usize, Option<Case<'a, M>>), taken: &mut Statistics| {
            let nodes = nodes.saturating_add(NODES_EACH * parts[part].len() as u64);
            let mut case = case.unwrap_or_else(|| Case::new(model, parts[part]));
            let answer = case.decide(&Budget { nodes, memory_bytes, ..budget }, taken);
            if !goes_on {
                case.forget();
            }
            (part, answer, case)
        };
        let mut again = Vec::new();
        for (part, answer, mut case) in asked(left, across, statistics, search) {
            match answer {
                Answer::Valid => statistics.searched += 1,
                _ if answer.is_violation() => {
                    statistics.searched += 1;
                    return Some((part, answer));
                }
                Answer::Stopped(Stop::Nodes, _) => again.push((part, Some(case))),
                // With all the memory to itself it may still fit.
                Answer::Stopped(Stop::Memory, _) if sharing > 1 => {
                    case.begin_again();
                    crowded.push((part, Some(case)));
                }
                answer => undecided = undecided.or(Some((part, answer))),
            }
        }
        left = again;
        nodes = nodes.saturating_mul(GROWTH);
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Asks about each of these, with statistics of its own.
fn asked<T: Send, A: Send>(
    things: impl IntoIterator<Item = T>,
    threads: &Threads,
    statistics: &mut Statistics,
    ask: impl Fn(T, &mut Statistics) -> A + Sync,
) -> Vec<A> {
    let answers = in_parallel(things.into_iter().collect(), threads, |thing| {
        let mut taken = Statistics::default();
        (ask(thing, &mut taken), taken)
    });
    let add = |(answer, taken): (A, Statistics)| {
        statistics.nodes += taken.nodes;
        statistics.fast += taken.fast;
        statistics.attempt = taken.attempt.or(statistics.attempt);
        statistics.memory_bytes = statistics.memory_bytes.max(taken.memory_bytes);
        answer
    };
    answers.into_iter().map(add).collect()
}
