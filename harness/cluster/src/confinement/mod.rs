//! A world of its own for each node, made by an ordinary user (Linux namespaces, namespaces(7)).
//!
//! ```text
//! network    one for all lives of a node: nothing in it but loopback, and sockets that the bench takes from it
//! processes  of one life: it sees and signals itself only, and the kernel ends all with the shim, which is their init
//! files      of one life: the machine's, to read; what is hidden is empty, what it may write is its own
//! ```
//! The first two are entered by the guardian before it forks the shim, the last by the node before it begins. A node keeps
//! no capability with which it could undo any of it.

mod files;
#[cfg(target_os = "linux")]
mod linux;
mod trial;
#[cfg(target_os = "linux")]
pub use linux::OwnNetwork;
#[cfg(target_os = "linux")]
pub(crate) use linux::{
    drop_capabilities, enter_network_and_unshare, leave_keyring, mount_own_processes,
    run_if_requested,
};
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(not(target_os = "linux"))]
pub use elsewhere::OwnNetwork;

use std::sync::Arc;

pub use files::Files;
pub(crate) use trial::end_if_requested;
pub use trial::try_confinement;

/// What a node is kept to.
#[derive(Clone, Debug)]
pub struct Confinement {
    /// Its network, for all its lives.
    pub network: Arc<OwnNetwork>,
    /// What it sees of the machine's files.
    pub files: Files,
}
