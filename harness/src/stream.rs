//! The one stream of events of a run. Terminal, files and report are its readers; clerks and nemesis its writers.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use history::{Event, EventKind, HARNESS, Process};
use record::{
    AttemptRecord, FaultRecord, IntrospectionRecord, Mark, attempt::LINES_MAX,
    introspection::SIZE_MAX,
};
use serde_json::Value;
use tokio::sync::oneshot;

/// Something that happened in a run.
#[derive(Clone, Debug)]
pub enum RunEvent {
    /// A line of the history: an operation's event, or a mark of the bench itself.
    History(Event),
    /// A step of a fault.
    Fault(FaultRecord),
    /// Requests behind one operation.
    Attempts(Vec<AttemptRecord>),
    /// What a node said of itself.
    Introspection(IntrospectionRecord),
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

/// The writing end, shared by everyone who records.
#[derive(Debug)]
pub struct Stream {
    start: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next_index: u64,
    /// Lines of attempts so far, those left out included.
    attempts: u64,
    /// How much the nodes said of themselves so far.
    introspection: u64,
    introspection_left_out: Option<LeftOut>,
    sender: Sender<Message>,
}

/// What was not recorded because there was too much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// How much.
    pub size: u64,
    /// From when on, in nanoseconds since the start.
    pub since_ns: u64,
}

/// What the stream's thread is sent.
#[derive(Debug)]
enum Message {
    Event(RunEvent),
    /// Everything sent before this is to be flushed; then whoever asked is woken.
    Flush(oneshot::Sender<()>),
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
        let state = Mutex::new(State {
            next_index: 0,
            attempts: 0,
            introspection: 0,
            introspection_left_out: None,
            sender,
        });
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

    /// Records the requests behind an operation; from [`LINES_MAX`] of them on they are counted only.
    pub fn attempts(&self, records: Vec<AttemptRecord>) {
        if records.is_empty() {
            return;
        }
        let mut state = self.lock();
        state.attempts += records.len() as u64;
        if state.attempts <= LINES_MAX {
            self.send(&state, RunEvent::Attempts(records));
        }
    }

    /// How many attempts were counted only.
    #[must_use]
    pub fn attempts_left_out(&self) -> u64 {
        self.lock().attempts.saturating_sub(LINES_MAX)
    }

    /// Records what a node said of itself; beyond [`SIZE_MAX`] it is counted only.
    pub fn introspection(&self, record: IntrospectionRecord) {
        let mut state = self.lock();
        let size = record.said.size();
        state.introspection += size;
        if state.introspection <= SIZE_MAX {
            return self.send(&state, RunEvent::Introspection(record));
        }
        let since_ns = record.asked_ns;
        let left_out = state.introspection_left_out.get_or_insert(LeftOut { size: 0, since_ns });
        left_out.size += size;
    }

    /// What nodes said of themselves and was counted only.
    #[must_use]
    pub fn introspection_left_out(&self) -> Option<LeftOut> {
        self.lock().introspection_left_out
    }

    /// Waits until every reader has read and flushed all that was recorded before: a barrier.
    ///
    /// # Errors
    /// A reader failed, so the stream's thread has ended.
    pub async fn flush(&self) -> std::io::Result<()> {
        let (flushed, wait) = oneshot::channel();
        // A thread that has ended drops the other end, which shows below.
        let _ = self.lock().sender.send(Message::Flush(flushed));
        wait.await.map_err(|_| std::io::Error::other("the record cannot be written any more"))
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
        let event =
            Event { index, time_ns: self.now_ns(), process, kind, f: f.into(), value, error, node };
        self.send(&state, RunEvent::History(event));
        index
    }

