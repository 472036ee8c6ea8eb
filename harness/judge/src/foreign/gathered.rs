//! What is kept of a history while it is read: what its check needs.

use std::time::{Duration, Instant};

use history::{Batch, Datum, Operation};
use isolation::{Datatype, History, HistoryBuilder, Recorded as Transactions};
use linearizability::named::{Recording, Unfit};
use linearizability::{Limits, Named};

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

/// The operations as they are, in about the order in which they ended.
pub(super) fn operations(
    question: &Question,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Gathered<Vec<Operation<Datum>>>, ForeignError> {
    let (mut operations, mut bytes) = (Vec::new(), 0);
    let gathered = gathered(question, progress, Vec::new(), |batch, between| {
        let added = batch.drain(..).chain(between.into_iter().map(|(_, operation)| operation));
        operations.extend(added.inspect(|operation| bytes += operation.bytes() as u64));
        within(bytes, limits)
    })?;
    Ok(gathered.with(operations))
}

/// The calls on an object, made by the threads that read. What is wrong with them shows in the check.
pub(super) fn calls(
    object: Named,
    question: &Question,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Gathered<Result<Recording, Unfit>>, ForeignError> {
    let (empty, unfit) = match object.recording(question.initial.as_ref()) {
        Ok(empty) => (empty, None),
        // What is wrong with the file is told first.
        Err(unfit) => {
            (object.recording(None).map_err(|none| misfit(question, &none))?, Some(unfit))
        }
    };
    let (mut recording, gathered) = recorded(empty, question, limits, progress)?;
    if !recording.is_mixed() || gathered.is_full {
        return Ok(gathered.with(unfit.map_or(Ok(recording), Err)));
    }
    recording =
        object.recording(question.initial.as_ref()).map_err(|unfit| misfit(question, &unfit))?;
    recording.is_of_one_object();
    let (recording, gathered) = recorded(recording, question, limits, progress)?;
    Ok(gathered.with(unfit.map_or(Ok(recording), Err)))
}

fn recorded(
    empty: Recording,
    question: &Question,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<(Recording, Gathered<()>), ForeignError> {
    let fresh = empty.fresh();
    let mut recording = empty;
    let gathered = gathered(question, progress, fresh, |batch, between| {
        let mut others = recording.fresh();
        between.into_iter().for_each(|(_, operation)| others.add(operation));
        recording.append(batch);
        recording.append(&mut others);
        within(recording.bytes(), limits)
    })?;
    Ok((recording, gathered))
}

/// Transactions: what was read goes into the checker's own form at once.
pub(super) fn transactions(
    datatype: Datatype,
    question: &Question,
    limits: &Limits,
    progress: &dyn Progress,
) -> Result<Gathered<History>, ForeignError> {
    let mut adding = Adding { builder: HistoryBuilder::new(datatype), added: 0, limits };
    let gathered = gathered(question, progress, Transactions::new(datatype), |batch, between| {
        let mut between = between.into_iter().peekable();
        for (at, record) in batch.iter().enumerate() {
            while let Some((_, operation)) = between.next_if(|(before, _)| *before <= at) {
                adding.add(|builder| builder.add(&operation))?;
            }
            adding.add(|builder| builder.add_recorded(record))?;
        }
        between.try_for_each(|(_, operation)| adding.add(|builder| builder.add(&operation)))
    })?;
    // Of what is not to be checked nothing is kept.
    let builder = if gathered.is_full { HistoryBuilder::new(datatype) } else { adding.builder };
    Ok(gathered.with(builder.finish()))
}

struct Adding<'a> {
    builder: HistoryBuilder,
    added: u64,
    limits: &'a Limits,
}

impl Adding<'_> {
    fn add(
        &mut self,
        one: impl FnOnce(&mut HistoryBuilder) -> Result<(), isolation::Unfit>,
    ) -> Result<(), Stopped> {
        /// How often transactions are weighed.
        const WEIGHED: u64 = 4096;
        one(&mut self.builder).map_err(|unfit| {
            Stopped::Unfit(Unfit { event: Some(unfit.index), message: unfit.problem })
        })?;
        self.added += 1;
        let is_weighed = self.added.is_multiple_of(WEIGHED);
        within(if is_weighed { self.builder.bytes() as u64 } else { 0 }, self.limits)
    }
}

/// Why not all of a file was read.
enum Stopped {
    Unfit(Unfit),
    Full,
}

fn within(bytes: u64, limits: &Limits) -> Result<(), Stopped> {
    if bytes > limits.memory_bytes { Err(Stopped::Full) } else { Ok(()) }
}

/// Reads the file; `take` keeps what is needed of the operations.
fn gathered<B: Batch>(
    question: &Question,
    progress: &dyn Progress,
    batch: B,
    take: impl FnMut(&mut B, Vec<(usize, Operation<Datum>)>) -> Result<(), Stopped>,
) -> Result<Gathered<()>, ForeignError> {
    let start = Instant::now();
    let (recorded, stopped) = file::read(question, progress, batch, take)?;
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

impl<T> Gathered<T> {
    /// What was kept, and the rest.
    pub(super) fn split(self) -> (T, Gathered<()>) {
        let Self { kept, recorded, is_full, reading } = self;
        (kept, Gathered { kept: (), recorded, is_full, reading })
    }
}
