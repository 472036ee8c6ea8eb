//! A life of a node. It gives the device to the test, acts, says how that went, and waits to be killed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{FileExt, OpenOptionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::mman::{MapFlags, MmapAdvise, MsFlags, ProtFlags};
use nix::sys::signal::Signal;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

/// The first argument that makes this program a node.
pub const ARGUMENT: &str = "__node";
/// How a node says that this machine does not let it mount anything.
pub const CANNOT: &str = "cannot mount";

/// What stdin is: a socket to the test.
pub fn main(act: &str, folder: &Path) {
    // Nothing of this survives the test.
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).unwrap();
    let mut test = UnixStream::from(io::stdin().as_fd().try_clone_to_owned().unwrap());
    let device = crate::namespace::enter().and_then(|()| disk::mount(folder));
    let device = match device {
        Ok(device) => device,
        Err(error) => {
            // In one piece: what is read with the device is read once.
            test.write_all(format!("{CANNOT}: {error}\n").as_bytes()).unwrap();
            return;
        }
    };
    let descriptors = [device.as_raw_fd()];
    let rights = [ControlMessage::ScmRights(&descriptors)];
    let text = [IoSlice::new(b"mounted\n")];
    sendmsg::<()>(test.as_raw_fd(), &text, &rights, MsgFlags::empty(), None).unwrap();
    drop(device);

    let acted = acts(act, folder);
    writeln!(test, "{}", acted.map_or_else(|error| format!("failed: {error}"), |()| "done".into()))
        .unwrap();
    let _ = test.read(&mut [0]);
}

fn acts(act: &str, folder: &Path) -> io::Result<()> {
    match act {
        "nothing" => Ok(()),
        "write" => write(folder),
        "read all" => read_all(folder),
        "remove all" => remove_all(folder),
        "sync" => sync(folder),
        "read synced" => read_synced(folder),
        "use much" => use_much(folder),
        "fail to sync" => fail_to_sync(folder),
        "fill" => fill(folder),
        "wait for sync" => wait_for_sync(folder),
        _ => Err(io::Error::other("no such act")),
    }
}

fn expect(holds: bool, what: &str) -> io::Result<()> {
    if holds { Ok(()) } else { Err(io::Error::other(what.to_owned())) }
}

/// Nothing is synced here.
fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder.join("one/two"))?;
    fs::write(folder.join("one/two/file"), vec![3; 3 << 20])?;
    fs::write(folder.join("old"), "old")?;
    fs::rename(folder.join("old"), folder.join("one/new"))?;
    symlink("one/new", folder.join("link"))?;
    fs::hard_link(folder.join("one/new"), folder.join("hard"))
}

fn read_all(folder: &Path) -> io::Result<()> {
    expect(fs::read(folder.join("one/two/file"))? == vec![3; 3 << 20], "the file is there")?;
    expect(fs::read(folder.join("link"))? == b"old", "the link leads to it")?;
    expect(fs::read(folder.join("hard"))? == b"old", "it has two names")?;
    expect(!folder.join("old").exists(), "the old name is gone")
}

fn remove_all(folder: &Path) -> io::Result<()> {
    fs::remove_dir_all(folder.join("one"))?;
    fs::remove_file(folder.join("link"))?;
    fs::remove_file(folder.join("hard"))
}

fn sync(folder: &Path) -> io::Result<()> {
    let mut log = File::create(folder.join("log"))?;
    for record in 0..100_u8 {
        log.write_all(&[record; 100])?;
        log.sync_data()?;
    }
    // The way in which most programs replace a file.
    for content in ["first", "second"] {
        let mut new = File::create(folder.join("state.new"))?;
        new.write_all(content.as_bytes())?;
        new.sync_all()?;
        fs::rename(folder.join("state.new"), folder.join("state"))?;
        File::open(folder)?.sync_all()?;
    }
    // O_DSYNC: each write is synced by itself.
    let mut options = OpenOptions::new();
    options.create(true).write(true).custom_flags(nix::libc::O_DSYNC);
    options.open(folder.join("dsync"))?.write_all(b"each write")?;
    map(&folder.join("mapped"))?;

    // From here on everything may be lost.
    log.write_all(&[100; 5000])?;
    fs::write(folder.join("state.new"), "third")?;
    fs::rename(folder.join("state.new"), folder.join("state"))?;
    fs::write(folder.join("unsynced"), "unsynced")
}

/// Writes through a shared mapping.
fn map(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().create_new(true).read(true).write(true).open(path)?;
    file.set_len(4096)?;
    let length = std::num::NonZero::new(4096).unwrap();
    let (protection, flags) = (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_SHARED);
    // SAFETY: a new mapping, at an address that the kernel chooses; nobody else maps or cuts this file.
    #[allow(unsafe_code)]
    unsafe {
        let mapped = nix::sys::mman::mmap(None, length, protection, flags, &file, 0)?;
        mapped.cast::<[u8; 6]>().write(*b"mapped");
        nix::sys::mman::msync(mapped, 4096, MsFlags::MS_SYNC)?;
        nix::sys::mman::madvise(mapped, 4096, MmapAdvise::MADV_DONTNEED)?;
        nix::sys::mman::munmap(mapped, 4096)?;
    }
    Ok(())
}

