//! What nodes said of themselves, compared: one value a slot, one leader a term, promises that are kept.
//!
//! Only of a store that promises it, by the capability `log`: a term that two leaders share means nothing elsewhere.

pub(super) mod leaders;
pub(super) mod promised;
pub(super) mod slots;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use history::words::{cut, seconds};
use history::{CheckResult, Violation};
use record::{Folder, IntrospectionRecord, Promise, RunFile, Said, files};

use super::{RunError, sentence_case, undamaged};
use leaders::Leaders;
use promised::{AllPromised, Promised};
use slots::Slots;

/// The names of all checks here.
pub(super) const CHECKS: [&str; 3] =
    [slots::ONE_VALUE_A_SLOT, leaders::ONE_LEADER_A_TERM, promised::PROMISES_ARE_KEPT];
/// The rungs whose stores have logs.
const WITH_LOGS: [&str; 3] = ["replicated-kv", "shard-controller", "sharded-kv"];
/// Of no more slots and terms than this is kept what was said; the lowest are forgotten first.
const KEPT_MAX: usize = 2_000_000;
/// What nodes say is shown to this length.
const SHOWN_CHARS_MAX: usize = 64;

/// What the nodes of a store said of themselves.
pub(super) struct Introspection {
    /// Whether the store shows its log.
    is_shown: bool,
    /// Whether it should have one to show.
    has_log: bool,
    slots: Slots,
    leaders: Leaders,
    promised: AllPromised,
    /// The first answer that could not be used: by whom, and what was wrong with it.
    unusable: Option<(String, String)>,
}

/// One statement of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    node: String,
    /// Which of the store's logs the node has a copy of: each group has its own.
    log: usize,
    time_ns: u64,
}

impl Statement {
    /// `n1 (12.300 s)`
    fn words(&self) -> String {
        format!("{} ({} s)", shown(&self.node), seconds(self.time_ns, 3))
    }
}

/// What a check compares.
trait Comparison {
    /// Its check, with the violation if there is one; `None`: nothing could be compared.
    fn check(&self) -> Option<CheckResult>;
    /// What is promised, and how it is checked.
    fn promise(&self) -> (&'static str, &'static str);
    /// Why nothing could be compared.
    fn nothing(&self) -> String;
}

impl Introspection {
    /// Reads `introspection.jsonl`, where the store shows its log.
    pub(super) fn read(folder: &Folder, run: &RunFile) -> Result<Self, RunError> {
        let is_shown = run.caps.iter().any(|cap| cap == "log");
        let mut all = Self {
            is_shown,
            has_log: is_shown || run.serves.iter().any(|rung| WITH_LOGS.contains(&rung.as_str())),
            slots: Slots::default(),
            leaders: Leaders::default(),
            promised: AllPromised::default(),
            unusable: None,
        };
        if is_shown {
            let reading = folder.read_introspection(|record| all.take(run, record))?;
            undamaged(folder, files::INTROSPECTION, reading)?;
        }
        Ok(all)
    }

    fn take(&mut self, run: &RunFile, record: IntrospectionRecord) {
        let IntrospectionRecord { node, asked_ns, answered_ns, said } = record;
        let Some(log) = log_of(run, &node) else { return };
        let by = Statement { node, log, time_ns: answered_ns };
        match said {
            Said::Status { role, term } => self.leaders.take(by, &role, term),
            Said::Promised { term, voted } => {
                self.promised.take(Promised { by, asked_ns, term, voted });
            }
            Said::Log { entries, .. } => {
                entries.into_iter().for_each(|(slot, value)| self.slots.take(&by, slot, value));
            }
            Said::Unusable(complaint) => {
                self.unusable.get_or_insert((by.node, complaint));
            }
        }
    }

    fn comparisons(&self) -> [&dyn Comparison; 3] {
        [&self.slots, &self.leaders, &self.promised]
    }

    /// The checks that compared anything.
    pub(super) fn checks(&self) -> impl Iterator<Item = CheckResult> {
        self.comparisons().into_iter().filter_map(Comparison::check)
    }

    /// What was compared, and what was not.
    pub(super) fn promises(&self) -> impl Iterator<Item = Promise> {
        let comparisons = self.comparisons().into_iter().filter(|_| self.has_log);
        comparisons.map(|comparison| {
            let (promise, how) = comparison.promise();
            let check = comparison.check();
            let needed = "; for that, the store answers `GET /v1/log` and has `log` in its caps";
            Promise {
                promise: promise.to_owned(),
                how: format!("{how}{}", if self.is_shown { "" } else { needed }),
                verdict: check.as_ref().map(|check| check.verdict),
                seen: match check {
                    Some(check) => check.summary,
                    None if self.is_shown => self.nothing(comparison),
                    None => String::new(),
                },
            }
        })
    }

    fn nothing(&self, comparison: &dyn Comparison) -> String {
        let complaint = self.unusable.as_ref().map(|(node, complaint)| {
            format!(" An answer of {} could not be used: {}.", shown(node), cut(complaint, 80))
        });
        format!("{}{}", comparison.nothing(), complaint.unwrap_or_default())
    }
}

/// Which log this node has a copy of: that of its group, of the controllers, or the only one. `None` of whoever is no node.
fn log_of(run: &RunFile, node: &String) -> Option<usize> {
    if run.groups.is_empty() {
        return run.nodes.contains(node).then_some(0);
    }
    let mut logs = run.groups.iter().chain([&run.controllers]);
    logs.position(|copies| copies.contains(node))
}

/// Two statements that cannot both be true, as the violation of a check.
fn found(checker: &str, kind: &str, sentence: &str) -> CheckResult {
    let (kind, sentence) = (kind.to_owned(), sentence.to_owned());
    let summary = sentence_case(&sentence);
    CheckResult::found(checker, summary, vec![Violation { kind, sentence, operations: Vec::new() }])
}

/// A text of a node, short.
fn shown(text: &str) -> String {
    if text.is_empty() { "\"\"".to_owned() } else { cut(text, SHOWN_CHARS_MAX) }
}

/// A slot or term, and the log that it is of.
type Place = (u64, usize);

/// Forgets the lowest place where there are too many.
fn limit<V>(kept: &mut BTreeMap<Place, V>) {
    if kept.len() > KEPT_MAX {
        kept.pop_first();
    }
}
