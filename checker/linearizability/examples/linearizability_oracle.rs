//! Millions of small random histories against the definition of linearizability:
//! `cargo run --release -p linearizability --example linearizability_oracle -- 5000000 [SEED]`.

use std::process::ExitCode;
use std::time::Instant;

use checker_testing::linearizability::compare::{self, Tally};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<u64>());
    let (Some(Ok(count)), seed) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: oracle HISTORIES [SEED]");
        return ExitCode::from(2);
    };
    let seed = seed.and_then(Result::ok).unwrap_or(1);
    let start = Instant::now();
    let mut sum = Tally::default();
    for (name, compare) in compare::ALL {
        let share = count.div_ceil(compare::ALL.len() as u64) as usize;
        let tally = compare(seed, share);
        println!("{name:<24} {tally}");
        sum += tally;
    }
    println!("{:<24} {sum}, {:.0} s", "all", start.elapsed().as_secs_f64());
    if sum.disagreements == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
