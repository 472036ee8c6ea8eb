//! Lines in, lines out: at a terminal with a prompt, from a script without one.

use std::{
    io::{self, BufRead, IsTerminal, Read, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{Mutex as AsyncMutex, mpsc};

/// A longer line is taken for several.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// Goes back to the start of a terminal's line, and clears it.
const CLEAR_LINE: &str = "\r\x1b[K";

/// Where commands come from, and answers go to.
pub struct Console {
    lines: AsyncMutex<mpsc::Receiver<String>>,
    say: fn(&str),
    /// Whether a person types at a terminal.
    is_terminal: bool,
    /// Whether commands are taken.
    is_open: AtomicBool,
    printing: Mutex<()>,
}

impl Console {
    /// Commands come on stdin; what is to be told is given to `say`.
    ///
    /// # Errors
    /// The thread that reads could not be started.
    pub fn on_stdin(say: fn(&str)) -> io::Result<Arc<Self>> {
        // One line ahead, so that a script can be of any length.
        let (sender, lines) = mpsc::channel(1);
        // A thread of its own: nothing can end its waiting, and nobody waits for it.
        let read =
            move || while read_line().is_some_and(|line| sender.blocking_send(line).is_ok()) {};
        std::thread::Builder::new().name("stdin".to_owned()).spawn(read)?;
        let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
        let (lines, printing) = (AsyncMutex::new(lines), Mutex::new(()));
        let is_open = AtomicBool::new(false);
        Ok(Arc::new(Self { lines, say, is_terminal, is_open, printing }))
    }

    /// Whether nobody types: then a command begins when the one before it is done.
    #[must_use]
    pub fn is_scripted(&self) -> bool {
        !self.is_terminal
    }

    /// The next line; `None` once there are no more.
    pub async fn next(&self) -> Option<String> {
        self.is_open.store(true, Ordering::SeqCst);
        self.prompt();
        self.lines.lock().await.recv().await
    }

    /// No more lines are taken.
    pub fn close(&self) {
        self.is_open.store(false, Ordering::SeqCst);
        if self.is_terminal {
            write(CLEAR_LINE);
        }
    }

    /// Tells something, whatever is being typed.
    pub fn print(&self, text: &str) {
        let printing = self.printing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.prompts() {
            // Over the prompt. What has been typed behind it still counts.
            write(CLEAR_LINE);
        }
        (self.say)(text);
        drop(printing);
        self.prompt();
    }

    fn prompt(&self) {
        let _printing = self.printing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.prompts() {
            write(CLEAR_LINE);
            write("> ");
        }
    }

    fn prompts(&self) -> bool {
        self.is_terminal && self.is_open.load(Ordering::SeqCst)
    }
}

fn write(text: &str) {
    let mut stdout = io::stdout().lock();
    // A terminal that is gone shows with the next thing that is told.
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// `None` at the end, and where nothing can be read any more.
fn read_line() -> Option<String> {
    let mut line = Vec::new();
    let read = io::stdin().lock().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
    read.ok().filter(|bytes| *bytes > 0)?;
    Some(String::from_utf8_lossy(&line).trim_end().to_owned())
}
