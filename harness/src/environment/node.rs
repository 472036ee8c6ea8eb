//! One node: how it is started, what was done to it, how it ended.

use cluster::{NodeProcess, NodeSpec, Stopped, ready::Readiness};
use network::End;
use record::OwnExit;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{duration::format_duration, exit::Failure};

/// How long a supervisor may take to say how much memory its node has.
const MEASURE_LIMIT: Duration = Duration::from_secs(1);
/// One look whether a node is ready that another program answers for.
const SPOKEN_LOOK: Duration = Duration::from_secs(1);
/// How long until a node is connected to again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How much of a log's end is quoted.
const LOG_TAIL_BYTES: usize = 2000;
/// How much of its last line is told where a node ended by itself.
const LAST_WORDS_CHARS_MAX: usize = 160;

/// A node: its launch, its process, and what it is supposed to be doing.
pub(super) struct Node {
    spec: NodeSpec,
    /// Where it listens, if another program answers for it: that one answers whether the node runs or not.
    port: Option<End>,
    process: Option<NodeProcess>,
    state: State,
    /// Whether it was killed or ended, and has not been seen ready since.
    is_coming_back: bool,
    /// Whether it was neither the bench that ended it nor, as far as one can see, the node itself.
    was_killed_by_others: bool,
    /// `DS_SNAPSHOT_BYTES` of its next life, whose own is that of the life after: `None` where all lives have the same.
    next_log_limit: Option<String>,
}

/// What a node is supposed to be doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not started yet, or stopped at the end of the run.
    Off,
    /// Running, perhaps paused.
    Running,
    /// Killed by the nemesis.
    Killed,
    /// Ended though nobody killed it, which is in the record.
    Ended,
}

/// Why a node did not start.
#[derive(Clone, Debug)]
pub struct NotStarted {
    /// For people.
    pub reason: String,
    /// Whether the submission is to blame, rather than the bench or the machine.
    pub submissions_fault: bool,
}

impl Node {
    /// It does not run yet.
    pub(super) fn new(spec: NodeSpec) -> Self {
        Self {
            spec,
            port: None,
            process: None,
            state: State::Off,
            is_coming_back: false,
            was_killed_by_others: false,
            next_log_limit: None,
        }
    }

    /// Its name.
    pub(super) fn id(&self) -> &str {
        &self.spec.id
    }

    /// It listens there, and another program answers for it.
    pub(super) fn spoken_for(self, port: End) -> Self {
        Self { port: Some(port), ..self }
    }

