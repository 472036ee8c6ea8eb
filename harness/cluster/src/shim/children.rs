//! News of ended children and of the guardian's end, as a descriptor that can be waited for together with others.

use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use super::output::set_nonblocking;

/// The pipe's end that the signal handler writes to.
static NEWS: AtomicI32 = AtomicI32::new(-1);

/// A pipe that becomes readable when a child or the guardian ended (the self-pipe trick).
pub(super) struct Children {
    reader: PipeReader,
    _writer: PipeWriter,
}

impl Children {
    /// Blocks every signal but SIGCHLD and SIGCONT, which comes when the guardian ended, so that none at the terminal or
    /// from a careless script ends the shim, and listens to those two.
    pub(super) fn watch() -> io::Result<Children> {
        let (reader, writer) = io::pipe()?;
        set_nonblocking(&reader)?;
        set_nonblocking(&writer)?;
        NEWS.store(writer.as_raw_fd(), Ordering::Relaxed);
        let flags = SaFlags::SA_RESTART | SaFlags::SA_NOCLDSTOP;
        let action = SigAction::new(SigHandler::Handler(on_news), flags, SigSet::empty());
        let mut blocked = SigSet::all();
        for signal in [Signal::SIGCHLD, Signal::SIGCONT] {
            // SAFETY: the handler only makes one async-signal-safe call and restores errno.
            #[allow(unsafe_code)]
            unsafe { sigaction(signal, &action) }?;
            blocked.remove(signal);
        }
        blocked.thread_set_mask()?;
        Ok(Children { reader, _writer: writer })
    }

    /// The descriptor to wait for.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// Forgets the news so far; to be called before looking for the children they are about.
    pub(super) fn clear(&mut self) {
        let mut bytes = [0; 64];
        while matches!(self.reader.read(&mut bytes), Ok(count) if count == bytes.len()) {}
    }
}

extern "C" fn on_news(_: libc::c_int) {
    let errno = Errno::last_raw();
    let byte = 0_u8;
    // SAFETY: write is async-signal-safe (signal-safety(7)), the byte outlives the call, and the descriptor stays open
    // as long as the shim runs. A full pipe is news enough.
    #[allow(unsafe_code)]
    unsafe {
        libc::write(NEWS.load(Ordering::Relaxed), (&raw const byte).cast(), 1);
    }
    Errno::set_raw(errno);
}
