//! Compare-and-set over five values under many clients, with unknown results: where searches explode. One table:
//! `cargo run --release -p linearizability --example hard -- [SEEDS [THREADS]]`.
//!
//! Each row within 60 s and 4 GB. Valid by construction: `right`. `phantom`: a late read saw a value that nobody
//! wrote. `impossible cas`: a late compare-and-set found such a value. `stale`: a late read saw what another had
//! seen long before; with this many clients most such histories are still right, and so is the verdict. `flipped cas`:
//! twenty late compare-and-sets that were refused say that they were not; nobody knows what is right.

#[path = "../tests/common/synthetic.rs"]
#[allow(dead_code, reason = "other shapes are for the benchmarks")]
mod synthetic;

use std::time::Duration;

use linearizability::models::CasRegister;
use linearizability::{Limits, Report, check};
use synthetic::{Shape, Spoil};

const SPOILS: [(&str, Option<Spoil>); 5] = [
    ("right", None),
    ("stale", Some(Spoil::StaleRead)),
    ("phantom", Some(Spoil::PhantomRead)),
    ("impossible cas", Some(Spoil::ImpossibleCas)),
    ("flipped cas", Some(Spoil::FlippedCas)),
];

fn main() {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<u64>().ok());
    let seeds = arguments.next().flatten().unwrap_or(1);
    let threads = arguments.next().flatten().map(|threads| threads as usize);
    let limits =
        Limits { time: Duration::from_secs(60), memory_bytes: 4 << 30, threads, cancel: None };
    println!(
        "{:>10} {:>7} {:>4} {:<15} {:<12} {:>8} {:>8} {:>10}  path",
        "operations", "clients", "seed", "history", "verdict", "seconds", "MB", "nodes"
    );
    for (operations, clients) in [(1_000, 50), (10_000, 50), (1_000, 25), (10_000, 25)] {
        let shape = Shape { operations, clients, keys: 1, unknown_per_mille: 15 };
        for seed in 1..=seeds {
            for (name, spoil) in SPOILS {
                let mut calls = synthetic::cas(shape, seed);
                if let Some(spoil) = spoil {
                    spoil.apply(&mut calls);
                }
                let report = check(&CasRegister::default(), &calls, &limits);
                print!("{operations:>10} {clients:>7} {seed:>4} {name:<15} ");
                print_row(&report);
            }
        }
    }
}

fn print_row(report: &Report) {
    let Report { verdict, reason, witness, statistics } = report;
    let why = reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    let core = witness.as_ref().map(|w| format!(", {} operations named", w.operations.len()));
    println!(
        "{:<12} {:>8.2} {:>8} {:>10}  {}{}{why}",
        format!("{verdict:?}"),
        statistics.elapsed.as_secs_f64(),
        statistics.memory_bytes >> 20,
        statistics.nodes,
        if statistics.fast > 0 { "fast path" } else { "search" },
        core.unwrap_or_default(),
    );
}
