//! Limits of files: the harness' own is raised, what it starts keeps a sane one.
#![cfg(target_os = "linux")] // Processes are found in /proc.
#![allow(clippy::unwrap_used)] // Tests say what they expect by unwrapping it.

mod common;

use cluster::{raise_open_files_limit, run_to_completion};
use common::{Bench, PATIENCE, shim, start, words};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

const FILES: Resource = Resource::RLIMIT_NOFILE;

/// The only test of its process, since limits belong to the whole process.
#[tokio::test]
async fn a_raised_limit_is_not_passed_on() {
    let (_, hard) = getrlimit(FILES).unwrap();
    setrlimit(FILES, hard.min(512), hard).unwrap();
    assert_eq!(raise_open_files_limit().unwrap(), hard);
    assert_eq!(getrlimit(FILES).unwrap(), (hard, hard));
    assert_eq!(raise_open_files_limit().unwrap(), hard, "again is no error");

    let bench = Bench::new();
    let node = start(&bench.script("ulimit -Sn; ulimit -Hn")).await;
    node.exited().await;
    assert_eq!(bench.stdout(), format!("{0}\n{0}\n", hard.min(4096)));
    assert!(node.kill().await.unwrap());

    let log = bench.path("build.log");
    let argv = words(&["sh", "-c", "ulimit -Sn; ulimit -Hn"]);
    let folder = bench.folder.path();
    let built = run_to_completion(&argv, folder, &[], &log, PATIENCE, &shim()).await.unwrap();
    assert_eq!(built.log_tail, format!("{0}\n{0}\n", hard.min(16_384)));
}
