//! Notices that this program has no open file left: from then on connections fail, and no store is to blame for that.

use std::{
    fs::File,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::task::JoinHandle;

use crate::exit::Failure;

/// How often one more file is opened to see whether that still works.
const INTERVAL: Duration = Duration::from_millis(50);
/// What to say of it.
pub const RAN_OUT: &str =
    "the bench had no open file left; raise the limit with `ulimit -n`, or ask for fewer --clients";

/// Watches until it is dropped.
#[derive(Debug)]
pub struct OpenFiles {
    ran_out: Arc<AtomicBool>,
    watching: JoinHandle<()>,
}

impl OpenFiles {
    /// Starts watching.
    #[must_use]
    pub fn watch() -> Self {
        Self::watch_by(|| File::open("/dev/null").map(drop))
    }

    fn watch_by(open_one: impl Fn() -> io::Result<()> + Send + 'static) -> Self {
        let ran_out = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ran_out);
        let watching = tokio::spawn(async move {
            while !open_one().is_err_and(|error| is_out_of_files(&error)) {
                tokio::time::sleep(INTERVAL).await;
            }
            seen.store(true, Ordering::SeqCst);
        });
        Self { ran_out, watching }
    }

    /// Whether there was none left at some moment.
    #[must_use]
    pub fn ran_out(&self) -> bool {
        self.ran_out.load(Ordering::SeqCst)
    }

    /// The failure, with the bench to blame where it had no open file left.
    #[must_use]
    pub fn blame(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Broken(what) if self.ran_out() => {
                Failure::Failed(format!("{RAN_OUT}. What came of it: {what}"))
            }
            other => other,
        }
    }
}

impl Drop for OpenFiles {
    fn drop(&mut self) {
        self.watching.abort();
    }
}

fn is_out_of_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn blamed(open_one: fn() -> io::Result<()>) -> Failure {
        let watch = OpenFiles::watch_by(open_one);
        tokio::time::sleep(2 * INTERVAL).await;
        watch.blame(Failure::Broken("no answer".to_owned()))
    }

    #[tokio::test]
    async fn without_an_open_file_left_the_bench_is_to_blame() {
        let ran_out = || Err(io::Error::from_raw_os_error(libc::EMFILE));
        let failure = blamed(ran_out).await;
        assert!(matches!(&failure, Failure::Failed(why) if why.contains("ulimit -n")), "{failure}");
        for other in [|| Ok(()), || Err(io::Error::from_raw_os_error(libc::ENOENT))] {
            assert!(matches!(blamed(other).await, Failure::Broken(_)));
        }
    }
}
