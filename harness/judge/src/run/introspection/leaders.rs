//! One leader a term: no two nodes may ever say that they lead in the same one.

use std::collections::{BTreeMap, BTreeSet};

use history::CheckResult;
use history::words::counted;
use serde_json::json;

use super::{Comparison, Place, Statement, found, limit};

/// The check's name.
pub(in crate::run) const ONE_LEADER_A_TERM: &str = "log:one-leader-a-term";
/// What it finds.
pub(in crate::run) const TWO_LEADERS: &str = "two leaders in one term";

/// The roles of those who lead.
const LEADING: [&str; 2] = ["leader", "primary"];

/// Who said that it leads.
#[derive(Default)]
pub(super) struct Leaders {
    /// Who was the first to say so, by term.
    of_term: BTreeMap<Place, Statement>,
    /// Who was asked, by the log that they have a copy of.
    asked: BTreeMap<usize, BTreeSet<String>>,
    contradicted: BTreeSet<Place>,
    /// The first two who contradict each other, with the term.
    first: Option<(u64, Statement, Statement)>,
}

impl Leaders {
    pub(super) fn take(&mut self, by: Statement, role: &str, term: Option<u64>) {
        let Some(term) = term else { return };
        let asked = self.asked.entry(by.log).or_default();
        if !asked.contains(&by.node) {
            asked.insert(by.node.clone());
        }
        if !LEADING.contains(&role) {
            return;
        }
        let place = (term, by.log);
        let Some(known) = self.of_term.get(&place) else {
            self.of_term.insert(place, by);
            return limit(&mut self.of_term);
        };
        if known.node != by.node {
            self.contradicted.insert(place);
            self.first.get_or_insert_with(|| (term, known.clone(), by));
        }
    }
}

impl Comparison for Leaders {
    fn check(&self) -> Option<CheckResult> {
        // One node alone cannot contradict another one.
        let compared: BTreeMap<&usize, usize> = (self.asked.iter())
            .map(|(log, asked)| (log, asked.len()))
            .filter(|(_, count)| *count > 1)
            .collect();
        let terms = self.of_term.keys().filter(|(_, log)| compared.contains_key(log)).count();
        let nodes: usize = compared.values().sum();
        let result = match &self.first {
            Some((term, one, other)) => {
                let more = match self.contradicted.len() - 1 {
                    0 => String::new(),
                    more => format!(" So it was in {}, too.", counted(more, "other term")),
                };
                let (one, other) = (one.words(), other.words());
                let sentence =
                    format!("both {one} and {other} said that they led in term {term}.{more}");
                found(ONE_LEADER_A_TERM, TWO_LEADERS, &sentence)
            }
            None if terms == 0 => return None,
            None => CheckResult::valid(
                ONE_LEADER_A_TERM,
                format!(
                    "Of {} that {} said it led in, none had a second leader.",
                    counted(terms, "term"),
                    if terms == 1 { "a node" } else { "nodes" }
                ),
            ),
        };
        Some(result.with_statistics(json!({ "terms": terms, "nodes": nodes })))
    }

    fn promise(&self) -> (&'static str, &'static str) {
        ("one leader a term", "the nodes are asked several times a second in which term they lead")
    }

    fn nothing(&self) -> String {
        match self.of_term.len() {
            0 => "No node said a term in which it led.".to_owned(),
            _ => "Only one node said its role and term, so nothing could be compared.".to_owned(),
        }
    }
}
