//! Decides many independent parts: each without a search where that is possible, and else with rounds of searches whose
//! budgets grow, so that a hard part does not keep an easy one waiting.

use std::time::Instant;

use crate::answer::{Answer, Evidence};
use crate::attempts::Portfolio;
use crate::fast::{self, Decision};
use crate::limits::{Budget, Explained, Stop};
use crate::parallel::{ALONE, THREADS_MAX, Threads, in_parallel};
use crate::refutation::MonitorVerdict;
use crate::{CallOf, Limits, Model, Statistics, certificate};

/// Configurations that a key's first search may visit: enough for nearly every key.
const FIRST_NODES: u64 = 20_000;

/// And that much more for each operation: a search that needs no second try is never cut short.
const NODES_EACH: u64 = 4;

/// How many times as many it may have visited after the next try.
const GROWTH: u64 = 2;

/// The first part with a violation; where there is none, the first that is undecided. While time and memory suffice,
/// this does not depend on the number of threads.
pub(crate) fn decide_all<'a, M: Model>(
    model: &'a M,
    parts: &[&'a [CallOf<M>]],
    limits: &Limits,
    deadline: Instant,
    statistics: &mut Statistics,
) -> Option<(usize, Answer)> {
    let threads = threads(limits);
    let budget = Budget {
        deadline,
        memory_bytes: limits.memory_bytes,
        nodes: FIRST_NODES,
        cancel: limits.cancel.as_deref(),
        race: None,
        threads: &threads,
    };
    let fast = |part: usize, statistics: &mut Statistics| match budget.spent() {
        Some(stop) => (part, Some(Answer::Stopped(stop, Explained::default()))),
        None => (part, decide_fast(model, parts[part], &threads, statistics)),
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

/// The same for parts that need a search.
fn decide_by_search<'a, M: Model>(
    model: &'a M,
    parts: &[&'a [CallOf<M>]],
    left: Vec<usize>,
    budget: Budget<'_>,
    statistics: &mut Statistics,
) -> Option<(usize, Answer)> {
    let mut left: Vec<(usize, Option<Portfolio<'a, M>>)> =
        left.into_iter().map(|part| (part, None)).collect();
    let mut nodes = budget.nodes;
    let mut sharing = THREADS_MAX;
    // These need more memory than a share of it: they get all of it, one by one, when the others are done.
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
            left.iter_mut()
                .filter_map(|(_, portfolio)| portfolio.as_mut())
                .for_each(Portfolio::gets_more_memory);
        }
        // Not divided by the number of threads: the result must not depend on it.
        let memory_bytes = budget.memory_bytes / sharing as u64;
        let across = if sharing == 1 { &ALONE } else { budget.threads };
        // Where more parts are left than share the memory, none can keep its searches from one round to the next.
        let goes_on = sharing == left.len();
        let search = |(part, portfolio): (usize, Option<Portfolio<'a, M>>),
                      taken: &mut Statistics| {
            let nodes = nodes.saturating_add(NODES_EACH * parts[part].len() as u64);
            let mut portfolio = portfolio.unwrap_or_else(|| Portfolio::new(model, parts[part]));
            let answer = portfolio.decide(&Budget { nodes, memory_bytes, ..budget }, taken);
            if !goes_on {
                portfolio.forget();
            }
            (part, answer, portfolio)
        };
        let mut again = Vec::new();
        for (part, answer, mut portfolio) in asked(left, across, statistics, search) {
            match answer {
                Answer::Valid => statistics.searched += 1,
                _ if answer.is_violation() => {
                    statistics.searched += 1;
                    return Some((part, answer));
                }
                Answer::Stopped(Stop::Nodes, _) => again.push((part, Some(portfolio))),
                // With all the memory to itself it may still fit.
                Answer::Stopped(Stop::Memory, _) if sharing > 1 => {
                    portfolio.begin_again();
                    crowded.push((part, Some(portfolio)));
                }
                answer => undecided = undecided.or(Some((part, answer))),
            }
        }
        left = again;
        nodes = nodes.saturating_mul(GROWTH);
    }
}

/// Decides without a search, and replays what was found; `None` where that needs a search.
pub(crate) fn decide_fast<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    threads: &Threads,
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
            MonitorVerdict::Violation(refutation) => {
                Answer::Violation(Evidence::Monitor(refutation))
            }
        });
    }
    let answer = match fast::decide(model, calls, threads) {
        Decision::Undecided => return None,
        Decision::Order(order) if certificate::is_legal(model, calls, &order) => Answer::Valid,
        Decision::Order(_) => Answer::Unsound(
            "Internal error: the order of the fast path does not replay; the model's `step` and its \
             `effects` may contradict each other."
                .to_owned(),
        ),
        Decision::Violation(violation) => Answer::Violation(Evidence::Register(violation)),
        Decision::Unsound(reason) => Answer::Unsound(reason),
    };
    statistics.fast += 1;
    Some(answer)
}

/// Those that a check may use.
pub(crate) fn threads(limits: &Limits) -> Threads {
    Threads::new(limits.threads.unwrap_or_else(cores).clamp(1, THREADS_MAX))
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
