//! A disk in memory that loses at a power failure what was not synced, and no more than file systems may lose.
//!
//! ```text
//! node ──write, fsync──▶ kernel ──/dev/fuse──▶ serve ──▶ Arc<Mutex<Disk>> ◀──faults, power failure── nemesis
//!                        cache                           memory │ disk
//! ```
//! [`model`] holds the rules, without FUSE. `mount` puts the file system into the mount namespace of a node, `serve`
//! answers for it. The [`Disk`] outlives both: each life of a node mounts it anew, and finds what the life before left,
//! all of it after a kill, less after a [power failure](Disk::power_failure).
//!
//! What reaches the disk through the mount, and when:
//!
//! - A write is in [`Disk`] when write(2) returns: the kernel's writeback cache is off.
//! - A write to a shared mapping is, at the latest, when msync(2) with `MS_SYNC` or fsync(2) returns.
//! - `O_SYNC` and `O_DSYNC` work: the kernel sends an fsync after each write.
//! - sync(2) and syncfs(2) bring nothing to this disk: the kernel does not send them to a mount of this kind.
//! - Everything belongs to whoever asks; chown(2) changes nothing. Extended attributes, device files, and fallocate(2)
//!   with any flag are refused.
//! - Reads are never short, and never wrong.
//!
//! What this crate must not know: nodes and their lives, namespaces, verdicts. It does what it is asked, and counts what
//! took hold.

pub mod model;
#[cfg(target_os = "linux")]
mod mount;
#[cfg(target_os = "linux")]
mod session;

pub use model::{Counters, Disk, Durability, Faults, Latency, Loss};
#[cfg(target_os = "linux")]
pub use mount::mount;
#[cfg(target_os = "linux")]
pub use session::serve;
