//! The disk without FUSE.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

mod known_cases;
mod legal_states;
mod naive;
// Exchanging two names is a call of Linux.
#[cfg(target_os = "linux")]
mod plain_tree;
mod program;
