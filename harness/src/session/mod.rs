//! A person at a prompt: asks a store and breaks it by hand, while all of it is recorded as in a run.
//!
//! ```text
//! command    what can be typed
//! operation  … and how operations are written
//! help       … in a table
//! console    lines in, lines out
//! play       carries out what is typed: asks
//! breaking   … and breaks
//! narrator   tells what came of operations, from the stream of events
//! status     the table of nodes
//! ```

mod breaking;
pub mod command;
pub mod console;
mod help;
mod narrator;
mod operation;
mod play;
mod status;

use std::sync::Arc;

use contract::manifest::Manifest;
use workloads::by_hand::ByHand;

pub use narrator::Narrator;

use console::Console;

/// So many operations can be under way at once.
pub const CLERKS: u32 = 20;

/// Who plays, and with what.
pub struct Session<'a> {
    /// Where commands come from, and answers go to.
    pub console: Arc<Console>,
    /// What was asked, to be read at the end.
    pub workload: ByHand,
    /// What the store is.
    pub manifest: &'a Manifest,
}
