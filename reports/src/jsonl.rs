//! Reading JSON Lines that may be torn, damaged or hostile.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::ReportError;

/// A longer line is skipped and counted: nobody could read it, and it must not fill the memory.
const LINE_BYTES_MAX: u64 = 8 << 20;

/// How reading went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// There is no such file.
    pub missing: bool,
    /// The last line is incomplete: the writer was stopped.
    pub torn: bool,
    /// Lines that are not what they should be.
    pub unreadable: u64,
}

/// Hands every readable line to `take`.
pub fn read<T: DeserializeOwned>(
    path: &Path,
    mut take: impl FnMut(T),
) -> Result<Reading, ReportError> {
    let mut reading = Reading::default();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Ok(Reading { missing: true, ..reading });
        }
        Err(error) => return Err(ReportError::io("open", path)(error)),
    };
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line)
            .map_err(ReportError::io("read", path))?;
        if length == 0 {
            return Ok(reading);
        }
        let ended = line.last() == Some(&b'\n');
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(&line) {
            Ok(value) => take(value),
            Err(_) if ended => reading.unreadable += 1,
            Err(_) if reader.fill_buf().map_err(ReportError::io("read", path))?.is_empty() => {
                reading.torn = true;
            }
            Err(_) => {
                reading.unreadable += 1;
                reader.skip_until(b'\n').map_err(ReportError::io("read", path))?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &[u8]) -> (Vec<u64>, Reading) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl");
        std::fs::write(&path, text).unwrap();
        let mut numbers = Vec::new();
        let reading = read(&path, |number: u64| numbers.push(number)).unwrap();
        (numbers, reading)
    }

    #[test]
    fn whole_lines_are_read() {
        assert_eq!(numbers(b"1\n2\n\n3\n"), (vec![1, 2, 3], Reading::default()));
    }

    #[test]
    fn a_torn_last_line_is_told_from_a_damaged_one() {
        let torn = Reading { torn: true, ..Reading::default() };
        assert_eq!(numbers(b"1\n{\"inde"), (vec![1], torn));
        let damaged = Reading { unreadable: 1, ..Reading::default() };
        assert_eq!(numbers(b"1\n\xff\xfe\n3"), (vec![1, 3], damaged));
    }

    #[test]
    fn an_endless_line_is_skipped() {
        let mut text = b"1\n".to_vec();
        text.resize(text.len() + usize::try_from(2 * LINE_BYTES_MAX).unwrap() + 5, b'7');
        text.extend(b"\n3\n");
        let (read, reading) = numbers(&text);
        assert_eq!((read, reading.unreadable), (vec![1, 3], 1));
    }

    #[test]
    fn a_missing_file_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let reading = read(&folder.path().join("none"), |_: u64| ()).unwrap();
        assert!(reading.missing);
    }
}
