//! The tree that processes see against a folder of the machine: the same calls have the same results and leave the same
//! files.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use disk::model::{Kind, NewNode, ROOT, RenameMode};
use disk::{Disk, Durability};
use nix::errno::Errno;
use proptest::prelude::*;

use crate::program::{self, Found, State, Step, find, split, state};

/// Does in a folder what [`program::apply`] does on a disk.
fn apply(root: &Path, step: &Step) -> io::Result<()> {
    let at = |path: &str| root.join(path);
    match *step {
        Step::Create(path) => File::create_new(at(path)).map(drop),
        Step::Mkdir(path) => fs::create_dir(at(path)),
        Step::Link(path, other) => fs::hard_link(at(path), at(other)),
        // Not `fs::remove_file`: it may say another errno for a directory.
        Step::Unlink(path) => Ok(nix::unistd::unlink(&at(path))?),
        Step::Rmdir(path) => fs::remove_dir(at(path)),
        Step::Rename(path, other) => fs::rename(at(path), at(other)),
        Step::Exchange(path, other) => exchange(&at(path), &at(other)),
        Step::Write { path, offset, length, byte } => {
            let file = OpenOptions::new().write(true).open(at(path))?;
            file.write_all_at(&vec![byte; length], offset as u64)
        }
        Step::Resize { path, size } => {
            OpenOptions::new().write(true).open(at(path))?.set_len(size as u64)
        }
        Step::Fsync(path) => File::open(at(path)).map(drop),
        Step::FailingFsync(_) => Ok(()),
    }
}

fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
    Ok(renameat2(AT_FDCWD, one, AT_FDCWD, other, RenameFlags::RENAME_EXCHANGE)?)
}

fn state_of(root: &Path) -> State {
    use std::os::unix::fs::MetadataExt;
    let mut files = std::collections::BTreeMap::new();
    let mut found = State::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                found.insert(name, Found::Folder);
                open.push(path);
            } else {
                files.insert(name, path);
            }
        }
    }
    let mut first = std::collections::BTreeMap::new();
    for (name, path) in files {
        let ino = fs::metadata(&path).unwrap().ino();
        let first = first.entry(ino).or_insert_with(|| name.clone()).clone();
        found.insert(name, Found::File { first, content: fs::read(path).unwrap() });
    }
    found
}

