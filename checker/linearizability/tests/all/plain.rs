//! The search against a plain one, on histories of 15 to 60 operations: more than trying every order allows.
//!
//! `PLAIN_HISTORIES=100000 cargo test --release -p linearizability --test all plain -- --nocapture` runs as many of each kind
//! as one likes.

use std::fmt;
use std::ops::AddAssign;

use checker_testing::linearizability::containers::{
    Anybody, SetFlavour, Under, Unmonitored, Values, shown,
};
use checker_testing::linearizability::middle::Size;
use checker_testing::linearizability::registers::{CasWorkload, IntFlavour};
use checker_testing::linearizability::{
    self as common, Flavour, KvWorkload, Workload, middle, plain, rng,
};
use history::Verdict;
use linearizability::alone::{is_explained_breadth_first, is_refuted_by_a_window};
use linearizability::models::{Counter, Kv, MultiRegister, OwnedLock, Queue, Register, Set, Stack};
use linearizability::{CallOf, Limits, Model, Report, Witness, check, oracle};

/// Past so many configurations the plain search does not know.
const CONFIGURATIONS_MAX: usize = 50_000;

/// How the two compare over many histories.
#[derive(Default)]
struct Tally {
    valid: usize,
    violations: usize,
    /// The plain search did not find out.
    unknown: usize,
    /// Decided without a search, too.
    fast: usize,
    /// Of the violations, those that a window of events proves.
    refuted: usize,
    /// And those whose witness alone is one.
    alone: usize,
    disagreements: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.valid += other.valid;
        self.violations += other.violations;
        self.unknown += other.unknown;
        self.fast += other.fast;
        self.refuted += other.refuted;
        self.alone += other.alone;
        self.disagreements += other.disagreements;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { valid, violations, unknown, fast, refuted, alone, disagreements } = self;
        write!(
            f,
            "{valid:>7} valid, {violations:>7} violations, {unknown:>5} unknown, {fast:>6} by the fast path, \
             {refuted:>6} by a window, {alone:>6} witnesses alone, {disagreements} disagreements"
        )
    }
}

impl Tally {
    /// And that both verdicts occur, and nearly all of it is known.
    fn assert_agrees(&self) {
        let total = self.valid + self.violations + self.unknown;
        assert_eq!(self.disagreements, 0, "{self}");
        assert!(self.valid * 10 > total && self.violations * 10 > total, "one-sided: {self}");
        assert!(self.unknown * 20 <= total, "too much is unknown: {self}");
    }

    fn assert_decided_in_every_way(&self) {
        let total = self.valid + self.violations;
        assert!(self.fast * 20 > total, "hardly anything without a search: {self}");
        assert!(self.refuted * 5 > self.violations, "hardly anything by a window: {self}");
        assert!(self.alone * 3 > self.violations, "hardly any witness alone: {self}");
    }
}

/// What was found of one history.
struct Found {
    valid: bool,
    fast: bool,
    refuted: bool,
    alone: bool,
}

/// Decides in every way that there is; an error is the first that disagrees with the plain search. `None`: that does not
/// know.
fn decide<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    events: usize,
) -> Option<Result<Found, String>> {
    let valid = plain::is_linearizable(model, calls, CONFIGURATIONS_MAX)?;
    Some(agree(model, calls, events, valid))
}

fn agree<M: Model>(
    model: &M,
    calls: &[CallOf<M>],
    events: usize,
    valid: bool,
) -> Result<Found, String> {
    let agrees = |name: &str, report: &Report| {
        let verdict = if valid { Verdict::Valid } else { Verdict::Violation };
        if report.verdict == verdict { Ok(()) } else { Err(format!("{name}: {report:?}")) }
    };
    let report = check(model, calls, &Limits::default());
    agrees("check", &report)?;
    let fast = report.statistics.fast > 0;
    if fast {
        agrees("search", &check(&Unmonitored(model), calls, &Limits::default()))?;
    }
    if is_explained_breadth_first(model, calls) != valid {
        return Err(format!("breadth first: valid is {}", !valid));
    }
    let refuted = is_refuted_by_a_window(model, calls, events);
    if refuted && valid {
        return Err(format!("refuted by a window of {events} events"));
    }
    let witness = report.witness.as_ref().filter(|witness| stands_alone(witness));
    if let Some(witness) = witness {
        let named = |call: &&CallOf<M>| witness.operations.contains(&call.id);
        let named: Vec<CallOf<M>> = calls.iter().filter(named).cloned().collect();
        if plain::is_linearizable(model, &named, CONFIGURATIONS_MAX) != Some(false) {
            return Err(format!("not a violation alone: {witness:?}"));
        }
    }
    Ok(Found { valid, fast, refuted, alone: witness.is_some() })
}

/// Does the sentence name all that it takes? Longer lists may have been cut.
fn stands_alone(witness: &Witness) -> bool {
    const LISTED_MAX: usize = 11;
    let points_at_others =
        ["whatever the others did", " more before", "no order of the operations explains"];
    witness.operations.len() <= LISTED_MAX
        && !points_at_others.iter().any(|text| witness.sentence.contains(text))
}

