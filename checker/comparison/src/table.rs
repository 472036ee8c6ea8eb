//! The table: verdicts, seconds, and how many times ours the others take.

use history::Verdict;

use crate::cell::{Limits, Outcome};

const NAME: usize = 43;
const EXPECTED: usize = 17;
const CELL: usize = 20;

/// The line above all others.
pub fn head(checkers: &[String]) -> String {
    line("history", "verdict", checkers.iter().cloned())
}

/// A row; the first outcome is ours, and so is the verdict that stands at its head.
pub fn row(name: &str, expected: &[Vec<Verdict>], outcomes: &[Outcome], limits: &Limits) -> String {
    let ours_s = outcomes.first().and_then(|ours| match ours {
        Outcome::Decided { cpu_s, .. } => Some(*cpu_s),
        _ => None,
    });
    let cells = outcomes.iter().zip(expected).enumerate();
    let cells =
        cells.map(|(i, (outcome, right))| cell(outcome, right, ours_s.filter(|_| i > 0), limits));
    line(name, &verdicts(&expected[0]), cells)
}

fn line(name: &str, expected: &str, cells: impl IntoIterator<Item = String>) -> String {
    let mut line = format!("{name:<NAME$}  {expected:<EXPECTED$}");
    for cell in cells {
        line += &format!("  {cell:>CELL$}");
    }
    line
}

fn cell(outcome: &Outcome, expected: &[Verdict], ours_s: Option<f64>, limits: &Limits) -> String {
    let limit_s = limits.time.as_secs_f64();
    let times = |s: f64, rounded: fn(f64) -> f64| {
        ours_s.map_or(String::new(), |ours_s| format!("{}×", significant(s / ours_s, rounded)))
    };
    match outcome {
        Outcome::Decided { verdicts: got, .. } if is_wrong(got, expected) => {
            format!("WRONG: {}", verdicts(got))
        }
        Outcome::Decided { verdicts: got, .. } if got.contains(&Verdict::Inconclusive) => {
            "undecided".to_owned()
        }
        Outcome::Decided { cpu_s, .. } => {
            format!("{} {:>8}", seconds(*cpu_s), times(*cpu_s, f64::round))
        }
        Outcome::OutOfTime => {
            let times = times(limit_s, f64::floor);
            let more = if times.is_empty() { "" } else { ">" };
            format!(">{limit_s} s {:>8}", format!("{more}{times}"))
        }
        Outcome::OutOfMemory => format!(">{} GB {:>8}", limits.memory_bytes as f64 / 1e9, ""),
        Outcome::Broke(_) => "broke, see below".to_owned(),
    }
}

/// Is a verdict other than what is known of the history? Undecided is not.
pub fn is_wrong(got: &[Verdict], expected: &[Verdict]) -> bool {
    let differ =
        |(got, expected): (&Verdict, &Verdict)| *got != Verdict::Inconclusive && got != expected;
    got.len() != expected.len() || got.iter().zip(expected).any(differ)
}

/// One verdict by name, of more how many are valid.
fn verdicts(verdicts: &[Verdict]) -> String {
    match verdicts {
        [Verdict::Valid] => "valid".to_owned(),
        [Verdict::Violation] => "violation".to_owned(),
        [Verdict::Inconclusive] => "undecided".to_owned(),
        many => {
            let valid = many.iter().filter(|verdict| **verdict == Verdict::Valid).count();
            format!("{valid} of {} valid", many.len())
        }
    }
}

fn seconds(s: f64) -> String {
    let (number, unit) = match s {
        s if s < 1e-3 => (s * 1e6, "µs"),
        s if s < 1.0 => (s * 1e3, "ms"),
        s => (s, "s"),
    };
    format!("{} {unit}", significant(number, f64::round))
}

/// Two digits say all that a busy machine knows.
fn significant(number: f64, rounded: fn(f64) -> f64) -> String {
    let unit = 10_f64.powf(number.log10().floor() - 1.0);
    let digits = usize::from(number < 10.0);
    format!("{:.digits$}", rounded(number / unit) * unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Inconclusive, Valid, Violation};

    fn decided(verdict: Verdict, cpu_s: f64) -> Outcome {
        Outcome::Decided { verdicts: vec![verdict], cpu_s }
    }

    #[test]
    fn a_row_says_who_is_wrong_and_who_is_slow() {
        let outcomes = [
            decided(Valid, 0.002),
            decided(Valid, 0.9),
            decided(Violation, 0.1),
            decided(Inconclusive, 1.0),
            Outcome::OutOfTime,
            Outcome::OutOfMemory,
        ];
        let limits =
            Limits { time: std::time::Duration::from_secs(10), memory_bytes: 8_000_000_000 };
        let row = row("name", &vec![vec![Valid]; 6], &outcomes, &limits);
        let words: Vec<&str> = row.split_whitespace().collect();
        let expected =
            "name valid 2.0 ms 900 ms 450× WRONG: violation undecided >10 s >5000× >8 GB";
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn only_another_verdict_is_wrong() {
        assert!(!is_wrong(&[Valid, Violation], &[Valid, Violation]));
        assert!(!is_wrong(&[Valid, Inconclusive], &[Valid, Violation]));
        assert!(is_wrong(&[Violation, Valid], &[Valid, Violation]));
        assert!(is_wrong(&[Valid], &[Valid, Valid]));
    }
}
