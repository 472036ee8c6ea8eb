//! What is kept of a history while it is read: what its check needs.

use std::time::{Duration, Instant};

use history::{Datum, Event, Operation, Payload};
use isolation::{Datatype, History, HistoryBuilder, Steps};
use linearizability::Limits;
use linearizability::named::Unfit;

use super::file::{self, Recorded};
use super::{ForeignError, Progress, Question, misfit};

/// A history that was read.
pub(super) struct Gathered<T> {
    pub(super) kept: T,
    pub(super) recorded: Recorded,
    /// It takes more memory than allowed, so that not all of it was read.
    pub(super) is_full: bool,
    pub(super) reading: Duration,
}

/// The operations as they are, in the order in which they ended.
pub(super) fn operations(
    question: &Question,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Gathered<Vec<Operation<Datum>>>, ForeignError> {
    let (mut operations, mut bytes) = (Vec::new(), 0);
    let gathered = gathered(question, progress, without_node, |operation| {
        bytes += operation.bytes() as u64;
        operations.push(operation);
        within(bytes, limits)
    })?;
    Ok(gathered.with(operations))
}

/// Transactions: what was read goes into the checker's own form at once.
pub(super) fn transactions(
    datatype: Datatype,
    question: &Question,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Gathered<History>, ForeignError> {
    /// How often transactions are weighed.
    const WEIGHED: u64 = 4096;
    let (mut builder, mut added) = (HistoryBuilder::new(datatype), 0_u64);
    let pack = |event| without_node(event).map(Steps::from);
    let gathered = gathered(question, progress, pack, |operation| {
        builder.add_packed(operation).map_err(|unfit| {
            Stopped::Unfit(Unfit { event: Some(unfit.index), message: unfit.problem })
        })?;
        added += 1;
        let bytes = if added.is_multiple_of(WEIGHED) { builder.bytes() as u64 } else { 0 };
        within(bytes, limits)
    })?;
    // Of what is not to be checked nothing is kept.
    let builder = if gathered.is_full { HistoryBuilder::new(datatype) } else { builder };
    Ok(gathered.with(builder.finish()))
}

/// Why not all of a file was read.
enum Stopped {
    Unfit(Unfit),
    Full,
}

fn within(bytes: u64, limits: &Limits) -> Result<(), Stopped> {
    if bytes > limits.memory_bytes { Err(Stopped::Full) } else { Ok(()) }
}

/// Reads the file; `take` keeps what is needed of each operation.
fn gathered<V: Payload + Send + 'static>(
    question: &Question,
    progress: &dyn Progress,
    pack: fn(Event<Datum>) -> Event<V>,
    take: impl FnMut(Operation<V>) -> Result<(), Stopped>,
) -> Result<Gathered<()>, ForeignError> {
    let start = Instant::now();
    let (recorded, stopped) = file::read(question, progress, pack, take)?;
    let is_full = match stopped {
        Some(Stopped::Unfit(unfit)) => return Err(misfit(question, &unfit)),
        Some(Stopped::Full) => true,
        None => false,
    };
    Ok(Gathered { kept: (), recorded, is_full, reading: start.elapsed() })
}

impl Gathered<()> {
    fn with<T>(self, kept: T) -> Gathered<T> {
        let Self { recorded, is_full, reading, .. } = self;
        Gathered { kept, recorded, is_full, reading }
    }
}

/// No model asks for the node; who explains a violation reads the file again.
fn without_node(event: Event<Datum>) -> Event<Datum> {
    Event { node: None, ..event }
}
