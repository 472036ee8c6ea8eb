//! A history in a file.

use std::io::Read;

use super::document::Endings;
use super::{ForeignError, Progress, Question, Source, document};
use history::{
    Datum, Event, EventKind, Events, Format, Located, Operation, PairError, Paired, Pairing,
    Payload, ReadError, Reading,
};

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

/// Reads the history once; each operation goes to `take` when it has ended, those that never end come last. Where it is
/// not taken, nothing more is read, and the reason is given back. What the threads that read keep of an event is up
/// to `pack`.
pub(super) fn read<V: Payload + Send + 'static, E>(
    question: &Question,
    progress: &dyn Progress,
    pack: fn(Event<Datum>) -> Event<V>,
    mut take: impl FnMut(Operation<V>) -> Result<(), E>,
) -> Result<(Recorded, Option<E>), ForeignError> {
    progress.reading(question.source.bytes());
    let file = question.source.open(|bytes| progress.read(bytes))?;
    let mut events = Events::packed(file, question.format, Reading::default(), pack);
    let mut pairing = Pairing::default();
    let mut recorded = Recorded::default();
    let mut taken = Ok(());
    for located in events.by_ref() {
        let Located { line, event } = located.map_err(|error| malformed(question, &error))?;
        recorded.events += 1;
        match pairing.add(event) {
            Ok(Paired::Ends(operation)) => {
                recorded.count(&operation);
                taken = take(operation);
            }
            Ok(Paired::Begins | Paired::Beside) => {}
            Err(error) => {
                recorded.broken = Some(broken(question, line, &error));
                break;
            }
        }
        if taken.is_err() {
            break;
        }
    }
    recorded.notes = events.notes();
    for operation in pairing.finish() {
        recorded.count(&operation);
        taken = taken.and_then(|()| take(operation));
    }
    let succeeded = recorded.endings.values().any(|counts| counts.ok > 0);
    if recorded.operations > 0 && !succeeded {
        recorded.notes.push("No operation in it succeeded.".to_owned());
    }
    Ok((recorded, taken.err()))
}

impl Recorded {
    fn count<V>(&mut self, operation: &Operation<V>) {
        self.operations += 1;
        self.has_times |= operation.call_ns > 0;
        document::count(&mut self.endings, operation);
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
