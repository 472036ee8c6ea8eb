//! The verdict comes from the record alone: whatever starts processes, opens connections or reads a command line must
//! not even be linked.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

use std::collections::BTreeSet;
use std::process::Command;

/// What the judge must not depend on, be it through others.
const FORBIDDEN: [&str; 11] = [
    "tokio",
    "mio",
    "socket2",
    "hyper",
    "axum",
    "reqwest",
    "clap",
    "indicatif",
    "network",
    "cluster",
    "harness",
];

/// Every crate that this one is linked with, by name.
fn dependencies(package: &str) -> BTreeSet<String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--offline", "--locked", "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}", "--package", package])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8(output.stdout).unwrap();
    names.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

fn forbidden(package: &str) -> Vec<&'static str> {
    let dependencies = dependencies(package);
    assert!(dependencies.contains(package), "{dependencies:?}");
    FORBIDDEN.into_iter().filter(|name| *name != package && dependencies.contains(*name)).collect()
}

#[test]
fn the_judge_is_linked_with_no_process_network_or_terminal() {
    assert_eq!(forbidden("judge"), [""; 0]);
}

/// That the list above finds something where there is something.
#[test]
fn the_harness_is_linked_with_all_of_them() {
    let found = forbidden("harness");
    for name in ["tokio", "hyper", "clap", "indicatif", "network", "cluster"] {
        assert!(found.contains(&name), "{name}: {found:?}");
    }
}
