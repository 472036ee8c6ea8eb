//! The one stream of events of a run. Terminal, files and report are its readers; clerks and nemesis its writers.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use history::{Event, EventKind, Process, event::HARNESS};
use record::{FaultRecord, Mark};
use serde_json::Value;

/// Something that happened in a run.
#[derive(Clone, Debug)]
pub enum RunEvent {
    /// A line of the history: an operation's event, or a mark of the bench itself.
    History(Event),
    /// A step of a fault.
    Fault(FaultRecord),
}

/// Reads the stream, on the stream's own thread.
pub trait Reader: Send {
    /// One event, in order.
    ///
    /// # Errors
    /// An error stops the run: a record that cannot be written is worth nothing.
    fn read(&mut self, event: &RunEvent) -> std::io::Result<()>;

    /// Called every tenth of a second: the time to flush or redraw.
    ///
    /// # Errors
    /// As for [`Reader::read`].
    fn pause(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The writing end, shared by everyone who has something to tell.
#[derive(Debug)]
pub struct Stream {
    start: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next_index: u64,
    sender: Sender<RunEvent>,
}

impl Stream {
    /// Starts the thread that hands every event to every reader. It ends once all writers are gone; its result is the
    /// first error of a reader.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(
        readers: Vec<Box<dyn Reader>>,
    ) -> std::io::Result<(Arc<Self>, JoinHandle<std::io::Result<()>>)> {
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("stream".to_owned())
            .spawn(move || distribute(&receiver, readers))?;
        let state = Mutex::new(State { next_index: 0, sender });
        Ok((Arc::new(Self { start: Instant::now(), state }), thread))
    }

    /// The moment from which all times of the record count.
    #[must_use]
    pub fn start_time(&self) -> Instant {
        self.start
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Records one event of an operation and returns its index.
    ///
    /// Index and time are taken under one lock: the order of the record is the order of the calls. An invocation is
    /// recorded before its first byte leaves and a completion after the last byte was read, so whatever the record
    /// orders really happened in that order.
    pub fn operation(
        &self,
        process: u64,
        kind: EventKind,
        f: &str,
        value: Value,
        error: Option<String>,
        node: Option<&str>,
    ) -> u64 {
        let node = node.map(str::to_owned);
        self.history(Process::Client(process), kind, f.to_owned(), value, error, node)
    }

    /// Leaves a mark of the bench itself in the history.
    pub fn mark(&self, mark: &Mark) {
        let process = Process::Named(HARNESS.to_owned());
        let (f, value) = (mark.name().to_owned(), mark.value());
        self.history(process, EventKind::Info, f, value, None, None);
    }

    /// Records a step of a fault.
    pub fn fault(&self, record: FaultRecord) {
        self.send(&self.lock(), RunEvent::Fault(record));
    }

    fn history(
        &self,
        process: Process,
        kind: EventKind,
        f: String,
        value: Value,
        error: Option<String>,
        node: Option<String>,
    ) -> u64 {
        let mut state = self.lock();
        let index = state.next_index;
        state.next_index += 1;
        let event = Event { index, time_ns: self.now_ns(), process, kind, f, value, error, node };
        self.send(&state, RunEvent::History(event));
        index
    }

    fn send(&self, state: &State, event: RunEvent) {
        // The reading thread ends early only after an error, which ends the run: nobody is left to tell.
        let _ = state.sender.send(event);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn distribute(
    receiver: &Receiver<RunEvent>,
    mut readers: Vec<Box<dyn Reader>>,
) -> std::io::Result<()> {
    let mut paused = Instant::now();
    loop {
        match receiver.recv_timeout(PAUSE) {
            Ok(event) => readers.iter_mut().try_for_each(|reader| reader.read(&event))?,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return readers.iter_mut().try_for_each(|reader| reader.pause());
            }
        }
        if paused.elapsed() >= PAUSE {
            readers.iter_mut().try_for_each(|reader| reader.pause())?;
            paused = Instant::now();
        }
    }
}

/// How much of the record a sudden death of the bench may cost.
const PAUSE: Duration = Duration::from_millis(100);
