//! A history in a file.

use std::io::Read;

use super::document::Endings;
use super::{ForeignError, Progress, Question, Source, document};
use history::{
    Batch, Batches, Broken, Datum, Event, EventKind, Events, Format, Located, Operation, PairError,
    Paired, Pairing, Portion, ReadError, Reading,
};
use record::Counts;

/// So much of a file is looked at to tell its format.
const START_BYTES: u64 = 16 << 10;

/// What a file holds beside the operations.
#[derive(Default)]
pub(super) struct Recorded {
    pub(super) events: u64,
    /// How many operations there are.
    pub(super) operations: u64,
    /// How they ended, by function.
    pub(super) endings: Endings,
    /// Whether it says when things happened.
    pub(super) has_times: bool,
    pub(super) notes: Vec<String>,
    /// The rule of a history that it breaks, and where.
    pub(super) broken: Option<String>,
}

/// The format that was asked for, or that the file most likely has.
///
/// # Errors
/// No such format, no such file, or a file that resembles none.
pub fn format_of(source: &Source, wanted: Option<&str>) -> Result<Format, ForeignError> {
    let names = || Format::ALL.map(Format::name).join(", ");
    if let Some(name) = wanted {
        return Format::by_name(name).ok_or_else(|| {
            ForeignError::Unfit(format!("there is no format `{name}`; there are: {}", names()))
        });
    }
    let mut start = Vec::new();
    source
        .open(|_| {})?
        .take(START_BYTES)
        .read_to_end(&mut start)
        .map_err(|error| unreadable(source, &error))?;
    Format::guess(&source.unpacked_name(), &start).ok_or_else(|| {
        ForeignError::Unfit(format!(
            "{source} resembles no format of a history; if it is one, name it with --format: {}",
            names()
        ))
    })
}

/// The events of the history, once more.
///
/// # Errors
/// The file cannot be read any more.
pub fn events(
    question: &Question,
) -> Result<impl Iterator<Item = Result<Event, ForeignError>>, ForeignError> {
    let source = question.source.clone();
    Ok(located(question)?.map(move |located| match located {
        Ok(located) => Ok(located.event.into()),
        Err(error) => Err(unreadable(&source, &error)),
    }))
}

fn located(
    question: &Question,
) -> Result<impl Iterator<Item = Result<Located, ReadError>>, ForeignError> {
    Ok(Events::new(question.source.open(|_| {})?, question.format))
}

fn unreadable(source: &Source, error: &dyn std::fmt::Display) -> ForeignError {
    ForeignError::Unfit(format!("{source}: {error}"))
}

/// Reads the history once; what is kept of the operations goes to `take` portion by portion, in the order in which they
/// ended, those that never end last. Where it is not taken, nothing more is read, and the reason is given back.
pub(super) fn read<B: Batch, E>(
    question: &Question,
    progress: &dyn Progress,
    batch: B,
    mut take: impl FnMut(&mut B, Vec<(usize, Operation<Datum>)>) -> Result<(), E>,
) -> Result<(Recorded, Option<E>), ForeignError> {
    progress.reading(question.source.bytes());
    let file = question.source.open(|bytes| progress.read(bytes))?;
    let mut last = batch.fresh();
    let mut batches = Batches::new(file, question.format, Reading::default(), Counted::new(batch));
    let mut recorded = Recorded::default();
    let mut taken = Ok(());
    while let Some(portion) = batches.next() {
        match portion {
            Ok(Portion { mut batch, between, events }) => {
                recorded.events += events;
                recorded.add(&batch);
                between.iter().for_each(|(_, operation)| recorded.count(operation));
                taken = take(&mut batch.kept, between);
                batches.recycle(batch);
            }
            Err(Broken::Unreadable(error)) => return Err(malformed(question, &error)),
            Err(Broken::Premise { line, error }) => {
                recorded.broken = Some(broken(question, line, &error));
            }
        }
        if taken.is_err() {
            break;
        }
    }
    recorded.notes = batches.notes();
    let open = batches.finish();
    open.iter().for_each(|operation| recorded.count(operation));
    taken = taken.and_then(|()| take(&mut last, open.into_iter().map(|open| (0, open)).collect()));
    let succeeded = recorded.endings.values().any(|counts| counts.ok > 0);
    if recorded.operations > 0 && !succeeded {
        recorded.notes.push("No operation in it succeeded.".to_owned());
    }
    Ok((recorded, taken.err()))
}

