//! Runs the real program against submissions made for the occasion, and looks for what it leaves behind.

#![allow(dead_code, reason = "each test program uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// The program under test.
pub const HARNESS: &str = env!("CARGO_BIN_EXE_harness");

/// A temporary place with one submission in it.
pub struct Bench {
    place: tempfile::TempDir,
}

/// What a finished run printed.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Bench {
    /// A bench whose submission is the toy store, misbehaving in this way (empty: well-behaved).
    pub fn with_toy(misbehaviour: &str) -> Self {
        Self::with_toy_and(misbehaviour, "")
    }

    /// The same with more lines at the end of its manifest.
    pub fn with_toy_and(misbehaviour: &str, lines: &str) -> Self {
        let toy = example("toy_store");
        Self::with_manifest(&format!(
            "name = \"toy\"\nrun = [{toy:?}, {misbehaviour:?}]\nserves = [\"exactly-once-kv\"]\n\
             caps = [\"append\", \"puthash\", \"cas\", \"multi\", \"txn\", \"exactly-once\", \"restart\"]\n{lines}"
        ))
    }

    /// A bench whose submission has this manifest.
    pub fn with_manifest(manifest: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("store")).unwrap();
        std::fs::write(place.path().join("store/submission.toml"), manifest).unwrap();
        Self { place }
    }

    /// A bench whose submission is the reference store as this build of the tests has it: its own manifest, but nothing
    /// to build.
    pub fn with_reference_store() -> Self {
        Self::with_store("paxos", "reference_store")
    }

    /// The store in this folder of `impls`, run as this example.
    pub fn with_store(folder: &str, program: &str) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let manifest = root.join("impls").join(folder).join("submission.toml");
        let manifest = std::fs::read_to_string(manifest).unwrap();
        let is_command = |line: &&str| line.starts_with("build") || line.starts_with("run");
        let rest: Vec<&str> = manifest.lines().filter(|line| !is_command(line)).collect();
        let run = format!("run = [{:?}]", example(program));
        Self::with_manifest(&format!("{}\n{run}\n", rest.join("\n")))
    }

    pub fn store(&self) -> PathBuf {
        self.place.path().join("store")
    }

    pub fn out(&self) -> PathBuf {
        self.place.path().join("results")
    }

    pub fn latest(&self) -> PathBuf {
        self.out().join("latest")
    }

    /// `harness run` on the submission, one node where nothing else is said, with these further arguments.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(HARNESS);
        command.arg("run").arg(self.store()).arg("--out").arg(self.out());
        if !arguments.contains("--nodes") {
            command.args(["--nodes", "1"]);
        }
        command.args(arguments.split_whitespace()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &str) -> Ran {
        finish(&mut self.command(arguments))
    }

    /// The same with longer and longer time limits, until the run is good for something: a fault that found no chance
    /// to take hold, or a store that did too little, says more of the machine than of the bench. The last one counts.
    pub fn run_until(&self, arguments: &str, good: impl Fn(&Ran) -> bool) -> Ran {
        let run = |limit: &str| self.run(&format!("{arguments} --time-limit {limit}"));
        let shorter = ["3s", "10s", "30s"].iter().map(|limit| run(limit));
        shorter.into_iter().find(good).unwrap_or_else(|| run("60s"))
    }

    /// The same until the run is not inconclusive.
    pub fn run_until_decided(&self, arguments: &str) -> Ran {
        self.run_until(arguments, |ran| ran.code != 3)
    }

    pub fn spawn(&self, arguments: &str) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// `harness check` on the latest results.
    pub fn check(&self) -> Ran {
        finish(Command::new(HARNESS).arg("check").arg(self.latest()))
    }

    /// Waits until the history of the latest run mentions `text`.
    pub fn wait_for_history(&self, text: &str) {
        let history = self.latest().join("history.jsonl");
        wait_until(Duration::from_secs(30), || {
            std::fs::read_to_string(&history).is_ok_and(|all| all.contains(text))
        });
    }

    /// Fails if any process still carries this bench's place in its command line or environment.
    pub fn assert_nothing_left(&self) {
        let place = self.place.path().display().to_string();
        let mut left = Vec::new();
        let gone = eventually(Duration::from_secs(10), || {
            left = processes_mentioning(&place);
            left.is_empty()
        });
        assert!(gone, "still alive: {left:?}");
    }

    pub fn processes(&self) -> Vec<String> {
        processes_mentioning(&self.place.path().display().to_string())
    }
}

/// A program among the examples, which `cargo test` builds.
pub fn example(name: &str) -> PathBuf {
    let program = Path::new(HARNESS).with_file_name("examples").join(name);
    let how = "run the tests with `cargo test`, which builds examples";
    assert!(program.is_file(), "{} is not built: {how}", program.display());
    program
}

pub fn finish(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    Ran {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// The same command, ended after a minute: code 124.
pub fn at_most_a_minute(command: &Command) -> Command {
    let mut bounded = Command::new("timeout");
    bounded.arg("60").arg(command.get_program()).args(command.get_args());
    bounded
}

/// The same command under this limit of the shell's `ulimit`.
pub fn limited(limit: &str, command: &Command) -> Command {
    let mut limited = Command::new("sh");
    limited.args(["-c", &format!("ulimit {limit} && exec \"$@\""), "sh"]);
    limited.arg(command.get_program()).args(command.get_args());
    limited
}

pub fn make_pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success(), "{}", path.display());
}

impl Ran {
    #[track_caller]
    pub fn expect(self, code: i32, sentence: &str) -> Self {
        let said = format!("exit {}\nstdout: {}\nstderr: {}", self.code, self.stdout, self.stderr);
        assert_eq!(self.code, code, "{said}");
        assert!(
            self.stdout.contains(sentence) || self.stderr.contains(sentence),
            "no `{sentence}` in\n{said}"
        );
        self
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

/// Waits until `done`, or fails.
#[track_caller]
pub fn wait_until(limit: Duration, done: impl FnMut() -> bool) {
    assert!(eventually(limit, done), "not within {limit:?}");
}

fn eventually(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if done() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn processes_mentioning(text: &str) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let own = std::process::id().to_string();
    let mentions = |pid: &String| {
        let read = |file: &str| std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        [read("cmdline"), read("environ")]
            .iter()
            .any(|bytes| String::from_utf8_lossy(bytes).contains(text))
    };
    let pids = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let pids = pids.filter(|pid| pid.bytes().all(|byte| byte.is_ascii_digit()) && *pid != own);
    pids.filter(mentions)
        .map(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            format!("{pid}: {}", String::from_utf8_lossy(&line).replace('\0', " "))
        })
        .collect()
}

/// Every process below `root`.
pub fn descendants(root: u32) -> Vec<u32> {
    let mut found: Vec<u32> = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        let children = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
            let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
            (stat(pid)?.1 == parent).then_some(pid)
        });
        let children: Vec<u32> = children.collect();
        parents.extend(&children);
        found.extend(children);
    }
    found
}

/// Whether a process still runs (a zombie does not).
pub fn is_alive(pid: u32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != 'Z')
}

/// State and parent of a process.
fn stat(pid: u32) -> Option<(char, u32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat[stat.rfind(')')? + 2..].split(' ');
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}
