//! The order of versions that follows where each key by itself is promised to be linearizable or sequential.
//!
//! Of two transactions that touch a key one after the other, what the first left there is not newer than what the
//! second found. A sweep in the order of time keeps the transactions that have returned and that no other one that has
//! returned came after: as many as there are clients, so that it is linear in the history.

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::Anomaly;
use crate::components::components;
use crate::findings::Findings;
use crate::graph::{Edges, Mask};
use crate::history::{History, Micro, NONE, Txn, Version};
use crate::writers::Writers;

/// What the caller knows of single keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Each takes effect in the order of real time.
    Linearizable,
    /// Each takes effect in the order of each process.
    Sequential,
}

/// One version before another, and the transactions that show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair {
    pub(crate) earlier: Version,
    pub(crate) later: Version,
    pub(crate) by: (Txn, Txn),
}

/// The pairs that the promises give, of the keys in which they do not contradict each other.
#[derive(Debug, Default)]
pub(crate) struct KeyOrder {
    pairs: Vec<Pair>,
}

/// A transaction as one key sees it.
#[derive(Clone, Copy, Debug)]
struct Visit {
    txn: Txn,
    found: Version,
    left: Version,
}

impl KeyOrder {
    pub(crate) fn new(
        history: &History,
        writers: &Writers,
        promises: &[Promise],
        findings: &mut Findings<'_>,
    ) -> Self {
        let mut pairs = Vec::new();
        if !promises.is_empty() {
            for visits in visits(history, writers) {
                for promise in promises {
                    match promise {
                        Promise::Linearizable => sweep(history, &visits, &mut pairs),
                        Promise::Sequential => follow(history, &visits, &mut pairs),
                    }
                }
            }
        }
        pairs.sort_unstable();
        pairs.dedup_by_key(|pair| (pair.earlier, pair.later));
        let cyclic = cyclic(history, &pairs, findings);
        let is_sound = |pair: &Pair| !cyclic.contains(&key_of(history, pair));
        pairs.retain(is_sound);
        Self { pairs }
    }

    pub(crate) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }
}

/// By key, what each transaction found and left there, in the order of their invocations.
fn visits(history: &History, writers: &Writers) -> Vec<Vec<Visit>> {
    let mut by_key: Vec<Vec<Visit>> = vec![Vec::new(); history.keys()];
    let mut txns: Vec<Txn> = history.txns().filter(|&txn| writers.happened(txn)).collect();
    txns.sort_unstable_by_key(|&txn| history.calls[txn as usize]);
    for txn in txns {
        for &micro in history.micros_of(txn) {
            let (Micro::Value { key, version } | Micro::Write { key, version }) = micro else {
                continue;
            };
            let is_known =
                history.names.is_initial(version) || writers.txn(history, version) != NONE;
            if !is_known {
                continue;
            }
            let visits = &mut by_key[key as usize];
            match visits.last_mut().filter(|visit| visit.txn == txn) {
                Some(visit) => visit.left = version,
                None => visits.push(Visit { txn, found: version, left: version }),
            }
        }
    }
    by_key
}

fn pair(pairs: &mut Vec<Pair>, before: &Visit, after: &Visit) {
    if before.left != after.found {
        let by = (before.txn, after.txn);
        pairs.push(Pair { earlier: before.left, later: after.found, by });
    }
}

fn sweep(history: &History, visits: &[Visit], pairs: &mut Vec<Pair>) {
    let event = |(at, visit): (usize, &Visit)| {
        let txn = visit.txn as usize;
        let returned = Some((history.returns[txn], at, true)).filter(|(rank, ..)| *rank != NONE);
        std::iter::once((history.calls[txn], at, false)).chain(returned)
    };
    let mut events: Vec<_> = visits.iter().enumerate().flat_map(event).collect();
    events.sort_unstable();
    let mut latest: Vec<Visit> = Vec::new();
    for (_, at, is_return) in events {
        let visit = visits[at];
        if is_return {
            let call = history.calls[visit.txn as usize];
            latest.retain(|before| history.returns[before.txn as usize] > call);
            latest.push(visit);
        } else {
            latest.iter().for_each(|before| pair(pairs, before, &visit));
        }
    }
}

fn follow(history: &History, visits: &[Visit], pairs: &mut Vec<Pair>) {
    let mut last: FxHashMap<u64, Visit> = FxHashMap::default();
    for visit in visits {
        if let Some(before) = last.insert(history.header(visit.txn).process, *visit) {
            pair(pairs, &before, visit);
        }
    }
}

