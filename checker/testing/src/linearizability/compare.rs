//! Verdicts against the definition of linearizability.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::AddAssign;

use history::Verdict;
use linearizability::alone::{is_explained_breadth_first, is_refuted_by_a_window};
use linearizability::models::kv::Kv;
use linearizability::models::multi_register::MultiRegister;
use linearizability::{CallOf, Limits, Report, check, oracle};

use super::registers::{CasWorkload, IntFlavour};
use super::{Flavour, KvWorkload, Workload, history, rng};

/// How the two compare over many histories.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Histories that were judged valid.
    pub valid: usize,
    /// Histories that were judged violations.
    pub violations: usize,
    /// Of both, those decided without a search.
    pub fast: usize,
    /// Of the violations, those that a window of a few events proves.
    pub refuted: usize,
    /// Verdicts that are wrong, whoever gave them.
    pub disagreements: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.valid += other.valid;
        self.violations += other.violations;
        self.fast += other.fast;
        self.refuted += other.refuted;
        self.disagreements += other.disagreements;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { valid, violations, fast, refuted, disagreements } = self;
        write!(
            f,
            "{valid:>9} valid, {violations:>9} violations, {fast:>9} by the fast path, \
             {refuted:>8} by a window, {disagreements} disagreements"
        )
    }
}

impl Tally {
    /// A test that sees only one kind of history shows nothing.
    pub fn assert_agrees(&self) {
        let total = self.valid + self.violations;
        assert_eq!(self.disagreements, 0, "{self}");
        assert!(self.valid * 10 > total && self.violations * 10 > total, "one-sided: {self}");
    }
}

/// A comparison of so many histories from this seed.
pub type Comparison = fn(u64, usize) -> Tally;

/// Every kind of history that the oracle is asked about.
pub const ALL: &[(&str, Comparison)] = &[
    ("kv register", |seed, count| kv(Flavour::Register, seed, count)),
    ("kv few values", |seed, count| kv(Flavour::FewValues, seed, count)),
    ("kv append", |seed, count| kv(Flavour::Append, seed, count)),
    ("kv unique append", |seed, count| kv(Flavour::UniqueAppend, seed, count)),
    ("kv cas", |seed, count| kv(Flavour::Cas, seed, count)),
    ("kv unique cas", |seed, count| kv(Flavour::UniqueCas, seed, count)),
    ("kv puthash", |seed, count| kv(Flavour::PutHash, seed, count)),
    ("kv everything", |seed, count| kv(Flavour::Everything, seed, count)),
    ("register, unique", |seed, count| cas(IntFlavour::Register, seed, count)),
    ("cas-register, unique", |seed, count| cas(IntFlavour::Unique, seed, count)),
    ("cas-register, 3 values", |seed, count| cas(IntFlavour::Few, seed, count)),
    ("multi-register", multi),
];

/// Key-value histories.
pub fn kv(flavour: Flavour, seed: u64, count: usize) -> Tally {
    let judge = |calls: &[CallOf<Kv>]| check(&Kv, calls, &Limits::default());
    compare(&KvWorkload(flavour), seed, count, judge)
}

fn cas(flavour: IntFlavour, seed: u64, count: usize) -> Tally {
    let workload = CasWorkload::new(flavour);
    compare(&workload, seed, count, |calls| check(&workload.model, calls, &Limits::default()))
}

fn multi(seed: u64, count: usize) -> Tally {
    let model = MultiRegister::default();
    compare(&model, seed, count, |calls| check(&model, calls, &Limits::default()))
}

/// Checks `count` histories with `judge` and the oracle, and what a violation names.
pub fn compare<W: Workload>(
    workload: &W,
    seed: u64,
    count: usize,
    judge: impl Fn(&[CallOf<W>]) -> Report,
) -> Tally {
    let (mut rng, mut tally) = (rng(seed), Tally::default());
    for number in 0..count {
        let calls = history(workload, &mut rng, 9);
        let expected = oracle::is_linearizable(workload, &calls);
        let report = judge(&calls);
        if report.verdict == Verdict::Inconclusive || (report.verdict == Verdict::Valid) != expected
        {
            if tally.disagreements == 0 {
                println!("expected {expected}, got {report:?} for\n{}", shown(workload, &calls));
            }
            tally.disagreements += 1;
        }
        let refuted = is_refuted_by_a_window(workload, &calls, 2 + number % 7);
        if refuted && expected {
            println!("wrongly refuted:\n{}", shown(workload, &calls));
            tally.disagreements += 1;
        }
        if is_explained_breadth_first(workload, &calls) != expected {
            println!("breadth first, expected {expected}:\n{}", shown(workload, &calls));
            tally.disagreements += 1;
        }
        tally.refuted += usize::from(refuted);
        tally.fast += report.statistics.fast as usize;
        if report.verdict == Verdict::Violation {
            tally.violations += 1;
            assert_witness(&calls, &report);
        } else {
            tally.valid += 1;
        }
    }
    tally
}

/// It names operations of the history, in order of invocation, each once, and at most six on the fast path.
fn assert_witness<I, O>(calls: &[linearizability::Call<I, O>], report: &Report) {
    let witness = report.witness.as_ref().expect("a violation has a witness");
    let invoked = |id: &u64| calls.iter().find(|call| call.id == *id).map(|call| call.call);
    let times: Vec<u64> = witness.operations.iter().filter_map(invoked).collect();
    let different: BTreeSet<&u64> = witness.operations.iter().collect();
    assert!(
        !times.is_empty() && times.is_sorted() && times.len() == different.len(),
        "{witness:?}"
    );
    assert!(report.statistics.fast == 0 || times.len() <= 6, "{witness:?}");
}

fn shown<W: Workload>(workload: &W, calls: &[CallOf<W>]) -> String {
    let line = |c: &CallOf<W>| {
        let what = workload.describe(&c.input, c.output.as_ref());
        format!("{}: {what} {}–{:?}, failed {}\n", c.id, c.call, c.ret, c.failed)
    };
    calls.iter().map(line).collect()
}
