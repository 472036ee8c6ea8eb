//! Files as they are, or packed with gzip or zstd.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use record::bytes_max;

use super::ForeignError;

/// What a history in a file holds, unpacked as it is read. What is told how much was read is told of the file.
///
/// A pipe is no history: it is read more than once.
pub(super) fn open<'a>(
    path: &Path,
    read: impl FnMut(u64) + 'a,
) -> Result<Box<dyn Read + 'a>, ForeignError> {
    let unfit =
        |error: &dyn std::fmt::Display| ForeignError::Unfit(format!("{}: {error}", path.display()));
    let file = plain_file::open(path, bytes_max::HISTORY)
        .map_err(|error| ForeignError::Unfit(error.to_string()))?;
    let mut file = Counting { file, read };
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

/// The name without the ending of a packed file.
pub(super) fn unpacked_name(path: &Path) -> PathBuf {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz" | "zst") => path.with_extension(""),
        _ => path.to_owned(),
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

/// A file that says how much of it was read.
struct Counting<F> {
    file: File,
    read: F,
}

impl<F: FnMut(u64)> Read for Counting<F> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(to)?;
        (self.read)(read as u64);
        Ok(read)
    }
}
