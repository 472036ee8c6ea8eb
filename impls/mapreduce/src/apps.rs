//! The applications that come with the crate.

mod index;
mod wordcount;

pub use index::Index;
pub use wordcount::WordCount;

use crate::app::Entry;

/// All of them, by name.
pub const BUILT_IN: &[Entry] = &[("index", &Index), ("wordcount", &WordCount)];

/// The words of a text: the longest runs of letters, as MIT's lab has them.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_runs_of_letters_in_any_script() {
        let found: Vec<&str> = words("Don't panic: 42 Überläufe, λόγος-1 数据").collect();
        assert_eq!(found, ["Don", "t", "panic", "Überläufe", "λόγος", "数据"]);
        assert_eq!(words(" 1 -- \n").count(), 0);
    }
}
