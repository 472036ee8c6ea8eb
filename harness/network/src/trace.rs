//! The record of messages, written in the background: the data path never waits for a disk.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use record::{Fate, MessageRecord};

use crate::framing::Label;

/// Records that may wait for the disk; further ones are lost, and counted.
const QUEUE_RECORDS_MAX: usize = 16 << 10;
/// After so long without a message, what is known goes to the file: an interrupted run stays readable.
const IDLE_BEFORE_FLUSH: Duration = Duration::from_millis(100);

/// Writes one line of `messages.jsonl` for each message.
pub struct Trace {
    recorder: Recorder,
    writer: JoinHandle<(u64, io::Result<()>)>,
}

/// What became of the trace.
#[derive(Debug, Default)]
pub struct TraceSummary {
    /// Records in the file.
    pub written: u64,
    /// Messages that came after the limit: counted only.
    pub over_limit: u64,
    /// Records lost because the disk was slower than the network, or failed.
    pub lost: u64,
    /// Why writing stopped early, if it did.
    pub error: Option<io::Error>,
    /// What the links carried that is not in the trace.
    pub unseen: Vec<Unseen>,
}

/// From when on a link carried something that the trace does not show, in nanoseconds since its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// Who dials the link.
    pub from: String,
    /// Whom it reaches.
    pub to: String,
    /// A request that is not recorded, or bytes that are not HTTP/1.1.
    pub requests_ns: Option<u64>,
    /// An answer that has content, which is never recorded; or bytes that are not HTTP/1.1.
    pub answers_ns: Option<u64>,
}

impl Trace {
    /// Creates the file at `path`. Times count from `start`; at most `max_records` are written.
    pub fn create(path: impl AsRef<Path>, start: Instant, max_records: u64) -> io::Result<Self> {
        let path = path.as_ref();
        let file = File::create(path).map_err(|e| {
            io::Error::new(
                e.kind(),
                format!("cannot create the message trace {}: {e}", path.display()),
            )
        })?;
        let (queue, records) = mpsc::sync_channel(QUEUE_RECORDS_MAX);
        let writer = std::thread::Builder::new()
            .name("message-trace".into())
            .spawn(move || write(&records, file))?;
        let asked = Arc::new(AtomicU64::new(0));
        Ok(Self { recorder: Recorder { start, max_records, queue, asked }, writer })
    }

    pub(crate) fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    /// Writes what is left. Blocks.
    pub(crate) fn finish(self) -> TraceSummary {
        let Recorder { asked, max_records, queue, .. } = self.recorder;
        let _ = queue.send(None); // Fails only where the writer gave up, which `join` shows.
        let (written, result) = (self.writer.join())
            .unwrap_or_else(|_| (0, Err(io::Error::other("the trace's writer panicked"))));
        let asked = asked.load(Ordering::Relaxed);
        let over_limit = asked.saturating_sub(max_records);
        TraceSummary {
            written,
            over_limit,
            lost: asked - over_limit - written,
            error: result.err(),
            unseen: Vec::new(),
        }
    }
}

/// When the parts of a request were at the proxy.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    /// Its head was complete.
    pub head_ns: u64,
    /// It was complete.
    pub end_ns: u64,
}

/// A link's way into the trace.
#[derive(Clone)]
pub(crate) struct Recorder {
    start: Instant,
    max_records: u64,
    /// `None` ends the writer.
    queue: SyncSender<Option<MessageRecord>>,
    /// Records asked for, whatever became of them.
    asked: Arc<AtomicU64>,
}

impl Recorder {
    pub fn time_ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Never blocks. `false` where the record is certainly lost: over the limit, a full queue, or a writer that gave up.
    /// The summary finds their number by subtraction.
    pub fn record(
        &self,
        times: Times,
        link: (&str, &str),
        label: Label,
        bytes: u64,
        fate: Fate,
    ) -> bool {
        if self.asked.fetch_add(1, Ordering::Relaxed) >= self.max_records {
            return false;
        }
        let (from, to) = (link.0.to_owned(), link.1.to_owned());
        let Times { head_ns, end_ns: time_ns } = times;
        let Label { method, path, kind, mut clocks } = label;
        if head_ns != time_ns {
            clocks.get_or_insert_default().head_ns = Some(head_ns);
        }
        let record = MessageRecord { time_ns, from, to, method, path, kind, clocks, bytes, fate };
        self.queue.try_send(Some(record)).is_ok()
    }
}

/// Returns how many records reached the file, and why it stopped early if it did.
fn write(records: &Receiver<Option<MessageRecord>>, file: File) -> (u64, io::Result<()>) {
    let mut out = BufWriter::with_capacity(64 << 10, file);
    let mut written = 0;
    let result = loop {
        match records.recv_timeout(IDLE_BEFORE_FLUSH) {
            Ok(Some(record)) => match write_line(&mut out, &record) {
                Ok(()) => written += 1,
                Err(error) => break Err(error),
            },
            Err(RecvTimeoutError::Timeout) => {
                if let Err(error) = out.flush() {
                    break Err(error);
                }
            }
            Ok(None) | Err(RecvTimeoutError::Disconnected) => break out.flush(),
        }
    };
    (written, result)
}

fn write_line(out: &mut impl Write, record: &MessageRecord) -> io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    out.write_all(b"\n")
}