fn any_step() -> impl Strategy<Value = Step> {
    let path = || prop::sample::select(vec!["a", "b", "d", "e", "d/a", "d/e", "e/a", "d/e/a"]);
    prop_oneof![
        3 => path().prop_map(Step::Create),
        3 => path().prop_map(Step::Mkdir),
        1 => (path(), path()).prop_map(|(one, two)| Step::Link(one, two)),
        1 => path().prop_map(Step::Unlink),
        1 => path().prop_map(Step::Rmdir),
        4 => (path(), path()).prop_map(|(one, two)| Step::Rename(one, two)),
        1 => (path(), path()).prop_map(|(one, two)| Step::Exchange(one, two)),
        4 => (path(), 0_usize..10_000, 1_usize..9_000, any::<u8>())
            .prop_map(|(path, offset, length, byte)| Step::Write { path, offset, length, byte }),
        2 => (path(), 0_usize..12_000).prop_map(|(path, size)| Step::Resize { path, size }),
        1 => path().prop_map(Step::Fsync),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_calls_have_the_same_results(
        steps in prop::collection::vec(any_step(), 1..60),
        strict: bool,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let durability = if strict { Durability::Strict } else { Durability::Ext4Like };
        let mut disk = Disk::new(durability, 0);
        for step in &steps {
            let there = apply(folder.path(), step);
            let here = program::apply(&mut disk, step);
            // Which of two errors comes first depends on how paths are resolved, which is not the disk's part.
            prop_assert_eq!(here.is_ok(), there.is_ok(), "{:?}: {:?}, {:?}", step, here, there);
        }
        prop_assert_eq!(&state(&disk), &state_of(folder.path()));

        // What a person finds after the run is the same.
        let copy = tempfile::tempdir().unwrap();
        disk.export(copy.path()).unwrap();
        prop_assert_eq!(&state(&disk), &state_of(copy.path()));

        // A copy of a disk is a disk of its own.
        let before = state(&disk);
        let mut other = disk.clone();
        for step in &steps {
            let _ = program::apply(&mut other, step);
        }
        prop_assert_eq!(before, state(&disk));

        // Once everything is removed, no room is taken.
        let empty = Disk::new(durability, 0).bytes();
        for (path, found) in state(&disk).iter().rev() {
            let (folder, name) = split(path);
            let folder = find(&disk, folder).unwrap();
            match found {
                Found::Folder => disk.rmdir(folder, OsStr::new(name)).unwrap(),
                Found::File { .. } => disk.unlink(folder, OsStr::new(name)).unwrap(),
            }
        }
        prop_assert_eq!(disk.bytes(), empty);
    }
}

fn name(name: &str) -> &OsStr {
    OsStr::new(name)
}

#[test]
fn a_full_disk_refuses_what_needs_room_and_changes_nothing() {
    let mut disk = Disk::new(Durability::Ext4Like, 0);
    let file = disk.make(ROOT, name("a"), NewNode::File, 0o644).unwrap();
    disk.set_limit_bytes(disk.bytes() + 2 * 4096);
    disk.write(file, 0, &[1; 8192]).unwrap();
    assert_eq!(disk.write(file, 8192, &[2]), Err(Errno::ENOSPC));
    assert_eq!(disk.make(ROOT, name("b"), NewNode::File, 0o644), Err(Errno::ENOSPC));
    assert_eq!(disk.allocate(file, 0, 1 << 40), Err(Errno::ENOSPC));
    // What has its room already may change, and a size alone takes none.
    disk.write(file, 4096, &[3; 4096]).unwrap();
    disk.resize(file, 1 << 40).unwrap();
    disk.resize(file, 4096).unwrap();
    disk.write(file, 4096, &[4]).unwrap();
    assert_eq!(disk.counters().refused_for_space, 3);

    disk.resize(file, 0).unwrap();
    disk.faults_mut().full = true;
    assert_eq!(disk.write(file, 0, &[5]), Err(Errno::ENOSPC));
    disk.faults_mut().full = false;
    disk.write(file, 0, &[5]).unwrap();
    assert_eq!(disk.write(file, i64::MAX as u64, &[6]), Err(Errno::EFBIG));
}

#[test]
fn an_open_file_outlives_its_name_and_no_longer() {
    let mut disk = Disk::new(Durability::Ext4Like, 0);
    let empty = disk.bytes();
    let file = disk.make(ROOT, name("a"), NewNode::File, 0o644).unwrap();
    disk.hold(file).unwrap();
    disk.write(file, 0, b"here").unwrap();
    disk.unlink(ROOT, name("a")).unwrap();
    assert_eq!(disk.read(file, 0, 10).unwrap(), b"here");
    assert_eq!(disk.attributes(file).unwrap().links, 0);
    assert_eq!(disk.link(file, ROOT, name("b")), Err(Errno::ENOENT));
    disk.release(file, 1);
    assert_eq!(disk.read(file, 0, 10), Err(Errno::ENOENT));
    assert_eq!(disk.bytes(), empty);
}

#[test]
fn special_nodes_and_rename_without_replacing() {
    let mut disk = Disk::new(Durability::Ext4Like, 0);
    disk.make(ROOT, name("s"), NewNode::Socket, 0o600).unwrap();
    let link = disk.make(ROOT, name("l"), NewNode::Symlink("s".into()), 0o777).unwrap();
    assert_eq!(disk.read_link(link).unwrap(), "s");
    let kinds: Vec<Kind> = disk.entries(ROOT).unwrap().iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [Kind::Symlink, Kind::Socket]);
    let (from, to) = ((ROOT, name("l")), (ROOT, name("s")));
    assert_eq!(disk.rename(from, to, RenameMode::NoReplace), Err(Errno::EEXIST));
    disk.rename(from, (ROOT, name("m")), RenameMode::NoReplace).unwrap();
    assert_eq!(disk.lookup(ROOT, name("m")), Ok(link));
    let long = "n".repeat(256);
    assert_eq!(disk.lookup(ROOT, name(&long)), Err(Errno::ENAMETOOLONG));
    assert_eq!(disk.make(ROOT, name(".."), NewNode::File, 0), Err(Errno::EINVAL));
}