fn key_of(history: &History, pair: &Pair) -> u32 {
    let touches = |micro: &&Micro| matches!(micro, Micro::Value { version, .. } | Micro::Write { version, .. } if *version == pair.later);
    history.micros_of(pair.by.1).iter().find(touches).map_or(NONE, |micro| micro.key())
}

/// The keys whose order contradicts itself.
fn cyclic(history: &History, pairs: &[Pair], findings: &mut Findings<'_>) -> FxHashSet<u32> {
    let mut edges = Edges::new(history.names.versions(), pairs.len());
    for pair in pairs {
        edges.add(pair.earlier, pair.later, Mask::WW);
        if history.names.is_initial(pair.later) {
            // Nothing comes before the initial version.
            edges.add(pair.later, pair.earlier, Mask::WW);
        }
    }
    let mut component_of = FxHashMap::default();
    for (number, versions) in components(&edges.into_graph()).into_iter().enumerate() {
        component_of.extend(versions.into_iter().map(|version| (version, number)));
    }
    let mut inside: BTreeMap<(u32, usize), Vec<&Pair>> = BTreeMap::new();
    for pair in pairs {
        if let Some(number) = component_of.get(&pair.earlier)
            && component_of.get(&pair.later) == Some(number)
        {
            inside.entry((key_of(history, pair), *number)).or_default().push(pair);
        }
    }
    for ((key, _), pairs) in &inside {
        findings.add(Anomaly::CyclicVersions, || contradiction(history, *key, pairs));
    }
    inside.into_keys().map(|(key, _)| key).collect()
}

/// A shortest cycle among these pairs, in words.
fn contradiction(history: &History, key: u32, pairs: &[&Pair]) -> (Vec<Txn>, String) {
    let cycle = shortest(history, pairs);
    let mut txns: Vec<Txn> = Vec::new();
    let mut name = |txn: Txn| {
        let at = txns.iter().position(|&other| other == txn).unwrap_or_else(|| {
            txns.push(txn);
            txns.len() - 1
        });
        format!("T{}", at + 1)
    };
    let steps: Vec<String> = cycle
        .iter()
        .map(|pair| {
            let (a, b) = (name(pair.by.0), name(pair.by.1));
            let (earlier, later) = (history.value_name(pair.earlier), history.value_name(pair.later));
            format!("{earlier} before {later} ({a} left the one, and {b}, which came later, found the other)")
        })
        .collect();
    let initial = cycle.iter().any(|pair| history.names.is_initial(pair.later));
    let end = if initial && cycle.len() == 1 { ", though nil is the first of all" } else { "" };
    (txns, format!("{} held {}{end}.", history.key_name(key), steps.join(", and ")))
}

/// The shortest cycle through one of the first pairs.
fn shortest<'a>(history: &History, pairs: &[&'a Pair]) -> Vec<&'a Pair> {
    const TRIED: usize = 100;
    if let Some(pair) = pairs.iter().find(|pair| history.names.is_initial(pair.later)) {
        return vec![*pair];
    }
    let mut after: FxHashMap<Version, Vec<&Pair>> = FxHashMap::default();
    for pair in pairs {
        after.entry(pair.earlier).or_default().push(pair);
    }
    let cycles = pairs.iter().take(TRIED).map(|start| through(start, &after));
    cycles.min_by_key(Vec::len).unwrap_or_default()
}

/// The shortest cycle that begins with this pair.
fn through<'a>(start: &'a Pair, after: &FxHashMap<Version, Vec<&'a Pair>>) -> Vec<&'a Pair> {
    let mut from: FxHashMap<Version, &Pair> = FxHashMap::default();
    let mut queue = VecDeque::from([start.later]);
    while let Some(version) = queue.pop_front() {
        for pair in after.get(&version).into_iter().flatten() {
            if pair.later != start.later && !from.contains_key(&pair.later) {
                from.insert(pair.later, pair);
                queue.push_back(pair.later);
            }
        }
    }
    let mut back = Vec::new();
    let mut version = start.earlier;
    while let Some(pair) = from.get(&version).filter(|_| version != start.later) {
        back.push(*pair);
        version = pair.earlier;
    }
    back.push(start);
    back.reverse();
    back
}