    /// Waits until it answers; one that another program answers for, until it can be connected to.
    async fn wait_ready(
        &self,
        path: &str,
        listen: SocketAddr,
        process: &NodeProcess,
        limit: Duration,
    ) -> Readiness {
        let Some(port) = &self.port else {
            return cluster::ready::wait_ready(listen, path, process, limit).await;
        };
        if path != "/healthz" {
            // Another program asks for it, which takes longer.
            let limit = limit.max(SPOKEN_LOOK);
            return cluster::ready::wait_ready(listen, path, process, limit).await;
        }
        let connected = async {
            while port.connect().await.is_err() {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::select! {
            biased;
            exit = process.exited() => Readiness::Exited(exit),
            connected = tokio::time::timeout(limit, connected) => match connected {
                Ok(()) => Readiness::Ready,
                Err(_) => Readiness::TimedOut { last: "connection refused".to_owned() },
            },
        }
    }

    /// What it is supposed to be doing.
    pub(super) fn state(&self) -> State {
        self.state
    }

    /// Starts the process; one that is still there is ended first, for two would fight over a port and a log.
    pub(super) async fn start(&mut self) -> Result<(), NotStarted> {
        self.end_the_old_one().await;
        let process = NodeProcess::start(&self.spec).await.map_err(|error| NotStarted {
            submissions_fault: error.is_submissions_fault(),
            reason: format!("node {} did not start: {error}", self.spec.id),
        })?;
        self.process = Some(process);
        self.state = State::Running;
        Ok(())
    }

    async fn end_the_old_one(&mut self) {
        if let Some(old) = self.process.take() {
            // An error says that it is gone already.
            let _ = old.kill().await;
        }
    }

    /// Starts it as if it had never run: without data.
    pub(super) async fn start_anew(&mut self) -> Result<(), NotStarted> {
        self.end_the_old_one().await;
        let data = self.spec.environment.iter().find(|(name, _)| name == "DS_DATA");
        if let Some((_, data)) = data {
            empty(Path::new(data)).map_err(|error| NotStarted {
                reason: format!("{data} could not be emptied: {error}"),
                submissions_fault: false,
            })?;
        }
        self.start().await
    }

    /// Starts it again on its data, where the nemesis killed it; else there is nothing to do.
    pub(super) async fn start_again(&mut self) -> Result<(), NotStarted> {
        if self.state != State::Killed {
            return Ok(());
        }
        self.start_on_its_data().await
    }

    /// Starts it once more on its data, where it ended by itself; `None` where it did not.
    pub(super) async fn start_after_its_end(
        &mut self,
        listen: SocketAddr,
    ) -> Option<Result<(), NotStarted>> {
        if self.state != State::Ended || self.was_killed_by_others {
            return None;
        }
        self.end_the_old_one().await;
        if self.spec.confinement.is_none()
            && let Err(error) = std::net::TcpListener::bind(listen)
        {
            let id = &self.spec.id;
            let reason =
                format!("node {id} could not be started again: {listen} is taken ({error})");
            return Some(Err(NotStarted { reason, submissions_fault: false }));
        }
        self.is_coming_back = true;
        Some(self.start_on_its_data().await)
    }

    async fn start_on_its_data(&mut self) -> Result<(), NotStarted> {
        self.set_variable("DS_RESTART", "1");
        if let Some(limit) = self.next_log_limit.take() {
            self.next_log_limit = self.set_variable("DS_SNAPSHOT_BYTES", &limit);
        }
        self.start().await
    }

    /// Gives it this `DS_SNAPSHOT_BYTES` from its next start on.
    pub(super) fn limit_log(&mut self, bytes: u64) {
        self.next_log_limit = None;
        self.set_variable("DS_SNAPSHOT_BYTES", &bytes.to_string());
    }

    /// Gives it this `DS_SNAPSHOT_BYTES` from its next start on, and what it has now from the one after that, and so on.
    pub(super) fn alternate_log_limit(&mut self, bytes: u64) {
        self.next_log_limit = Some(bytes.to_string());
    }

    /// Changes a variable of its environment, from its next start on: what it was.
    fn set_variable(&mut self, name: &str, value: &str) -> Option<String> {
        let mut variables = self.spec.environment.iter_mut();
        let (_, own) = variables.find(|(own, _)| own == name)?;
        Some(std::mem::replace(own, value.to_owned()))
    }

    /// Waits until it answers `GET path` with 200, where it is supposed to run.
    pub(super) async fn wait_for(
        &self,
        path: &str,
        listen: SocketAddr,
        limit: Duration,
    ) -> Result<(), Failure> {
        let Some(process) = self.process.as_ref().filter(|_| self.state == State::Running) else {
            return Ok(());
        };
        let id = &self.spec.id;
        let readiness = self.wait_ready(path, listen, process, limit).await;
        let Some(complaint) = complaint(id, path, limit, &readiness) else { return Ok(()) };
        if !readiness.is_submissions_fault() {
            return Err(Failure::Failed(format!("the supervisor of node {id} vanished")));
        }
        let tail = cluster::logs::tail(&self.spec.stderr, LOG_TAIL_BYTES).unwrap_or_default();
        let tail = match tail.trim_end() {
            "" => String::new(),
            tail => format!("\nIts log ends with:\n{tail}"),
        };
        Err(Failure::Broken(format!("{complaint}{tail}")))
    }

    /// Whether there is nothing to wait for any more: it answers, has ended, or is not supposed to run.
    pub(super) async fn answers(&self, listen: SocketAddr, limit: Duration) -> bool {
        let Some(process) = self.process.as_ref().filter(|_| self.state == State::Running) else {
            return true;
        };
        let readiness = self.wait_ready("/healthz", listen, process, limit).await;
        matches!(readiness, Readiness::Ready | Readiness::Exited(_))
    }

    /// Whether it is down, or was killed and is not ready yet.
    pub(super) async fn is_away(&mut self, listen: SocketAddr, limit: Duration) -> bool {
        let Some(process) = self.process.as_ref().filter(|_| self.state == State::Running) else {
            return true;
        };
        if self.is_coming_back {
            let readiness = self.wait_ready("/readyz", listen, process, limit).await;
            self.is_coming_back = !matches!(readiness, Readiness::Ready);
        }
        self.is_coming_back
    }

    /// Whether there is nothing to wait for any more: it is ready, has ended, or is not supposed to run.
    pub(super) async fn is_back(&mut self, listen: SocketAddr, limit: Duration) -> bool {
        let runs = self.process.as_ref().filter(|_| self.state == State::Running);
        let has_ended = runs.is_none_or(|process| process.exit().is_some());
        has_ended || !self.is_away(listen, limit).await
    }

    /// Kills its whole process tree, or says why nothing was killed.
    pub(super) async fn kill(&mut self) -> Result<(), String> {
        let process = self.process.as_ref().ok_or("was not running")?;
        if let Some(exit) = process.exit() {
            return Err(format!("had ended by itself before ({exit})"));
        }
        self.state = State::Killed;
        self.is_coming_back = true;
        let gone = process.kill().await.map_err(|error| error.to_string())?;
        if gone { Ok(()) } else { Err("is still alive after SIGKILL".to_owned()) }
    }

    /// Stops its whole process tree for a while, or says why it was not seen to stop.
    pub(super) async fn pause(&self) -> Result<(), String> {
        let process = self.process.as_ref().ok_or("was not running")?;
        let stopped = process.pause().await.map_err(|error| error.to_string())?;
        if stopped { Ok(()) } else { Err("was not seen to stop".to_owned()) }
    }

    /// Continues it where it was paused, or says why it was not seen to continue.
    pub(super) async fn resume(&self) -> Result<(), String> {
        let Some(process) = &self.process else { return Ok(()) };
        let continued = process.resume().await.map_err(|error| error.to_string())?;
        if continued { Ok(()) } else { Err("was not seen to continue".to_owned()) }
    }

    /// Undoes whatever the nemesis did to it. One that ended by itself stays down: reviving it would hide that.
    pub(super) async fn revive(&mut self, restart: bool) -> Result<(), NotStarted> {
        match self.state {
            State::Killed if restart => self.start_again().await,
            State::Running => {
                // Where it cannot be continued it has ended, which is noticed as such.
                let _ = self.resume().await;
                Ok(())
            }
            State::Off | State::Killed | State::Ended => Ok(()),
        }
    }

    /// How it ended, where nobody killed it; said once.
    pub(super) fn own_exit(&mut self) -> Option<OwnExit> {
        let exit = self.process.as_ref()?.exit().filter(|_| self.state == State::Running)?;
        self.state = State::Ended;
        let killed = match exit {
            cluster::Exit::Signal(signal) => [libc::SIGKILL, libc::SIGTERM].contains(&signal),
            // So a shell ends whose child was killed.
            cluster::Exit::Code(code) => [libc::SIGKILL, libc::SIGTERM].contains(&(code - 128)),
            cluster::Exit::Lost => true,
        };
        self.was_killed_by_others = killed;
        let (node, exit, last_words) = (self.spec.id.clone(), exit.to_string(), self.last_words());
        Some(OwnExit { node, exit, killed, last_words })
    }

    /// The last line of its stderr that says something.
    fn last_words(&self) -> String {
        let tail = cluster::logs::tail(&self.spec.stderr, LOG_TAIL_BYTES).unwrap_or_default();
        let unstamped = |line| record::stamped(line).map_or(line, |(_, line)| line);
        let lines = tail.lines().map(unstamped).map(str::trim);
        // After a panic in Rust the last line is a hint that says nothing about it.
        let mut lines =
            lines.filter(|line| !line.is_empty() && !line.starts_with("note: run with"));
        lines.next_back().unwrap_or_default().chars().take(LAST_WORDS_CHARS_MAX).collect()
    }

    /// Where it persists, if it runs: `DS_DATA`.
    pub(super) fn data_folder(&self) -> Option<PathBuf> {
        let mut variables = self.spec.environment.iter().filter(|_| self.state == State::Running);
        variables.find(|(name, _)| name == "DS_DATA").map(|(_, value)| value.into())
    }

    /// The memory of its processes, where it runs and the system says so.
    pub(super) async fn memory_bytes(&self) -> Option<u64> {
        let process = self.process.as_ref().filter(|_| self.state == State::Running)?;
        // Not so long that a supervisor that is slow to answer would be given up.
        tokio::time::timeout(MEASURE_LIMIT, process.memory_bytes()).await.ok()?.ok()?
    }

    /// Gives its process away, to be ended.
    pub(super) fn switch_off(&mut self) -> Option<NodeProcess> {
        self.state = State::Off;
        self.process.take()
    }
}

/// Leaves a folder with nothing in it.
fn empty(folder: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => std::fs::create_dir_all(folder),
    }
}

/// What a person should know about how a node ended at the end of the run.
pub(super) fn shutdown_notes(id: &str, stopped: &Stopped, grace: Duration) -> Vec<String> {
    let mut notes = Vec::new();
    if stopped.ignored_sigterm {
        notes.push(format!(
            "Node {id} ignored SIGTERM for {} and was killed.",
            format_duration(grace)
        ));
    }
    if stopped.daemons > 0 {
        notes.push(format!(
            "Node {id} left {} processes behind, which were killed.",
            stopped.daemons
        ));
    }
    if !stopped.gone {
        notes.push(format!("Node {id} was not seen to end, not even after SIGKILL."));
    }
    notes
}

/// Why a node that does not answer as it should is no use; `None` for one that does.
fn complaint(id: &str, path: &str, limit: Duration, readiness: &Readiness) -> Option<String> {
    let limit = format_duration(limit);
    match readiness {
        Readiness::Ready => None,
        Readiness::Exited(exit) => Some(format!("node {id} ended while it was starting ({exit}).")),
        Readiness::TimedOut { last } if path == "/healthz" => Some(format!(
            "node {id} did not answer GET {path} on its DS_LISTEN within {limit} ({last})."
        )),
        Readiness::TimedOut { last } => {
            Some(format!("node {id} never got ready: GET {path} for {limit} ({last})."))
        }
        Readiness::Redirected { status, location } => Some(format!(
            "node {id} answers GET {path} with a redirect ({status} to \"{location}\"); redirects are not followed."
        )),
        Readiness::NotHttp { first_bytes } => Some(format!(
            "node {id} does not speak HTTP: GET {path} was answered with \"{first_bytes}\"."
        )),
    }
}
