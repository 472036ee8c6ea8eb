//! Real servers and adapters as processes, for the adapters' tests.
//!
//! Everything is started below a temporary folder and on free ports, and ends with the [`System`], also where a test fails.

pub mod checks;
mod process;
pub mod system;

pub use system::{Plan, System};

use std::{
    path::Path,
    process::{Command, Stdio},
};

/// Whether a program, or what is at an absolute path, is installed. If not, it says that the test is skipped.
#[must_use]
pub fn is_installed(name: &str) -> bool {
    let found = if Path::new(name).is_absolute() {
        Path::new(name).exists()
    } else {
        let mut command = Command::new("sh");
        command.args(["-c", "command -v -- \"$1\"", "sh", name]).stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !found {
        eprintln!("SKIPPED: {name} is not installed, so nothing was tested here.");
    }
    found
}
