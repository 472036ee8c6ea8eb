//! Ctrl-C: the first one during a run asks it to stop in good order; any other ends the program at once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;

use crate::exit::Exit;

/// Hears Ctrl-C for the rest of the program's life.
#[derive(Clone, Debug)]
pub struct Interrupts {
    asked: watch::Receiver<bool>,
    polite: Arc<AtomicBool>,
}

impl Interrupts {
    /// Starts listening, on a thread of its own: whatever the program is busy with, Ctrl-C is heard.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn listen() -> std::io::Result<Self> {
        let (sender, asked) = watch::channel(false);
        let polite = Arc::new(AtomicBool::new(false));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let in_order = Arc::clone(&polite);
        std::thread::Builder::new().name("interrupts".to_owned()).spawn(move || {
            while runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
                if !in_order.swap(false, Ordering::SeqCst) || sender.send(true).is_err() {
                    // The supervisors of the nodes see the end of their pipes and leave nothing behind.
                    std::process::exit(Exit::Interrupted as i32);
                }
            }
        })?;
        Ok(Self { asked, polite })
    }

    /// Returns at the next Ctrl-C. Only while this is awaited is Ctrl-C a request rather than the end.
    pub async fn next(&self) {
        self.polite.store(true, Ordering::SeqCst);
        let mut asked = self.asked.clone();
        asked.mark_unchanged();
        if asked.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// From now on Ctrl-C ends the program at once.
    pub fn end_at_once(&self) {
        self.polite.store(false, Ordering::SeqCst);
    }
}
