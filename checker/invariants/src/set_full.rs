//! The fate of every element of a set that only grows, through all reads.
//!
//! `add` adds an element, `read` gives all of them. An element is *known* from the moment at which its add, or the
//! first read that saw it, returned. Every read that begins later should see it. It is *stable* if the last read to
//! begin after that saw it (*stale* if an earlier one did not), *lost* if it was not seen any more, and *never read* if
//! no read saw it and none began after it was known.

use history::{
    Findings, Operation, Quantiles,
    words::{counted, shown, who},
};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::elements::{Attempts, collections, copies};
use crate::judgement::Judgement;
use crate::shape::returned;

/// When an added element must be visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visible {
    /// To every read that begins once it is known: the set is linearizable.
    AtOnce,
    /// Some time later, and from then on.
    Eventually,
}

/// What the reads say of one element.
#[derive(Default)]
struct Sightings {
    /// The reads that saw it, by number.
    present: Vec<usize>,
    /// The one of them that returned first, and the event.
    first_return: Option<(u64, usize)>,
    /// When the last of them to return did.
    last_return: u64,
}

/// Whoever made sure first that the element is there: event, time and operation.
type Known<'a> = (u64, u64, &'a Operation);

/// What became of an element.
enum Fate<'a> {
    Stable { latency_ns: u64, missed_by: Option<&'a Operation> },
    Lost { latency_ns: u64, missed_by: &'a Operation },
    NeverRead,
}

/// No element may be lost, seen twice or come from nowhere, nor, where it must be visible at once, be missed.
///
/// An element that was added k times may be seen k times: a set made of rows or of a list is allowed that.
pub(crate) fn judge(operations: &[Operation], visible: Visible) -> Result<Judgement, String> {
    let attempts = Attempts::new(operations, "add", &["read"])?;
    let mut findings = Findings::default();
    let mut reads: Vec<&Operation> = Vec::new();
    let mut sightings: FxHashMap<&Value, Sightings> = FxHashMap::default();
    for read in collections(operations, "read") {
        let (read, elements) = read?;
        for (element, copies) in copies(elements) {
            attempts.explain(read, element, copies, &mut findings);
            sightings.entry(element).or_default().add(read, reads.len());
        }
        reads.push(read);
    }
    let mut tally = Tally::default();
    let mut unseen = Sightings::default();
    for (element, added) in elements_in_order(&attempts) {
        let seen = sightings.get_mut(element).unwrap_or(&mut unseen);
        let Some(known) = known(added, seen, &reads) else {
            tally.never_read += 1;
            continue;
        };
        let fate = fate(&known, seen, &reads);
        tally.count(&fate);
        report(added, &known, &fate, visible, &mut findings);
    }
    let untested = (tally.stable_ns.is_empty() && tally.lost_ns.is_empty())
        .then(|| "No read began after an element was known to be there.".to_owned());
    let checked = format!(
        "{} through {}: {} stable ({} of them stale at first), {} lost, {} never read.",
        counted(attempts.iter().count(), "element"),
        counted(reads.len(), "read"),
        tally.stable_ns.len(),
        tally.stale,
        tally.lost_ns.len(),
        tally.never_read
    );
    Ok(Judgement::of(findings, &checked, untested).with_statistics(tally.statistics(reads.len())))
}

impl Sightings {
    fn add(&mut self, read: &Operation, number: usize) {
        let end = read.return_index().unwrap_or(u64::MAX);
        self.present.push(number);
        self.first_return = self.first_return.into_iter().chain([(end, number)]).min();
        self.last_return = self.last_return.max(end);
    }

    /// The first read from this one on that did not see it.
    fn first_absent(&self, from: usize, reads: usize) -> Option<usize> {
        let at = self.present.partition_point(|&read| read < from);
        first_difference(from..reads, self.present[at..].iter().copied())
    }

    /// The last read that did not see it.
    fn last_absent(&self, reads: usize) -> Option<usize> {
        first_difference((0..reads).rev(), self.present.iter().rev().copied())
    }
}

/// The first of `all` that `some`, which leaves out one or the other, leaves out.
fn first_difference(
    mut all: impl Iterator<Item = usize>,
    mut some: impl Iterator<Item = usize>,
) -> Option<usize> {
    all.find(|&one| some.next() != Some(one))
}

/// In the order in which they were first added.
fn elements_in_order<'a, 'o>(attempts: &'a Attempts<'o>) -> Vec<(&'o Value, &'a [&'o Operation])> {
    let mut elements: Vec<_> = attempts.iter().collect();
    elements.sort_unstable_by_key(|(_, added)| added.first().map(|add| add.call));
    elements
}

fn known<'a>(
    added: &[&'a Operation],
    seen: &Sightings,
    reads: &[&'a Operation],
) -> Option<Known<'a>> {
    let certain = |operation: &'a Operation| {
        Some((returned(operation)?, operation.return_ns.unwrap_or(operation.call_ns), operation))
    };
    let by_add = added.iter().filter_map(|add| certain(add)).min_by_key(|known| known.0);
    let by_read = seen.first_return.and_then(|(_, read)| certain(reads[read]));
    by_add.into_iter().chain(by_read).min_by_key(|known| known.0)
}

fn fate<'a>(known: &Known<'_>, seen: &Sightings, reads: &[&'a Operation]) -> Fate<'a> {
    let (event, time_ns, _) = *known;
    let after = reads.partition_point(|read| read.call < event);
    let missed = seen.last_absent(reads.len()).filter(|&last| last >= after);
    let latency_ns = |read: usize| reads[read].call_ns.saturating_sub(time_ns);
    match missed {
        None if after == reads.len() && seen.present.is_empty() => Fate::NeverRead,
        None => Fate::Stable { latency_ns: 0, missed_by: None },
        // Nobody who could have come after the last that missed it saw it. The first such read shows it soonest.
        Some(last) if reads[last].call > seen.last_return => {
            let gone = event.max(seen.last_return);
            let first = reads.partition_point(|read| read.call < gone);
            let latency_ns = seen.present.last().map_or(0, |&last| latency_ns(last));
            Fate::Lost { latency_ns, missed_by: reads[first] }
        }
        Some(last) => Fate::Stable {
            latency_ns: latency_ns(last),
            missed_by: seen.first_absent(after, reads.len()).map(|first| reads[first]),
        },
    }
}

fn report(
    added: &[&Operation],
    (_, _, source): &Known<'_>,
    fate: &Fate<'_>,
    visible: Visible,
    findings: &mut Findings,
) {
    let Some(add) = added.first() else { return };
    let proof = |by: &Operation| [add.call, source.call, by.call];
    let missed = |by: &Operation, rest: &str| {
        let (element, by, done) = (shown(&add.arguments), who(by), who(source));
        let known = if added.iter().any(|added| added.call == source.call) {
            format!("{done}, of {element}, was acknowledged")
        } else {
            format!("{done} had seen {element}")
        };
        format!("{known} before {by} began, which did not see it{rest}")
    };
    match fate {
        Fate::Lost { missed_by, .. } => {
            findings.add("lost element", proof(missed_by), || {
                missed(missed_by, ", nor did any later read")
            });
        }
        Fate::Stable { missed_by: Some(by), .. } if visible == Visible::AtOnce => {
            findings.add("stale read", proof(by), || missed(by, ""));
        }
        Fate::Stable { .. } | Fate::NeverRead => {}
    }
}

/// How many elements met which fate, and how long it took.
#[derive(Default)]
struct Tally {
    stable_ns: Vec<u64>,
    lost_ns: Vec<u64>,
    stale: u64,
    never_read: u64,
}

impl Tally {
    fn count(&mut self, fate: &Fate<'_>) {
        match fate {
            Fate::Stable { latency_ns, missed_by } => {
                self.stable_ns.push(*latency_ns);
                self.stale += u64::from(missed_by.is_some());
            }
            Fate::Lost { latency_ns, .. } => self.lost_ns.push(*latency_ns),
            Fate::NeverRead => self.never_read += 1,
        }
    }

    fn statistics(self, reads: usize) -> Value {
        json!({
            "reads": reads,
            "stable": self.stable_ns.len(), "stale": self.stale,
            "lost": self.lost_ns.len(), "never_read": self.never_read,
            "stable_latency_ms": Quantiles::of(self.stable_ns),
            "lost_latency_ms": Quantiles::of(self.lost_ns),
        })
    }
}
