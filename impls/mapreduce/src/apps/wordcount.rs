//! How often each word occurs.

use super::words;
use crate::app::{App, Combiner, Emit, Values};

/// Result of a word: its number of occurrences.
#[derive(Clone, Copy, Debug)]
pub struct WordCount;

impl App for WordCount {
    fn map(&self, _: &str, text: &str, emit: &mut Emit) -> Result<(), String> {
        words(text).for_each(|word| emit(word, "1"));
        Ok(())
    }

    fn reduce(&self, word: &str, counts: &mut Values) -> Result<String, String> {
        sum(word, counts)
    }

    fn combiner(&self) -> Option<Combiner> {
        Some(sum)
    }
}

fn sum(word: &str, counts: &mut Values) -> Result<String, String> {
    let mut total: u64 = 0;
    for count in counts {
        let count: u64 =
            count.parse().map_err(|_| format!("a count of \"{word}\" is no number: {count}"))?;
        total += count;
    }
    Ok(total.to_string())
}
