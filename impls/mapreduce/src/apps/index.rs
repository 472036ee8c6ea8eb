//! In which documents each word occurs.

use std::collections::BTreeSet;

use super::words;
use crate::app::{App, Emit, Values};

/// Result of a word: the number of its documents, and their names in order, with commas between them.
#[derive(Clone, Copy, Debug)]
pub struct Index;

impl App for Index {
    fn map(&self, document: &str, text: &str, emit: &mut Emit) -> Result<(), String> {
        let distinct: BTreeSet<&str> = words(text).collect();
        distinct.into_iter().for_each(|word| emit(word, document));
        Ok(())
    }

    fn reduce(&self, _: &str, documents: &mut Values) -> Result<String, String> {
        // A document of several pieces comes more than once.
        let distinct: Vec<String> = documents.collect::<BTreeSet<_>>().into_iter().collect();
        Ok(format!("{} {}", distinct.len(), distinct.join(",")))
    }
}
