//! A folder, nodes that are shell scripts, and a way to find every process they started.
#![allow(dead_code)] // Each test file uses a part.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cluster::{Limits, NodeProcess, NodeSpec};

/// The variable that marks the processes of one test, whatever becomes of their parents.
const MARK: &str = "CLUSTER_TEST_MARK";

/// No test waits longer than this for something that has to happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A test's own folder, and its own mark on processes.
pub struct Bench {
    pub folder: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Bench {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn mark(&self) -> String {
        self.folder.path().to_str().unwrap().into()
    }

    pub fn environment(&self) -> Vec<(String, String)> {
        vec![(MARK.into(), self.mark())]
    }

    /// A node that runs a shell script.
    pub fn script(&self, script: &str) -> NodeSpec {
        self.node(&["sh", "-c", script])
    }

    pub fn node(&self, argv: &[&str]) -> NodeSpec {
        NodeSpec {
            id: "n1".into(),
            argv: words(argv),
            folder: self.folder.path().into(),
            environment: self.environment(),
            stdout: self.path("stdout.log"),
            stderr: self.path("stderr.log"),
            stamps_since: None,
            limits: Limits::default(),
            confinement: None,
            shim: shim(),
        }
    }

    /// All processes of this test but zombies, with their states.
    pub fn processes(&self) -> Vec<(u32, char)> {
        let mark = format!("{MARK}={}", self.mark());
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse() else { continue };
            // A zombie has no environment any more.
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            if environment.split(|&byte| byte == 0).any(|variable| variable == mark.as_bytes()) {
                found.extend(state(pid).map(|state| (pid, state)));
            }
        }
        found
    }

    /// Waits until this many processes of the test live.
    pub async fn until_processes(&self, count: usize) {
        eventually(&format!("{count} processes"), || self.processes().len() == count).await;
    }

    pub fn stdout(&self) -> String {
        fs::read_to_string(self.path("stdout.log")).unwrap_or_default()
    }

    pub fn stderr(&self) -> String {
        fs::read_to_string(self.path("stderr.log")).unwrap_or_default()
    }
}

pub fn shim() -> PathBuf {
    env!("CARGO_BIN_EXE_cluster-shim").into()
}

pub fn words(argv: &[&str]) -> Vec<OsString> {
    argv.iter().map(OsString::from).collect()
}

pub async fn start(spec: &NodeSpec) -> NodeProcess {
    NodeProcess::start(spec).await.unwrap()
}

/// The state letter of a process in `/proc`.
pub fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// The processor time a process has used, in clock ticks.
pub fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// The parent of a process.
pub fn parent(pid: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap().parse().unwrap()
}

/// Waits for something that has to happen.
pub async fn eventually(what: &str, happened: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !happened() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