/// A batch, and how its operations ended. No model asks for the node; who explains a violation reads the file again.
struct Counted<B> {
    kept: B,
    operations: u64,
    has_times: bool,
    /// By function, in the order in which they were met.
    endings: Vec<(String, Counts)>,
}

impl<B: Batch> Counted<B> {
    fn new(kept: B) -> Self {
        Self { kept, operations: 0, has_times: false, endings: Vec::new() }
    }
}

impl<B: Batch> Batch for Counted<B> {
    fn fresh(&self) -> Self {
        Self::new(self.kept.fresh())
    }

    fn add(&mut self, operation: Operation<Datum>) {
        self.operations += 1;
        self.has_times |= operation.call_ns > 0;
        let has_room = self.endings.len() < document::FUNCTIONS_MAX;
        let known = self.endings.iter_mut().find(|(f, _)| *f == operation.f.as_str());
        match known {
            Some((_, counts)) => counts.add(&operation.completion),
            None if has_room => {
                let mut counts = Counts::default();
                counts.add(&operation.completion);
                self.endings.push((operation.f.to_string(), counts));
            }
            None => {}
        }
        self.kept.add(Operation { node: None, ..operation });
    }

    fn clear(&mut self) {
        self.kept.clear();
        self.endings.clear();
        (self.operations, self.has_times) = (0, false);
    }
}

impl Recorded {
    fn count(&mut self, operation: &Operation<Datum>) {
        let mut counts = Counts::default();
        counts.add(&operation.completion);
        document::count(&mut self.endings, &operation.f, counts);
        self.operations += 1;
        self.has_times |= operation.call_ns > 0;
    }

    fn add<B>(&mut self, batch: &Counted<B>) {
        for (f, counts) in &batch.endings {
            document::count(&mut self.endings, f, *counts);
        }
        self.operations += batch.operations;
        self.has_times |= batch.has_times;
    }
}

fn malformed(question: &Question, error: &ReadError) -> ForeignError {
    let (source, format) = (&question.source, question.format);
    let problem = format!("{source}, read as {}: {error}", format.name());
    match error {
        ReadError::Io { .. } => ForeignError::Io(problem),
        ReadError::Syntax { .. } | ReadError::TooLong { .. } => {
            let likely = format_of(source, None).ok().filter(|&likely| likely != format);
            let hint = |likely: Format| format!("; it looks like {}", likely.name());
            ForeignError::Unfit(problem + &likely.map(hint).unwrap_or_default())
        }
    }
}

fn broken(question: &Question, line: u64, error: &PairError) -> String {
    let place = |event| match line_of(question, event) {
        Some(line) => format!("line {line}"),
        None => format!("event {event}"),
    };
    format!("line {line}: {}", error.told(place))
}

/// The line of this event.
pub(super) fn line_of(question: &Question, event: u64) -> Option<u64> {
    let mut events = located(question).ok()?.map_while(Result::ok);
    events.find(|located| located.event.index == event).map(|located| located.line)
}

/// The operations that these events begin, in that order, each with its line. They were not kept: the file is read once
/// more, as far as needed.
pub(super) fn operations(question: &Question, calls: &[u64]) -> Vec<(Operation, u64)> {
    let Ok(events) = located(question) else { return Vec::new() };
    let mut pairing = Pairing::default();
    let mut lines: Vec<(u64, u64)> = Vec::new();
    let mut found: Vec<Operation<Datum>> = Vec::new();
    for Located { line, event } in events.map_while(Result::ok) {
        if event.kind == EventKind::Invoke && calls.contains(&event.index) {
            lines.push((event.index, line));
        }
        match pairing.add(event) {
            Ok(Paired::Ends(operation)) if calls.contains(&operation.call) => found.push(operation),
            Ok(_) => {}
            Err(_) => break,
        }
        if found.len() == calls.len() {
            break;
        }
    }
    found.extend(pairing.finish());
    let one = |call: &u64| {
        let operation = found.iter().find(|operation| operation.call == *call)?;
        let (_, line) = lines.iter().find(|(of, _)| of == call)?;
        Some((operation.clone().map(Into::into), *line))
    };
    calls.iter().filter_map(one).collect()
}
