//! Promises are kept: what a node promised counts for good, and so does its vote in a term. A node that forgets either over a
//! crash can help to elect two leaders of one term.

use std::collections::BTreeMap;

use history::CheckResult;
use history::words::{counted, seconds};
use serde_json::json;

use super::{Comparison, Statement, found, shown};

/// The check's name.
pub(in crate::run) const PROMISES_ARE_KEPT: &str = "log:promises-are-kept";
/// What it finds.
pub(in crate::run) const FORGOTTEN: &str = "a forgotten promise";
/// The same, of a vote.
pub(in crate::run) const TWO_VOTES: &str = "a vote taken back";

/// What a node said that it promised.
#[derive(Clone)]
pub(super) struct Promised {
    pub(super) by: Statement,
    /// Before the answer: nothing that was said later than this was said before it.
    pub(super) asked_ns: u64,
    pub(super) term: u64,
    pub(super) voted: Option<String>,
}

/// What nodes said that they promised.
#[derive(Default)]
pub(super) struct AllPromised {
    /// By node, in the order of the record.
    said: BTreeMap<String, Vec<Promised>>,
    /// How many were said after another one by the same node.
    compared: usize,
    /// How often that was a contradiction.
    contradictions: usize,
    /// The first: what it is, and in words.
    first: Option<(&'static str, String)>,
}

impl AllPromised {
    pub(super) fn take(&mut self, promised: Promised) {
        let said = self.said.entry(promised.by.node.clone()).or_default();
        // A node may be asked twice at once: then nobody knows which answer it gave first.
        let before = said.iter().rev().find(|said| said.by.time_ns < promised.asked_ns);
        if let Some(before) = before {
            self.compared += 1;
            if let Some(contradiction) = contradiction(before, &promised) {
                self.contradictions += 1;
                self.first.get_or_insert(contradiction);
            }
        }
        said.push(promised);
    }
}

/// What is wrong with these two of the same node, if anything.
fn contradiction(before: &Promised, after: &Promised) -> Option<(&'static str, String)> {
    let Promised { by: Statement { node, time_ns }, term: promised, voted, .. } = before;
    let node = shown(node);
    let (earlier, later) = (seconds(*time_ns, 3), seconds(after.by.time_ns, 3));
    let term = after.term;
    if term < *promised {
        let sentence = format!(
            "{node} said that it had promised term {promised} ({earlier} s), and later only term {term} ({later} s): it may \
             vote again in terms in which it has voted"
        );
        return Some((FORGOTTEN, sentence));
    }
    let voted = voted.as_ref().filter(|_| term == *promised)?;
    let now = after.voted.as_ref();
    let changed = now != Some(voted);
    let (voted, now) = (shown(voted), now.map_or("nobody".to_owned(), |now| shown(now)));
    let sentence = format!(
        "{node} said that it had voted for {voted} in term {term} ({earlier} s), and later for {now} ({later} s): one term may \
         have two leaders"
    );
    changed.then_some((TWO_VOTES, sentence))
}

impl Comparison for AllPromised {
    fn check(&self) -> Option<CheckResult> {
        let statistics = json!({ "compared": self.compared, "nodes": self.said.len() });
        let result = match &self.first {
            Some((kind, sentence)) => {
                let more = match self.contradictions - 1 {
                    0 => String::new(),
                    more => format!(" It happened {}.", counted(more, "more time")),
                };
                found(PROMISES_ARE_KEPT, kind, &format!("{sentence}.{more}"))
            }
            None if self.compared == 0 => return None,
            None => CheckResult::valid(
                PROMISES_ARE_KEPT,
                format!(
                    "{} said {} what they had promised, and never took anything back.",
                    counted(self.said.len(), "node"),
                    counted(self.compared, "more time")
                ),
            ),
        };
        Some(result.with_statistics(statistics))
    }

    fn promise(&self) -> (&'static str, &'static str) {
        (
            "promises are kept",
            "each node is asked what it has promised, several times a second, before it is killed and when it is back",
        )
    }

    fn nothing(&self) -> String {
        "No node said two times what it had promised.".to_owned()
    }
}
