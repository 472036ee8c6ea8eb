//! The commands `run` and `sequential`.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

fn command(arguments: &[&str], out: &Path, inputs: &[PathBuf]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mapreduce"));
    command.args(arguments).arg("--out").arg(out).args(inputs);
    command
}

fn outcome(arguments: &[&str], out: &Path, inputs: &[PathBuf]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command(arguments, out, inputs).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// The files in a folder with their contents, in order.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let content = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    let mut contents: Vec<_> = entries.map(content).collect();
    contents.sort();
    contents
}

/// A text that keeps workers busy for a while.
fn long_text(folder: &Path) -> PathBuf {
    let path = folder.join("long.txt");
    fs::write(&path, "so many words in such a long line ".repeat(600_000)).unwrap();
    path
}

fn wait_until(what: &str, mut reached: impl FnMut() -> bool) {
    let start = Instant::now();
    while !reached() {
        assert!(start.elapsed() < Duration::from_secs(20), "waited in vain: {what}");
        sleep(Duration::from_millis(10));
    }
}

/// A run, and its nodes.
fn start_run(out: &Path, input: &Path) -> (Child, Vec<u32>) {
    let mut run =
        command(&["run", "--app", "wordcount", "--workers", "2"], out, &[input.to_owned()]);
    let run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let children = || -> Vec<u32> {
        let path = format!("/proc/{0}/task/{0}/children", run.id());
        let text = fs::read_to_string(path).unwrap_or_default();
        text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
    };
    // Each node has made its folder.
    let started = || {
        let scratch = fs::read_dir(out).ok().and_then(|mut entries| entries.next()?.ok());
        scratch.is_some_and(|scratch| {
            fs::read_dir(scratch.path()).is_ok_and(|nodes| nodes.count() >= 4)
        })
    };
    wait_until("nodes start", started);
    let nodes = children();
    assert_eq!(nodes.len(), 3);
    (run, nodes)
}

/// Whether a process is gone, or dead and not yet waited for.
fn is_gone(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_none_or(|rest| rest.is_empty() || rest.trim_start().starts_with('Z'))
}

#[test]
fn a_run_has_the_outputs_of_the_sequential_one() {
    let folder = tempfile::tempdir().unwrap();
    let texts = [("a.txt", "one two\ntwo"), ("b.txt", "two 数据 three"), ("c.txt", "")];
    let inputs = texts.map(|(name, text)| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    });
    let (one, other) = (folder.path().join("sequential"), folder.path().join("run"));
    for (app, number) in [("wordcount", 1), ("index", 2)] {
        let (code, stdout, stderr) = outcome(&["sequential", "--app", app], &one, &inputs);
        assert_eq!((code, stderr.as_str()), (Some(0), ""));
        assert!(stdout.contains(&format!("10 outputs: {}/mr-out-j{number}-0 to", one.display())));
        let (code, stdout, stderr) =
            outcome(&["run", "--app", app, "--workers", "3"], &other, &inputs);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stderr.contains("done: 2/2 map tasks, 10/10 reduce tasks"), "{stderr}");
        assert!(stdout.contains("run/mr-out-j") && stdout.contains("MiB of memory"), "{stdout}");
        assert_eq!(contents(&one), contents(&other));
        assert_eq!(contents(&one).len(), 10 * number);
    }
    let lines: Vec<u8> = contents(&one).into_iter().flat_map(|(_, content)| content).collect();
    let lines = String::from_utf8(lines).unwrap();
    let (a, b) = (inputs[0].display(), inputs[1].display());
    for line in ["two 3", "数据 1", &format!("two 2 {a},{b}"), &format!("one 1 {a}")] {
        assert!(lines.lines().any(|found| found == line), "{line} is not in {lines}");
    }
}

#[test]
fn a_wrong_command_line_makes_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (out, missing) = (folder.path().join("out"), folder.path().join("missing.txt"));
    for command in ["run", "sequential"] {
        let (code, _, stderr) =
            outcome(&[command, "--app", "wordcount"], &out, std::slice::from_ref(&missing));
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains("missing.txt: No such file"), "{stderr}");
        let (code, _, stderr) =
            outcome(&[command, "--app", "sort"], &out, std::slice::from_ref(&missing));
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains("no app \"sort\": use one of index, wordcount"), "{stderr}");
        let (code, _, stderr) = outcome(&[command, "--app", "index"], &out, &[]);
        assert!(code == Some(2) && stderr.contains("INPUT"), "{stderr}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (out, input) = (folder.path().join("out"), long_text(folder.path()));
    let (mut run, nodes) = start_run(&out, &input);
    kill(Pid::from_raw(run.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert!(nodes.into_iter().all(is_gone));
    assert!(!out.exists());
}

#[test]
fn nodes_end_with_a_run_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let (out, input) = (folder.path().join("out"), long_text(folder.path()));
    let (mut run, nodes) = start_run(&out, &input);
    run.kill().unwrap();
    run.wait().unwrap();
    wait_until("nodes end", || nodes.iter().all(|pid| is_gone(*pid)));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
}
