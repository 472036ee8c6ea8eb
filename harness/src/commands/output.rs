//! What is printed. What stdout does not take goes to stderr: an answer is never lost.

use std::{
    io::{self, ErrorKind, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use cluster::logs::printable;
use serde::Serialize;

use crate::disk;

/// Whether stdout refused something. A process has one stdout, so this is one for all of it.
static REFUSED: AtomicBool = AtomicBool::new(false);

/// Whether something that was said did not reach stdout.
#[must_use]
pub(super) fn stdout_refused() -> bool {
    REFUSED.load(Ordering::SeqCst)
}

/// For people, on stdout. Values of a store or of a file may stand in the text: shown, not obeyed.
pub(super) fn say(text: &str) {
    put(&printable(text.as_bytes()));
}

/// On stderr.
pub(super) fn complain(text: &str) {
    complain_raw(&printable(text.as_bytes()));
}

/// The one document on stdout.
pub(super) fn say_json(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => put(&text),
        Err(error) => {
            REFUSED.store(true, Ordering::SeqCst);
            complain(&format!("The answer cannot be written as JSON: {error}"));
        }
    }
}

/// Whatever clap prints: help, or what is wrong with the command line.
pub(super) fn print_clap(error: &clap::Error) {
    if note_refusal(error.print().and_then(|()| io::stdout().flush())) {
        complain_raw(&error.render().to_string());
    }
}

fn put(text: &str) {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    if note_refusal(written) {
        complain_raw(text);
    }
}

/// Whether it must be said elsewhere. A closed pipe is not our problem: whoever read it has read enough.
fn note_refusal(written: io::Result<()>) -> bool {
    let Some(error) = written.err().filter(|error| error.kind() != ErrorKind::BrokenPipe) else {
        return false;
    };
    if !REFUSED.swap(true, Ordering::SeqCst) {
        let why = disk::explain(&error);
        complain(&format!("stdout takes nothing ({why}), so the answer follows here:"));
    }
    true
}

fn complain_raw(text: &str) {
    // There is no other place to say it.
    drop(writeln!(io::stderr(), "{text}"));
}
