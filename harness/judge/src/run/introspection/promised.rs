//! Promises are kept: what a node promised counts for good, and so does its vote in a term. A node that forgets either over a
//! crash can help to elect two leaders of one term.

use std::collections::{BTreeMap, VecDeque};

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

/// A node is not asked more often than this at once.
const AT_ONCE_MAX: usize = 16;

/// What a node said that it promised.
pub(super) struct Promised {
    pub(super) by: Statement,
    /// Before the answer: nothing that was said later than this was said before it.
    pub(super) asked_ns: u64,
    pub(super) term: u64,
    /// Who has its vote, empty: nobody; `None` where it does not say.
    pub(super) voted: Option<String>,
}

/// What one node said that it promised.
#[derive(Default)]
struct OfNode {
    /// The most of what it had said before all that is in `recent`.
    settled: Option<Promised>,
    /// What it may have said at the same time as what comes next, in the order of the record.
    recent: VecDeque<Promised>,
}

/// What nodes said that they promised.
#[derive(Default)]
pub(super) struct AllPromised {
    nodes: BTreeMap<String, OfNode>,
    /// How many were compared with what the same node had said before.
    compared: usize,
    /// How often that was a contradiction.
    contradictions: usize,
    /// The first: what it is, and in words.
    first: Option<(&'static str, String)>,
}

impl AllPromised {
    pub(super) fn take(&mut self, promised: Promised) {
        let node = self.nodes.entry(promised.by.node.clone()).or_default();
        if let Some(before) = node.before(promised.asked_ns) {
            self.compared += 1;
            if let Some(contradiction) = contradiction(before, &promised) {
                self.contradictions += 1;
                self.first.get_or_insert(contradiction);
            }
        }
        node.recent.push_back(promised);
    }
}

impl OfNode {
    /// The most of what it had said before it was asked then. (It may be asked twice at once: then nobody knows which answer it gave
    /// first.)
    fn before(&mut self, asked_ns: u64) -> Option<&Promised> {
        let is_before = |said: &Promised| said.by.time_ns < asked_ns;
        while self.recent.len() >= AT_ONCE_MAX || self.recent.front().is_some_and(is_before) {
            let Some(said) = self.recent.pop_front() else { break };
            if self.settled.as_ref().is_none_or(|settled| settled.term <= said.term) {
                self.settled = Some(said);
            }
        }
        self.settled.as_ref().filter(|said| is_before(said))
    }
}

/// What is wrong with these two of the same node, if anything.
fn contradiction(before: &Promised, after: &Promised) -> Option<(&'static str, String)> {
    let Promised { by: Statement { node, time_ns, .. }, term: promised, voted, .. } = before;
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
    // Where it says nothing of votes, or nobody had its vote before, there is nothing to take back.
    let (voted, now) = (voted.as_ref()?, after.voted.as_ref()?);
    if term > *promised || voted.is_empty() || now == voted {
        return None;
    }
    let (voted, now) =
        (shown(voted), if now.is_empty() { "nobody".to_owned() } else { shown(now) });
    let sentence = format!(
        "{node} said that it had voted for {voted} in term {term} ({earlier} s), and later for {now} ({later} s): one term may \
         have two leaders"
    );
    Some((TWO_VOTES, sentence))
}

impl Comparison for AllPromised {
    fn check(&self) -> Option<CheckResult> {
        let statistics = json!({ "compared": self.compared, "nodes": self.nodes.len() });
        let result = match &self.first {
            Some((kind, sentence)) => {
                let more = match self.contradictions - 1 {
                    0 => String::new(),
                    more => format!(
                        " That, or a vote taken back, was seen {}.",
                        counted(more, "more time")
                    ),
                };
                found(PROMISES_ARE_KEPT, kind, &format!("{sentence}.{more}"))
            }
            None if self.compared == 0 => return None,
            None => CheckResult::valid(
                PROMISES_ARE_KEPT,
                format!(
                    "What {} said that they had promised was compared {} with what the same node had said before, and \
                     nothing was taken back.",
                    counted(self.nodes.len(), "node"),
                    counted(self.compared, "time")
                ),
            ),
        };
        Some(result.with_statistics(statistics))
    }

    fn promise(&self) -> (&'static str, &'static str) {
        (
            "promises are kept",
            "each node is asked what it has promised, several times a second, also before every other kill and when it is back",
        )
    }

    fn nothing(&self) -> String {
        "No node said twice what it had promised.".to_owned()
    }
}
