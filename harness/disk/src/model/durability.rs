//! How soon directory entries are durable.

/// When the entry of a file is certain to be on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// As ext4 and xfs do in fact: fsync of a file also brings the entries that lead to it.
    #[default]
    Ext4Like,
    /// As POSIX allows: only after fsync of the directory that holds it.
    Strict,
}
