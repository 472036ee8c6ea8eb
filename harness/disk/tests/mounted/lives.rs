//! The test: one disk after the other, each through several lives.

use std::fs;
use std::io::{BufRead, BufReader, IoSliceMut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use disk::model::ROOT;
use disk::{Disk, Durability, Latency};
use nix::errno::Errno;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use rand::{SeedableRng, rngs::ChaCha8Rng};

use crate::node::CANNOT;

type Test = (&'static str, fn(&Path));

const TESTS: [Test; 6] = [
    ("a kill loses nothing", a_kill_loses_nothing),
    ("a power failure loses what was not synced", a_power_failure_loses_what_was_not_synced),
    ("what programs do", what_programs_do),
    ("a failed sync loses data later", a_failed_sync_loses_data_later),
    ("a full disk", a_full_disk),
    ("a slow sync", a_slow_sync),
];

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn main() {
    let folder = tempfile::tempdir().unwrap();
    if let Err(why) = live(&new_disk(), "nothing", folder.path()) {
        assert!(why.starts_with(CANNOT), "{why}");
        println!(
            "mounted: SKIPPED, this machine lets nobody mount in a namespace of his own: {why}"
        );
        return;
    }
    for (name, test) in TESTS {
        test(folder.path());
        println!("mounted: {name}: ok");
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let left = mounts.contains(folder.path().to_str().unwrap());
    assert!(!left, "no mount is left");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "the folder was never written to");
}

type Shared = Arc<Mutex<Disk>>;

fn new_disk() -> Shared {
    Arc::new(Mutex::new(Disk::new(Durability::Ext4Like, 1)))
}

fn fail_power(disk: &Shared, seed: u64) {
    disk.lock().unwrap().power_failure(&mut ChaCha8Rng::seed_from_u64(seed));
}

fn a_kill_loses_nothing(folder: &Path) {
    let disk = new_disk();
    live(&disk, "write", folder).unwrap();
    live(&disk, "read all", folder).unwrap();
    live(&disk, "read all", folder).unwrap();
    // Nothing that an earlier life had open keeps its room.
    live(&disk, "remove all", folder).unwrap();
    assert_eq!(disk.lock().unwrap().bytes(), new_disk().lock().unwrap().bytes());
}

fn a_power_failure_loses_what_was_not_synced(folder: &Path) {
    let disk = new_disk();
    live(&disk, "sync", folder).unwrap();
    let (mut lost, mut kept) = (0, 0);
    for seed in 0..16 {
        let after = Arc::new(Mutex::new(disk.lock().unwrap().clone()));
        fail_power(&after, seed);
        match after.lock().unwrap().lookup(ROOT, "unsynced".as_ref()) {
            Err(Errno::ENOENT) => lost += 1,
            found => kept += u32::from(found.is_ok()),
        }
        if seed < 5 {
            live(&after, "read synced", folder).unwrap();
        }
    }
    assert!(lost > 0 && kept > 0, "lost {lost} times, kept {kept} times");
}

fn what_programs_do(folder: &Path) {
    let disk = new_disk();
    live(&disk, "use much", folder).unwrap();
    // The file that was open is gone with the process, and so are the many.
    assert!(disk.lock().unwrap().bytes() < 10 * 4096, "{}", disk.lock().unwrap().bytes());
}

fn a_failed_sync_loses_data_later(folder: &Path) {
    let disk = new_disk();
    disk.lock().unwrap().faults_mut().fail_next_fsync = true;
    live(&disk, "fail to sync", folder).unwrap();
    let counters = disk.lock().unwrap().counters();
    assert_eq!((counters.failed_fsyncs, counters.falsely_clean_bytes), (1, 4));
    fail_power(&disk, 0);
    let disk = disk.lock().unwrap();
    let file = disk.lookup(ROOT, "failing".as_ref()).unwrap();
    assert_eq!(disk.read(file, 0, 10).unwrap(), b"");
    assert_eq!(disk.counters().lost.bytes, 4);
}

fn a_full_disk(folder: &Path) {
    let disk = new_disk();
    disk.lock().unwrap().set_limit_bytes(4 << 20);
    live(&disk, "fill", folder).unwrap();
    assert!(disk.lock().unwrap().counters().refused_for_space > 0);
}

fn a_slow_sync(folder: &Path) {
    let disk = new_disk();
    let latency = Latency { fixed_us: 300_000, random_max_us: 1000 };
    disk.lock().unwrap().faults_mut().fsync_latency = latency;
    live(&disk, "wait for sync", folder).unwrap();
    assert!(disk.lock().unwrap().counters().latency >= Duration::from_millis(300));
}

/// One life: it mounts the disk, acts, and is killed. Only when its mount is gone, and with it the session, is it over.
fn live(disk: &Shared, act: &str, folder: &Path) -> Result<(), String> {
    let (test, node) = UnixStream::pair().unwrap();
    test.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut node = Command::new(std::env::current_exe().unwrap())
        .args([crate::node::ARGUMENT.as_ref(), act.as_ref(), folder.as_os_str()])
        .stdin(Stdio::from(OwnedFd::from(node)))
        .spawn()
        .unwrap();
    let (ended, end) = mpsc::channel();
    let acted = receive_device(&test).and_then(|device| {
        let disk = Arc::clone(disk);
        thread::spawn(move || ended.send(disk::serve(device, &disk)));
        let mut line = String::new();
        let said = BufReader::new(&test).read_line(&mut line);
        said.map_err(|error| format!("{act}: {error}"))?;
        match line.trim() {
            "done" => Ok(()),
            other => Err(format!("{act}: {other}")),
        }
    });
    node.kill().unwrap();
    node.wait().unwrap();
    match end.recv_timeout(PATIENCE) {
        Ok(served) => served.unwrap(),
        // There was none: it was not mounted.
        Err(mpsc::RecvTimeoutError::Disconnected) => assert!(acted.is_err()),
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{act}: the session outlives its mount"),
    }
    acted
}

/// The device that the node has opened and mounted, or why it could not.
fn receive_device(test: &UnixStream) -> Result<OwnedFd, String> {
    let mut text = [0; 200];
    let mut rights = nix::cmsg_space!([i32; 1]);
    let mut slices = [IoSliceMut::new(&mut text)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(test.as_raw_fd(), &mut slices, Some(&mut rights), flags)
        .map_err(|error| error.to_string())?;
    for control in message.cmsgs().map_err(|error| error.to_string())? {
        if let ControlMessageOwned::ScmRights(descriptors) = control
            && let [descriptor] = descriptors[..]
        {
            // SAFETY: the kernel has just made this descriptor for us, and nobody else knows of it.
            #[allow(unsafe_code)]
            return Ok(unsafe { OwnedFd::from_raw_fd(descriptor) });
        }
    }
    let bytes = message.bytes;
    Err(String::from_utf8_lossy(&text[..bytes]).trim().to_owned())
}
