//! One stream of what a node prints, on its way into its log.

use std::io::{self, ErrorKind, PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::logs::BoundedLog;
use crate::shim::stamps::Stamps;

/// What a pipe holds: fewer wake-ups for a node that prints a lot.
#[cfg(target_os = "linux")]
const PIPE_BYTES: i32 = 256 << 10;
/// How much is read before the shim looks at its commands again; more than a pipe holds, so that what a dead process
/// left in it is read in one turn.
const TURN_BYTES: usize = 1 << 20;

/// A pipe and the log it drains into.
pub(super) struct Output {
    /// `None` once all writers are gone.
    pipe: Option<PipeReader>,
    log: BoundedLog,
    /// `None`: the log holds what was printed and nothing else.
    stamps: Option<Stamps>,
    buffer: Vec<u8>,
}

impl Output {
    pub(super) fn new(
        pipe: PipeReader,
        log: BoundedLog,
        stamps: Option<Stamps>,
    ) -> io::Result<Output> {
        set_nonblocking(&pipe)?;
        #[cfg(target_os = "linux")]
        {
            // Refused when the user's pipes hold too much already; the pipe then keeps its size.
            let _ = fcntl(&pipe, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
        }
        Ok(Output { pipe: Some(pipe), log, stamps, buffer: vec![0; 64 << 10] })
    }

    /// The descriptor to wait for.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(AsFd::as_fd)
    }

    /// Moves what is there into the log. A node that prints without end is left after a turn.
    pub(super) fn drain(&mut self) {
        let mut moved = 0;
        while moved < TURN_BYTES {
            let Some(pipe) = &mut self.pipe else { return };
            match pipe.read(&mut self.buffer) {
                Ok(0) => {
                    self.pipe = None;
                    break;
                }
                Ok(count) => {
                    let printed = &self.buffer[..count];
                    match &mut self.stamps {
                        Some(stamps) => stamps.append(&mut self.log, printed),
                        None => self.log.append(printed),
                    }
                    moved += count;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {
                    self.pipe = None;
                    break;
                }
            }
        }
        if moved < TURN_BYTES {
            self.log.flush();
        }
        if let Some(error) = self.log.take_error() {
            eprintln!("a node's log cannot be written ({error}); the rest of it is lost");
        }
    }
}

/// Makes reads and writes return instead of waiting.
pub(super) fn set_nonblocking(descriptor: impl AsFd) -> io::Result<()> {
    fcntl(descriptor, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(())
}
