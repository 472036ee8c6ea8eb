//! Linux: all descendants, found through the parent links in `/proc`.
//!
//! The shim is a child subreaper: a process that loses its parent, as a double-forked daemon does, becomes the shim's
//! child. So whatever the node starts stays below the shim, whichever session or process group it moves to.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, getpid, sysconf};

/// How long signals get to take hold: a process in an uninterruptible system call stops only after it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Everything below some supervisors, which are no part of it themselves.
pub(crate) struct Tree {
    supervisors: Vec<i32>,
}

impl Tree {
    /// Makes the calling process the one that adopts orphans; to be called before anything is started.
    pub(crate) fn adopt_orphans() -> io::Result<()> {
        Ok(prctl::set_child_subreaper(true)?)
    }

    /// The tree of a node that the calling process started.
    pub(crate) fn of(node: Pid) -> Tree {
        Tree::below(&[getpid()], node)
    }

    /// The tree of a node that has these supervisors.
    pub(crate) fn below(supervisors: &[Pid], _node: Pid) -> Tree {
        Tree { supervisors: supervisors.iter().map(|pid| pid.as_raw()).collect() }
    }

    /// Sends a signal once to each living process.
    pub(crate) fn signal(&self, signal: Signal) {
        for pid in self.living() {
            send(pid, signal);
        }
    }

    /// How many processes live; zombies do not.
    pub(crate) fn alive(&self) -> u32 {
        u32::try_from(self.living().len()).unwrap_or(u32::MAX)
    }

    /// The memory that the living processes occupy, in bytes; what they share is counted for each.
    pub(crate) fn memory_bytes(&self) -> Option<u64> {
        Some(self.living().into_iter().filter_map(resident_bytes).sum())
    }

    /// Stops every process; true once there is at least one and none can run on.
    pub(crate) fn pause(&self) -> bool {
        self.signal_until(Signal::SIGSTOP, stands_still) && self.alive() > 0
    }

    /// Continues every process; true once none is seen stopped.
    pub(crate) fn resume(&self) -> bool {
        // To all: SIGCONT also takes back a SIGSTOP that has not taken hold yet.
        self.signal(Signal::SIGCONT);
        self.signal_until(Signal::SIGCONT, |pid| tasks(pid).all(|state| state != 'T'))
    }

    /// Signals every process for which `held` is false until there is none left, or patience runs out.
    ///
    /// Two clean looks in a row are needed: a scan of `/proc` is no snapshot, and a process that was still running during
    /// the first may have forked a child that the scan had already passed.
    fn signal_until(&self, signal: Signal, held: impl Fn(i32) -> bool) -> bool {
        let deadline = Instant::now() + PATIENCE;
        let mut nap = Duration::from_micros(100);
        let mut clean_looks = 0;
        while clean_looks < 2 {
            let restless: Vec<i32> = self.living().into_iter().filter(|&pid| !held(pid)).collect();
            if restless.is_empty() {
                clean_looks += 1;
                continue;
            }
            if Instant::now() > deadline {
                return false;
            }
            clean_looks = 0;
            for pid in restless {
                send(pid, signal);
            }
            thread::sleep(nap);
            nap = (nap * 2).min(Duration::from_millis(10));
        }
        true
    }

    /// The descendants that are not zombies.
    fn living(&self) -> Vec<i32> {
        let mut children: HashMap<i32, Vec<(i32, char)>> = HashMap::new();
        for pid in numbered("/proc") {
            if let Some((parent, state)) = stat(&format!("/proc/{pid}/stat")) {
                children.entry(parent).or_default().push((pid, state));
            }
        }
        let mut living = Vec::new();
        let mut parents = self.supervisors.clone();
        while let Some(parent) = parents.pop() {
            for (pid, state) in children.remove(&parent).unwrap_or_default() {
                parents.push(pid);
                // A process whose first thread ended looks like a zombie while its other threads run on.
                let alive = |state| state != 'Z' && state != 'X';
                let alive = alive(state) || tasks(pid).any(alive);
                if alive && !self.supervisors.contains(&pid) {
                    living.push(pid);
                }
            }
        }
        living
    }
}

/// Whether a process that was sent SIGSTOP runs no more code of its own.
///
/// One in an uninterruptible system call (`D`) counts if it will stop as soon as that returns. This is more than
/// impatience: the parent in a vfork(2) waits like that for a child that is itself stopped, as shells often do.
fn stands_still(pid: i32) -> bool {
    let states: Vec<char> = tasks(pid).filter(|state| !matches!(state, 'Z' | 'X')).collect();
    states.iter().all(|state| matches!(state, 'T' | 't' | 'D'))
        && (!states.contains(&'D') || states.contains(&'T') || stop_is_pending(pid))
}

/// Whether SIGSTOP waits for a process, in the mask that proc_pid_status(5) calls ShdPnd.
fn stop_is_pending(pid: i32) -> bool {
    let status = fs::read(format!("/proc/{pid}/status")).unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let mask = status.lines().find_map(|line| line.strip_prefix("ShdPnd:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 << (Signal::SIGSTOP as i32 - 1) != 0)
}

/// The memory that a process occupies, by proc_pid_statm(5).
fn resident_bytes(pid: i32) -> Option<u64> {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    let page_bytes = sysconf(SysconfVar::PAGE_SIZE).ok()??;
    Some(pages * u64::try_from(page_bytes).ok()?)
}

/// A process that is gone by now needs no signal, and one that became another user's can get none.
fn send(pid: i32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid), signal);
}

/// The states of a process' threads; none when it is gone.
fn tasks(pid: i32) -> impl Iterator<Item = char> {
    let folder = format!("/proc/{pid}/task");
    numbered(&folder).filter_map(move |task| Some(stat(&format!("{folder}/{task}/stat"))?.1))
}

/// The entries of a folder whose names are numbers.
fn numbered(folder: &str) -> impl Iterator<Item = i32> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Parent and state from a `stat` file (proc_pid_stat(5)).
fn stat(path: &str) -> Option<(i32, char)> {
    // The name of a program is any bytes.
    parse_stat(&String::from_utf8_lossy(&fs::read(path).ok()?))
}

/// The fields after the program's name, which stands in parentheses and may hold any character, `)` too.
fn parse_stat(text: &str) -> Option<(i32, char)> {
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((fields.next()?.parse().ok()?, state))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_program_name_does_not_confuse_the_parser() {
        assert_eq!(parse_stat("12 (sh) S 7 12 12 0"), Some((7, 'S')));
        assert_eq!(parse_stat("12 (a) T 1 (b) R 7 12"), Some((7, 'R')));
        assert_eq!(parse_stat("12 (sh"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    fn a_running_process_does_not_stand_still() {
        assert!(!stands_still(getpid().as_raw()));
        assert!(!stop_is_pending(getpid().as_raw()));
        assert!(stands_still(i32::MAX), "one that is gone does");
    }

    #[test]
    fn a_process_sees_the_memory_that_it_occupies() {
        let before = resident_bytes(getpid().as_raw()).unwrap();
        let block = vec![1_u8; 64 << 20];
        let grown = resident_bytes(getpid().as_raw()).unwrap() - before;
        assert!(grown > 60 << 20, "{grown} of {} bytes", std::hint::black_box(&block).len());
    }

    #[test]
    fn a_process_sees_its_own_threads() {
        assert!(tasks(getpid().as_raw()).any(|state| state == 'R'));
        assert_eq!(tasks(i32::MAX).count(), 0);
    }
}
