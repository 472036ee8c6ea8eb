//! A node that runs, seen from the harness.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::exit::Exit;
use crate::last_resort::{PROMPT, Supervisors};
use crate::listener::{COMMAND_LIMIT, Listener, Pending};
use crate::shim::wire::{self, Action, Command, Reply};
use crate::start::{self, NodeSpec, Started};
use crate::start_error::StartError;

/// How long what a node started may outlive its main process before it counts as left behind: a child that got the
/// same SIGTERM may end a little later.
const SETTLE: Duration = Duration::from_millis(500);
const SETTLE_STEP: Duration = Duration::from_millis(10);

/// A node's process tree. Dropping it kills the tree, soon; [`NodeProcess::kill`] and [`NodeProcess::stop`] also wait.
///
/// All methods can be called again at any time, also after the end. All but [`NodeProcess::exited`] return in bounded
/// time, within about twenty seconds for each command to a supervisor that its node has stopped.
#[derive(Debug)]
pub struct NodeProcess {
    pid: u32,
    control: tokio::sync::Mutex<Option<ChildStdin>>,
    pending: Arc<Pending>,
    exit: watch::Receiver<Option<Exit>>,
    /// Turns true when the shim has ended too, or was given up.
    gone: watch::Receiver<bool>,
    /// Whether the tree was seen gone although the shim was lost.
    cleared: Arc<AtomicBool>,
    supervisors: Supervisors,
    last_resort: watch::Sender<bool>,
}

/// The node's supervisor cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The whole tree was killed before.
    #[error("the node is gone: it was killed or stopped before")]
    Gone,
    /// The supervisor vanished on its own or did not answer and was killed, so parts of the node may still run:
    /// [`NodeProcess::kill`] finds out.
    #[error("the node's supervisor vanished or hung; processes of the node may still run")]
    Lost,
}

/// How stopping a node went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// How the main process ended.
    pub exit: Exit,
    /// It was asked to end by SIGTERM, did not in time, and was killed.
    pub ignored_sigterm: bool,
    /// Processes that lived on after the main process had ended; they were killed.
    pub daemons: u32,
    /// Whether every process was seen gone.
    pub gone: bool,
}

impl NodeProcess {
    /// Starts a node below a shim of its own. The program runs when this returns, but need not be ready.
    ///
    /// # Errors
    /// When the program cannot be run; nothing is left running then.
    pub async fn start(spec: &NodeSpec) -> Result<NodeProcess, StartError> {
        let Started { pid, supervisors, guardian, control, events } = start::start(spec).await?;
        let pending = Arc::<Pending>::default();
        let cleared = Arc::<AtomicBool>::default();
        let (exit_sender, exit) = watch::channel(None);
        let (gone_sender, gone) = watch::channel(false);
        let (last_resort, given_up) = watch::channel(false);
        let listener = Listener {
            supervisors,
            pending: Arc::clone(&pending),
            exit: exit_sender,
            gone: gone_sender,
            cleared: Arc::clone(&cleared),
            last_resort: given_up,
        };
        tokio::spawn(listener.listen(guardian, events));
        let control = tokio::sync::Mutex::new(Some(control));
        Ok(NodeProcess { pid, control, pending, exit, gone, cleared, supervisors, last_resort })
    }

