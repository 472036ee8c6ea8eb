//! What every programmer of a store has to know, case by case. Each is tried with many seeds.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use disk::model::{Ino, NewNode, ROOT, SyncScope, UNSYNCED_LIMIT_BYTES};
use disk::{Disk, Durability, Latency};
use nix::errno::Errno;
use rand::{SeedableRng, rngs::ChaCha8Rng};

const LOG: &str = "log";
const NEW: &str = "new";

fn name(name: &str) -> &OsStr {
    OsStr::new(name)
}

fn make(disk: &mut Disk, called: &str) -> Ino {
    disk.make(ROOT, name(called), NewNode::File, 0o644).unwrap()
}

fn fsync(disk: &mut Disk, ino: Ino) {
    disk.fsync(ino, SyncScope::All).unwrap();
}

fn rename(disk: &mut Disk, from: &str, to: &str) {
    disk.rename((ROOT, name(from)), (ROOT, name(to)), Default::default()).unwrap();
}

/// What a power failure may leave of a file: its content, or nothing.
fn left(disk: &Disk, called: &str) -> BTreeSet<Option<Vec<u8>>> {
    let after = |seed| {
        let mut disk = disk.clone();
        disk.power_failure(&mut ChaCha8Rng::seed_from_u64(seed));
        let ino = disk.lookup(ROOT, name(called)).ok()?;
        Some(disk.read(ino, 0, 1 << 20).unwrap())
    };
    (0..300).map(after).collect()
}

fn only(content: &[u8]) -> BTreeSet<Option<Vec<u8>>> {
    BTreeSet::from([Some(content.to_vec())])
}

#[test]
fn a_synced_new_file_is_there_and_in_strict_mode_once_its_directory_is_synced() {
    for durability in [Durability::Ext4Like, Durability::Strict] {
        let mut disk = Disk::new(durability, 0);
        let log = make(&mut disk, LOG);
        disk.write(log, 0, b"record").unwrap();
        fsync(&mut disk, log);
        let mut expected = only(b"record");
        if durability == Durability::Strict {
            expected.insert(None);
        }
        assert_eq!(left(&disk, LOG), expected, "{durability:?}");
        fsync(&mut disk, ROOT);
        assert_eq!(left(&disk, LOG), only(b"record"), "{durability:?}");
    }
}

#[test]
fn a_rename_leaves_the_old_file_or_the_new_one() {
    for durability in [Durability::Ext4Like, Durability::Strict] {
        let mut disk = Disk::new(durability, 0);
        for (called, content) in [(LOG, b"old"), (NEW, b"new")] {
            let ino = make(&mut disk, called);
            disk.write(ino, 0, content).unwrap();
            fsync(&mut disk, ino);
            fsync(&mut disk, ROOT);
        }
        rename(&mut disk, NEW, LOG);
        let both = &only(b"old") | &only(b"new");
        assert_eq!(left(&disk, LOG), both, "{durability:?}");
        fsync(&mut disk, ROOT);
        assert_eq!(left(&disk, LOG), only(b"new"), "{durability:?}");
        assert_eq!(left(&disk, NEW), BTreeSet::from([None]), "{durability:?}");
    }
}

#[test]
fn a_file_that_was_renamed_before_its_sync_may_be_empty() {
    let mut disk = Disk::new(Durability::Ext4Like, 0);
    let log = make(&mut disk, LOG);
    disk.write(log, 0, b"old").unwrap();
    fsync(&mut disk, log);
    let new = make(&mut disk, NEW);
    disk.write(new, 0, b"newer").unwrap();
    rename(&mut disk, NEW, LOG);
    let left = left(&disk, LOG);
    for expected in [&b"old"[..], b"", b"newer", &[0; 5]] {
        assert!(left.contains(&Some(expected.to_vec())), "{expected:?} is not in {left:?}");
    }
    assert!(!left.contains(&None));
}

#[test]
fn an_append_may_be_torn_between_sectors_and_the_log_before_it_is_not() {
    let mut disk = Disk::new(Durability::Ext4Like, 0);
    let log = make(&mut disk, LOG);
    disk.write(log, 0, &[1; 700]).unwrap();
    fsync(&mut disk, log);
    disk.write(log, 700, &[2; 900]).unwrap();
    let left = left(&disk, LOG);
    let content = |synced: usize, zeros: usize, new: usize| {
        Some([vec![1; synced], vec![0; zeros], vec![2; new]].concat())
    };
    // Sectors end at 1024 and 1536.
    assert!(left.contains(&content(700, 0, 0)), "nothing of it");
    assert!(left.contains(&content(700, 0, 900)), "all of it");
    assert!(left.contains(&content(700, 324, 576)), "its last sectors only");
    let torn = [content(700, 0, 324), Some(vec![0; 576])].map(Option::unwrap).concat();
    assert!(left.contains(&Some(torn)), "its first sector only");
    assert!(left.iter().flatten().all(|content| content.starts_with(&[1; 700])));
}

