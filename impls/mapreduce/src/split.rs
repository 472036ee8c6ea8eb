//! Inputs become splits: the pieces of text that map tasks take (section 3.1).
//!
//! A split ends after the last line break within its limit. Where a line is longer than that, it ends after the last white
//! space; a word that is longer still stays whole. So no split cuts a word, nor a character: both kinds of boundary are ASCII.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
};

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The most text of one map task, as in section 3.1; only a word that is longer may exceed it.
pub const SPLIT_BYTES: u64 = 16 << 20;

/// How much is read at once in search of a boundary.
const BLOCK_BYTES: u64 = 64 << 10;

/// A piece of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The document: the path of its file, as the job names it.
    pub document: String,
    /// Where the piece starts.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
}

/// The splits of some documents, each of `bytes_max` at most. An empty document has none.
///
/// # Errors
/// A document is no file, or cannot be read.
pub fn plan(documents: &[String], bytes_max: u64) -> Result<Vec<Split>, Failure> {
    let mut splits = Vec::new();
    for document in documents {
        let path = Path::new(document);
        let (file, len) = open(path)?;
        let mut text = Text { file, len };
        let mut start = 0;
        while start < len {
            let end = text.end(start, bytes_max.max(1)).map_err(Failure::file("read", path))?;
            splits.push(Split { document: document.clone(), start, end });
            start = end;
        }
    }
    Ok(splits)
}

/// Opens a regular file; a pipe would wait for a writer.
fn open(path: &Path) -> Result<(File, u64), Failure> {
    let metadata = path.metadata().map_err(Failure::file("read the input", path))?;
    if !metadata.is_file() {
        let source = std::io::Error::other("it is no regular file");
        return Err(Failure::file("read the input", path)(source));
    }
    let file = File::open(path).map_err(Failure::file("read the input", path))?;
    Ok((file, metadata.len()))
}

/// A document in search of boundaries.
struct Text {
    file: File,
    len: u64,
}

impl Text {
    /// Where the split ends that starts at `start`.
    fn end(&mut self, start: u64, bytes_max: u64) -> std::io::Result<u64> {
        let limit = start.saturating_add(bytes_max);
        if limit >= self.len {
            return Ok(self.len);
        }
        match self.last_boundary(start, limit)? {
            Some(end) => Ok(end),
            None => self.first_boundary(limit),
        }
    }

    /// The end of the last line in this range, else of its last white space.
    fn last_boundary(&mut self, start: u64, limit: u64) -> std::io::Result<Option<u64>> {
        let mut space = None;
        let mut end = limit;
        while end > start {
            let begin = start.max(end.saturating_sub(BLOCK_BYTES));
            let block = self.block(begin..end)?;
            let after = |found: usize| begin + found as u64 + 1;
            if let Some(line) = block.iter().rposition(|byte| *byte == b'\n') {
                return Ok(Some(after(line)));
            }
            space = space.or_else(|| block.iter().rposition(is_space).map(after));
            end = begin;
        }
        Ok(space)
    }

    /// Where the word ends that goes through `from`.
    fn first_boundary(&mut self, from: u64) -> std::io::Result<u64> {
        let mut begin = from;
        while begin < self.len {
            let end = self.len.min(begin + BLOCK_BYTES);
            if let Some(found) = self.block(begin..end)?.iter().position(is_space) {
                return Ok(begin + found as u64 + 1);
            }
            begin = end;
        }
        Ok(self.len)
    }

    fn block(&mut self, range: Range<u64>) -> std::io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(range.start))?;
        // At most a block.
        let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or_default()];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn is_space(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || *byte == b'\x0b'
}

impl Split {
    /// The text of the split. What is no UTF-8 is read as replacement characters.
    ///
    /// # Errors
    /// The document cannot be read, or is shorter than when the job was started.
    pub fn read(&self) -> Result<String, Failure> {
        let path = Path::new(&self.document);
        let (mut file, len) = open(path)?;
        if len < self.end {
            let source = std::io::Error::other("it became shorter while the job ran");
            return Err(Failure::file("read the input", path)(source));
        }
        let read = |bytes: &mut Vec<u8>| {
            file.seek(SeekFrom::Start(self.start))?;
            file.take(self.end - self.start).read_to_end(bytes)
        };
        let mut bytes = Vec::with_capacity(usize::try_from(self.end - self.start).unwrap_or(0));
        read(&mut bytes).map_err(Failure::file("read the input", path))?;
        Ok(String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::apps::words;

    /// The pieces of a text that is written to a file.
    fn pieces(text: &[u8], bytes_max: u64) -> Vec<String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let document = file.path().display().to_string();
        let splits = plan(&[document], bytes_max).unwrap();
        splits.iter().map(|split| split.read().unwrap()).collect()
    }

    #[test]
    fn lines_stay_whole_where_they_fit() {
        assert_eq!(pieces(b"one two\nthree\nfour five\n", 14), ["one two\nthree\n", "four five\n"]);
        assert_eq!(
            pieces(b"one two\nthree\nfour five\n", 13),
            ["one two\n", "three\n", "four five\n"]
        );
    }

    #[test]
    fn a_longer_line_is_cut_at_white_space_and_a_longer_word_stays_whole() {
        assert_eq!(pieces(b"one two three", 9), ["one two ", "three"]);
        assert_eq!(pieces(b"a enormous word", 4), ["a ", "enormous ", "word"]);
        let huge = "ä".repeat(100_000);
        assert_eq!(pieces(huge.as_bytes(), 16), [huge]);
    }

    #[test]
    fn an_empty_document_has_no_split() {
        assert_eq!(pieces(b"", 4), [""; 0]);
    }

    #[test]
    fn what_is_no_utf_8_is_replaced_alike_in_whole_and_in_pieces() {
        let text = b"a\xff\xc3 b\xe2\x82 c\xf0\x9f\x92\n d";
        let whole = String::from_utf8_lossy(text).into_owned();
        for bytes_max in 1..20 {
            assert_eq!(pieces(text, bytes_max).concat(), whole, "{bytes_max}");
        }
    }

    #[test]
    fn what_is_no_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing").display().to_string();
        let error = plan(std::slice::from_ref(&missing), 4).unwrap_err().to_string();
        assert!(error.contains(&missing) && error.contains("No such file"), "{error}");
        let error = plan(&[folder.path().display().to_string()], 4).unwrap_err().to_string();
        assert!(error.contains("no regular file"), "{error}");
    }

    #[test]
    fn a_document_that_became_shorter_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one two three").unwrap();
        let splits = plan(&[file.path().display().to_string()], 9).unwrap();
        std::fs::write(file.path(), "one two").unwrap();
        let error = splits[1].read().unwrap_err().to_string();
        assert!(error.contains("became shorter"), "{error}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn pieces_are_the_text_and_no_word_is_cut(
            text in "([a-zäöü数據💩]{1,9}|[ \n\t.'\u{a0}]){0,60}",
            bytes_max in 1_u64..40,
        ) {
            let pieces = pieces(text.as_bytes(), bytes_max);
            prop_assert_eq!(pieces.concat(), text.as_str());
            prop_assert!(pieces.iter().all(|piece| !piece.is_empty()));
            let apart: Vec<&str> = pieces.iter().flat_map(|piece| words(piece)).collect();
            prop_assert_eq!(apart, words(&text).collect::<Vec<_>>());
            for piece in &pieces {
                let too_long = piece.len() as u64 > bytes_max;
                prop_assert!(!too_long || piece.split_ascii_whitespace().count() <= 1);
            }
        }
    }
}
