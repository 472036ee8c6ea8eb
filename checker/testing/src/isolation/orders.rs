//! What the checker says of the levels that are an order of events, against all orders that there are.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

use history::Verdict;
use isolation::{Consistency, Datatype, Options, Transaction, check, notation};

use super::of_transactions;
use super::oracle::commit_orders;
use super::stores::{Plan, history};

/// The levels for which every order can be tried.
pub const LEVELS: [Consistency; 6] = [
    Consistency::Serializable,
    Consistency::StrictSerializable,
    Consistency::SnapshotIsolation,
    Consistency::StrongSessionSerializable,
    Consistency::StrongSnapshotIsolation,
    Consistency::StrongSessionSnapshotIsolation,
];

/// What a checker says of a history at a level; `None` where it says that the history tests nothing.
pub type Judge<'a> = &'a dyn Fn(Datatype, &[Transaction], Consistency) -> Option<Verdict>;

/// The checker as it is.
#[must_use]
pub fn verdict(
    datatype: Datatype,
    transactions: &[Transaction],
    consistency: Consistency,
) -> Option<Verdict> {
    let options = Options { consistency, ..Options::default() };
    let report = check(&of_transactions(datatype, transactions), &options);
    let is_untested = report.verdict == Verdict::Inconclusive
        && report.notes.iter().any(|note| note.ends_with("nothing was tested."));
    (!is_untested).then_some(report.verdict)
}

/// The verdicts on histories that have an order, or on those that have none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// How often it said VALID.
    pub valid: usize,
    /// How often it said VIOLATION.
    pub violation: usize,
    /// How often it said INCONCLUSIVE, though others' writes were read.
    pub inconclusive: usize,
    /// Histories that test nothing.
    pub untested: usize,
}

impl Verdicts {
    fn count(&mut self, verdict: Option<Verdict>) {
        *match verdict {
            Some(Verdict::Valid) => &mut self.valid,
            Some(Verdict::Violation) => &mut self.violation,
            Some(Verdict::Inconclusive) => &mut self.inconclusive,
            None => &mut self.untested,
        } += 1;
    }
}

impl AddAssign for Verdicts {
    fn add_assign(&mut self, other: Self) {
        self.valid += other.valid;
        self.violation += other.violation;
        self.inconclusive += other.inconclusive;
        self.untested += other.untested;
    }
}

/// By level: of histories that have an order, and of those that have none.
#[derive(Clone, Debug, Default)]
pub struct Orders(pub BTreeMap<Consistency, [Verdicts; 2]>);

impl Orders {
    /// Histories called valid without an order, or broken in spite of one.
    #[must_use]
    pub fn wrong(&self) -> usize {
        self.0.values().map(|[ordered, not]| ordered.violation + not.valid).sum()
    }

    /// Histories that have an order at a level, those that have none, and undecided ones among them.
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        let all = |verdicts: &Verdicts| verdicts.valid + verdicts.violation + verdicts.inconclusive;
        let sum = |of: &dyn Fn(&[Verdicts; 2]) -> usize| self.0.values().map(of).sum();
        [
            sum(&|[ordered, _]| all(ordered)),
            sum(&|[_, not]| all(not)),
            sum(&|[ordered, not]| ordered.inconclusive + not.inconclusive),
        ]
    }
}

impl AddAssign for Orders {
    fn add_assign(&mut self, other: Self) {
        for (level, [ordered, not]) in other.0 {
            let sum = self.0.entry(level).or_default();
            sum[0] += ordered;
            sum[1] += not;
        }
    }
}

impl fmt::Display for Orders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (level, [ordered, not]) in &self.0 {
            writeln!(
                f,
                "{:<35} with an order: {:>8} VALID, {} VIOLATION, {} INCONCLUSIVE; without: {:>8} VIOLATION, {} VALID, {} \
                 INCONCLUSIVE; {} test nothing",
                level.name(),
                ordered.valid,
                ordered.violation,
                ordered.inconclusive,
                not.violation,
                not.valid,
                not.inconclusive,
                ordered.untested + not.untested,
            )?;
        }
        Ok(())
    }
}

/// Compares the verdicts on so many histories by the plan with all orders of each; prints the first that is wrong, and
/// those that stay undecided.
pub fn compare(plan: Plan, seeds: impl Iterator<Item = u64>, judge: Judge<'_>) -> Orders {
    let mut sum = Orders::default();
    for seed in seeds {
        let history = history(plan, seed);
        let one = compare_one(plan.datatype, &history, judge);
        if one.wrong() > 0 && sum.wrong() == 0 || one.counts()[2] > 0 {
            println!("{plan} seed {seed}:\n{one}{}", notation::print(plan.datatype, &history));
        }
        sum += one;
    }
    sum
}

fn compare_one(datatype: Datatype, history: &[Transaction], judge: Judge<'_>) -> Orders {
    let mut orders = Orders::default();
    for level in LEVELS {
        let has_order = commit_orders::explain(datatype, history, level) == Some(true);
        let verdicts = orders.0.entry(level).or_default();
        verdicts[usize::from(!has_order)].count(judge(datatype, history, level));
    }
    orders
}
