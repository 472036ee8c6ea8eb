//! Which violation a run is told by, and which of them say the same.

use history::{CheckResult, Verdict, Violation};

use super::introspection::{
    leaders::TWO_LEADERS,
    promised::{FORGOTTEN, TWO_VOTES},
    slots::TWO_VALUES,
};
use super::is_ended;
use super::witnesses::Witnesses;

/// So few operations can be followed at a glance.
const FEW: usize = 4;
/// What nodes say that cannot be true, without any operation.
const OF_NODES: [&str; 4] = [TWO_VALUES, TWO_LEADERS, FORGOTTEN, TWO_VOTES];

/// How much a violation proves by itself, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Proof {
    /// What was acknowledged is gone.
    Loss,
    /// A few operations, or two nodes, that contradict each other, and a name for how they do.
    Direct,
    /// A few operations that fit no order.
    Few,
    /// Many operations.
    Many,
    /// The whole record.
    Whole,
    /// Nothing wrong was answered: nothing was answered any more, or by one node.
    Silence,
}

/// The clearest first: by its proof, then by when its last operation had ended, then by how few they are.
type Rank = (Proof, u64, usize);

impl Proof {
    fn of(violation: &Violation) -> Self {
        let kind = violation.kind.as_str();
        let is_loss = kind == "lost" || kind.starts_with("lost ") && kind != "lost update";
        match violation.operations.len() {
            _ if ["no recovery", "no restart"].contains(&kind) => Self::Silence,
            0 if OF_NODES.contains(&kind) => Self::Direct,
            0 => Self::Whole,
            1..=FEW if is_loss => Self::Loss,
            1..=FEW if ["impossible result", "circular order"].contains(&kind) => Self::Few,
            1..=FEW => Self::Direct,
            _ => Self::Many,
        }
    }
}

/// Puts the clearest violation of all into the first place of the first check, and lets one stand for all those of its
/// kind that share an operation with it.
pub(super) fn order(checks: &mut [CheckResult], witnesses: &Witnesses<'_>) {
    let rank = |violation: &Violation| -> Rank {
        let count = violation.operations.len();
        (Proof::of(violation), witnesses.complete_ns(violation), count)
    };
    checks.iter_mut().for_each(|check| group(check, rank));
    let first = |check: &CheckResult| {
        let is_violation = check.verdict == Verdict::Violation;
        (!is_violation, check.violations.first().map(rank).filter(|_| is_violation))
    };
    checks.sort_by_key(first);
}

fn group(check: &mut CheckResult, rank: impl Fn(&Violation) -> Rank) {
    let mut found: Vec<(usize, Violation)> =
        std::mem::take(&mut check.violations).into_iter().enumerate().collect();
    found.sort_by_key(|(_, violation)| rank(violation));
    // Each with its place before, and how many it stands for besides itself.
    let mut kept: Vec<(usize, Violation, usize)> = Vec::new();
    for (place, violation) in found {
        let same = kept.iter_mut().find(|(_, first, _)| has_one_cause(first, &violation));
        match same {
            Some((_, _, more)) => *more += 1,
            None => kept.push((place, violation, 0)),
        }
    }
    let now = |before: usize| kept.iter().position(|(place, ..)| *place == before);
    check.pictures.retain_mut(|picture| {
        let now = now(picture.violation);
        picture.violation = now.unwrap_or_default();
        now.is_some()
    });
    check.violations = kept.into_iter().map(|(_, violation, more)| with(violation, more)).collect();
}

fn has_one_cause(first: &Violation, other: &Violation) -> bool {
    first.kind == other.kind && first.operations.iter().any(|op| other.operations.contains(op))
}

/// A check lists some violations of each kind, not all: so these are at least so many.
fn with(mut violation: Violation, more: usize) -> Violation {
    if more > 0 {
        let end = if is_ended(&violation.sentence) { "" } else { "." };
        violation.sentence.push_str(&format!(
            "{end} (At least {more} more like this share an operation with it.)"
        ));
    }
    violation
}

#[cfg(test)]
mod tests {
    use super::super::witnesses::tests::{get, put};
    use super::*;
    use history::{Operation, Picture};

