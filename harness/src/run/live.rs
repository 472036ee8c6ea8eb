//! Looks at the record while it grows: a run that has proven a violation need not go on.

use std::{
    sync::mpsc::{self, RecvTimeoutError},
    time::{Duration, Instant},
};

use linearizability::Limits;
use record::{Folder, files};
use tokio::sync::watch;

/// From the beginning to the first look.
const FIRST: Duration = Duration::from_millis(1000);
/// A look costs at most this part of the time since the one before.
const SHARE: u32 = 10;
/// One look takes no longer.
const LOOK_MAX: Duration = Duration::from_secs(3);
/// A larger record is not looked at any more: that would take too much memory from the store.
const BYTES_MAX: u64 = 40 << 20;

/// Looks at the record in the background. Once this is dropped, no new look begins.
pub(super) struct Live {
    proven: watch::Receiver<Option<u64>>,
    _stop: mpsc::Sender<()>,
}

impl Live {
    /// Starts to look at what is recorded in this folder.
    ///
    /// # Errors
    /// The thread could not be started.
    pub(super) fn watch(folder: &Folder) -> std::io::Result<Self> {
        let (found, proven) = watch::channel(None);
        let (stop, stopped) = mpsc::channel();
        let folder = Folder::existing(folder.path().to_owned());
        std::thread::Builder::new().name("live".to_owned()).spawn(move || {
            give_way();
            let mut pause = FIRST;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let begun = Instant::now();
                match look(&folder) {
                    Look::Proven(events) => {
                        found.send_replace(Some(events));
                        return;
                    }
                    Look::NotYet => pause = FIRST.max(begun.elapsed() * SHARE),
                    Look::TooLarge => return,
                }
            }
        })?;
        Ok(Self { proven, _stop: stop })
    }

    /// Returns once a violation is proven, with the number of events that prove it.
    pub(super) async fn proven(&self) -> u64 {
        let mut proven = self.proven.clone();
        let found = proven.wait_for(Option::is_some).await.map(|events| *events);
        match found {
            Ok(Some(events)) => events,
            // Nobody looks any more.
            _ => std::future::pending().await,
        }
    }
}

/// What a look shows.
enum Look {
    /// So many events prove a violation.
    Proven(u64),
    NotYet,
    /// It is not worth looking again.
    TooLarge,
}

fn look(folder: &Folder) -> Look {
    let of_file = |name| std::fs::metadata(folder.path().join(name)).map_or(0, |file| file.len());
    let bytes = of_file(files::HISTORY) + of_file(files::INTROSPECTION);
    if bytes > BYTES_MAX {
        return Look::TooLarge;
    }
    match judge::run::proves_violation(folder, &Limits::within(LOOK_MAX)) {
        Ok(Some(events)) => Look::Proven(events),
        // What cannot be read in the middle of a write can be read the next time.
        Ok(None) | Err(_) => Look::NotYet,
    }
}

/// The store's and the clients' work comes first.
fn give_way() {
    #[cfg(target_os = "linux")]
    {
        const LOWEST: libc::c_int = 19;
        // SAFETY: a system call without pointers. On Linux, 0 means the calling thread, and this thread does nothing else.
        #[allow(unsafe_code)]
        // Where it is refused, a look only takes more from the others.
        let _ = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, LOWEST) };
    }
}
