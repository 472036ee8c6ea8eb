//! Linux: user, network, PID, IPC and mount namespaces.

mod capabilities;
mod enter;
mod mounts;
mod network;
mod view;

pub(crate) use capabilities::{drop_capabilities, leave_keyring};
pub(crate) use enter::{enter_network_and_unshare, mount_own_processes};
pub use network::OwnNetwork;
pub(crate) use network::run_if_requested;
