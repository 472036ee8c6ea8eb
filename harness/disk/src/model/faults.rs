//! What can be made to go wrong while the disk is in use, and what did.

use std::time::Duration;

/// Faults that are switched on and off while the disk is in use. None is on at first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The next fsync or fdatasync of a file with unsynced data fails with EIO, once: the data then counts as clean, and
    /// is lost at the next power failure unless its page is written again. Linux does that, and it cost PostgreSQL data
    /// ("fsyncgate", 2018).
    pub fail_next_fsync: bool,
    /// Nothing that needs room succeeds: ENOSPC.
    pub full: bool,
    /// How long each fsync takes at least. A process that is killed meanwhile is gone only after that: the kernel waits
    /// for the answer.
    pub fsync_latency: Latency,
}

/// A time to wait: a part that is always the same and a random one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// The part that is always the same.
    pub fixed_us: u64,
    /// The largest random part; each from 0 to this is as likely.
    pub random_max_us: u64,
}

/// What happened to a disk since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Successful calls of fsync and fdatasync, on files and directories.
    pub fsyncs: u64,
    /// Those that failed with EIO.
    pub failed_fsyncs: u64,
    /// What they made count as clean although the disk has not got it.
    pub falsely_clean_bytes: u64,
    /// Calls that found the disk full.
    pub refused_for_space: u64,
    /// Latency that was asked for, over all fsyncs.
    pub latency: Duration,
    /// How often everything was written back because too much was unsynced.
    pub write_backs: u64,
    /// How often the power failed.
    pub power_failures: u64,
    /// What all power failures took.
    pub lost: Loss,
}

/// What a power failure took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Bytes of files that are not there any more as a process last saw them, whether the file has a name or not.
    pub bytes: u64,
    /// Changes of directory entries that are undone: one for a file that was made, two for a rename.
    pub entries: u64,
}