    fn send(&self, state: &State, event: RunEvent) {
        // The reading thread ends early only after an error, which ends the run.
        let _ = state.sender.send(Message::Event(event));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn distribute(
    receiver: &Receiver<Message>,
    mut readers: Vec<Box<dyn Reader>>,
) -> std::io::Result<()> {
    let mut paused = Instant::now();
    loop {
        match receiver.recv_timeout(PAUSE) {
            Ok(Message::Event(event)) => {
                readers.iter_mut().try_for_each(|reader| reader.read(&event))?;
            }
            Ok(Message::Flush(flushed)) => {
                pause(&mut readers)?;
                // Whoever stopped waiting needs no word.
                let _ = flushed.send(());
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return pause(&mut readers),
        }
        if paused.elapsed() >= PAUSE {
            pause(&mut readers)?;
            paused = Instant::now();
        }
    }
}

fn pause(readers: &mut [Box<dyn Reader>]) -> std::io::Result<()> {
    readers.iter_mut().try_for_each(|reader| reader.pause())
}

/// How much of the record a sudden death of the bench may cost.
const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// Takes its time to read, and keeps whether all that was read has been flushed.
    struct Slow(Arc<AtomicBool>);

    impl Reader for Slow {
        fn read(&mut self, _: &RunEvent) -> std::io::Result<()> {
            std::thread::sleep(Duration::from_millis(20));
            self.0.store(false, Ordering::SeqCst);
            Ok(())
        }

        fn pause(&mut self) -> std::io::Result<()> {
            self.0.store(true, Ordering::SeqCst);
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_flush_returns_only_when_all_that_was_recorded_before_is_flushed() {
        let flushed = Arc::new(AtomicBool::new(false));
        let (stream, _) = Stream::start(vec![Box::new(Slow(Arc::clone(&flushed)))]).unwrap();
        for _ in 0..10 {
            stream.mark(&Mark::Note("something".to_owned()));
        }
        assert!(!flushed.load(Ordering::SeqCst), "the reader lags behind, else this shows nothing");
        stream.flush().await.unwrap();
        assert!(flushed.load(Ordering::SeqCst));
    }

    /// Counts lines of attempts.
    struct Counting(Arc<std::sync::atomic::AtomicU64>);

    impl Reader for Counting {
        fn read(&mut self, event: &RunEvent) -> std::io::Result<()> {
            if let RunEvent::Attempts(records) = event {
                self.0.fetch_add(records.len() as u64, Ordering::SeqCst);
            }
            Ok(())
        }
    }

    #[tokio::test]
    async fn attempts_beyond_the_limit_are_counted_and_not_written() {
        let written = Arc::new(std::sync::atomic::AtomicU64::new(0));
        let (stream, _) = Stream::start(vec![Box::new(Counting(Arc::clone(&written)))]).unwrap();
        let record = AttemptRecord {
            operation: 0,
            process: 0,
            node: String::new(),
            sent_ns: 0,
            ended_ns: 0,
            copy: false,
            end: record::AttemptEnd::Answered,
            reason: String::new(),
        };
        stream.attempts(vec![record.clone()]);
        stream.lock().attempts = LINES_MAX - 1;
        stream.attempts(vec![record.clone()]);
        assert_eq!(stream.attempts_left_out(), 0);
        stream.attempts(vec![record; 3]);
        stream.flush().await.unwrap();
        assert_eq!((written.load(Ordering::SeqCst), stream.attempts_left_out()), (2, 3));
    }

    #[test]
    fn what_nodes_say_beyond_the_limit_is_counted_and_not_written() {
        let (stream, _) = Stream::start(Vec::new()).unwrap();
        let say = |asked_ns: u64| {
            let said = record::Said::Log { from: 0, to: 9, entries: vec![(1, String::new()); 9] };
            let node = "n1".to_owned();
            stream.introspection(IntrospectionRecord { node, asked_ns, answered_ns: 0, said });
        };
        stream.lock().introspection = SIZE_MAX - 10;
        say(1);
        assert_eq!(stream.introspection_left_out(), None);
        say(2);
        say(3);
        let left_out = LeftOut { size: 20, since_ns: 2 };
        assert_eq!(stream.introspection_left_out(), Some(left_out));
    }

    struct Full;

    impl Reader for Full {
        fn read(&mut self, _: &RunEvent) -> std::io::Result<()> {
            Err(std::io::Error::other("the disk is full"))
        }
    }

    #[tokio::test]
    async fn a_record_that_cannot_be_written_is_never_flushed() {
        let (stream, thread) = Stream::start(vec![Box::new(Full)]).unwrap();
        stream.mark(&Mark::Note("something".to_owned()));
        assert!(stream.flush().await.is_err());
        assert_eq!(thread.join().unwrap().unwrap_err().to_string(), "the disk is full");
    }
}
