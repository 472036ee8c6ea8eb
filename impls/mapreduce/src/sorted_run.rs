//! Sorted runs on disk: pairs of key and value in order, in a file of their own or in a part of one.
//!
//! A pair is the length of its key, the length of its value (both 32 bits, little-endian), key and value.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Seek, SeekFrom, Take, Write},
    path::PathBuf,
};

use crate::failure::Failure;

/// How much of each open run is in memory.
const BUFFER_BYTES: usize = 64 << 10;

/// Where a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its file.
    pub path: PathBuf,
    /// Where it starts there.
    pub start: u64,
    /// Where it ends; `None`: with the file.
    pub end: Option<u64>,
}

impl Run {
    /// A run that is a whole file.
    pub fn whole(path: PathBuf) -> Self {
        Self { path, start: 0, end: None }
    }
}

/// Writes runs into one file, one behind the other.
pub struct Writer {
    file: BufWriter<File>,
    path: PathBuf,
    written: u64,
}

impl Writer {
    /// Makes the file; one that is there already is replaced.
    pub fn create(path: PathBuf) -> Result<Self, Failure> {
        let file = File::create(&path).map_err(Failure::file("create", &path))?;
        Ok(Self { file: BufWriter::with_capacity(BUFFER_BYTES, file), path, written: 0 })
    }

    /// How many bytes were written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Adds a pair. Its order is the caller's affair.
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), Failure> {
        let header = [length(key)?, length(value)?].concat();
        for bytes in [&header, key, value] {
            self.file.write_all(bytes).map_err(Failure::file("write", &self.path))?;
            self.written += bytes.len() as u64;
        }
        Ok(())
    }

    /// Hands everything to the system.
    pub fn finish(mut self) -> Result<(), Failure> {
        self.file.flush().map_err(Failure::file("write", &self.path))
    }
}

fn length(part: &[u8]) -> Result<[u8; 4], Failure> {
    let length = u32::try_from(part.len());
    let too_long = |_| Failure::App("a key or value is longer than 4 GiB".to_owned());
    length.map(u32::to_le_bytes).map_err(too_long)
}

/// Reads a run.
pub struct Reader {
    file: Take<BufReader<File>>,
    path: PathBuf,
}

impl Reader {
    /// Opens it.
    pub fn open(run: &Run) -> Result<Self, Failure> {
        let file = File::open(&run.path).map_err(Failure::file("open", &run.path))?;
        let mut file = BufReader::with_capacity(BUFFER_BYTES, file);
        file.seek(SeekFrom::Start(run.start)).map_err(Failure::file("read", &run.path))?;
        let length = run.end.map_or(u64::MAX, |end| end - run.start);
        Ok(Self { file: file.take(length), path: run.path.clone() })
    }

    /// Reads the next pair into these; `false`: there is none.
    pub fn next(&mut self, key: &mut Vec<u8>, value: &mut Vec<u8>) -> Result<bool, Failure> {
        if self.file.fill_buf().map_err(Failure::file("read", &self.path))?.is_empty() {
            return Ok(false);
        }
        let mut header = [0; 8];
        self.file.read_exact(&mut header).map_err(|error| self.explain(error))?;
        let [a, b, c, d, e, f, g, h] = header;
        self.part(u32::from_le_bytes([a, b, c, d]), key)?;
        self.part(u32::from_le_bytes([e, f, g, h]), value)?;
        Ok(true)
    }

    /// Reads so many bytes. Nothing is reserved for a length that may be wrong.
    fn part(&mut self, length: u32, into: &mut Vec<u8>) -> Result<(), Failure> {
        into.clear();
        let read = (&mut self.file).take(u64::from(length)).read_to_end(into);
        let read = read.map_err(|error| self.explain(error))?;
        if read as u64 == u64::from(length) {
            Ok(())
        } else {
            Err(self.explain(ErrorKind::UnexpectedEof.into()))
        }
    }

    fn explain(&self, error: io::Error) -> Failure {
        match error.kind() {
            ErrorKind::UnexpectedEof => self.damaged("it ends in the middle of a pair"),
            _ => Failure::file("read", &self.path)(error),
        }
    }

    /// The complaint about what is in the file.
    pub fn damaged(&self, what: &'static str) -> Failure {
        Failure::Damaged { path: self.path.clone(), what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(run: &Run) -> Result<Vec<(String, String)>, Failure> {
        let mut reader = Reader::open(run)?;
        let (mut key, mut value) = (Vec::new(), Vec::new());
        let mut pairs = Vec::new();
        while reader.next(&mut key, &mut value)? {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            pairs.push((text(&key), text(&value)));
        }
        Ok(pairs)
    }

    #[test]
    fn runs_in_one_file_are_read_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let mut writer = Writer::create(path.clone()).unwrap();
        writer.add(b"a", b"").unwrap();
        let middle = writer.written();
        writer.add("\u{e4}".as_bytes(), &[b'x'; 100_000]).unwrap();
        writer.finish().unwrap();
        let first = Run { path: path.clone(), start: 0, end: Some(middle) };
        assert_eq!(read(&first).unwrap(), [("a".to_owned(), String::new())]);
        let second = Run { path: path.clone(), start: middle, end: None };
        assert_eq!(read(&second).unwrap(), [("\u{e4}".to_owned(), "x".repeat(100_000))]);
        assert_eq!(read(&Run::whole(path)).unwrap().len(), 2);
    }

    #[test]
    fn a_run_that_was_cut_is_named_wherever_that_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run");
        let mut writer = Writer::create(path.clone()).unwrap();
        writer.add(b"key", b"value").unwrap();
        writer.finish().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for length in 1..bytes.len() {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let error = read(&Run::whole(path.clone())).unwrap_err().to_string();
            assert!(error.contains("ends in the middle of a pair"), "{length}: {error}");
            assert!(error.contains(&path.display().to_string()), "{error}");
        }
    }
}
