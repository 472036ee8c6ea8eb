//! Small programs of file operations, and the tree that a disk holds.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::ops::Range;

use disk::model::{Ino, Kind, NewNode, ROOT, RenameMode, SyncScope};
use disk::{Disk, Durability};
use nix::errno::Errno;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng, seq::IndexedRandom};

/// One operation; a path has at most two names.
#[derive(Clone, Debug)]
pub enum Step {
    Create(&'static str),
    Mkdir(&'static str),
    Link(&'static str, &'static str),
    Unlink(&'static str),
    Rmdir(&'static str),
    Rename(&'static str, &'static str),
    Exchange(&'static str, &'static str),
    Write {
        path: &'static str,
        offset: usize,
        length: usize,
        byte: u8,
    },
    Resize {
        path: &'static str,
        size: usize,
    },
    /// Of a file or a directory.
    Fsync(&'static str),
    /// An fsync of a file that fails if anything is unsynced.
    FailingFsync(&'static str),
}

#[derive(Debug)]
pub struct Program(pub Vec<Step>);

const PATHS: [&str; 8] = ["a", "b", "d", "e", "d/a", "d/b", "e/a", "d/e"];

impl Program {
    /// A program of steps that a disk does not refuse.
    pub fn random(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut program = vec![Step::Mkdir("d"), Step::Create("a"), Step::Create("d/a")];
        if rng.random() {
            program.extend([Step::Fsync("a"), Step::Fsync(""), Step::Fsync("d")]);
        }
        let mut disk = Disk::new(Durability::Ext4Like, 0);
        for step in &program {
            apply(&mut disk, step).unwrap();
        }
        // Few paths, so that operations meet; every third program is about the data of one file.
        let (paths, kinds) = if seed.is_multiple_of(3) {
            (vec!["a"], 11..22)
        } else {
            (PATHS.sample(&mut rng, 5).copied().collect(), 0..20)
        };
        let length = program.len() + rng.random_range(1..10);
        let mut byte = 0_u8;
        while program.len() < length {
            byte = byte.wrapping_add(1);
            let step = any_step(&paths, kinds.clone(), byte, &mut rng);
            if apply(&mut disk, &step).is_ok() {
                program.push(step);
            }
        }
        Program(program)
    }
}

fn any_step(paths: &[&'static str], kinds: Range<u32>, byte: u8, rng: &mut ChaCha8Rng) -> Step {
    let mut path = || *paths.choose(rng).unwrap();
    let (one, two) = (path(), path());
    match rng.random_range(kinds) {
        0..3 => Step::Create(one),
        3 => Step::Mkdir(one),
        4 => Step::Link(one, two),
        5 => Step::Unlink(one),
        6 => Step::Rmdir(one),
        7..10 => Step::Rename(one, two),
        10 => Step::Exchange(one, two),
        11..15 => Step::Write {
            path: one,
            offset: *[0, 100, 512, 3584, 4000, 4096].choose(rng).unwrap(),
            length: *[1, 100, 512, 700].choose(rng).unwrap(),
            byte,
        },
        15 | 16 => Step::Resize { path: one, size: *[0, 50, 512, 600, 4100].choose(rng).unwrap() },
        17 => Step::Fsync(""),
        18 => Step::Fsync(one),
        _ => Step::FailingFsync(one),
    }
}

/// The directory of a path, which may be the root, and its last name.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

pub fn find(disk: &Disk, path: &str) -> Result<Ino, Errno> {
    let names = path.split('/').filter(|name| !name.is_empty());
    names.map(OsStr::new).try_fold(ROOT, |folder, name| disk.lookup(folder, name))
}

fn place<'a>(disk: &Disk, path: &'a str) -> Result<(Ino, &'a OsStr), Errno> {
    let (folder, name) = split(path);
    Ok((find(disk, folder)?, OsStr::new(name)))
}

pub fn apply(disk: &mut Disk, step: &Step) -> Result<(), Errno> {
    match *step {
        Step::Create(path) => {
            let (folder, name) = place(disk, path)?;
            disk.make(folder, name, NewNode::File, 0o644).map(drop)
        }
        Step::Mkdir(path) => {
            let (folder, name) = place(disk, path)?;
            disk.make(folder, name, NewNode::Folder, 0o755).map(drop)
        }
        Step::Link(path, other) => {
            let (ino, (folder, name)) = (find(disk, path)?, place(disk, other)?);
            disk.link(ino, folder, name)
        }
        Step::Unlink(path) => {
            let (folder, name) = place(disk, path)?;
            disk.unlink(folder, name)
        }
        Step::Rmdir(path) => {
            let (folder, name) = place(disk, path)?;
            disk.rmdir(folder, name)
        }
        Step::Rename(path, other) => {
            let (from, to) = (place(disk, path)?, place(disk, other)?);
            disk.rename(from, to, RenameMode::Replace)
        }
        Step::Exchange(path, other) => {
            let (from, to) = (place(disk, path)?, place(disk, other)?);
            disk.rename(from, to, RenameMode::Exchange)
        }
        Step::Write { path, offset, length, byte } => {
            disk.write(find(disk, path)?, offset as u64, &vec![byte; length])
        }
        Step::Resize { path, size } => disk.resize(find(disk, path)?, size as u64),
        Step::Fsync(path) => disk.fsync(find(disk, path)?, SyncScope::All),
        Step::FailingFsync(path) => {
            let ino = find(disk, path)?;
            // A directory has no data to lose.
            if disk.attributes(ino)?.kind != Kind::File {
                return Err(Errno::EISDIR);
            }
            disk.faults_mut().fail_next_fsync = true;
            let failed = disk.fsync(ino, SyncScope::All);
            disk.faults_mut().fail_next_fsync = false;
            // With nothing unsynced it is an fsync like any other.
            if failed == Err(Errno::EIO) { Ok(()) } else { Err(Errno::EAGAIN) }
        }
    }
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    Folder,
    /// With the first path, in order, that leads to the same file.
    File {
        first: String,
        content: Vec<u8>,
    },
}

impl Found {
    pub fn content_mut(&mut self) -> Option<&mut Vec<u8>> {
        if let Found::File { content, .. } = self { Some(content) } else { None }
    }
}

/// All that can be found, by its path.
pub type State = BTreeMap<String, Found>;

pub fn state(disk: &Disk) -> State {
    let mut state = State::new();
    let mut first = BTreeMap::new();
    let mut open = vec![(ROOT, String::new())];
    let mut files = BTreeMap::new();
    while let Some((folder, path)) = open.pop() {
        for entry in disk.entries(folder).unwrap() {
            let name = entry.name.to_str().unwrap();
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
            if entry.kind == Kind::Folder {
                state.insert(path.clone(), Found::Folder);
                open.push((entry.ino, path));
            } else {
                files.insert(path, entry.ino);
            }
        }
    }
    for (path, ino) in files {
        let first = first.entry(ino).or_insert_with(|| path.clone()).clone();
        let size = disk.attributes(ino).unwrap().size_bytes as usize;
        let content = disk.read(ino, 0, size).unwrap();
        assert_eq!(content.len(), size);
        state.insert(path, Found::File { first, content });
    }
    state
}
