//! A bar for whoever waits: on a terminal, and only for what takes more than two seconds.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar};

use crate::bar;

/// Before this nobody is waiting yet.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the bar moves.
const INTERVAL: Duration = Duration::from_millis(100);

/// How far the check is.
pub(super) struct Bar {
    state: Arc<State>,
    /// Dropped first, which ends the thread.
    end: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    name: String,
    started: Instant,
    time_limit: Duration,
    read_bytes: AtomicU64,
    total_bytes: AtomicU64,
    /// 0 while the file is read.
    operations: AtomicU64,
}

impl Bar {
    pub(super) fn new(name: &str, time_limit: Duration) -> Self {
        let state = Arc::new(State {
            name: name.chars().filter(|c| !c.is_control()).collect(),
            started: Instant::now(),
            time_limit,
            read_bytes: AtomicU64::new(0),
            total_bytes: AtomicU64::new(0),
            operations: AtomicU64::new(0),
        });
        let (end, ended) = mpsc::channel();
        let shown = Arc::clone(&state);
        let thread = std::io::stderr()
            .is_terminal()
            .then(|| std::thread::spawn(move || shown.show_until(&ended)));
        Self { state, end: Some(end), thread }
    }
}

impl judge::foreign::Progress for Bar {
    fn reading(&self, bytes: u64) {
        self.state.total_bytes.store(bytes, Ordering::Relaxed);
    }

    fn read(&self, bytes: u64) {
        self.state.read_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn checking(&self, operations: u64) {
        self.state.operations.store(operations, Ordering::Relaxed);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            // A bar that failed is no reason to fail.
            drop(thread.join());
        }
    }
}

impl State {
    fn show_until(&self, ended: &mpsc::Receiver<()>) {
        if ended.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
            return;
        }
        let Some(bar) = bar::on_terminal("{spinner} {bar:20} {wide_msg}") else { return };
        loop {
            self.draw(&bar);
            if ended.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
                return;
            }
        }
    }

    fn draw(&self, bar: &ProgressBar) {
        let waited = self.started.elapsed();
        let (done, total, message) = match self.operations.load(Ordering::Relaxed) {
            0 => {
                let read = self.read_bytes.load(Ordering::Relaxed);
                let total = self.total_bytes.load(Ordering::Relaxed);
                let message =
                    format!("reading {}: {} of {}", self.name, HumanBytes(read), HumanBytes(total));
                (read, total, message)
            }
            operations => {
                let (waited, limit) = (waited.as_secs(), self.time_limit.as_secs());
                let message = format!(
                    "checking {}: {operations} operations, {waited} of {limit} s",
                    self.name
                );
                (waited, limit, message)
            }
        };
        bar.set_message(message);
        bar.set_length(total.max(1));
        bar.set_position(done.min(total.max(1)));
        bar.tick();
    }
}
