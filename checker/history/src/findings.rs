//! What a check has found: all of it is counted, some of each kind is listed.

use std::collections::BTreeMap;

use crate::{CheckResult, Violation};

/// How many violations a check lists; more would bury the clearest.
pub const LISTED: usize = 10;

/// The violations of one check.
#[derive(Debug, Default)]
pub struct Findings {
    /// How many of each kind were found.
    counts: BTreeMap<&'static str, usize>,
    /// Of each kind the first [`LISTED`].
    kept: Vec<Violation>,
}

impl Findings {
    /// Adds a violation that these operations prove. It is put into words only if it may be listed.
    pub fn add(
        &mut self,
        kind: &'static str,
        proof: impl IntoIterator<Item = u64>,
        sentence: impl FnOnce() -> String,
    ) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count > LISTED {
            return;
        }
        let mut operations: Vec<u64> = Vec::new();
        for operation in proof {
            if !operations.contains(&operation) {
                operations.push(operation);
            }
        }
        self.kept.push(Violation { kind: kind.to_owned(), sentence: sentence(), operations });
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The result of the check; `checked` says in a sentence what was looked at.
    #[must_use]
    pub fn into_result(self, checker: &str, checked: &str) -> CheckResult {
        let count: usize = self.counts.values().sum();
        let violations = listed(self.kept, |violation| violation.kind.clone());
        let summary = match (violations.first(), count) {
            (None, _) => checked.to_owned(),
            (Some(only), 1) => format!("{checked} Violation: {}.", only.sentence),
            (Some(first), _) => {
                format!("{checked} First of {count} violations: {}.", first.sentence)
            }
        };
        CheckResult::found(checker, summary, violations)
    }
}

/// The first of each kind, then the second of each, and so on, as many as are listed.
pub fn listed<T, K: Ord>(found: impl IntoIterator<Item = T>, kind: impl Fn(&T) -> K) -> Vec<T> {
    let mut counts: BTreeMap<K, usize> = BTreeMap::new();
    let rank = |one: T| {
        let count = counts.entry(kind(&one)).or_default();
        *count += 1;
        (*count, one)
    };
    let mut ranked: Vec<(usize, T)> = found.into_iter().map(rank).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().take(LISTED).map(|(_, one)| one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_counted_and_of_each_kind_some_are_listed() {
        let (mut findings, mut put_into_words) = (Findings::default(), 0);
        for number in 0..402 {
            let kind = if number < 400 { "common" } else { "rare" };
            findings.add(kind, [number, number], || {
                put_into_words += 1;
                format!("violation {number}")
            });
        }
        let result = findings.into_result("any", "Checked.");
        assert_eq!(result.summary, "Checked. First of 402 violations: violation 0.");
        let first: Vec<_> = result.violations.iter().map(|v| &v.operations[..]).take(5).collect();
        assert_eq!(first, [[0], [400], [1], [401], [2]]);
        assert_eq!((result.violations.len(), put_into_words), (LISTED, LISTED + 2));
    }

    #[test]
    fn one_violation_is_told_as_one_and_none_as_what_was_checked() {
        assert_eq!(Findings::default().into_result("any", "Checked.").summary, "Checked.");
        let mut findings = Findings::default();
        findings.add("rare", [3], || "it is wrong".to_owned());
        assert_eq!(
            findings.into_result("any", "Checked.").summary,
            "Checked. Violation: it is wrong."
        );
    }
}