    /// The id of the main process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How the main process ended, if it did. Its log is complete then, but for what daemons may add.
    pub fn exit(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Waits for the end of the main process.
    pub async fn exited(&self) -> Exit {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await.map(|exit| *exit);
        ended.ok().flatten().unwrap_or(Exit::Lost)
    }

    /// Stops the whole tree with SIGSTOP; true when every process was seen stopped, or in a system call after which it
    /// stops.
    ///
    /// # Errors
    /// When the supervisor is gone.
    pub async fn pause(&self) -> Result<bool, ControlError> {
        Ok(self.command(Action::Pause).await?.held)
    }

    /// Continues the whole tree with SIGCONT; true when no process was seen stopped any more.
    ///
    /// # Errors
    /// When the supervisor is gone.
    pub async fn resume(&self) -> Result<bool, ControlError> {
        Ok(self.command(Action::Resume).await?.held)
    }

    /// The number of living processes of the tree.
    ///
    /// # Errors
    /// When the supervisor is gone.
    pub async fn alive(&self) -> Result<u32, ControlError> {
        Ok(self.command(Action::Count).await?.alive)
    }

    /// The memory that the living processes of the tree occupy, in bytes; `None` where the system does not say.
    ///
    /// # Errors
    /// When the supervisor is gone.
    pub async fn memory_bytes(&self) -> Result<Option<u64>, ControlError> {
        Ok(self.command(Action::Measure).await?.memory_bytes)
    }

    /// Kills the whole tree with SIGKILL and returns once every process is gone, which is true; false when some
    /// were still there after ten seconds (then the supervisor goes on trying). True again when called again. Without a
    /// supervisor that answers, the harness kills by itself.
    ///
    /// # Errors
    /// When the supervisor was lost and it is not known that every process is gone.
    pub async fn kill(&self) -> Result<bool, ControlError> {
        match self.command(Action::Kill).await {
            Ok(reply) => {
                if reply.held && self.or_last_resort(self.shim_ended()).await.is_none() {
                    self.shim_ended().await;
                }
                Ok(reply.held)
            }
            Err(ControlError::Gone) => Ok(true),
            Err(ControlError::Lost) if self.cleared.load(Ordering::Acquire) => Ok(true),
            Err(ControlError::Lost) => Err(ControlError::Lost),
        }
    }

    /// Asks the whole tree to end with SIGTERM, waits for the main process as long as `grace`, then kills what is left.
    pub async fn stop(&self, grace: Duration) -> Stopped {
        let running = self.exit().is_none();
        let mut ignored_sigterm = false;
        if running && self.command(Action::Terminate).await.is_ok() {
            ignored_sigterm = timeout(grace, self.exited()).await.is_err();
        }
        let daemons = if ignored_sigterm { 0 } else { self.settle(running).await };
        let gone = self.kill().await.unwrap_or(false);
        let exit = match timeout(SETTLE, self.exited()).await {
            Ok(exit) => exit,
            Err(_) => Exit::Lost,
        };
        Stopped { exit, ignored_sigterm, daemons, gone }
    }

    /// How many processes live on after the main process; those that are just ending get a moment if `patient`.
    async fn settle(&self, patient: bool) -> u32 {
        let deadline = Instant::now() + if patient { SETTLE } else { Duration::ZERO };
        loop {
            match self.alive().await {
                Ok(0) | Err(_) => return 0,
                Ok(alive) if Instant::now() >= deadline => return alive,
                Ok(_) => sleep(SETTLE_STEP).await,
            }
        }
    }

    /// Sends a command and waits for the reply, for a limited time.
    async fn command(&self, action: Action) -> Result<Reply, ControlError> {
        let (sender, reply) = oneshot::channel();
        let Some(number) = self.pending.add(sender) else { return Err(self.why_gone().await) };
        let line = wire::line(&Command { number, action }).map_err(|_| ControlError::Lost)?;
        let conversation = async {
            if let Some(control) = self.control.lock().await.as_mut() {
                // A pipe nobody reads any more: the reply will not come either.
                let _ = control.write_all(&line).await;
            }
            reply.await
        };
        match self.or_last_resort(conversation).await {
            Some(Ok(reply)) => Ok(reply),
            Some(Err(_)) | None => Err(self.why_gone().await),
        }
    }

    /// Waits for something that the shim owes. A node can stop its shim: so one that is late is continued, which hurts no other, and one that still does not deliver is killed with its whole tree.
    async fn or_last_resort<T>(&self, owed: impl Future<Output = T>) -> Option<T> {
        let mut owed = pin!(owed);
        if let Ok(delivered) = timeout(PROMPT, &mut owed).await {
            return Some(delivered);
        }
        if !*self.gone.borrow() {
            self.supervisors.resume();
        }
        let delivered = timeout(COMMAND_LIMIT - PROMPT, owed).await.ok();
        if delivered.is_none() {
            self.last_resort.send_replace(true);
        }
        delivered
    }

    async fn why_gone(&self) -> ControlError {
        self.shim_ended().await;
        if self.exit() == Some(Exit::Lost) { ControlError::Lost } else { ControlError::Gone }
    }

    async fn shim_ended(&self) {
        let _ = self.gone.clone().wait_for(|&gone| gone).await;
    }
}