#[test]
fn after_a_failed_fsync_a_second_one_saves_only_what_was_written_again() {
    let mut disk = Disk::new(Durability::Ext4Like, 0);
    let log = make(&mut disk, LOG);
    disk.write(log, 0, &[1; 4096]).unwrap();
    fsync(&mut disk, log);
    disk.write(log, 4096, &[2; 4096]).unwrap();
    disk.write(log, 8192, &[3; 10]).unwrap();
    disk.faults_mut().fail_next_fsync = true;
    assert_eq!(disk.fsync(log, SyncScope::Data), Err(Errno::EIO));
    assert_eq!(disk.counters().falsely_clean_bytes, 4106);
    // The program tries again, and is told that all is well.
    fsync(&mut disk, log);
    assert_eq!(left(&disk, LOG), only(&[1; 4096]));
    // More in the last page: the kernel writes the page as a whole, and what is still missing before it is zeros.
    disk.write(log, 8202, &[4; 10]).unwrap();
    fsync(&mut disk, log);
    let expected = [&[1; 4096][..], &[0; 4096], &[3; 10], &[4; 10]].concat();
    assert_eq!(left(&disk, LOG), only(&expected));
}

#[test]
fn a_clean_file_does_not_use_up_the_failure() {
    let mut disk = Disk::new(Durability::Ext4Like, 0);
    let log = make(&mut disk, LOG);
    disk.faults_mut().fail_next_fsync = true;
    fsync(&mut disk, log);
    disk.write(log, 0, b"dirty").unwrap();
    assert_eq!(disk.fsync(log, SyncScope::All), Err(Errno::EIO));
    fsync(&mut disk, log);
    assert_eq!(disk.counters().failed_fsyncs, 1);
}

#[test]
fn what_is_unsynced_has_a_bound() {
    let mut disk = Disk::new(Durability::Ext4Like, 0);
    let log = make(&mut disk, LOG);
    let chunk = vec![7; 1 << 20];
    let chunks = UNSYNCED_LIMIT_BYTES >> 20;
    for _ in 0..chunks {
        // Over and over in the same place, which takes no more room on the disk.
        disk.write(log, 0, &chunk).unwrap();
    }
    assert_eq!(disk.counters().write_backs, 1);
    assert!(disk.bytes() < 2 << 20);

    // Files that come and go, the going unsynced, are in nobody's way either.
    for _ in 0..chunks {
        let new = make(&mut disk, NEW);
        disk.write(new, 0, &chunk).unwrap();
        fsync(&mut disk, new);
        disk.unlink(ROOT, name(NEW)).unwrap();
    }
    assert_eq!(disk.counters().write_backs, 1, "each sync brings the removal before it");
    assert!(disk.bytes() < 2 << 20);
    assert_eq!(left(&disk, LOG), only(&chunk));
}

#[test]
fn latencies_come_from_the_seed() {
    let draw = |seed| {
        let mut disk = Disk::new(Durability::Ext4Like, seed);
        assert!(disk.fsync_latency().is_zero());
        disk.faults_mut().fsync_latency = Latency { fixed_us: 1000, random_max_us: 500 };
        let drawn: Vec<u128> = (0..50).map(|_| disk.fsync_latency().as_micros()).collect();
        assert!(drawn.iter().all(|us| (1000..=1500).contains(us)));
        assert_eq!(disk.counters().latency.as_micros(), drawn.iter().sum::<u128>());
        drawn
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
}

#[test]
fn what_a_power_failure_took_is_counted() {
    let mut disk = Disk::new(Durability::Ext4Like, 0);
    let log = make(&mut disk, LOG);
    disk.write(log, 0, &[1; 100]).unwrap();
    fsync(&mut disk, log);
    disk.write(log, 50, &[2; 100]).unwrap();
    make(&mut disk, NEW);
    let (mut most, mut least) = (0, u64::MAX);
    for seed in 0..100 {
        let mut disk = disk.clone();
        let loss = disk.power_failure(&mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(disk.counters().lost, loss);
        assert_eq!(loss.entries, u64::from(disk.lookup(ROOT, name(NEW)).is_err()));
        (most, least) = (most.max(loss.bytes), least.min(loss.bytes));
        // With nothing unsynced, the next one takes nothing.
        let nothing = disk.power_failure(&mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(nothing, disk::Loss::default());
    }
    assert_eq!((most, least), (100, 0));
}