    fn found(checker: &str, violations: &[(&str, &[u64])]) -> CheckResult {
        let violation = |&(kind, operations): &(&str, &[u64])| Violation {
            kind: kind.to_owned(),
            sentence: format!("{kind} {operations:?}"),
            operations: operations.to_vec(),
        };
        CheckResult::found(checker, "", violations.iter().map(violation).collect())
    }

    fn operations() -> Vec<Operation> {
        (0..20).map(|at| if at % 2 == 0 { put(at, "x", "1") } else { get(at, "x", "1") }).collect()
    }

    /// The kinds and operations of all violations, in the order of the cards.
    fn ordered(mut checks: Vec<CheckResult>) -> Vec<String> {
        let operations = operations();
        order(&mut checks, &Witnesses::new(3, &operations, &[]));
        let all = checks.iter().flat_map(|check| &check.violations);
        all.map(|violation| violation.sentence.clone()).collect()
    }

    #[test]
    fn the_earliest_of_the_plain_ones_comes_first_whichever_check_found_it() {
        let checks = vec![
            CheckResult::valid("evidence", "Enough."),
            found("isolation", &[("G2-item", &[0, 1, 2, 3, 4, 5]), ("G-single-item", &[8, 9])]),
            found("linearizability", &[("impossible result", &[0, 1]), ("stale read", &[4, 5])]),
            found("recovery", &[("no recovery", &[0])]),
        ];
        let kinds = [
            "stale read [4, 5]",
            "impossible result [0, 1]",
            "G-single-item [8, 9]",
            "G2-item [0, 1, 2, 3, 4, 5]",
            "no recovery [0]",
        ];
        assert_eq!(ordered(checks), kinds);
    }

    #[test]
    fn what_nodes_say_of_themselves_is_plain_too_but_wrong_answers_come_first() {
        let checks = vec![
            found("linearizability", &[("circular order", &[0, 1]), ("stale read", &[4, 5])]),
            found("log:one-value-a-slot", &[(TWO_VALUES, &[])]),
        ];
        let kinds = ["stale read [4, 5]", "circular order [0, 1]", "two values in one slot []"];
        assert_eq!(ordered(checks), kinds);
        let whole = found("recovery", &[("no recovery", &[0])]);
        let checks = vec![whole, found("log:one-value-a-slot", &[(TWO_VALUES, &[])])];
        assert_eq!(ordered(checks)[0], "two values in one slot []");
    }

    #[test]
    fn what_is_lost_comes_before_what_was_only_old() {
        let set = found("set-full", &[("stale read", &[0, 1]), ("lost element", &[2, 3, 9])]);
        assert_eq!(ordered(vec![set])[0], "lost element [2, 3, 9]");
    }

    /// Eight cards of one aborted read once came before the lost updates that were earlier.
    #[test]
    fn one_card_stands_for_all_that_have_its_kind_and_an_operation_in_common() {
        let aborted: Vec<Vec<u64>> = (10..18).map(|reader| vec![6, reader]).collect();
        let mut all: Vec<(&str, &[u64])> =
            aborted.iter().map(|operations| ("aborted read", &operations[..])).collect();
        all.extend([("lost update", &[0, 1][..]), ("lost update", &[2, 3]), ("other", &[6, 7])]);
        assert_eq!(
            ordered(vec![found("isolation", &all)]),
            [
                "lost update [0, 1]",
                "lost update [2, 3]",
                "other [6, 7]",
                "aborted read [6, 10]. (At least 7 more like this share an operation with it.)",
            ]
        );
    }

    #[test]
    fn a_picture_stays_with_its_violation() {
        let all: [(&str, &[u64]); 3] = [("a", &[8, 9]), ("a", &[9, 10]), ("b", &[0])];
        let mut check = found("isolation", &all);
        let picture = |violation: usize| Picture {
            violation,
            boxes: Vec::new(),
            arrows: Vec::new(),
            explanation: vec![violation.to_string()],
        };
        check.pictures = (0..3).map(picture).collect();
        let (mut checks, operations) = (vec![check], operations());
        order(&mut checks, &Witnesses::new(3, &operations, &[]));
        let pictures = &checks[0].pictures;
        let places: Vec<_> =
            pictures.iter().map(|p| (p.explanation[0].as_str(), p.violation)).collect();
        assert_eq!(places, [("0", 1), ("2", 0)]);
    }
}
