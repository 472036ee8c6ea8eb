//! Millions of small random histories against the definitions of the consistency models:
//! `cargo run --release -p isolation --example isolation_oracle -- 5000000 [SEED]`.

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use checker_testing::isolation::compare::{Tally, compare, plans, violated};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<u64>());
    let (Some(Ok(count)), seed) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: oracle HISTORIES [SEED]");
        return ExitCode::from(2);
    };
    let first = seed.and_then(Result::ok).unwrap_or(1) << 32;
    let start = Instant::now();
    let mut sum = Tally::default();
    let plans: Vec<_> = [4, 6, 8].into_iter().flat_map(plans).collect();
    let share = count.div_ceil(plans.len() as u64);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut sum = Tally::default();
        while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
            let tally = compare(*plan, first..first + share, violated);
            println!("{plan}: {tally}");
            sum += tally;
        }
        sum
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            sum += worker.join().expect("a comparison does not panic");
        }
    });
    println!("{}", sum.models());
    println!("{sum}, {:.0} s", start.elapsed().as_secs_f64());
    if sum.false_alarms + sum.missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
