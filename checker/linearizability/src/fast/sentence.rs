//! Findings in words.

use super::clusters::NONE;
use super::step::Step;
use super::{Finding, Violation};
use crate::describe::{describe as operation, describe_briefly};
use crate::refutation::Refutation;
use crate::{Anomaly, CallOf, Model};

/// Names the anomaly, tells it with both orders that contradict each other, and lists what proves it.
pub(crate) fn describe<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    violation: &Violation,
) -> Refutation {
    let Violation { finding, steps, witness } = violation;
    if let Finding::Phantom { reader } = *finding
        && let Some(better) = model.explain(reader as usize, calls)
    {
        return better;
    }
    let mut named = finding.operations();
    named.sort_unstable();
    named.dedup();
    let brief = named.len() >= SEVERAL;
    let (kind, text) = Words { model, calls, steps, brief }.of(*finding);
    Refutation::new(calls, kind, &text, witness.iter().copied())
}

/// From so many operations on they are described briefly.
const SEVERAL: usize = 4;

struct Words<'a, M: Model> {
    model: &'a M,
    calls: &'a [CallOf<M>],
    steps: &'a [Step],
    /// It names several operations.
    brief: bool,
}

impl<M: Model> Words<'_, M> {
    /// The name and the sentence.
    fn of(&self, finding: Finding) -> (Anomaly, String) {
        match finding {
            Finding::Phantom { reader } => (
                Anomaly::PhantomValue,
                format!("{} saw a value that nobody ever wrote", self.name(reader)),
            ),
            Finding::Aborted { reader, writer } => (
                Anomaly::AbortedRead,
                format!("{} saw the value of {}", self.name(reader), self.name(writer)),
            ),
            Finding::Future { reader, writer } => (
                Anomaly::FutureRead,
                format!(
                    "{} had finished before {} began, yet saw its value",
                    self.name(reader),
                    self.name(writer)
                ),
            ),
            Finding::LostUpdate { first, second } => {
                let kind = if self.appends(first) && self.appends(second) {
                    Anomaly::LostAppend
                } else {
                    Anomaly::LostUpdate
                };
                let (first, second) = (self.name(first), self.name(second));
                (
                    kind,
                    format!(
                        "{first} and {second} both replaced the same value, so that one of them is lost"
                    ),
                )
            }
            Finding::Circle { one } => (
                Anomaly::CircularUpdates,
                format!("{} replaced a value that was made from its own", self.name(one)),
            ),
            Finding::Behind { early, late, lost } => self.behind(early, late, lost),
            Finding::Overtaken { early, late } => (
                Anomaly::OvertakenAppend,
                format!(
                    "{} had finished before {} began, yet stands behind it in the value",
                    self.name(early),
                    self.name(late)
                ),
            ),
            Finding::Stale { before, writer, stale, lost: true, .. } => {
                self.lost(before, writer, stale)
            }
            Finding::Stale { before, writer, after, stale, lost: false } => {
                self.stale(before, writer, after, stale)
            }
            Finding::FlipFlop { first, second, third, fourth } => (
                Anomaly::FlipFlop,
                format!(
                    "{} had finished before {} began, and {} before {}: a value that was gone came back",
                    self.name(first),
                    self.name(second),
                    self.again(third, second),
                    self.again(fourth, first),
                ),
            ),
        }
    }

    fn behind(&self, early: u32, late: u32, lost: bool) -> (Anomaly, String) {
        let (seen, old) = (self.name(early), self.name(late));
        if lost && self.appends(early) {
            (
                Anomaly::LostAppend,
                format!("{old} began after {seen} had finished, yet what it appended is missing"),
            )
        } else {
            (
                Anomaly::StaleRead,
                format!("{old} began after {seen} had finished, yet saw an older value"),
            )
        }
    }

    fn stale(&self, before: u32, writer: u32, after: u32, stale: u32) -> (Anomaly, String) {
        let late = self.name(stale);
        let newer = self.name(after);
        if self.appends(after) && self.steps[after as usize].saw().is_none() {
            let text =
                format!("{late} began after {newer} had finished, yet what it appended is missing");
            return (Anomaly::LostAppend, text);
        }
        let changes = self.steps[stale as usize].leaves().is_some();
        let (kind, saw) =
            if changes { (Anomaly::LostUpdate, "replaced") } else { (Anomaly::StaleRead, "saw") };
        let mut text = format!("{late} {saw} an older value: it began after {newer} had finished");
        // The initial value needs no proof that it was first.
        if before != NONE {
            let writer = if writer == after { "that".to_owned() } else { self.name(writer) };
            let before = if before == stale { "it".to_owned() } else { self.name(before) };
            text.push_str(&format!(", and {writer} began after {before} had finished"));
        }
        (kind, text)
    }

    /// Nobody saw what was written, and somebody built on what was there before.
    fn lost(&self, before: u32, writer: u32, stale: u32) -> (Anomaly, String) {
        let kind = if self.appends(writer) { Anomaly::LostAppend } else { Anomaly::LostWrite };
        let (writer, stale) = (self.name(writer), self.name(stale));
        // The initial value needs no proof that it was first.
        let what = match before {
            NONE => "the initial value".to_owned(),
            _ => format!(
                "an older value ({} had finished before the write began)",
                self.name(before)
            ),
        };
        let text = format!(
            "nobody saw what {writer} wrote: {stale} began after it had finished, yet replaced {what}"
        );
        (kind, text)
    }

    /// It changes the value by adding to it.
    fn appends(&self, op: u32) -> bool {
        matches!(self.steps[op as usize], Step::Append { .. })
    }

    fn name(&self, op: u32) -> String {
        let describe = if self.brief { describe_briefly } else { operation };
        describe(self.model, &self.calls[op as usize])
    }

    /// An operation that may have been named already.
    fn again(&self, op: u32, named: u32) -> String {
        if op == named { "that one".to_owned() } else { self.name(op) }
    }
}
