//! Few values under many clients, with unknown results: where searches explode. One table:
//! `cargo run --release -p linearizability --example hard -- [SEEDS [THREADS [SECONDS]]]`.
//!
//! Each row within 60 s or SECONDS and 4 GB, first on one thread, then on two or THREADS; `gain` is the time until the
//! verdict on one thread by that on more. All else is the same, or the example fails. `cas` are reads, writes and
//! compare-and-sets over five values, `register` reads and writes alone, and `kv` gets, puts, appends and compare-and-sets
//! over three.
//!
//! Valid by construction: `right`. Violations by construction: `phantom`, a late read saw a value that nobody wrote;
//! `impossible cas`, a late compare-and-set found such a value; and `lost write`, half-way, in a moment of quiet, a write
//! returned and what was before is read, more often than operations are left that may have put that back. The example
//! fails where one of these is called something else. All others hold only values that were written: `stale`,
//! a late read saw what another had seen long before; `flipped cas`, twenty late compare-and-sets in a row that were
//! refused say that they were not; `swapped reads`, reads that are far apart exchanged what they saw; `swapped cas` and
//! `refused cas`, answers of compare-and-sets were turned around. Most of these are still right with this many
//! clients, and nobody knows in advance which are: an order is replayed, and that there is none is what the last column
//! says found out.

use std::process::ExitCode;
use std::time::Duration;

use checker_testing::linearizability::load::{self, Load};
use checker_testing::linearizability::synthetic::{self, Shape, Spoil, swap_reads};
use history::Verdict;
use linearizability::models::CasRegister;
use linearizability::{CallOf, Limits, Model, Report, check};

const SPOILS: [(&str, Option<Spoil>); 9] = [
    ("right", None),
    ("stale", Some(Spoil::StaleRead)),
    ("phantom", Some(Spoil::PhantomRead)),
    ("impossible cas", Some(Spoil::ImpossibleCas)),
    ("flipped cas", Some(Spoil::FlippedCas)),
    ("5 swapped reads", Some(Spoil::SwappedReads(5))),
    ("40 swapped reads", Some(Spoil::SwappedReads(40))),
    ("40 swapped cas", Some(Spoil::Swapped(40))),
    ("10 refused cas", Some(Spoil::Refused(10))),
];

/// What a row's history must be, where that is known.
fn known(history: &str) -> Option<Verdict> {
    match history {
        "right" => Some(Verdict::Valid),
        "phantom" | "impossible cas" | "lost write" => Some(Verdict::Violation),
        _ => None,
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<u64>().ok());
    let seeds = arguments.next().flatten().unwrap_or(1);
    let threads = arguments.next().flatten().map_or(2, |threads| threads as usize);
    let time = Duration::from_secs(arguments.next().flatten().unwrap_or(60));
    println!(
        "{:<8} {:>10} {:>7} {:>4} {:<16} {:<12} {:>8} {:>5} {:>5} {:>10}  by",
        "model",
        "operations",
        "clients",
        "seed",
        "history",
        "verdict",
        "seconds",
        "gain",
        "MB",
        "nodes"
    );
    let mut table = Table { threads, time, all_well: true };
    for (operations, clients) in [(1_000, 50), (10_000, 50), (1_000, 25), (10_000, 25)] {
        let shape = Shape { operations, clients, keys: 1, unknown_per_mille: 15 };
        for seed in 1..=seeds {
            for (history, spoil) in SPOILS {
                let mut calls = synthetic::cas(shape, seed);
                if let Some(spoil) = spoil {
                    spoil.apply(&mut calls, seed);
                }
                table.row(&CasRegister::default(), "cas", shape, seed, history, &calls);
            }
            table.rows(&load::register(), "register", shape, seed);
            table.rows(&load::key(), "kv", shape, seed);
        }
    }
    if table.all_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Table {
    threads: usize,
    time: Duration,
    all_well: bool,
}

impl Table {
    /// A right history and what is made of it.
    fn rows<M: Model>(&mut self, load: &Load<M>, name: &str, shape: Shape, seed: u64) {
        let swapped = |times| {
            let mut calls = load.right(shape, seed);
            swap_reads(&mut calls, times, &load.read, seed);
            calls
        };
        for (history, calls) in [
            ("right", load.right(shape, seed)),
            ("5 swapped reads", swapped(5)),
            ("40 swapped reads", swapped(40)),
            ("lost write", load.losing_a_write(shape, seed)),
        ] {
            self.row(&load.model, name, shape, seed, history, &calls);
        }
    }

    fn row<M: Model>(
        &mut self,
        model: &M,
        name: &str,
        shape: Shape,
        seed: u64,
        history: &str,
        calls: &[CallOf<M>],
    ) {
        let [one, several] = [1, self.threads].map(|threads| {
            let threads = Some(threads);
            let limits = Limits { time: self.time, memory_bytes: 4 << 30, threads, cancel: None };
            check(model, calls, &limits)
        });
        // The clock may have ended one and not the other.
        let both = ![&one, &several].iter().any(|r| r.verdict == Verdict::Inconclusive);
        let found = |r: &Report| (r.verdict, r.witness.clone(), r.statistics.nodes);
        let is_wrong = |r: &Report| {
            known(history).is_some_and(|v| r.verdict != Verdict::Inconclusive && r.verdict != v)
        };
        let well = (!both || found(&one) == found(&several))
            && ![&one, &several].into_iter().any(is_wrong);
        self.all_well &= well;
        let Shape { operations, clients, .. } = shape;
        print!("{name:<8} {operations:>10} {clients:>7} {seed:>4} {history:<16} ");
        print_row(&one, &several, well);
    }
}

fn print_row(one: &Report, several: &Report, well: bool) {
    let Report { verdict, reason, witness, statistics } = one;
    let why = reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    let core = witness.as_ref().map(|w| format!(", {} operations named", w.operations.len()));
    let seconds = statistics.deciding.as_secs_f64();
    println!(
        "{:<12} {seconds:>8.2} {:>5.2} {:>5} {:>10}  {}{}{why}{}",
        format!("{verdict:?}"),
        seconds / several.statistics.deciding.as_secs_f64().max(1e-6),
        statistics.memory_bytes >> 20,
        statistics.nodes,
        statistics.attempt.unwrap_or("nothing"),
        core.unwrap_or_default(),
        if well { "" } else { ": WRONG" },
    );
}
