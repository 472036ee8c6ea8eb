//! How a process ended.

use std::fmt;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It ended by itself, with this code.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
    /// Its supervisor vanished or had to be killed, so nobody saw how it ended. Not to be held against the node.
    Lost,
}

impl Exit {
    /// Whether it ended by itself and said that all went well.
    pub fn success(self) -> bool {
        self == Exit::Code(0)
    }

    /// Whether the submission has to answer for this, as the end of a process that nobody ended; otherwise it is
    /// the bench or the machine. To be asked about the end of a node, or of a build without [`Exit::success`].
    ///
    /// A code or a signal is the submission's, even SIGKILL: if the bench did not send it, it most likely comes from a
    /// system that ran out of memory, and it chose this process for what it used.
    pub fn is_submissions_fault(self) -> bool {
        match self {
            Exit::Code(_) | Exit::Signal(_) => true,
            Exit::Lost => false,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Exit::Code(code) => write!(f, "exited with code {code}"),
            Exit::Signal(number) => match Signal::try_from(number) {
                Ok(signal) => write!(f, "killed by {signal}{}", meaning(signal)),
                Err(_) => write!(f, "killed by signal {number}"),
            },
            Exit::Lost => write!(f, "ended unseen, because its supervisor was lost"),
        }
    }
}

/// What a signal most often means to someone who did not send it.
fn meaning(signal: Signal) -> &'static str {
    match signal {
        Signal::SIGSEGV | Signal::SIGBUS => " (a memory error)",
        Signal::SIGABRT => " (it aborted itself: an assertion, a panic or memory exhaustion)",
        Signal::SIGXFSZ => " (a file grew past the limit for one file)",
        Signal::SIGSYS => " (a forbidden system call)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn an_exit_reads_as_a_sentence() {
        for (exit, expected) in [
            (Exit::Code(3), "exited with code 3"),
            (Exit::Signal(9), "killed by SIGKILL"),
            (Exit::Signal(11), "killed by SIGSEGV (a memory error)"),
            (Exit::Signal(64), "killed by signal 64"),
        ] {
            assert_eq!(exit.to_string(), expected);
        }
    }

    #[test]
    fn an_unseen_end_is_nobodys_fault() {
        assert!(Exit::Code(0).is_submissions_fault() && Exit::Signal(9).is_submissions_fault());
        assert!(!Exit::Lost.is_submissions_fault());
    }
}
