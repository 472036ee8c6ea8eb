//! Names that occur often, each kept once.

use std::collections::HashMap;

/// A longer name is cut.
const NAME_CHARS_MAX: usize = 60;
/// More names than this share the last one.
const NAMES_MAX: usize = 4_096;

/// Names in order of appearance.
#[derive(Clone, Debug, Default)]
pub struct Names {
    list: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Names {
    /// The number of a name, a new one where it is new.
    pub fn number(&mut self, name: &str) -> usize {
        let name = match name.char_indices().nth(NAME_CHARS_MAX) {
            None => name,
            Some((at, _)) => &format!("{}…", &name[..at]),
        };
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        if self.list.len() >= NAMES_MAX {
            return NAMES_MAX - 1;
        }
        self.list.push(name.to_owned());
        self.numbers.insert(name.to_owned(), self.list.len() - 1);
        self.list.len() - 1
    }

    /// The name of a number.
    pub fn get(&self, number: usize) -> &str {
        self.list.get(number).map_or("", String::as_str)
    }

    /// All names.
    pub fn all(&self) -> &[String] {
        &self.list
    }
}
