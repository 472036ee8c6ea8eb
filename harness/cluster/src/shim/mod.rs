//! The shim: one small process per node that starts it, watches it, drains what it prints and answers for its whole
//! tree of descendants.
//!
//! It has one thread and sleeps in one `poll`. Its stdin is the control pipe, whose other end only the harness holds:
//! when the harness dies, however it dies, the pipe ends, and the shim kills the tree and ends too. Its parent is the
//! guardian (`guardian.rs`), which keeps a hostile node from switching it off.

mod children;
pub(crate) mod guardian;
mod launch;
mod output;
pub(crate) mod stamps;
pub(crate) mod tree;
pub(crate) mod wire;

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getppid, setsid};

use crate::exit::Exit;
use children::Children;
use guardian::Place;
use output::Output;
use tree::Tree;
use wire::{Action, Command, Event, Failure, Launch, Reply};

/// The first argument that makes an executable a shim.
pub(crate) const ARGUMENT: &str = "__shim";

/// How long a kill may take before the harness learns that it did not work.
const KILL_PATIENCE: Duration = Duration::from_secs(10);

/// Becomes a shim, or the keeper of a network, if this process was started as one, and never returns then. To be called first thing in `main`:
/// before a runtime, a thread or a file exists.
pub fn run_if_requested() {
    #[cfg(target_os = "linux")]
    crate::confinement::run_if_requested();
    crate::confinement::end_if_requested();
    if std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT) {
        std::process::exit(match run() {
            Ok(()) => 0,
            Err(error) => {
                say(&Event::Failed(Failure::Shim(error.to_string())));
                1
            }
        });
    }
}

/// The running executable, as [`crate::NodeSpec::shim`] wants it. On Linux this stays the same program even when the
/// file is replaced by a newer build during a run.
///
/// # Errors
/// When the system does not say where the executable is.
pub fn this_executable() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        Ok(PathBuf::from("/proc/self/exe"))
    } else {
        std::env::current_exe()
    }
}

fn run() -> io::Result<()> {
    close_inherited();
    // A session of its own: no terminal, and no signal meant for the harness' group.
    let _ = setsid();
    // So that no mount stays busy because of us.
    std::env::set_current_dir("/")?;
    let network = std::env::args().nth(3).and_then(|keeper| keeper.parse().ok());
    let Place { guardian, shim } = guardian::stay_behind(network)?;
    Tree::adopt_orphans()?;
    let children = Children::watch()?;
    let mut control = Control::default();
    let Some(line) = control.first_line()? else { return Ok(()) };
    let launch: Launch = serde_json::from_slice(&line)?;
    match launch::launch(&launch) {
        Ok(launched) => {
            let pid = launched.pid;
            let number = |pid: Pid| pid.as_raw().cast_unsigned();
            say(&Event::Started { pid: number(pid), shim: number(shim) });
            let (tree, outputs) = (Tree::of(pid), launched.outputs);
            Shim { guardian, node: pid, tree, outputs, children, exited: false }.serve(control);
        }
        Err(failure) => say(&Event::Failed(failure)),
    }
    Ok(())
}

/// Closes all but the standard descriptors: a listener of the harness that lived on in here would accept connections
/// for a dead node.
fn close_inherited() {
    #[cfg(target_os = "linux")]
    // SAFETY: nothing but the standard streams is in use yet.
    #[allow(unsafe_code)]
    unsafe {
        if libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) == 0 {
            return;
        }
    }
    let limit = nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE);
    let limit = limit.map_or(1024, |(soft, _)| soft.min(65_536));
    for descriptor in 3..i32::try_from(limit).unwrap_or(1024) {
        let _ = nix::unistd::close(descriptor);
    }
}

/// Sends an event. A harness that is gone shows as the end of the control pipe, not here.
fn say(event: &Event) {
    if let Ok(line) = wire::line(event) {
        let _ = io::stdout().write_all(&line);
        let _ = io::stdout().flush();
    }
}

/// A node under supervision.
struct Shim {
    guardian: Pid,
    node: Pid,
    tree: Tree,
    outputs: Vec<Output>,
    children: Children,
    exited: bool,
}

impl Shim {
    /// Serves until the tree is killed, by command or because the harness or the guardian is gone.
    fn serve(mut self, mut control: Control) {
        loop {
            let commands_waiting = self.wait();
            self.drain();
            self.reap();
            if getppid() != self.guardian {
                self.kill_all(None);
                return;
            }
            if !commands_waiting {
                continue;
            }
            let open = control.read();
            while let Some(line) = control.next_line() {
                let Ok(command) = serde_json::from_slice::<Command>(&line) else { continue };
                if self.obey(&command) {
                    return;
                }
            }
            if !open {
                self.kill_all(None);
                return;
            }
        }
    }

