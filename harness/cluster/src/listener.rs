//! Hears what a node's shim says, until it ends or is given up.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{BufReader, Lines};
use tokio::process::{Child, ChildStdout};
use tokio::sync::{oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::exit::Exit;
use crate::last_resort::{PROMPT, Supervisors};
use crate::shim::guardian::CLEARED;
use crate::shim::wire::{Event, Reply};

/// How long a command may take. The longest is a kill, about which the shim says after ten seconds that it failed.
pub(crate) const COMMAND_LIMIT: Duration = Duration::from_secs(12);
/// How long killed supervisors may take to end.
const BURIAL: Duration = Duration::from_secs(2);

/// Commands that await the shim's reply.
#[derive(Debug, Default)]
pub(crate) struct Pending(Mutex<Commands>);

#[derive(Debug, Default)]
struct Commands {
    /// No replies will come any more.
    closed: bool,
    number: u64,
    waiting: HashMap<u64, oneshot::Sender<Reply>>,
}

impl Pending {
    /// Numbers a command that waits for its reply; `None` once no reply can come.
    pub(crate) fn add(&self, sender: oneshot::Sender<Reply>) -> Option<u64> {
        let mut commands = self.lock();
        if commands.closed {
            return None;
        }
        commands.number += 1;
        let number = commands.number;
        commands.waiting.insert(number, sender);
        Some(number)
    }

    fn replied(&self, reply: Reply) {
        if let Some(sender) = self.lock().waiting.remove(&reply.number) {
            // Whoever stopped waiting needs no reply.
            let _ = sender.send(reply);
        }
    }

    /// Everybody who waits learns that no reply will come.
    fn close(&self) {
        let mut commands = self.lock();
        commands.closed = true;
        commands.waiting.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Commands> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is shared with the task that hears the shim.
pub(crate) struct Listener {
    pub(crate) supervisors: Supervisors,
    pub(crate) pending: Arc<Pending>,
    pub(crate) exit: watch::Sender<Option<Exit>>,
    pub(crate) gone: watch::Sender<bool>,
    pub(crate) cleared: Arc<AtomicBool>,
    /// Turns true when the shim is to be given up; closed when the node was dropped.
    pub(crate) last_resort: watch::Receiver<bool>,
}

impl Listener {
    /// Hears the shim until it ends or is given up, and buries it. Whatever happens, everybody who waits learns of it.
    pub(crate) async fn listen(self, mut guardian: Child, events: Lines<BufReader<ChildStdout>>) {
        let ended = tokio::select! {
            biased;
            status = async { self.hear(events).await; guardian.wait().await } => status.ok(),
            () = self.given_up() => None,
        };
        let cleared = match ended {
            // A guardian that was killed itself does not say what became of the tree.
            Some(status) => status.code() == Some(CLEARED),
            None => {
                let cleared = self.kill().await;
                let _ = timeout(BURIAL, guardian.wait()).await;
                cleared
            }
        };
        self.cleared.store(cleared, Ordering::Release);
        let killed_by_shim = ended.is_some_and(|status| status.success());
        if !killed_by_shim || self.exit.borrow().is_none() {
            self.exit.send_replace(Some(Exit::Lost));
        }
        self.gone.send_replace(true);
        self.pending.close();
    }

    async fn hear(&self, mut events: Lines<BufReader<ChildStdout>>) {
        while let Ok(Some(line)) = events.next_line().await {
            match serde_json::from_str(&line) {
                Ok(Event::Exited(how)) => {
                    self.exit.send_replace(Some(how));
                }
                Ok(Event::Reply(reply)) => self.pending.replied(reply),
                Ok(Event::Started { .. } | Event::Failed(_)) | Err(_) => {}
            }
        }
    }

    async fn given_up(&self) {
        if self.last_resort.clone().wait_for(|&now| now).await.is_err() {
            // Dropping the node made the shim kill the tree; it gets as long as for any command.
            sleep(PROMPT).await;
            self.supervisors.resume();
            sleep(COMMAND_LIMIT - PROMPT).await;
        }
    }

    async fn kill(&self) -> bool {
        let supervisors = self.supervisors;
        spawn_blocking(move || supervisors.kill()).await.unwrap_or(false)
    }
}
