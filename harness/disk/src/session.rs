//! The answers to the kernel's requests, each of them one or two calls of the model.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use fuser::{
    BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags,
    Generation, INodeNo, KernelConfig, LockOwner, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate,
    ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite,
    ReplyXattr, Request, SessionACL, TimeOrNow, WriteFlags,
};
use nix::sys::stat::SFlag;

use crate::model::{Attributes, Disk, Ino, Kind, NewNode, PAGE_BYTES, RenameMode, SyncScope};

/// How long the kernel may rely on what it was told. Nobody else changes the disk while it is mounted.
const CACHED: Duration = Duration::from_secs(24 * 60 * 60);
/// The largest write that the kernel sends as one request.
const WRITE_BYTES_MAX: u32 = 1 << 20;

/// Answers for a mounted disk until the mount is gone; then nothing is held open any more.
///
/// # Errors
/// The kernel does not begin as FUSE does, or the device fails later; the mount is dead then.
pub fn serve(device: OwnedFd, disk: &Arc<Mutex<Disk>>) -> io::Result<()> {
    let answers = Answers { disk: Arc::clone(disk), listings: Mutex::default() };
    // Who may use the mount is for the kernel to say: in here, uids of other namespaces mean nothing.
    let session = fuser::Session::from_fd(answers, device, SessionACL::All, Config::default());
    let ended = session.and_then(fuser::Session::run);
    lock(disk).release_all();
    match ended {
        // The mount was gone before the first request: whoever made it was killed at once.
        Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
        ended => ended,
    }
}

struct Answers {
    disk: Arc<Mutex<Disk>>,
    listings: Mutex<Listings>,
}

/// What the readers of directories were shown first: entries that go meanwhile must not move the others.
#[derive(Default)]
struct Listings {
    open: BTreeMap<u64, Vec<(Ino, FileType, OsString)>>,
    next: u64,
}

/// A panic of another thread has left no half-done change: the model makes each in one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn errno(error: nix::errno::Errno) -> Errno {
    Errno::from_i32(error as i32)
}

fn file_type(kind: Kind) -> FileType {
    match kind {
        Kind::File => FileType::RegularFile,
        Kind::Folder => FileType::Directory,
        Kind::Symlink => FileType::Symlink,
        Kind::Fifo => FileType::NamedPipe,
        Kind::Socket => FileType::Socket,
    }
}

/// Everything belongs to whoever asks.
fn attributes(request: &Request, of: &Attributes) -> FileAttr {
    FileAttr {
        ino: INodeNo(of.ino),
        size: of.size_bytes,
        blocks: of.allocated_bytes.div_ceil(512),
        atime: of.accessed,
        mtime: of.modified,
        ctime: of.changed,
        crtime: of.changed,
        kind: file_type(of.kind),
        perm: of.mode as u16,
        nlink: of.links,
        uid: request.uid(),
        gid: request.gid(),
        rdev: 0,
        blksize: PAGE_BYTES as u32,
        flags: 0,
    }
}

