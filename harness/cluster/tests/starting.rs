//! Starting: what is passed on, and what goes wrong.
#![cfg(target_os = "linux")] // Processes are found in /proc.
#![allow(clippy::unwrap_used)] // Tests say what they expect by unwrapping it.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use cluster::{Exit, NodeProcess, StartError};
use common::{Bench, start};

#[tokio::test]
async fn a_program_that_cannot_run_is_a_clear_error() {
    let bench = Bench::new();
    let write = |name: &str, text: &str, mode: u32| {
        fs::write(bench.path(name), text).unwrap();
        fs::set_permissions(bench.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    write("plain", "#!/bin/sh\n", 0o644);
    write("odd", "#!/no/such/interpreter\n", 0o755);
    fs::create_dir(bench.path("folder")).unwrap();
    for (program, expected) in [
        ("./missing", "no program ./missing in the folder"),
        ("certainly-no-such-program", "in any folder of PATH"),
        ("./plain", "is not marked executable"),
        ("./folder", "is a folder"),
        ("./odd", "interpreter"),
    ] {
        let error = NodeProcess::start(&bench.node(&[program])).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{program}: {error}");
        assert!(error.is_submissions_fault(), "{program}: {error}");
    }
    assert!(matches!(NodeProcess::start(&bench.node(&[])).await, Err(StartError::EmptyCommand)));
    assert_eq!(bench.processes(), []);
}

#[tokio::test]
async fn what_is_wrong_around_the_program_is_told_too() {
    let bench = Bench::new();
    let mut spec = bench.script("exit 0");
    spec.folder = bench.path("missing");
    assert!(matches!(NodeProcess::start(&spec).await, Err(StartError::Folder { .. })));

    let mut spec = bench.script("exit 0");
    spec.stderr = bench.path("missing/stderr.log");
    let error = NodeProcess::start(&spec).await.unwrap_err();
    assert!(matches!(error, StartError::Log { .. }) && !error.is_submissions_fault(), "{error}");

    for shim in ["/bin/true", "/no/such/shim"] {
        let mut spec = bench.script("exit 0");
        spec.shim = shim.into();
        let error = NodeProcess::start(&spec).await.unwrap_err();
        assert!(matches!(error, StartError::Shim { .. }), "{shim}: {error}");
    }
}

#[tokio::test]
async fn folder_arguments_and_environment_arrive() {
    let bench = Bench::new();
    fs::write(
        bench.path("node.sh"),
        "#!/bin/sh\npwd; echo \"$0 $1 $2 $DS_NODE\"; ulimit -n; ulimit -c\n",
    )
    .unwrap();
    fs::set_permissions(bench.path("node.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut spec = bench.node(&["./node.sh", "two words", "$HOME"]);
    spec.environment.push(("DS_NODE".into(), "n1".into()));
    spec.limits.open_files = Some(77);
    let node = start(&spec).await;
    assert_eq!(node.exited().await, Exit::Code(0));
    let folder = bench.folder.path().canonicalize().unwrap();
    let path = folder.join("node.sh");
    let expected = format!("{}\n{} two words $HOME n1\n77\n0\n", folder.display(), path.display());
    assert_eq!(bench.stdout(), expected);
    assert!(node.kill().await.unwrap());
}

#[tokio::test]
async fn a_file_past_its_limit_ends_the_node() {
    let bench = Bench::new();
    let mut spec = bench.script("exec head -c 3000000 /dev/zero > big");
    spec.limits.file_bytes = Some(1 << 20);
    let node = start(&spec).await;
    assert_eq!(node.exited().await, Exit::Signal(25));
    assert_eq!(fs::metadata(bench.path("big")).unwrap().len(), 1 << 20);
    assert!(node.kill().await.unwrap());
}

#[tokio::test]
async fn bytes_that_are_no_utf8_arrive() {
    use std::os::unix::ffi::OsStringExt;
    let bench = Bench::new();
    let mut spec = bench.node(&["printf", "%s"]);
    spec.argv.extend([std::ffi::OsString::from_vec(vec![b'a', 0xFF, b'b'])]);
    let node = start(&spec).await;
    node.exited().await;
    assert_eq!(fs::read(bench.path("stdout.log")).unwrap(), b"a\xFFb");
    assert!(node.kill().await.unwrap());
}
