//! Where a history is. Files are read as they are, or packed with gzip or zstd.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use record::bytes_max;

use super::ForeignError;

/// A history that can be read several times.
#[derive(Clone, Debug)]
pub struct Source {
    path: PathBuf,
    /// The file itself, where no path leads to it.
    kept: Option<Arc<File>>,
}

impl Source {
    /// The file at this path. A pipe is no history, for it is read more than once.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path, kept: None }
    }

    /// A file that needs no name any more, and goes with the last who has it open; messages call it `name`.
    #[must_use]
    pub fn kept(name: &str, file: File) -> Self {
        Self { path: PathBuf::from(name), kept: Some(Arc::new(file)) }
    }

    /// The path, or the name of what is kept.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last part of the path.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// Whether it is a file that has no path.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// How long the file is; 0 where nobody knows.
    pub(super) fn bytes(&self) -> u64 {
        let metadata = match &self.kept {
            Some(file) => file.metadata(),
            None => self.path.metadata(),
        };
        metadata.map_or(0, |metadata| metadata.len())
    }

    /// The name without the ending of a packed file.
    pub(super) fn unpacked_name(&self) -> PathBuf {
        match self.path.extension().and_then(|extension| extension.to_str()) {
            Some("gz" | "zst") => self.path.with_extension(""),
            _ => self.path.clone(),
        }
    }

    /// What the file holds, from its beginning, unpacked as it is read. What is told how much was read is told of the file.
    pub(super) fn open<'a>(
        &self,
        read: impl FnMut(u64) + 'a,
    ) -> Result<Box<dyn Read + 'a>, ForeignError> {
        let unfit = |error: &dyn std::fmt::Display| {
            ForeignError::Unfit(format!("{}: {error}", self.path.display()))
        };
        let file = match &self.kept {
            Some(file) => Arc::clone(file),
            None => plain_file::open(&self.path, bytes_max::HISTORY)
                .map(Arc::new)
                .map_err(|error| ForeignError::Unfit(error.to_string()))?,
        };
        let mut file = Counting { file, offset: 0, read };
        let mut start = Vec::new();
        file.by_ref().take(4).read_to_end(&mut start).map_err(|error| unfit(&error))?;
        let is_gzip = start.starts_with(b"\x1f\x8b");
        let is_zstd = start.starts_with(b"\x28\xb5\x2f\xfd");
        let whole = BufReader::new(io::Cursor::new(start).chain(file));
        Ok(if is_gzip {
            bounded(flate2::bufread::MultiGzDecoder::new(whole))
        } else if is_zstd {
            bounded(zstd::Decoder::with_buffer(whole).map_err(|error| unfit(&error))?)
        } else {
            Box::new(whole)
        })
    }
}

fn bounded<'a>(unpacked: impl Read + 'a) -> Box<dyn Read + 'a> {
    Box::new(Bounded { unpacked, left: bytes_max::HISTORY })
}

/// What was packed may be far longer than the file: no longer than a file may be.
struct Bounded<R> {
    unpacked: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.unpacked.read(to)?;
        let left = self.left.checked_sub(read as u64);
        let longer = || format!("unpacked, it is longer than {} bytes", bytes_max::HISTORY);
        self.left = left.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, longer()))?;
        Ok(read)
    }
}

/// A file from its beginning, whoever else reads it; it says how much of it was read.
struct Counting<F> {
    file: Arc<File>,
    offset: u64,
    read: F,
}

impl<F: FnMut(u64)> Read for Counting<F> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(to, self.offset)?;
        self.offset += read as u64;
        (self.read)(read as u64);
        Ok(read)
    }
}
