//! One check in a process of its own, so that one that explodes takes nothing else along.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use history::Verdict;
use nix::time::ClockId;
use serde::{Deserialize, Serialize};

use crate::comparison::{Comparison, Row};

/// What one check may spend.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Time on a processor.
    pub time: Duration,
    /// Memory that its process holds.
    pub memory_bytes: u64,
}

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// The verdict on each history, and the median of its processor times in seconds.
    Decided { verdicts: Vec<Verdict>, cpu_s: f64 },
    /// One run needed more processor time than the limit.
    OutOfTime,
    /// It held more memory than the limit.
    OutOfMemory,
    /// The process died, or could not run.
    Broke(String),
}

/// How many times a check is repeated for its median.
const RUNS_MIN: usize = 3;
const RUNS_MAX: usize = 25;

/// Past this much processor time in all, no run is added to the fewest.
const RUNS_S: f64 = 1.0;

/// Some checkers recurse once an operation.
const STACK_BYTES: usize = 1 << 30;

/// How often the limits are looked at.
const WATCH: Duration = Duration::from_millis(10);

/// Runs, waiting included, may take this many time limits: on a busy machine a second on the processor takes longer.
const PATIENCE: u32 = 10;

/// Lets a child process fill this cell.
pub fn ask(row: usize, checker: usize, limits: &Limits) -> Outcome {
    let run = || -> io::Result<Output> {
        Command::new(std::env::current_exe()?)
            .args(["--limit", &limits.time.as_secs_f64().to_string()])
            .args(["--memory-limit", &limits.memory_bytes.to_string()])
            .args(["--cell", &row.to_string(), &checker.to_string()])
            .output()
    };
    let output = match run() {
        Ok(output) => output,
        Err(error) => return Outcome::Broke(error.to_string()),
    };
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        let last_words = String::from_utf8_lossy(&output.stderr);
        let last_words = last_words.trim().lines().last().unwrap_or_default();
        Outcome::Broke(match output.status.signal() {
            Some(signal) => format!("signal {signal} {last_words}"),
            None => format!("{} {last_words}", output.status),
        })
    })
}

/// The child's side: fills the cell and ends the process.
pub fn answer<C: Comparison>(
    comparison: &C,
    row: &Row<C::History>,
    checker: usize,
    limits: &Limits,
) -> ! {
    // Nothing is limited yet.
    let since_ns = AtomicU64::new(u64::MAX);
    thread::scope(|scope| {
        scope.spawn(|| watch(&since_ns, limits));
        let measuring = thread::Builder::new().stack_size(STACK_BYTES);
        let measure = || {
            let outcome = measure(comparison, row, checker, limits, &since_ns);
            say(&outcome.unwrap_or_else(Outcome::Broke))
        };
        if let Err(error) = measuring.spawn_scoped(scope, measure) {
            say(&Outcome::Broke(error.to_string()));
        }
    });
    unreachable!("whoever is first to say something ends the process")
}

fn measure<C: Comparison>(
    comparison: &C,
    row: &Row<C::History>,
    checker: usize,
    limits: &Limits,
    since_ns: &AtomicU64,
) -> Result<Outcome, String> {
    let history = (row.history)()?;
    let (mut times, mut total) = (Vec::new(), 0.0);
    let mut verdicts = Vec::new();
    while times.len() < RUNS_MIN || times.len() < RUNS_MAX && total < RUNS_S {
        // Being a history in the checker's form may take no longer than the check itself.
        since_ns.store(cpu_ns(), Ordering::Relaxed);
        let check = comparison.prepare(checker, &history, limits)?;
        let start = cpu_ns();
        since_ns.store(start, Ordering::Relaxed);
        verdicts = check();
        let cpu_s = (cpu_ns() - start) as f64 / 1e9;
        times.push(cpu_s);
        total += cpu_s;
    }
    times.sort_by(f64::total_cmp);
    Ok(Outcome::Decided { verdicts, cpu_s: times[times.len() / 2] })
}

/// Ends the process where it spends more than it may.
fn watch(since_ns: &AtomicU64, limits: &Limits) {
    let start = Instant::now();
    loop {
        thread::sleep(WATCH);
        let spent_ns = cpu_ns().saturating_sub(since_ns.load(Ordering::Relaxed));
        if Duration::from_nanos(spent_ns) > limits.time || start.elapsed() > PATIENCE * limits.time
        {
            say(&Outcome::OutOfTime);
        }
        if resident_bytes() > limits.memory_bytes {
            say(&Outcome::OutOfMemory);
        }
    }
}

/// The first to come here ends the process.
fn say(outcome: &Outcome) -> ! {
    static FIRST: Mutex<()> = Mutex::new(());
    let _never_released = FIRST.lock();
    println!("{}", serde_json::to_string(outcome).expect("an outcome is plain data"));
    std::process::exit(0)
}

/// The time that all threads of this process have been on a processor.
fn cpu_ns() -> u64 {
    let now = ClockId::CLOCK_PROCESS_CPUTIME_ID.now().map_or(Duration::ZERO, Duration::from);
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

/// The memory that this process holds; 0 where the system does not tell.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes: Option<u64> = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    kibibytes.unwrap_or(0) * 1024
}
