//! Where a history is. Files are read as they are, or packed with gzip or zstd.

use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use record::bytes_max;

use super::ForeignError;

/// A history that can be read several times. It is shown as its path, or its name.
#[derive(Clone, Debug)]
pub struct Source(Place);

#[derive(Clone, Debug)]
enum Place {
    Path(PathBuf),
    /// A file to which no path leads, and what messages call it.
    Kept(&'static str, Arc<File>),
}

impl Source {
    /// The file at this path. A pipe is no history, for it is read more than once.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self(Place::Path(path))
    }

    /// A file that needs no path any more, and goes with the last who has it open; messages call it `name`.
    #[must_use]
    pub fn kept(name: &'static str, file: File) -> Self {
        Self(Place::Kept(name, Arc::new(file)))
    }

    /// The path, where one leads to it.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Place::Path(path) => Some(path),
            Place::Kept(..) => None,
        }
    }

    /// The last part of the path, or the name.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.0 {
            Place::Path(path) => {
                path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
            }
            Place::Kept(name, _) => (*name).to_owned(),
        }
    }

    /// How long the file is; 0 where nobody knows.
    pub(super) fn bytes(&self) -> u64 {
        let metadata = match &self.0 {
            Place::Path(path) => path.metadata(),
            Place::Kept(_, file) => file.metadata(),
        };
        metadata.map_or(0, |metadata| metadata.len())
    }

    /// The name without the ending of a packed file.
    pub(super) fn unpacked_name(&self) -> PathBuf {
        let path = PathBuf::from(self.name());
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("gz" | "zst") => path.with_extension(""),
            _ => path,
        }
    }

    /// What the file holds, from its beginning, unpacked as it is read. What is told how much was read is told of the file.
    pub(super) fn open<'a>(
        &self,
        read: impl FnMut(u64) + 'a,
    ) -> Result<Box<dyn Read + 'a>, ForeignError> {
        let unfit = |error: &dyn Display| ForeignError::Unfit(format!("{self}: {error}"));
        let file = match &self.0 {
            Place::Path(path) => plain_file::open(path, bytes_max::HISTORY)
                .map(Arc::new)
                .map_err(|error| ForeignError::Unfit(error.to_string()))?,
            Place::Kept(_, file) => Arc::clone(file),
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

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Path(path) => path.display().fmt(f),
            Place::Kept(name, _) => f.write_str(name),
        }
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