    /// Sleeps until something happens; says whether it is a command, or the end of commands.
    fn wait(&mut self) -> bool {
        let stdin = io::stdin();
        let descriptors = [stdin.as_fd(), self.children.descriptor()].into_iter();
        let mut waiting: Vec<PollFd> = descriptors
            .chain(self.outputs.iter().filter_map(Output::descriptor))
            .map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN))
            .collect();
        match poll(&mut waiting, PollTimeout::NONE) {
            Ok(_) => waiting[0].any().unwrap_or(true),
            Err(_) => false,
        }
    }

    fn drain(&mut self) {
        self.outputs.iter_mut().for_each(Output::drain);
    }

    /// Buries the dead, ours and the adopted; false when no child is left, so that nothing lives below us.
    fn reap(&mut self) -> bool {
        self.children.clear();
        loop {
            let status = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(status) => status,
                Err(Errno::EINTR) => continue,
                Err(_) => return false,
            };
            let exit = match status {
                WaitStatus::StillAlive => return true,
                WaitStatus::Exited(pid, code) if pid == self.node => Exit::Code(code),
                WaitStatus::Signaled(pid, signal, _) if pid == self.node => {
                    Exit::Signal(signal as i32)
                }
                _ => continue,
            };
            if !self.exited {
                self.exited = true;
                // Whoever hears of the exit finds the last words in the log.
                self.drain();
                say(&Event::Exited(exit));
            }
        }
    }

    /// Carries out a command and answers; true when the shim's work is done.
    fn obey(&mut self, command: &Command) -> bool {
        let mut done = false;
        let held = match command.action {
            Action::Pause => self.tree.pause(),
            Action::Resume => self.tree.resume(),
            Action::Terminate => {
                self.tree.signal(Signal::SIGTERM);
                self.tree.signal(Signal::SIGCONT);
                true
            }
            Action::Count | Action::Measure => true,
            Action::Kill => {
                done = self.kill_all(Some(KILL_PATIENCE));
                done
            }
        };
        say(&Event::Reply(Reply {
            number: command.number,
            held,
            alive: self.tree.alive(),
            memory_bytes: (command.action == Action::Measure)
                .then(|| self.tree.memory_bytes())
                .flatten(),
        }));
        if command.action == Action::Kill && !done {
            // The harness knows that it did not work in time; it still has to happen.
            done = self.kill_all(None);
        }
        done
    }

    /// Kills until no child is left, adopted ones included; false if that took longer than the limit.
    fn kill_all(&mut self, limit: Option<Duration>) -> bool {
        let deadline = limit.map(|limit| Instant::now() + limit);
        let mut nap_ms: u8 = 1;
        loop {
            self.tree.signal(Signal::SIGKILL);
            if !self.reap() {
                self.drain();
                return true;
            }
            if deadline.is_some_and(|deadline| Instant::now() > deadline) {
                return false;
            }
            // Woken by the next death; at the latest to look for what was forked meanwhile.
            let mut news = [PollFd::new(self.children.descriptor(), PollFlags::POLLIN)];
            let _ = poll(&mut news, nap_ms);
            nap_ms = nap_ms.saturating_mul(2).min(100);
        }
    }
}

/// The control pipe, cut into lines.
#[derive(Default)]
struct Control {
    bytes: Vec<u8>,
}

impl Control {
    /// Waits for a whole line; `None` when the pipe ends before.
    fn first_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(line) = self.next_line() {
                return Ok(Some(line));
            }
            if !self.read() {
                return Ok(None);
            }
        }
    }

    /// Takes in what is there; false at the end of the pipe.
    fn read(&mut self) -> bool {
        let mut chunk = [0; 4096];
        // Not through `Stdin`, whose buffer `poll` cannot see.
        match nix::unistd::read(io::stdin(), &mut chunk) {
            Ok(0) => false,
            Ok(count) => {
                self.bytes.extend_from_slice(&chunk[..count]);
                true
            }
            Err(Errno::EINTR | Errno::EAGAIN) => true,
            Err(_) => false,
        }
    }

    fn next_line(&mut self) -> Option<Vec<u8>> {
        let end = self.bytes.iter().position(|&byte| byte == b'\n')?;
        Some(self.bytes.drain(..=end).collect())
    }
}
