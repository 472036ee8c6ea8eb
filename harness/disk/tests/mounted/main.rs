//! The disk through a real mount: each life of a node is a process of its own in a fresh user and mount namespace, which
//! mounts the disk, works in it with `std::fs`, and is killed. Says so, and passes, where that cannot be had.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

#[cfg(target_os = "linux")]
mod lives;
#[cfg(target_os = "linux")]
#[path = "../namespace/mod.rs"]
mod namespace;
#[cfg(target_os = "linux")]
mod node;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("mounted: SKIPPED, there is FUSE only on Linux");
}

#[cfg(target_os = "linux")]
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, node::ARGUMENT, act, folder] => node::main(act, folder.as_ref()),
        _ => lives::main(),
    }
}