/// Compares many histories of the workload under the model with all its hints.
fn compare<W, M>(workload: &W, model: &M, size: Size, seed: u64, count: usize) -> Tally
where
    W: Workload,
    M: Model<Input = W::Input, Output = W::Output, State = W::State>,
{
    let (mut rng, mut tally) = (rng(seed), Tally::default());
    for number in 0..count {
        let calls = middle::history(workload, size, &mut rng);
        let events = 4 + number % 29;
        match decide(model, &calls, events) {
            None => tally.unknown += 1,
            Some(Ok(found)) => {
                *(if found.valid { &mut tally.valid } else { &mut tally.violations }) += 1;
                tally.fast += usize::from(found.fast);
                tally.refuted += usize::from(found.refuted);
                tally.alone += usize::from(found.alone);
            }
            Some(Err(_)) => {
                if tally.disagreements == 0 {
                    tell_smallest(model, calls, events);
                }
                tally.disagreements += 1;
            }
        }
    }
    tally
}

/// Leaves out what it can of a history about which the two disagree.
fn tell_smallest<M: Model>(model: &M, mut calls: Vec<CallOf<M>>, events: usize) {
    let disagreement = |calls: &[CallOf<M>]| decide(model, calls, events)?.err();
    let mut at = 0;
    while at < calls.len() {
        let without: Vec<CallOf<M>> = [&calls[..at], &calls[at + 1..]].concat();
        if disagreement(&without).is_some() {
            (calls, at) = (without, 0);
        } else {
            at += 1;
        }
    }
    let how = disagreement(&calls).unwrap_or_default();
    println!("{how}\n{}", shown(model, &calls));
}

/// Of objects with a few states.
const LARGE: Size = Size { operations: 60, clients: 12 };

/// Of objects whose states tell what happened in which order: breadth first meets every order of what is open.
const SMALL: Size = Size { operations: 25, clients: 4 };

/// A comparison of so many histories from this seed.
type Comparison = fn(u64, usize) -> Tally;

const ALL: &[(&str, Comparison)] = &[
    ("cas register", |seed, count| cas(IntFlavour::Unique, seed, count)),
    ("cas register, 3 values", |seed, count| cas(IntFlavour::Few, seed, count)),
    ("register", |seed, count| {
        under(Register { initial: 0 }, Values::Distinct, LARGE, seed, count)
    }),
    ("kv put", |seed, count| kv(Flavour::Register, LARGE, seed, count)),
    ("kv cas", |seed, count| kv(Flavour::UniqueCas, LARGE, seed, count)),
    ("kv append", |seed, count| kv(Flavour::Append, SMALL, seed, count)),
    ("kv silent append", |seed, count| kv(Flavour::UniqueAppend, SMALL, seed, count)),
    ("kv puthash", |seed, count| kv(Flavour::PutHash, SMALL, seed, count)),
    ("kv everything", |seed, count| kv(Flavour::Everything, SMALL, seed, count)),
    ("counter", |seed, count| under(Counter { initial: 3 }, (), LARGE, seed, count)),
    ("set", |seed, count| under(Set::new(), SetFlavour::Everything, LARGE, seed, count)),
    ("growing set", |seed, count| under(Set::new(), SetFlavour::Growing, SMALL, seed, count)),
    ("queue", |seed, count| under(Queue::new(), Values::Distinct, SMALL, seed, count)),
    ("stack", |seed, count| under(Stack::new(), Values::Distinct, SMALL, seed, count)),
    ("mutex", |seed, count| under(OwnedLock::default(), Anybody, LARGE, seed, count)),
    ("owned lock", |seed, count| under(OwnedLock::default(), (), LARGE, seed, count)),
    ("multi-register", multi),
];

fn cas(flavour: IntFlavour, seed: u64, count: usize) -> Tally {
    let workload = CasWorkload::new(flavour);
    compare(&workload, &workload.model, LARGE, seed, count)
}

fn kv(flavour: Flavour, size: Size, seed: u64, count: usize) -> Tally {
    compare(&KvWorkload(flavour), &Kv, size, seed, count)
}

fn under<M: Model, W>(model: M, workload: W, size: Size, seed: u64, count: usize) -> Tally
where
    Under<M, W>: Workload<Input = M::Input, Output = M::Output, State = M::State>,
{
    let under = Under(model, workload);
    compare(&under, &under.0, size, seed, count)
}

fn multi(seed: u64, count: usize) -> Tally {
    let model = MultiRegister::default();
    compare(&model, &model, SMALL, seed, count)
}

fn histories() -> usize {
    let from_environment = std::env::var("PLAIN_HISTORIES").ok().and_then(|text| text.parse().ok());
    from_environment.unwrap_or(60)
}

#[test]
fn middle_sized_histories_agree_with_a_plain_search() {
    let mut sum = Tally::default();
    for (seed, (name, compare)) in (0..).zip(ALL) {
        let tally = compare(seed, histories());
        println!("{name:<24} {tally}");
        tally.assert_agrees();
        sum += tally;
    }
    println!("{:<24} {sum}", "all");
    sum.assert_decided_in_every_way();
}

/// The plain search is right about all that is small enough to try every order.
#[test]
fn the_plain_search_agrees_with_the_definition() {
    let mut verdicts = [0, 0];
    for flavour in common::FLAVOURS {
        let (workload, mut rng) = (KvWorkload(flavour), rng(17));
        for _ in 0..3_000 {
            let calls = common::history(&workload, &mut rng, 9);
            let legal = oracle::is_linearizable(&Kv, &calls);
            let plain = plain::is_linearizable(&Kv, &calls, usize::MAX);
            assert_eq!(plain, Some(legal), "{}", shown(&Kv, &calls));
            verdicts[usize::from(legal)] += 1;
        }
    }
    assert!(verdicts.iter().all(|&count| count > 2_000), "one-sided: {verdicts:?}");
}