impl Answers {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        lock(&self.disk)
    }

    /// Finds or makes an inode, which the kernel then holds until it says that it forgets it.
    fn held(
        &self,
        request: &Request,
        find: impl FnOnce(&mut Disk) -> Result<Ino, nix::errno::Errno>,
    ) -> Result<FileAttr, Errno> {
        let mut disk = self.disk();
        let ino = find(&mut disk).map_err(errno)?;
        disk.hold(ino).map_err(errno)?;
        let found = disk.attributes(ino).map_err(errno)?;
        Ok(attributes(request, &found))
    }

    fn entry(
        &self,
        request: &Request,
        reply: ReplyEntry,
        find: impl FnOnce(&mut Disk) -> Result<Ino, nix::errno::Errno>,
    ) {
        match self.held(request, find) {
            Ok(attributes) => reply.entry(&CACHED, &attributes, Generation(0)),
            Err(error) => reply.error(error),
        }
    }

    fn empty(
        &self,
        reply: ReplyEmpty,
        change: impl FnOnce(&mut Disk) -> Result<(), nix::errno::Errno>,
    ) {
        let changed = change(&mut self.disk());
        match changed {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(errno(error)),
        }
    }

    /// Syncs after the latency that is asked for, without keeping other requests waiting.
    fn sync(&self, ino: INodeNo, data_only: bool, reply: ReplyEmpty) {
        let scope = if data_only { SyncScope::Data } else { SyncScope::All };
        let mut disk = self.disk();
        let latency = disk.fsync_latency();
        let power_failures = disk.counters().power_failures;
        drop(disk);
        if latency.is_zero() {
            return self.empty(reply, |disk| disk.fsync(ino.0, scope));
        }
        let disk = Arc::clone(&self.disk);
        let sync_later = move || {
            thread::sleep(latency);
            let mut disk = lock(&disk);
            // What a later life wrote is not to be synced by this one.
            let synced = if disk.counters().power_failures == power_failures {
                disk.fsync(ino.0, scope)
            } else {
                Err(nix::errno::Errno::EIO)
            };
            drop(disk);
            match synced {
                Ok(()) => reply.ok(),
                Err(error) => reply.error(errno(error)),
            }
        };
        // Without a thread the reply is dropped, which answers EIO: nothing was synced.
        let _ = thread::Builder::new().spawn(sync_later);
    }

    fn listing(&self, folder: Ino) -> Result<Vec<(Ino, FileType, OsString)>, nix::errno::Errno> {
        let disk = self.disk();
        let mut listing = vec![
            (folder, FileType::Directory, ".".into()),
            (disk.parent(folder)?, FileType::Directory, "..".into()),
        ];
        for entry in disk.entries(folder)? {
            listing.push((entry.ino, file_type(entry.kind), entry.name));
        }
        Ok(listing)
    }
}

impl Filesystem for Answers {
    fn init(&mut self, _: &Request, config: &mut KernelConfig) -> io::Result<()> {
        // The largest is what the kernel takes; where it takes less, that is what it gets.
        if let Err(largest) = config.set_max_write(WRITE_BYTES_MAX) {
            let _ = config.set_max_write(largest);
        }
        Ok(())
    }

    fn lookup(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        self.entry(request, reply, |disk| disk.lookup(parent.0, name));
    }

    fn forget(&self, _: &Request, ino: INodeNo, count: u64) {
        self.disk().release(ino.0, count);
    }

