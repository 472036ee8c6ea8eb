//! The clocks of a node through all its lives.
//!
//! A clock must not go back when its process ends. What was counted is kept in two small files:
//!
//! ```text
//! clock        a number that no time reaches before it is raised, durably; a new life counts on from there
//! clock.known  what is known of the others: written before anything leaves that followed from it, never synced
//! ```
//! So an fsync is needed once a life (and where a peer is far ahead), none for a message: SIGKILL takes nothing from a
//! file that was written, synced or not. If the machine itself stops, the node's own count still never repeats, and it
//! may have forgotten what it knew of others.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use contract::NodeId;

use super::{LamportClock, Stamp, VectorClock, VectorTime};

const CEILING: &str = "clock";
const CEILING_NEW: &str = "clock.new";
const KNOWN: &str = "clock.known";
/// How far the ceiling is raised: more events than a life has.
const LIFE: u64 = 1 << 32;

/// Both clocks of a node, kept in its data folder.
#[derive(Debug)]
pub struct DurableClocks {
    lamport: LamportClock,
    vector: VectorClock,
    folder: PathBuf,
    /// No time reaches it before it is raised.
    ceiling: u64,
    known: File,
    /// Whether something was received since `known` was written.
    has_learned: bool,
}

impl DurableClocks {
    /// The clocks of `node`, which go on where those of its earlier lives in this folder ended.
    ///
    /// # Errors
    /// The folder cannot be read or written, or its file `clock` holds no number.
    pub fn open(folder: &Path, node: &NodeId) -> io::Result<Self> {
        let start = read_ceiling(&folder.join(CEILING))?;
        let path = folder.join(KNOWN);
        let known = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
        let mut clocks = Self {
            lamport: LamportClock::after(start),
            vector: VectorClock::after(node, read_known(&fs::read(&path)?)).counting_from(start),
            folder: folder.to_owned(),
            ceiling: start,
            known,
            has_learned: false,
        };
        clocks.raise_ceiling(start)?;
        Ok(clocks)
    }

    /// An event that neither sends nor receives.
    pub fn tick(&mut self) {
        self.lamport.tick();
        self.vector.tick();
    }

    /// The receipt of a message with this stamp.
    pub fn receive(&mut self, stamp: &Stamp) {
        self.lamport.receive(stamp.lamport.unwrap_or_default());
        match &stamp.vector {
            Some(sent) => self.vector.receive(sent),
            None => self.vector.tick(),
        };
        self.has_learned = true;
    }

    /// The sending of a message, which must not leave before [`Self::keep`]; its stamp.
    pub fn send(&mut self) -> Stamp {
        self.tick();
        self.now()
    }

    /// The time of the latest event.
    #[must_use]
    pub fn now(&self) -> Stamp {
        Stamp { lamport: Some(self.lamport.time()), vector: Some(self.vector.time().clone()) }
    }

    /// Lets the next life of this node know what happened so far.
    ///
    /// # Errors
    /// Nothing may leave any more: the caller ends the process.
    pub fn keep(&mut self) -> io::Result<()> {
        let latest = self.lamport.time().max(self.vector.own());
        if latest >= self.ceiling {
            self.raise_ceiling(latest)?;
        }
        if !std::mem::take(&mut self.has_learned) {
            return Ok(());
        }
        let text = serde_json::to_string(self.vector.time())?;
        // In place, with what tells a whole line from a torn one.
        let line = format!("{:08x} {text}\n", crc32fast::hash(text.as_bytes()));
        self.known.write_all_at(line.as_bytes(), 0)
    }

    /// Durably, and atomically: written beside it, synced, renamed, and the folder synced in which the name lives.
    fn raise_ceiling(&mut self, above: u64) -> io::Result<()> {
        let ceiling = above.saturating_add(LIFE);
        let new = self.folder.join(CEILING_NEW);
        let mut file = File::create(&new)?;
        writeln!(file, "{ceiling}")?;
        file.sync_all()?;
        fs::rename(&new, self.folder.join(CEILING))?;
        File::open(&self.folder)?.sync_all()?;
        self.ceiling = ceiling;
        Ok(())
    }
}

/// 0 where there was no earlier life.
fn read_ceiling(path: &Path) -> io::Result<u64> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        text => text?,
    };
    text.trim().parse().map_err(|_| {
        let problem = format!("{} holds no number", path.display());
        io::Error::new(ErrorKind::InvalidData, problem)
    })
}

/// Nothing where there is no whole line.
fn read_known(content: &[u8]) -> VectorTime {
    let line = content.split(|byte| *byte == b'\n').next();
    let text = line.and_then(|line| line.split_at_checked(9)).and_then(|(sum, text)| {
        let whole = format!("{:08x} ", crc32fast::hash(text));
        (sum == whole.as_bytes()).then_some(text)
    });
    text.and_then(|text| serde_json::from_slice(text).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(lamport: u64, vector: &str) -> Stamp {
        Stamp { lamport: Some(lamport), vector: serde_json::from_str(vector).ok() }
    }

    fn own(stamp: &Stamp) -> u64 {
        stamp.vector.as_ref().unwrap().of("a")
    }

    #[test]
    fn a_new_life_counts_on_and_knows_what_the_last_one_knew() {
        let folder = tempfile::tempdir().unwrap();
        let open = || DurableClocks::open(folder.path(), &"a".to_owned()).unwrap();
        let mut first = open();
        first.receive(&stamp(5, r#"{"b":7}"#));
        let sent = first.send();
        first.keep().unwrap();
        assert_eq!((sent.lamport, own(&sent)), (Some(7), 2));
        let second = open().send();
        assert!(sent.vector < second.vector && sent.lamport < second.lamport);
        assert_eq!(second.vector.as_ref().unwrap().of("b"), 7);
        // A life that did not get as far as keeping anything used no time either.
        assert!(open().send().vector > second.vector);
    }

    #[test]
    fn a_peer_that_is_far_ahead_raises_the_ceiling() {
        let folder = tempfile::tempdir().unwrap();
        let open = || DurableClocks::open(folder.path(), &"a".to_owned()).unwrap();
        let mut first = open();
        first.receive(&stamp(1 << 50, "{}"));
        let sent = first.send();
        first.keep().unwrap();
        assert!(open().send().lamport > sent.lamport);
    }

    #[test]
    fn a_torn_file_is_forgotten_and_the_own_count_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let open = || DurableClocks::open(folder.path(), &"a".to_owned());
        let mut first = open().unwrap();
        first.receive(&stamp(5, r#"{"b":7}"#));
        first.keep().unwrap();
        let whole = fs::read(folder.path().join(KNOWN)).unwrap();
        let used = own(&first.now());
        for length in 0..whole.len() - 1 {
            let mut torn = whole.clone();
            torn[length] ^= 1;
            for content in [&whole[..length], &torn] {
                assert_eq!(read_known(content), VectorTime::default(), "{length}");
            }
        }
        fs::write(folder.path().join(KNOWN), "{\"b\":9}\n").unwrap();
        let second = open().unwrap().send();
        assert_eq!(second.vector.as_ref().unwrap().of("b"), 0);
        assert!(own(&second) > used);
    }

    #[test]
    fn a_file_that_is_no_clock_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(CEILING), "soon").unwrap();
        let error = DurableClocks::open(folder.path(), &"a".to_owned()).unwrap_err();
        assert!(error.to_string().ends_with("clock holds no number"), "{error}");
    }
}
