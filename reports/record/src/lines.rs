//! Reading JSON Lines that may be torn, damaged or hostile: what cannot be read is counted, and the rest is used.

use std::io::Read;
use std::path::Path;

use history::{MAX_EVENT_BYTES, ReadError, Records};
use plain_file::PlainFileError;
use serde::de::DeserializeOwned;

/// What was left out while a file was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// There is no such file.
    pub missing: bool,
    /// The number of the last line, from 1, where it is torn.
    pub torn_line: Option<u64>,
    /// How many lines are unreadable.
    pub unreadable: u64,
    /// The first of them.
    pub first_unreadable: Option<Unreadable>,
}

/// A line that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct Unreadable {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: String,
}

impl Reading {
    fn unreadable(&mut self, line: u64, problem: impl FnOnce() -> String) {
        self.unreadable += 1;
        self.first_unreadable.get_or_insert_with(|| Unreadable { line, problem: problem() });
    }
}

/// Hands every readable line of a file of at most `bytes_max` bytes to `take`. A line is never in memory beyond
/// [`MAX_EVENT_BYTES`].
pub(crate) fn read<T: DeserializeOwned>(
    path: &Path,
    bytes_max: u64,
    mut take: impl FnMut(T),
) -> Result<Reading, PlainFileError> {
    let mut reading = Reading::default();
    let file = match plain_file::open(path, bytes_max) {
        Err(PlainFileError::Missing(_)) => return Ok(Reading { missing: true, ..reading }),
        file => file?,
    };
    // Also of a file that grows while it is read.
    let mut records = Records::new(file.take(bytes_max));
    for record in records.by_ref() {
        match record {
            Ok(value) => take(value),
            Err(ReadError::Io { source, .. }) => {
                return Err(PlainFileError::Io { path: path.to_owned(), source });
            }
            Err(ReadError::Syntax { line, column, message }) => {
                reading.unreadable(line, || format!("column {column}: {message}"));
            }
            Err(ReadError::TooLong { line }) => {
                reading.unreadable(line, || format!("longer than {MAX_EVENT_BYTES} bytes"));
            }
        }
    }
    reading.torn_line = records.torn_line();
    Ok(reading)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &[u8]) -> (Vec<u64>, Reading) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.jsonl");
        std::fs::write(&path, text).unwrap();
        let mut numbers = Vec::new();
        let reading = read(&path, 1 << 30, |number: u64| numbers.push(number)).unwrap();
        (numbers, reading)
    }

    #[test]
    fn whole_lines_are_read() {
        assert_eq!(numbers(b"1\n2\n\n3\n"), (vec![1, 2, 3], Reading::default()));
    }

    #[test]
    fn a_torn_last_line_is_told_from_a_damaged_one() {
        let torn = Reading { torn_line: Some(2), ..Reading::default() };
        assert_eq!(numbers(b"1\n{\"inde"), (vec![1], torn));
        let (read, reading) = numbers(b"1\n\xff\xfe\n3");
        assert_eq!((read, reading.unreadable, reading.torn_line), (vec![1, 3], 1, None));
        assert_eq!(
            reading.first_unreadable.unwrap().to_string(),
            "line 2: column 1: expected value"
        );
    }

    #[test]
    fn an_endless_line_is_skipped() {
        let mut text = b"1\n".to_vec();
        text.resize(text.len() + 2 * MAX_EVENT_BYTES + 5, b'7');
        text.extend(b"\n3\n");
        let (read, reading) = numbers(&text);
        assert_eq!((read, reading.unreadable), (vec![1, 3], 1));
    }

    #[test]
    fn a_missing_file_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let reading = read(&folder.path().join("none"), 1, |_: u64| ()).unwrap();
        assert!(reading.missing);
    }
}