    fn getattr(&self, request: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        let found = self.disk().attributes(ino.0);
        match found {
            Ok(found) => reply.attr(&CACHED, &attributes(request, &found)),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn setattr(
        &self,
        request: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size_bytes: Option<u64>,
        accessed: Option<TimeOrNow>,
        modified: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let time = |time| match time {
            TimeOrNow::SpecificTime(time) => time,
            TimeOrNow::Now => SystemTime::now(),
        };
        let set = |disk: &mut Disk| {
            if let Some(size_bytes) = size_bytes {
                disk.resize(ino.0, size_bytes)?;
            }
            if let Some(mode) = mode {
                disk.set_mode(ino.0, mode)?;
            }
            if accessed.is_some() || modified.is_some() {
                disk.set_times(ino.0, accessed.map(time), modified.map(time))?;
            }
            disk.attributes(ino.0)
        };
        let found = set(&mut self.disk());
        match found {
            Ok(found) => reply.attr(&CACHED, &attributes(request, &found)),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn readlink(&self, _: &Request, ino: INodeNo, reply: ReplyData) {
        match self.disk().read_link(ino.0) {
            Ok(target) => reply.data(target.as_bytes()),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn mknod(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: u32,
        reply: ReplyEntry,
    ) {
        let new = match SFlag::from_bits_truncate(mode) & SFlag::S_IFMT {
            SFlag::S_IFREG => NewNode::File,
            SFlag::S_IFIFO => NewNode::Fifo,
            SFlag::S_IFSOCK => NewNode::Socket,
            _ => return reply.error(Errno::EPERM),
        };
        self.entry(request, reply, |disk| disk.make(parent.0, name, new, mode & !umask));
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        let mode = mode & !umask;
        self.entry(request, reply, |disk| disk.make(parent.0, name, NewNode::Folder, mode));
    }

    fn symlink(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        target: &Path,
        reply: ReplyEntry,
    ) {
        let new = NewNode::Symlink(target.as_os_str().to_owned());
        self.entry(request, reply, |disk| disk.make(parent.0, name, new, 0o777));
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.empty(reply, |disk| disk.unlink(parent.0, name));
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.empty(reply, |disk| disk.rmdir(parent.0, name));
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let mode = if flags.is_empty() {
            RenameMode::Replace
        } else if flags == RenameFlags::RENAME_NOREPLACE {
            RenameMode::NoReplace
        } else if flags == RenameFlags::RENAME_EXCHANGE {
            RenameMode::Exchange
        } else {
            return reply.error(Errno::EINVAL);
        };
        self.empty(reply, |disk| disk.rename((parent.0, name), (new_parent.0, new_name), mode));
    }

    fn link(
        &self,
        request: &Request,
        ino: INodeNo,
        parent: INodeNo,
        name: &OsStr,
        reply: ReplyEntry,
    ) {
        self.entry(request, reply, |disk| disk.link(ino.0, parent.0, name).map(|()| ino.0));
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        let mode = mode & !umask;
        let made = self.held(request, |disk| disk.make(parent.0, name, NewNode::File, mode));
        let flags = FopenFlags::FOPEN_KEEP_CACHE;
        match made {
            Ok(made) => reply.created(&CACHED, &made, Generation(0), FileHandle(0), flags),
            Err(error) => reply.error(error),
        }
    }

    fn open(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        reply.opened(FileHandle(0), FopenFlags::FOPEN_KEEP_CACHE);
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let read = self.disk().read(ino.0, offset, length as usize);
        match read {
            Ok(bytes) => reply.data(&bytes),
            Err(error) => reply.error(errno(error)),
        }
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        bytes: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let written = self.disk().write(ino.0, offset, bytes);
        match written {
            // No request is longer than WRITE_BYTES_MAX.
            Ok(()) => reply.written(bytes.len() as u32),
            Err(error) => reply.error(errno(error)),
        }
    }

    /// Closing syncs nothing; told so, the kernel does not ask again.
    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.error(Errno::ENOSYS);
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, data: bool, reply: ReplyEmpty) {
        self.sync(ino, data, reply);
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, data: bool, reply: ReplyEmpty) {
        self.sync(ino, data, reply);
    }

    fn fallocate(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        if mode != 0 {
            return reply.error(Errno::EOPNOTSUPP);
        }
        self.empty(reply, |disk| disk.allocate(ino.0, offset, length as usize));
    }

    fn opendir(&self, _: &Request, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let mut listings = lock(&self.listings);
        listings.next += 1;
        reply.opened(FileHandle(listings.next), FopenFlags::empty());
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let mut listings = lock(&self.listings);
        // From the start, it shows what is there now.
        if offset == 0 {
            match self.listing(ino.0) {
                Ok(listing) => listings.open.insert(handle.0, listing),
                Err(error) => return reply.error(errno(error)),
            };
        }
        let listing = listings.open.get(&handle.0).map_or(&[][..], Vec::as_slice);
        for (next, (ino, kind, name)) in (1..).zip(listing).skip(offset as usize) {
            if reply.add(INodeNo(*ino), next, *kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn releasedir(
        &self,
        _: &Request,
        _: INodeNo,
        handle: FileHandle,
        _: OpenFlags,
        reply: ReplyEmpty,
    ) {
        lock(&self.listings).open.remove(&handle.0);
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let disk = self.disk();
        let all = disk.limit_bytes();
        let free = if disk.faults().full { 0 } else { all.saturating_sub(disk.bytes()) };
        let block = PAGE_BYTES as u64;
        let inodes = |bytes| bytes / 512;
        let size = PAGE_BYTES as u32;
        let free_blocks = free / block;
        reply.statfs(
            all / block,
            free_blocks,
            free_blocks,
            inodes(all),
            inodes(free),
            size,
            255,
            size,
        );
    }

    /// Not supported; told so, the kernel does not ask again before each write.
    fn getxattr(&self, _: &Request, _: INodeNo, _: &OsStr, _: u32, reply: ReplyXattr) {
        reply.error(Errno::ENOSYS);
    }
}
