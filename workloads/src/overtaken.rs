//! Two values of a key that were each there before the other: the commonest violations of `register`, found by sorting
//! and explained in a sentence.
//!
//! Each value is written at most once and so is there for one stretch of time. If an operation on A ended before one on
//! B began, A came first. If the opposite holds as well, no order explains it (the two-cycles of Gibbons & Korach,
//! "Testing shared memories", SIAM J. Comput. 1997). The search finds these violations, too, but gives them no name.

use std::collections::BTreeMap;

use contract::{Operation, Outcome};
use history::Findings;
use rustc_hash::FxHashMap;

use crate::{record::Record, words};

/// A value of a key, `None` for its absence.
type Held<'a> = Option<&'a str>;

/// When a value is known to have been there.
#[derive(Clone, Copy)]
struct Stretch<'a> {
    value: Held<'a>,
    /// The operation on it that ended first; `None` for a key's absence, which is there from the start.
    first: Option<(u64, &'a Record)>,
    /// The operation on it that began last.
    last: Option<(u64, &'a Record)>,
}

/// Finds, for each key, two values that were each there before the other.
pub(crate) fn overtaken(records: &[Record]) -> Findings {
    let mut keys: BTreeMap<&str, FxHashMap<Held<'_>, Stretch<'_>>> = BTreeMap::new();
    for record in records {
        let Some((key, saw, wrote)) = touched(record) else { continue };
        let stretches = keys.entry(key).or_default();
        for value in [saw, wrote.map(Some)].into_iter().flatten() {
            let stretch =
                stretches.entry(value).or_insert(Stretch { value, first: None, last: None });
            stretch.see(record);
        }
    }
    let mut findings = Findings::default();
    for (key, stretches) in keys {
        if let Some((a, b)) = conflict(stretches.into_values().collect()) {
            let read = a.last.is_some_and(|(_, record)| record.operation.is_read_only());
            let kind = if read { "stale read" } else { "update of a stale value" };
            findings.add(kind, proof(a, b), || sentence(key, a, b));
        }
    }
    findings
}

/// The key, the value that was there just before a successful operation, where it tells, and the one it left.
fn touched(record: &Record) -> Option<(&str, Option<Held<'_>>, Held<'_>)> {
    match (&record.operation, record.outcome()?) {
        (Operation::Get { key }, Outcome::Value { value }) => {
            Some((key, Some(value.as_deref()), None))
        }
        (Operation::Put { key, value }, Outcome::Done {}) => Some((key, None, Some(value))),
        (Operation::Append { key, value }, Outcome::Value { value: Some(whole) }) => {
            let before = whole.strip_suffix(value.as_str())?;
            Some((key, Some((!before.is_empty()).then_some(before)), Some(whole)))
        }
        (Operation::Cas { key, expect, value }, Outcome::Swapped { swapped: true, .. }) => {
            Some((key, Some(expect.as_deref()), Some(value)))
        }
        (Operation::Cas { key, .. }, Outcome::Swapped { value: Some(current), .. }) => {
            Some((key, Some(current.as_deref()), None))
        }
        _ => None,
    }
}

impl<'a> Stretch<'a> {
    fn see(&mut self, record: &'a Record) {
        let earlier = |(ret, _): (u64, &Record)| record.ret.is_some_and(|mine| mine < ret);
        if self.value.is_some() && self.first.is_none_or(earlier) {
            self.first = record.ret.map(|ret| (ret, record));
        }
        if self.last.is_none_or(|(call, _)| record.call > call) {
            self.last = Some((record.call, record));
        }
    }

    /// From when on it is certain that the value had been there.
    fn since(&self) -> Option<u64> {
        self.first.map(|(ret, _)| ret)
    }

    /// The latest moment before which it cannot have gone.
    fn until(&self) -> Option<u64> {
        self.last.map(|(call, _)| call)
    }
}

/// Two stretches each of which begins before the other ends: first the one whose late operation is odd.
fn conflict(mut stretches: Vec<Stretch<'_>>) -> Option<(Stretch<'_>, Stretch<'_>)> {
    // A key's absence, being there from the start, sorts first.
    stretches.sort_by_key(|stretch| (stretch.since(), stretch.until()));
    // Of each prefix, the two that last longest: one of them is not the stretch itself.
    let mut longest: Vec<[Option<usize>; 2]> = vec![[None, None]];
    for (at, stretch) in stretches.iter().enumerate() {
        let until = |of: Option<usize>| of.map(|of| stretches[of].until());
        let [first, second] = longest[at];
        longest.push(if until(first) < Some(stretch.until()) {
            [Some(at), first]
        } else if until(second) < Some(stretch.until()) {
            [first, Some(at)]
        } else {
            [first, second]
        });
    }
    for (at, b) in stretches.iter().enumerate() {
        let before = stretches.partition_point(|a| a.since() < b.until());
        let a = longest[before].into_iter().flatten().find(|a| *a != at);
        if let Some(a) = a.filter(|a| b.since().is_some() && stretches[*a].until() > b.since()) {
            return Some((stretches[a], *b));
        }
    }
    None
}

/// The operations that show it, as many as the sentence names.
fn proof<'a>(a: Stretch<'a>, b: Stretch<'a>) -> impl Iterator<Item = u64> {
    let ends = [a.last, b.first, a.first, b.last.filter(|_| a.first.is_some())];
    ends.into_iter().flatten().map(|(_, record)| record.call)
}

fn sentence(key: &str, a: Stretch<'_>, b: Stretch<'_>) -> String {
    let name = |end: Option<(u64, &Record)>| end.map_or(String::new(), |(_, record)| record.who());
    let (late, early) = (name(a.last), name(b.first));
    let (value, other) = (words::value(a.value), words::value(b.value));
    let found =
        format!("{late} found {key} = {value} although {early} had ended by then and knew {other}");
    if a.first.is_none() {
        return found;
    }
    let (done, begun) = (name(a.first), name(b.last));
    format!(
        "{found}; and {value} cannot have come after it: {done} had ended with {value} before {begun} began with {other}"
    )
}