fn read_synced(folder: &Path) -> io::Result<()> {
    let log = fs::read(folder.join("log"))?;
    let synced: Vec<u8> = (0..100).flat_map(|record| [record; 100]).collect();
    expect(log.starts_with(&synced), "the synced records are there")?;
    let rest = &log[synced.len()..];
    expect(rest.iter().all(|byte| [0, 100].contains(byte)), "behind them is nothing else")?;
    let state = fs::read_to_string(folder.join("state"))?;
    let new = "third";
    let may_be = |state: &str| {
        state == "second" || new.starts_with(state) || state.bytes().all(|byte| byte == 0)
    };
    expect(may_be(&state), "the state is the old one or what is there of the new one")?;
    expect(fs::read(folder.join("dsync"))? == b"each write", "O_DSYNC has synced")?;
    expect(fs::read(folder.join("mapped"))?.starts_with(b"mapped"), "msync has synced")
}

/// What programs do beside reading and writing.
fn use_much(folder: &Path) -> io::Result<()> {
    let many = folder.join("many");
    fs::create_dir(&many)?;
    for number in 0..3000 {
        fs::write(many.join(format!("a name that is not very short {number}")), "")?;
    }
    expect(fs::read_dir(&many)?.count() == 3000, "all are listed")?;
    // Removes while it reads.
    fs::remove_dir_all(&many)?;
    expect(!many.exists(), "all are removed")?;

    let path = folder.join("open");
    let mut open = OpenOptions::new().create_new(true).read(true).write(true).open(&path)?;
    fs::remove_file(&path)?;
    open.write_all(b"without a name")?;
    let mut found = [0; 14];
    open.read_exact_at(&mut found, 0)?;
    expect(&found == b"without a name", "an open file outlives its name")?;

    let lock = File::create(folder.join("lock"))?;
    lock.try_lock()?;
    expect(File::open(folder.join("lock"))?.try_lock().is_err(), "a lock is exclusive")?;

    let _socket = UnixListener::bind(folder.join("socket"))?;
    UnixStream::connect(folder.join("socket"))?;

    let private = folder.join("private");
    fs::create_dir(&private)?;
    fs::set_permissions(&private, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&private)?.permissions());
    expect(mode & 0o777 == 0o700, "permissions are kept")?;

    let file = File::create(folder.join("sized"))?;
    file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1))?;
    let modified = file.metadata()?.modified()?;
    expect(modified == std::time::UNIX_EPOCH + Duration::from_secs(1), "times are kept")?;
    nix::fcntl::posix_fallocate(&file, 0, 10_000)?;
    expect(file.metadata()?.len() == 10_000, "fallocate has grown it")?;
    file.set_len(5)?;
    expect(fs::read(folder.join("sized"))? == [0; 5], "truncation has cut it")
}

fn fail_to_sync(folder: &Path) -> io::Result<()> {
    let mut file = File::create(folder.join("failing"))?;
    file.write_all(b"lost")?;
    let error = file.sync_all().err().and_then(|error| error.raw_os_error());
    expect(error == Some(nix::libc::EIO), "the first sync fails")?;
    file.sync_all()?;
    expect(fs::read(folder.join("failing"))? == b"lost", "until then it is there")
}

fn fill(folder: &Path) -> io::Result<()> {
    let full = |result: io::Result<()>| match result {
        Err(error) if error.raw_os_error() == Some(nix::libc::ENOSPC) => Ok(()),
        other => Err(io::Error::other(format!("not ENOSPC but {other:?}"))),
    };
    full(fs::write(folder.join("large"), vec![1; 10 << 20]))?;
    expect(fs::metadata(folder.join("large"))?.len() >= 1 << 20, "it is full, and not before")?;
    fs::remove_file(folder.join("large"))?;
    fs::write(folder.join("small"), "small")
}

fn wait_for_sync(folder: &Path) -> io::Result<()> {
    let mut file = File::create(folder.join("slow"))?;
    file.write_all(b"slow")?;
    let start = Instant::now();
    std::thread::scope(|scope| {
        let sync = scope.spawn(|| file.sync_all().map(|()| start.elapsed()));
        // Meanwhile others go on.
        fs::write(folder.join("fast"), "fast")?;
        let fast = start.elapsed();
        let slow = sync.join().unwrap()?;
        expect(slow >= Duration::from_millis(300), "a sync takes its time")?;
        expect(fast < Duration::from_millis(200), "other calls do not wait for it")
    })
}
