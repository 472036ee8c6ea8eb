//! Real servers and adapters as processes, for the adapters' tests.
//!
//! Everything is started below a temporary folder and on free ports, and ends with the [`System`], also where a test fails.

pub mod checks;
mod process;
pub mod system;

pub use system::{Plan, System};

use std::process::{Command, Stdio};

/// Whether this program is installed. If not, it says that the test is skipped.
#[must_use]
pub fn is_installed(program: &str) -> bool {
    let mut command = Command::new("sh");
    command.args(["-c", "command -v -- \"$1\"", "sh", program]).stdout(Stdio::null());
    let found = command.status().is_ok_and(|status| status.success());
    if !found {
        eprintln!("SKIPPED: {program} is not installed, so nothing was tested here.");
    }
    found
}
