//! Compare-and-set over five values under many clients, with unknown results: where searches explode. One table:
//! `cargo run --release -p linearizability --example hard -- [SEEDS [THREADS]]`.
//!
//! Each row within 60 s and 4 GB, first on one thread, then on two or THREADS; `gain` is the time until the verdict on one
//! thread by that on more. All else is the same, or the example fails.
//!
//! Valid by construction: `right`. Violations by construction: `phantom`, a late read saw a value that nobody wrote, and
//! `impossible cas`, a late compare-and-set found such a value. All others hold only values that were written: `stale`,
//! a late read saw what another had seen long before; `flipped cas`, twenty late compare-and-sets in a row that were
//! refused say that they were not; `swapped reads`, reads that are far apart exchanged what they saw; `swapped cas` and
//! `refused cas`, answers of compare-and-sets were turned around. Most of these are still right with this many
//! clients, and nobody knows in advance which are: an order is replayed, and that there is none is what the last column
//! says found out.

#[path = "../tests/common/synthetic.rs"]
#[allow(dead_code, reason = "other shapes are for the benchmarks")]
mod synthetic;

use std::process::ExitCode;
use std::time::Duration;

use history::Verdict;
use linearizability::models::CasRegister;
use linearizability::{Limits, Report, check};
use synthetic::{Shape, Spoil};

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

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<u64>().ok());
    let seeds = arguments.next().flatten().unwrap_or(1);
    let threads = arguments.next().flatten().map_or(2, |threads| threads as usize);
    println!(
        "{:>10} {:>7} {:>4} {:<16} {:<12} {:>8} {:>5} {:>5} {:>10}  by",
        "operations", "clients", "seed", "history", "verdict", "seconds", "gain", "MB", "nodes"
    );
    let mut all_equal = true;
    for (operations, clients) in [(1_000, 50), (10_000, 50), (1_000, 25), (10_000, 25)] {
        let shape = Shape { operations, clients, keys: 1, unknown_per_mille: 15 };
        for seed in 1..=seeds {
            for (name, spoil) in SPOILS {
                let mut calls = synthetic::cas(shape, seed);
                if let Some(spoil) = spoil {
                    spoil.apply(&mut calls, seed);
                }
                let [one, several] = [1, threads].map(|threads| {
                    let threads = Some(threads);
                    let time = Duration::from_secs(60);
                    let limits = Limits { time, memory_bytes: 4 << 30, threads, cancel: None };
                    check(&CasRegister::default(), &calls, &limits)
                });
                // The clock may have ended one and not the other.
                let both = ![&one, &several].iter().any(|r| r.verdict == Verdict::Inconclusive);
                let known = |r: &Report| (r.verdict, r.witness.clone(), r.statistics.nodes);
                all_equal &= !both || known(&one) == known(&several);
                print!("{operations:>10} {clients:>7} {seed:>4} {name:<16} ");
                print_row(&one, &several);
            }
        }
    }
    if all_equal { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print_row(one: &Report, several: &Report) {
    let Report { verdict, reason, witness, statistics } = one;
    let why = reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    let core = witness.as_ref().map(|w| format!(", {} operations named", w.operations.len()));
    let seconds = statistics.deciding.as_secs_f64();
    println!(
        "{:<12} {seconds:>8.2} {:>5.2} {:>5} {:>10}  {}{}{why}",
        format!("{verdict:?}"),
        seconds / several.statistics.deciding.as_secs_f64().max(1e-6),
        statistics.memory_bytes >> 20,
        statistics.nodes,
        statistics.attempt.unwrap_or("nothing"),
        core.unwrap_or_default(),
    );
}
