//! Millions of small random histories against the definitions of the consistency models:
//!
//! ```text
//! cargo run --release -p isolation --example isolation_oracle -- models 5000000 [SEED]
//! cargo run --release -p isolation --example isolation_oracle -- registers 1000000 [SEED]
//! cargo run --release -p isolation --example isolation_oracle -- lists 20000 [SEED]
//! cargo run --release -p isolation --example isolation_oracle -- cycles 20000 [SEED]
//! ```
//!
//! `models` compares all models with Adya's graphs; `registers` and `lists` compare the verdicts at the levels that are an
//! order of events with all orders of up to eight transactions; `cycles` compares what is told of lists with all cycles.
//! Another seed gives other histories.

use std::ops::AddAssign;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use checker_testing::isolation::compare::{Tally, compare, plans, violated};
use checker_testing::isolation::cycles::{self, Cycles};
use checker_testing::isolation::orders::{self, Orders};
use checker_testing::isolation::stores::Plan;
use isolation::Datatype;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at).and_then(|number| number.parse::<u64>().ok());
    let (Some(what), Some(count)) = (arguments.first(), number(1)) else {
        eprintln!("usage: isolation_oracle models|registers|lists|cycles HISTORIES [SEED]");
        return ExitCode::from(2);
    };
    let first = number(2).unwrap_or(1) << 32;
    let start = Instant::now();
    let wrong = match what.as_str() {
        "models" => models(count, first),
        "registers" => of_orders(Datatype::Register, count, first),
        "lists" => of_orders(Datatype::ListAppend, count, first),
        "cycles" => of_cycles(count, first),
        other => {
            eprintln!("there is no comparison `{other}`: say models, registers, lists or cycles");
            return ExitCode::from(2);
        }
    };
    println!("{:.0} s", start.elapsed().as_secs_f64());
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn models(count: u64, first: u64) -> usize {
    let plans: Vec<_> = [4, 6, 8].into_iter().flat_map(plans).collect();
    let share = count.div_ceil(plans.len() as u64);
    let sum = each(&plans, |plan| {
        let tally = compare(plan, first..first + share, violated);
        println!("{plan}: {tally}");
        tally
    });
    println!("{}\n{sum}", Tally::models(&sum));
    sum.false_alarms + sum.missed
}

fn of_orders(datatype: Datatype, count: u64, first: u64) -> usize {
    let plans = plans_of(datatype);
    let share = count.div_ceil(plans.len() as u64);
    let sum: Orders =
        each(&plans, |plan| orders::compare(plan, first..first + share, &orders::verdict));
    let [ordered, not, undecided] = sum.counts();
    println!("{sum}{} wrong; {undecided} of {} undecided", sum.wrong(), ordered + not);
    sum.wrong()
}

fn of_cycles(count: u64, first: u64) -> usize {
    let plans = plans_of(Datatype::ListAppend);
    let share = count.div_ceil(plans.len() as u64);
    let sum: Cycles =
        each(&plans, |plan| cycles::compare(plan, first..first + share, cycles::told));
    println!("{sum}");
    sum.missing + sum.wrong
}

fn plans_of(datatype: Datatype) -> Vec<Plan> {
    [4, 6, 8].into_iter().flat_map(plans).filter(|plan| plan.datatype == datatype).collect()
}

/// The sum over all plans, with all processors.
fn each<T: AddAssign + Default + Send>(plans: &[Plan], compare: impl Fn(Plan) -> T + Sync) -> T {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut sum = T::default();
        while let Some(plan) = plans.get(next.fetch_add(1, Ordering::Relaxed)) {
            sum += compare(*plan);
        }
        sum
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut sum = T::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            sum += worker.join().expect("a comparison does not panic");
        }
    });
    sum
}
