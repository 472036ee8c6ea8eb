//! The write-ahead log: one file of frames, each a group of records that became durable together.
//!
//! ```text
//! file    = magic, frame*
//! frame   = length (3 bytes, little endian), 0 or 1, CRC-32 of all that and the payload (u32), payload
//! payload = a JSON array of records
//! ```
//! A record that is too long for a frame, such as a snapshot, goes on in the next ones: 1 says that the array is not
//! complete. It is there once its last frame is.
//!
//! **A torn tail is cut; damage in the middle is an error.** A crash during a write leaves an incomplete or garbled
//! last frame. Nothing that depends on it was ever acknowledged, so recovery cuts it. A bad frame with a whole frame
//! somewhere behind it is something else: the later one was begun only after the earlier one was durable, so
//! acknowledged records are damaged, and going on would lose them in silence. That search cannot be fooled by what
//! records contain: JSON never holds a zero byte, and the first four bytes of every frame do ([`PART_BYTES`]).

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    marker::PhantomData,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

/// The longest payload: three bytes of length.
pub const FRAME_BYTES_MAX: usize = (1 << 24) - 1;
/// The payload of each frame of a long record but the last. Two bytes of that are zero, in place of the fourth.
pub const PART_BYTES: usize = 0xFF_00_00;
/// The longest record.
pub const RECORD_BYTES_MAX: usize = 256 << 20;

const MAGIC: &[u8; 8] = b"DSWAL\x001\n";
const HEADER_BYTES: usize = 8;
const FILE: &str = "log";
const FILE_NEW: &str = "log.new";
const FILE_LOCK: &str = "lock";

/// Why the log cannot be used. After a failed write nothing may be acknowledged: what is on the disk is unknown.
#[derive(Debug, thiserror::Error)]
pub enum WalError {
    /// The system refused.
    #[error("cannot {doing} {path}: {source}", path = path.display())]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Another process has the log open.
    #[error("{path} is in use by another process; every node needs a data folder of its own", path = path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The file does not begin as a log does.
    #[error("{path} is not a write-ahead log; was DS_DATA pointed at the wrong folder?", path = path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
    },
    /// Acknowledged records are damaged.
    #[error(
        "{path} is damaged at byte {offset}, with whole records from byte {next_offset} on: acknowledged records are \
         lost. Start this node with an empty folder only if the protocol lets it rejoin as a new member",
        path = path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the bad frame begins.
        offset: usize,
        /// Where the next whole one begins.
        next_offset: usize,
    },
    /// A whole frame holds something else than records of this protocol.
    #[error("{path}, byte {offset}: not a record of this protocol: {reason}", path = path.display())]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// Where the frame begins.
        offset: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A record has no serialised form.
    #[error("a record cannot be serialised: {0}")]
    Unencodable(String),
    /// A record is longer than any should be.
    #[error("a record of {bytes} bytes is too long for the log (at most {RECORD_BYTES_MAX})")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
}

/// What an earlier life left.
#[derive(Debug, PartialEq, Eq)]
pub struct Recovered<R> {
    /// Every durable record, in order.
    pub records: Vec<R>,
    /// How many bytes of an unfinished write were cut off.
    pub cut_bytes: u64,
}

/// An open log. Whatever a call wrote is durable when it returns `Ok`.
#[derive(Debug)]
pub struct Wal<R> {
    folder: PathBuf,
    file: File,
    bytes: u64,
    /// Held as long as the log is open.
    _lock: File,
    records: PhantomData<fn() -> R>,
}

impl<R: Serialize + DeserializeOwned> Wal<R> {
    /// Opens the log in `folder`, or begins one, and reads what is there.
    ///
    /// # Errors
    /// The folder is in use, or the log is damaged where no crash can have damaged it.
    pub fn open(folder: &Path) -> Result<(Self, Recovered<R>), WalError> {
        fs::create_dir_all(folder).map_err(at("create", folder))?;
        let lock = lock(folder)?;
        let path = folder.join(FILE);
        remove_if_present(&folder.join(FILE_NEW))?;
        let content = match fs::read(&path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                replace(folder, MAGIC)?;
                MAGIC.to_vec()
            }
            Err(error) => return Err(at("read", &path)(error)),
        };
        let (records, end) = decode(&path, &content)?;
        let cut_bytes = (content.len() - end) as u64;
        let mut file = open_for_writing(&path)?;
        if cut_bytes > 0 {
            file.set_len(end as u64).map_err(at("truncate", &path))?;
            file.sync_data().map_err(at("sync", &path))?;
        }
        file.seek(SeekFrom::Start(end as u64)).map_err(at("seek in", &path))?;
        let folder = folder.to_owned();
        let wal = Self { folder, file, bytes: end as u64, _lock: lock, records: PhantomData };
        Ok((wal, Recovered { records, cut_bytes }))
    }

    /// Appends a group of records and makes it durable; after a crash it is there as a whole or not at all (a group
    /// longer than a frame: some of its whole records from the front on).
    ///
    /// # Errors
    /// Nothing may be acknowledged any more: the caller ends the process.
    pub fn append(&mut self, records: &[R]) -> Result<(), WalError> {
        // One frame at a time: a frame behind another one says that the other one is durable.
        for frame in encode(records)? {
            let path = self.folder.join(FILE);
            self.file.write_all(&frame).map_err(at("write", &path))?;
            self.file.sync_data().map_err(at("sync", &path))?;
            self.bytes += frame.len() as u64;
        }
        Ok(())
    }

    /// Replaces the whole log by `records`, atomically: after a crash it is the old one or the new one.
    ///
    /// # Errors
    /// Nothing may be acknowledged any more: the caller ends the process.
    pub fn rewrite(&mut self, records: &[R]) -> Result<(), WalError> {
        let mut content = MAGIC.to_vec();
        for frame in encode(records)? {
            content.extend(frame);
        }
        replace(&self.folder, &content)?;
        let path = self.folder.join(FILE);
        self.file = open_for_writing(&path)?;
        self.file.seek(SeekFrom::End(0)).map_err(at("seek in", &path))?;
        self.bytes = content.len() as u64;
        Ok(())
    }

    /// The length of the file.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

