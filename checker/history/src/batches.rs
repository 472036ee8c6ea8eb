//! The operations of a file, paired by the threads that read it.
//!
//! Nearly always an operation ends in the block in which it begins. What comes of such operations is up to a [`Batch`]; who
//! takes the blocks, one after the other, pairs the rest and looks whether each block fits behind those before it. Where
//! one does not, or breaks a rule of histories itself, it is taken event by event, so that the complaint is that of
//! [`Pairing`].

use std::io::Read;

use rustc_hash::FxHashMap;

use crate::readers::Work;
use crate::source::Found;
use crate::text::{Part, Text};
use crate::{
    Datum, Event, EventKind, Format, HARNESS, Operation, PHASE, PairError, Paired, Pairing,
    Process, ReadError, Reading,
};

/// What is kept of some operations, one after the other.
pub trait Batch: Send + 'static {
    /// One that holds nothing yet, for the next operations.
    #[must_use]
    fn fresh(&self) -> Self;

    /// Adds an operation that has ended, or whose end nobody knows.
    fn add(&mut self, operation: Operation<Datum>);

    /// Forgets them, so that its room serves for others.
    fn clear(&mut self);
}

/// All of them.
impl Batch for Vec<Operation<Datum>> {
    fn fresh(&self) -> Self {
        Self::new()
    }

    fn add(&mut self, operation: Operation<Datum>) {
        self.push(operation);
    }

    fn clear(&mut self) {
        self.clear();
    }
}

/// The operations of a part of a file, in the order in which they ended.
pub struct Portion<B> {
    /// Those that this part alone tells of.
    pub batch: B,
    /// The others, each with how many of the batch ended before it.
    pub between: Vec<(usize, Operation<Datum>)>,
    /// How many events it took.
    pub events: u64,
}

/// Why the rest of a history is not read.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// It is no history of this format.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// It breaks a rule of histories.
    #[error("line {line}: {error}")]
    Premise {
        /// The line of the event, from 1.
        line: u64,
        /// The rule.
        error: PairError,
    },
}

/// The operations of a file, portion by portion. Nothing follows an error.
pub struct Batches<R, B: Batch> {
    text: Text<R, Pairs<B>>,
    work: Pairs<B>,
    pairing: Pairing<Datum>,
    /// How many events there were.
    count: u64,
    broken: Option<Broken>,
    is_over: bool,
}

impl<R: Read, B: Batch> Batches<R, B> {
    /// The operations that `reader` gives, in this format, as batches like this one.
    pub fn new(reader: R, format: Format, reading: Reading, batch: B) -> Self {
        Self {
            text: Text::new(reader, format, reading),
            work: Pairs { empty: batch, spare: Vec::new(), phase: String::new() },
            pairing: Pairing::default(),
            count: 0,
            broken: None,
            is_over: false,
        }
    }

    /// What a reader of the history should know: lines that were passed over, an end that is missing.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.text.notes()
    }

    /// A batch that is done with: its room serves for operations to come.
    pub fn recycle(&mut self, mut batch: B) {
        batch.clear();
        self.work.spare.push(batch);
    }

    /// The operations that are still open, in the order of their invocations.
    #[must_use]
    pub fn finish(self) -> Vec<Operation<Datum>> {
        self.pairing.finish()
    }

    fn portion(&mut self, part: Part<Made<B>>) -> Portion<B> {
        let (made, part) = part.split();
        let portion = match made {
            Made::Paired(block) if self.pairing.fits(&block) => {
                self.count += block.events;
                let events = block.events;
                let (batch, between) = self.pairing.pass(*block);
                Portion { batch, between, events }
            }
            Made::Paired(_) => self.one_by_one(&part, part.events()),
            Made::Unpaired(events) => self.one_by_one(&part, events),
        };
        self.text.recycle(part);
        portion
    }

    /// Pairs the events of this part up to the first that breaks a rule.
    fn one_by_one(&mut self, part: &Part<()>, events: Vec<Found>) -> Portion<B> {
        let batch = self.work.empty.fresh();
        let mut portion = Portion { batch, between: Vec::new(), events: 0 };
        let mut line = part.lines();
        for Found { start, has_index, mut event } in events {
            if !has_index {
                event.index = self.count;
            }
            self.count += 1;
            portion.events += 1;
            let line = line(start);
            match self.pairing.add(event) {
                Ok(Paired::Ends(operation)) => portion.batch.add(operation),
                Ok(Paired::Begins | Paired::Beside) => {}
                Err(error) => {
                    self.broken = Some(Broken::Premise { line, error });
                    break;
                }
            }
        }
        self.pairing.phase().clone_into(&mut self.work.phase);
        portion
    }
}

impl<R: Read, B: Batch> Iterator for Batches<R, B> {
    type Item = Result<Portion<B>, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(broken) = self.broken.take() {
            self.is_over = true;
            return Some(Err(broken));
        }
        if self.is_over {
            return None;
        }
        let part = self.text.next(&mut self.work)?;
        Some(part.map(|part| self.portion(part)).map_err(Broken::Unreadable))
    }
}

/// Pairs what begins and ends in one block.
struct Pairs<B> {
    empty: B,
    /// Others that are empty.
    spare: Vec<B>,
    /// In which operations begin.
    phase: String,
}

