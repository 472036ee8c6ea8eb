//! The verdict on a history, in words.

use history::words::counted;
use history::{CheckResult, Verdict};
use invariants::Invariant;

use super::{CheckedHistory, Model, Question};

/// The verdict as one sentence.
#[must_use]
pub fn sentence(question: &Question, checked: &CheckedHistory) -> String {
    let name = question.source.name();
    let result = &checked.result;
    let model = match question.model {
        Model::Linearizable(object) => object.noun(),
        Model::Transactional(_) => {
            let sentence = checked.isolation.as_ref().map(|report| &report.sentence);
            return format!("{name}: {}", sentence.unwrap_or(&result.summary));
        }
        Model::Invariant(invariant) => return of_invariant(&name, invariant, result),
    };
    match (result.verdict, result.violations.first()) {
        (Verdict::Valid, _) => {
            let figure = |name: &str| result.statistics[name].as_u64().unwrap_or_default();
            let keys = match figure("keys") {
                1 => String::new(),
                keys => format!(" on {keys} independent keys"),
            };
            let operations = usize::try_from(figure("operations")).unwrap_or(usize::MAX);
            let operations = counted(operations, "operation");
            format!("{name} is linearizable as a {model}: {operations}{keys}.")
        }
        (Verdict::Inconclusive, _) => format!("{name} as a {model}: {}", result.summary),
        (Verdict::Violation, Some(violation)) => {
            format!("{name} is not linearizable as a {model}: {}", violation.sentence)
        }
        (Verdict::Violation, None) => format!("{name} is not linearizable as a {model}."),
    }
}

fn of_invariant(name: &str, invariant: Invariant, result: &CheckResult) -> String {
    match (result.verdict, result.violations.first()) {
        (Verdict::Valid, _) => format!("{name} {}. {}", invariant.promise(), result.summary),
        (Verdict::Violation, Some(first)) => {
            format!("{name} breaks `{}`: {}.", invariant.name(), first.sentence)
        }
        _ => format!("{name}, checked for `{}`: {}", invariant.name(), result.summary),
    }
}

/// What there is to say about transactions beside the sentence: each edge with its reason, and the levels.
#[must_use]
pub fn explanation(checked: &CheckedHistory) -> Vec<String> {
    let Some(report) = &checked.isolation else { return Vec::new() };
    let explained = report.clearest().map(isolation::Finding::explanation).unwrap_or_default();
    explained.into_iter().chain(report.models.in_words()).collect()
}
