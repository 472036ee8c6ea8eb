//! An application of one's own: the longest line of each document.
//!
//! ```text
//! cargo run --release -p mapreduce --example longest_lines -- run --app longest_lines --out /tmp/longest *.md
//! ```

use std::process::ExitCode;

use mapreduce::{App, Combiner, Emit, Values};

/// Result of a document: its longest line, the first in order of several.
pub struct LongestLines;

impl App for LongestLines {
    fn map(&self, document: &str, text: &str, emit: &mut Emit) -> Result<(), String> {
        text.lines().for_each(|line| emit(document, line));
        Ok(())
    }

    fn reduce(&self, document: &str, lines: &mut Values) -> Result<String, String> {
        longest(document, lines)
    }

    fn combiner(&self) -> Option<Combiner> {
        Some(longest)
    }
}

fn longest(_: &str, lines: &mut Values) -> Result<String, String> {
    let longer = |one: String, other: String| if other.len() > one.len() { other } else { one };
    lines.reduce(longer).ok_or_else(|| "a key without values".to_owned())
}

fn main() -> ExitCode {
    mapreduce::main_with(&[("longest_lines", &LongestLines)])
}