fn at(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WalError {
    let path = path.to_owned();
    move |source| WalError::Io { doing, path, source }
}

fn lock(folder: &Path) -> Result<File, WalError> {
    let path = folder.join(FILE_LOCK);
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let file = file.map_err(at("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(WalError::InUse { path: folder.to_owned() }),
        Err(fs::TryLockError::Error(error)) => Err(at("lock", &path)(error)),
    }
}

fn open_for_writing(path: &Path) -> Result<File, WalError> {
    OpenOptions::new().write(true).open(path).map_err(at("open", path))
}

fn remove_if_present(path: &Path) -> Result<(), WalError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Puts `content` in the log's place: write beside it, sync, rename, sync the folder, in which the name lives.
fn replace(folder: &Path, content: &[u8]) -> Result<(), WalError> {
    let (path, new) = (folder.join(FILE), folder.join(FILE_NEW));
    let mut file = File::create(&new).map_err(at("create", &new))?;
    file.write_all(content).map_err(at("write", &new))?;
    file.sync_all().map_err(at("sync", &new))?;
    fs::rename(&new, &path).map_err(at("rename", &new))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at("sync", folder))
}

/// The frames of a group: one, unless it is too long for that.
fn encode<R: Serialize>(records: &[R]) -> Result<Vec<Vec<u8>>, WalError> {
    let mut frames = Vec::new();
    let mut payload = Vec::new();
    for record in records {
        let bytes =
            serde_json::to_vec(record).map_err(|error| WalError::Unencodable(error.to_string()))?;
        if bytes.len() > RECORD_BYTES_MAX {
            return Err(WalError::TooLong { bytes: bytes.len() });
        }
        // With the bracket behind it.
        if !payload.is_empty() && payload.len() + bytes.len() + 2 > FRAME_BYTES_MAX {
            frames.extend(close(std::mem::take(&mut payload)));
        }
        payload.push(if payload.is_empty() { b'[' } else { b',' });
        payload.extend(bytes);
    }
    if !payload.is_empty() {
        frames.extend(close(payload));
    }
    Ok(frames)
}

/// The frames of an array that lacks its last bracket: several, if a single record in it is too long for one.
fn close(mut array: Vec<u8>) -> Vec<Vec<u8>> {
    array.push(b']');
    if array.len() <= FRAME_BYTES_MAX {
        return vec![frame(&array, false)];
    }
    let last = (array.len() - 1) / PART_BYTES;
    let parts = array.chunks(PART_BYTES).enumerate();
    parts.map(|(number, part)| frame(part, number < last)).collect()
}

fn frame(payload: &[u8], goes_on: bool) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("payloads are bounded");
    let head = (length | u32::from(goes_on) << 24).to_le_bytes();
    let mut frame = Vec::with_capacity(HEADER_BYTES + payload.len());
    frame.extend(head);
    frame.extend(checksum(&head, payload).to_le_bytes());
    frame.extend(payload);
    frame
}

fn checksum(head: &[u8; 4], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(payload);
    hasher.finalize()
}

/// The payload of the whole frame that begins at `offset`, if there is one, and whether it goes on in the next.
fn payload_at(content: &[u8], offset: usize) -> Option<(&[u8], bool)> {
    let (head, rest) = content.get(offset..)?.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let (bytes, goes_on) = match u32::from_le_bytes(*head) {
        length @ 1..0x0100_0000 => (usize::try_from(length).ok()?, false),
        head if head == PART_BYTES as u32 | 1 << 24 => (PART_BYTES, true),
        _ => return None,
    };
    let payload = rest.get(..bytes)?;
    (checksum(head, payload) == u32::from_le_bytes(*sum)).then_some((payload, goes_on))
}

/// The records of a log and where the last whole array of them ends.
fn decode<R: DeserializeOwned>(path: &Path, content: &[u8]) -> Result<(Vec<R>, usize), WalError> {
    if !content.starts_with(MAGIC) {
        return Err(WalError::NotALog { path: path.to_owned() });
    }
    let (mut records, mut array) = (Vec::new(), Vec::new());
    // Where the array begins, and the next frame of it.
    let (mut begin, mut offset) = (MAGIC.len(), MAGIC.len());
    while let Some((payload, goes_on)) = payload_at(content, offset) {
        offset += HEADER_BYTES + payload.len();
        array.extend_from_slice(payload);
        if goes_on {
            continue;
        }
        let group: Vec<R> =
            serde_json::from_slice(&array).map_err(|error| WalError::Undecodable {
                path: path.to_owned(),
                offset: begin,
                reason: error.to_string(),
            })?;
        records.extend(group);
        array.clear();
        begin = offset;
    }
    let next = (offset + 1..content.len()).find(|next| payload_at(content, *next).is_some());
    match next {
        Some(next_offset) => Err(WalError::Damaged { path: path.to_owned(), offset, next_offset }),
        None => Ok((records, begin)),
    }
}
