//! The formats in which histories come.

use std::path::Path;

use crate::edn::{Cursor, Parsed};

/// A way to write a history down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Jepsen's EDN: maps with `:process :type :f :value`, in a vector, one after another, or under `:history`.
    Edn,
    /// The same as JSON.
    Json,
    /// One JSON event a line, as this bench records.
    JsonLines,
    /// The lines of a Jepsen log: `INFO  jepsen.util - 0 :invoke :read nil`.
    JepsenLog,
    /// Porcupine's test data for key-value stores: EDN maps with a `:key`, one a line.
    PorcupineKv,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Edn, Self::Json, Self::JsonLines, Self::JepsenLog, Self::PorcupineKv];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Edn => "edn",
            Self::Json => "json",
            Self::JsonLines => "jsonl",
            Self::JepsenLog => "jepsen-log",
            Self::PorcupineKv => "porcupine-kv",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// What a file of this name that starts like this most likely is.
    #[must_use]
    pub fn guess(path: &Path, start: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(start);
        let first = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("edn") => return Some(edn_or_porcupine(first)),
            Some("json") => return Some(Self::Json),
            Some("jsonl" | "ndjson") => return Some(Self::JsonLines),
            _ => {}
        }
        let is_map = first.trim_start_matches(['[', '(', ' ', '\n']).starts_with('{');
        if !is_map && text.lines().any(|line| crate::jepsen_log::is_operation(line.as_bytes())) {
            return Some(Self::JepsenLog);
        }
        let mut characters = first.chars().filter(|c| !c.is_whitespace());
        match (characters.next()?, characters.next()) {
            ('{', Some('"')) => Some(Self::JsonLines),
            ('[', Some('{')) if first.split('{').nth(1)?.trim_start().starts_with('"') => {
                Some(Self::Json)
            }
            ('{' | '[' | '(' | '#' | ';', _) => Some(edn_or_porcupine(first)),
            _ => None,
        }
    }
}

/// Porcupine's events name their key beside the value, Jepsen's within it.
fn edn_or_porcupine(start: &str) -> Format {
    let mut cursor = Cursor::new(start.as_bytes());
    if names_its_key(&mut cursor).unwrap_or(false) { Format::PorcupineKv } else { Format::Edn }
}

/// Whether the text begins with a map that has a `:key` of its own. The text may end anywhere.
fn names_its_key(cursor: &mut Cursor<'_>) -> Parsed<bool> {
    if cursor.peek() != Some(b'{') {
        return Ok(false);
    }
    cursor.bump();
    loop {
        cursor.skip_blank()?;
        match cursor.peek() {
            Some(b':') if cursor.keyword()? == "key" => return Ok(true),
            Some(b':') => {}
            Some(b'}') | None => return Ok(false),
            Some(_) => cursor.value::<()>()?,
        }
        cursor.skip_blank()?;
        cursor.value::<()>()?;
    }
}
