//! Node processes as supervised process trees.
//!
//! ```text
//! harness ──commands──▶ shim ──fork, exec──▶ node ──▶ whatever the node starts, daemons included
//!         ◀──events───   │ ◀──stdout, stderr──┘
//!                        └──▶ bounded log files
//! ```
//!
//! Each node has a [`shim`]: the harness' own executable, started again. The shim adopts every orphan below it, so a
//! signal reaches the whole tree and nothing survives the harness, not even when the harness is killed with SIGKILL.
//! Between harness and shim stands a guardian, which only looks that the node does not stop or kill its shim.
//!
//! What this crate must not know: the contract between harness and nodes, beyond an HTTP status; networks; verdicts.

mod command;
mod completion;
mod confinement;
mod exit;
mod last_resort;
mod limits;
mod listener;
pub mod logs;
mod node;
pub mod ports;
pub mod probe;
pub mod ready;
pub mod shim;
mod start;
mod start_error;

pub use completion::{Completed, run_to_completion};
pub use confinement::{Confinement, Files, OwnNetwork, try_confinement};
pub use exit::Exit;
pub use limits::{Limits, raise_open_files_limit, survive_file_size_limit};
pub use node::{ControlError, NodeProcess, Stopped};
pub use start::NodeSpec;
pub use start_error::StartError;
