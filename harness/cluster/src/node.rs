//! A node that runs, seen from the harness.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::{oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};

use crate::exit::Exit;
use crate::last_resort::{PROMPT, Supervisors};
use crate::sandbox::Enforced;
use crate::shim::guardian::CLEARED;
use crate::shim::wire::{self, Action, Answer, Command, Event};
use crate::start::{self, NodeSpec, StartError, Started};

/// How long what a node started may outlive its main process before it counts as left behind: a child that got the
/// same SIGTERM may end a little later.
const SETTLE: Duration = Duration::from_millis(500);
const SETTLE_STEP: Duration = Duration::from_millis(10);
/// How long a command may take. The longest is a kill, about which the shim says after ten seconds that it failed.
const COMMAND_LIMIT: Duration = Duration::from_secs(12);
/// How long killed supervisors may take to end.
const BURIAL: Duration = Duration::from_secs(2);

/// A node's process tree. Dropping it kills the tree, soon; [`NodeProcess::kill`] and [`NodeProcess::stop`] also wait.
///
/// All methods can be called again at any time, also after the end. All but [`NodeProcess::exited`] return in bounded
/// time, within about twenty seconds for each command to a supervisor that its node has stopped.
#[derive(Debug)]
pub struct NodeProcess {
    pid: u32,
    enforced: Option<Enforced>,
    control: tokio::sync::Mutex<Option<ChildStdin>>,
    asked: Arc<Mutex<Asked>>,
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
    /// [`NodeProcess::kill`] tells.
    #[error("the node's supervisor vanished or hung; processes of the node may still run")]
    Lost,
}

/// How stopping a node went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// How the main process ended.
    pub exit: Exit,
    /// It was told to end by SIGTERM, did not in time, and was killed.
    pub ignored_sigterm: bool,
    /// Processes that lived on after the main process had ended; they were killed.
    pub daemons: u32,
    /// Whether every process was seen gone.
    pub gone: bool,
}

/// Commands that await an answer.
#[derive(Debug, Default)]
struct Asked {
    /// No answers will come any more.
    closed: bool,
    number: u64,
    waiting: HashMap<u64, oneshot::Sender<Answer>>,
}

impl NodeProcess {
    /// Starts a node below a shim of its own. The program runs when this returns, but need not be ready.
    ///
    /// # Errors
    /// When the program cannot be run; nothing is left running then.
    pub async fn start(spec: &NodeSpec) -> Result<NodeProcess, StartError> {
        let Started { pid, enforced, supervisors, guardian, control, events } =
            start::start(spec).await?;
        let asked = Arc::<Mutex<Asked>>::default();
        let cleared = Arc::<AtomicBool>::default();
        let (exit_sender, exit) = watch::channel(None);
        let (gone_sender, gone) = watch::channel(false);
        let (last_resort, given_up) = watch::channel(false);
        let listener = Listener {
            supervisors,
            asked: Arc::clone(&asked),
            exit: exit_sender,
            gone: gone_sender,
            cleared: Arc::clone(&cleared),
            last_resort: given_up,
        };
        tokio::spawn(listener.listen(guardian, events));
        let control = tokio::sync::Mutex::new(Some(control));
        Ok(NodeProcess {
            pid,
            enforced,
            control,
            asked,
            exit,
            gone,
            cleared,
            supervisors,
            last_resort,
        })
    }

    /// The id of the main process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Which parts of the sandbox hold; `None` when none was asked for.
    pub fn enforced(&self) -> Option<Enforced> {
        self.enforced
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

    /// Kills the whole tree with SIGKILL and returns once every process is gone, which is true; false when some
    /// were still there after ten seconds (then the supervisor goes on trying). True again when called again. Without a
    /// supervisor that answers, the harness kills by itself.
    ///
    /// # Errors
    /// When the supervisor was lost and it is not known that every process is gone.
    pub async fn kill(&self) -> Result<bool, ControlError> {
        match self.command(Action::Kill).await {
            Ok(answer) => {
                if answer.held && self.insist(self.shim_ended()).await.is_none() {
                    self.shim_ended().await;
                }
                Ok(answer.held)
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

    /// Sends a command and waits for the answer, for a limited time.
    async fn command(&self, action: Action) -> Result<Answer, ControlError> {
        let (sender, answer) = oneshot::channel();
        let Some(number) = self.enlist(sender) else { return Err(self.why_gone().await) };
        let line = wire::line(&Command { number, action }).map_err(|_| ControlError::Lost)?;
        let conversation = async {
            if let Some(control) = self.control.lock().await.as_mut() {
                // A pipe nobody reads any more: the answer will not come either.
                let _ = control.write_all(&line).await;
            }
            answer.await
        };
        match self.insist(conversation).await {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(_)) | None => Err(self.why_gone().await),
        }
    }

    /// Waits for something that the shim owes. A node can stop its shim, unless a sandbox forbids it: so one that is
    /// late is continued, which hurts no other, and one that still does not deliver is killed with its whole tree.
    async fn insist<T>(&self, owed: impl Future<Output = T>) -> Option<T> {
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

    /// Numbers a command that waits for its answer; `None` once no answer can come. Not part of [`Self::command`], so
    /// that no lock lives across an await and its future can be spawned.
    fn enlist(&self, sender: oneshot::Sender<Answer>) -> Option<u64> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.closed {
            return None;
        }
        asked.number += 1;
        let number = asked.number;
        asked.waiting.insert(number, sender);
        Some(number)
    }

    async fn why_gone(&self) -> ControlError {
        self.shim_ended().await;
        if self.exit() == Some(Exit::Lost) { ControlError::Lost } else { ControlError::Gone }
    }

    async fn shim_ended(&self) {
        let _ = self.gone.clone().wait_for(|&gone| gone).await;
    }
}

/// What is shared with the task that hears the shim.
struct Listener {
    supervisors: Supervisors,
    asked: Arc<Mutex<Asked>>,
    exit: watch::Sender<Option<Exit>>,
    gone: watch::Sender<bool>,
    cleared: Arc<AtomicBool>,
    /// Turns true when the shim is to be given up; closed when the node was dropped.
    last_resort: watch::Receiver<bool>,
}

impl Listener {
    /// Hears the shim until it ends or is given up, and buries it. Whatever happens, everybody who waits learns of it.
    async fn listen(self, mut guardian: Child, events: Lines<BufReader<ChildStdout>>) {
        let ended = tokio::select! {
            biased;
            status = async { self.hear(events).await; guardian.wait().await } => status.ok(),
            () = self.given_up() => None,
        };
        let cleared = match ended {
            // A guardian that was killed itself does not tell what became of the tree.
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
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.closed = true;
        asked.waiting.clear();
    }

    async fn hear(&self, mut events: Lines<BufReader<ChildStdout>>) {
        while let Ok(Some(line)) = events.next_line().await {
            match serde_json::from_str(&line) {
                Ok(Event::Exited(how)) => {
                    self.exit.send_replace(Some(how));
                }
                Ok(Event::Answer(answer)) => {
                    let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(sender) = asked.waiting.remove(&answer.number) {
                        let _ = sender.send(answer);
                    }
                }
                Ok(Event::Started { .. } | Event::Failed(_)) | Err(_) => {}
            }
        }
    }

    async fn given_up(&self) {
        if self.last_resort.clone().wait_for(|&now| now).await.is_err() {
            // Dropping the node told the shim to kill the tree; it gets as long as for any command.
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