impl<B: Batch> Pairs<B> {
    /// An empty one.
    fn batch(&mut self) -> B {
        let fresh = self.empty.fresh();
        std::mem::replace(&mut self.empty, fresh)
    }
}

/// What comes of a block.
enum Made<B> {
    Paired(Box<Block<B>>),
    /// To be taken event by event.
    Unpaired(Vec<Found>),
}

impl<B: Batch> Work for Pairs<B> {
    type Made = Made<B>;

    fn hand_out(&mut self) -> Self {
        let empty = self.spare.pop().unwrap_or_else(|| self.empty.fresh());
        Self { empty, spare: Vec::new(), phase: self.phase.clone() }
    }

    fn make(&mut self, events: &mut Vec<Found>) -> Made<B> {
        match Links::of(events) {
            Some(links) => Made::Paired(Box::new(links.tie(events, self))),
            None => Made::Unpaired(std::mem::take(events)),
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.phase == other.phase
    }
}

/// The operations of a block, and what those before must be like.
pub(crate) struct Block<B> {
    batch: B,
    pub(crate) events: u64,
    /// The indices of its first and last event.
    pub(crate) indices: Option<(u64, u64)>,
    /// Completions of operations that began before it, each with its process and with how many of the batch end before.
    pub(crate) ends: Vec<(usize, u64, Event<Datum>)>,
    /// What each process does at its end, by process; true where it has to be idle when the block begins.
    pub(crate) processes: Vec<(u64, bool, Last)>,
}

/// The last that a process did in a block.
pub(crate) enum Last {
    Begins(Operation<Datum>),
    Ends,
    /// In doubt, with this event.
    Loses(u64),
}

impl<B> Block<B> {
    pub(crate) fn into_batch(self) -> B {
        self.batch
    }
}

/// Which events of a block belong together, by position.
struct Links {
    /// Completions in their order, each with its invocation if that is in the block.
    ends: Vec<(Option<u32>, u32)>,
    processes: FxHashMap<u64, InBlock>,
}

/// A process in a block.
struct InBlock {
    begins: bool,
    last: State,
}

enum State {
    Open(u32),
    Idle,
    Lost(u64),
}

impl Links {
    /// `None` where the events break a rule, say nothing of their order, or begin a phase.
    fn of(events: &[Found]) -> Option<Self> {
        let mut links =
            Self { ends: Vec::with_capacity(events.len() / 2), processes: FxHashMap::default() };
        let mut previous = None;
        for (at, Found { has_index, event, .. }) in (0..).zip(events) {
            if !has_index || previous.is_some_and(|previous| event.index <= previous) {
                return None;
            }
            previous = Some(event.index);
            match &event.process {
                Process::Client(process) => links.add(at, *process, event, events)?,
                Process::Named(name) if name == HARNESS && event.f == PHASE => return None,
                Process::Named(_) => {}
            }
        }
        Some(links)
    }

    fn add(&mut self, at: u32, process: u64, event: &Event<Datum>, events: &[Found]) -> Option<()> {
        let after = match event.kind {
            EventKind::Invoke => State::Open(at),
            EventKind::Ok | EventKind::Fail => State::Idle,
            EventKind::Info => State::Lost(event.index),
        };
        let begins = matches!(after, State::Open(_));
        let Some(known) = self.processes.get_mut(&process) else {
            if !begins {
                self.ends.push((None, at));
            }
            self.processes.insert(process, InBlock { begins, last: after });
            return Some(());
        };
        match known.last {
            State::Idle if begins => {}
            State::Open(from) if !begins && events[from as usize].event.f == event.f => {
                self.ends.push((Some(from), at));
            }
            State::Idle | State::Open(_) | State::Lost(_) => return None,
        }
        known.last = after;
        Some(())
    }

    /// Makes operations of them.
    fn tie<B: Batch>(self, events: &mut [Found], work: &mut Pairs<B>) -> Block<B> {
        let index = |found: &Found| found.event.index;
        let mut block = Block {
            batch: work.batch(),
            events: events.len() as u64,
            indices: events.first().map(index).zip(events.last().map(index)),
            ends: Vec::new(),
            processes: Vec::with_capacity(self.processes.len()),
        };
        let begun =
            |found: &mut Found, process| crate::pair::begin(&mut found.event, process, &work.phase);
        let mut added = 0;
        for (from, at) in self.ends {
            let Process::Client(process) = events[at as usize].event.process else { continue };
            if let Some(from) = from {
                let mut operation = begun(&mut events[from as usize], process);
                crate::pair::end(&mut operation, &mut events[at as usize].event);
                block.batch.add(operation);
                added += 1;
            } else {
                let blank = Event::blank();
                let event = std::mem::replace(&mut events[at as usize].event, blank);
                block.ends.push((added, process, event));
            }
        }
        for (process, InBlock { begins, last }) in self.processes {
            let last = match last {
                State::Open(at) => Last::Begins(begun(&mut events[at as usize], process)),
                State::Idle => Last::Ends,
                State::Lost(index) => Last::Loses(index),
            };
            block.processes.push((process, begins, last));
        }
        block
    }
}
