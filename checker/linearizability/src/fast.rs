//! Registers whose values are all different, decided without a search.
//!
//! A *cluster* is a write with the reads of its value: nothing else can stand between them. An operation that
//! replaces a value it saw ties its cluster to that value's, so that clusters form *chains* whose order is known.
//! A chain is a block: all of it must come before any other block, or after it. For each block two moments
//! matter: its first return and its last call. Block A must precede B where A's first return is before B's last call,
//! and no order exists exactly where two blocks must precede each other. With single clusters these are the zones of
//! Gibbons & Korach ("Testing shared memories", SIAM J. Comput. 1997, section 4.3).
//!
//! A verdict comes from here only with its proof: an order, which the caller replays through the model, or a few
//! operations for which every order has been tried.

mod blocks;
mod clusters;
mod core;
mod numbers;
mod order;
mod sentence;
mod step;
mod steps;
mod times;

pub(crate) use sentence::describe;

use crate::parallel::{Threads, both};
use crate::{CallOf, Model};
use blocks::Blocks;
use clusters::{Clusters, NONE};
use step::Step;
use times::Times;

/// What the fast path says.
pub(crate) enum Decision {
    /// A legal order of the calls, by position.
    Order(Vec<u32>),
    /// No order exists.
    Violation(Violation),
    /// Not a history for this path.
    Undecided,
    /// This crate contradicts itself.
    Unsound(String),
}

/// Why no order exists, and the history it is about.
pub(crate) struct Violation {
    finding: Finding,
    steps: Vec<Step>,
    /// What proves it: the operations that the finding names, and whom they depend on.
    witness: Vec<u32>,
}

/// Why no order exists. Operations are positions in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finding {
    /// Somebody saw a value that nobody wrote.
    Phantom { reader: u32 },
    /// Somebody saw a value whose only writer failed.
    Aborted { reader: u32, writer: u32 },
    /// Somebody had seen a value, or one that builds on it, before its writer began.
    Future { reader: u32, writer: u32 },
    /// Two operations replaced the same value.
    LostUpdate { first: u32, second: u32 },
    /// Operations that each build on the value of the one before, in a circle.
    Circle { one: u32 },
    /// `late` saw a value that others had built on when it began, as `early` shows; `lost`: nobody saw `early`'s
    /// again.
    Behind { early: u32, late: u32, lost: bool },
    /// An append that had finished stands behind one that began later.
    Overtaken { early: u32, late: u32 },
    /// `stale` saw a value that was gone: `before` saw it (or one of its chain) and finished before `writer` began,
    /// and `after` finished with the newer value before `stale` began. `lost`: nobody ever saw the newer value, and
    /// `stale` built on the older one.
    Stale { before: u32, writer: u32, after: u32, stale: u32, lost: bool },
    /// One value, then another, then the first again: `first` finished before `second` began, which shows another
    /// value, and `third`, with that value, before `fourth` began, with the first.
    FlipFlop { first: u32, second: u32, third: u32, fourth: u32 },
}

impl Finding {
    /// The operations that it names, without the initial value.
    fn operations(self) -> Vec<u32> {
        let mut operations = match self {
            Self::Phantom { reader } => vec![reader],
            Self::Aborted { reader, writer } | Self::Future { reader, writer } => {
                vec![reader, writer]
            }
            Self::LostUpdate { first, second } => vec![first, second],
            Self::Circle { one } => vec![one],
            Self::Behind { early, late, .. } | Self::Overtaken { early, late } => vec![early, late],
            Self::Stale { before, writer, after, stale, .. } => vec![before, writer, after, stale],
            Self::FlipFlop { first, second, third, fourth } => vec![first, second, third, fourth],
        };
        operations.retain(|&op| op != NONE);
        operations
    }
}

/// A history for the fast path.
struct Register<'a> {
    /// What each call does.
    steps: &'a [Step],
    /// When; nothing compares times but this path's integers.
    times: Times,
    /// Calls that did not happen.
    failed: Vec<bool>,
}

/// From so many calls on, a second thread is worth its start.
const LONG: usize = 20_000;

/// Decides the history, where its values are different.
pub(crate) fn decide<M: Model>(model: &M, calls: &[CallOf<M>], threads: &Threads) -> Decision {
    // Where the steps tell nothing, nobody needs the times.
    let (steps, times) = if calls.len() < LONG {
        let steps = steps::of(model, calls);
        let times = steps.is_some().then(|| Times::of(calls)).flatten();
        (steps, times)
    } else {
        both(threads, || steps::of(model, calls), || Times::of(calls))
    };
    let (Some(steps), Some(times)) = (steps, times) else { return Decision::Undecided };
    let failed = calls.iter().map(|call| call.failed).collect();
    let register = Register { steps: &steps, times, failed };
    match place(&register) {
        Ok(Some(order)) => Decision::Order(order),
        Ok(None) => Decision::Undecided,
        Err(finding) => match core::verify(model, calls, &register, finding) {
            Ok(witness) => Decision::Violation(Violation { finding, steps, witness }),
            Err(reason) => Decision::Unsound(reason),
        },
    }
}

/// An order, or why there is none; `None` where this path cannot tell.
fn place(register: &Register<'_>) -> Result<Option<Vec<u32>>, Finding> {
    let Some(clusters) = Clusters::of(register)? else { return Ok(None) };
    let blocks = Blocks::of(register, &clusters)?;
    blocks.find_conflict(register, &clusters)?;
    Ok(order::of(register, &clusters, blocks))
}
