//! Keys, values and versions by number.

use history::words::cut;
use rustc_hash::FxHashMap;

use crate::ids::{Version, id};
use crate::numbering::Numbering;

/// A value as a number: integers are themselves; of all else the position among the texts, from `i64::MIN` upwards.
pub(crate) type Datum = i64;

/// Whether this integer is its own number: those below are left to texts.
pub(crate) fn is_itself(integer: i64) -> bool {
    const LOWEST: i64 = i64::MIN + (1 << 32);
    integer >= LOWEST
}

/// The numbers of keys and versions, and what they stand for.
#[derive(Debug, Default)]
pub(crate) struct Names {
    keys: Vec<Datum>,
    key_ids: FxHashMap<Datum, u32>,
    versions: Vec<Option<Datum>>,
    version_ids: Numbering,
    texts: Vec<String>,
    text_ids: FxHashMap<history::Datum, Datum>,
}

impl Names {
    /// The number of a recorded value: a key, or something written.
    pub(crate) fn datum(&mut self, value: &history::Datum) -> Datum {
        match value {
            history::Datum::Int(integer) if is_itself(*integer) => *integer,
            _ => self.text(value),
        }
    }

    fn text(&mut self, value: &history::Datum) -> Datum {
        if let Some(known) = self.text_ids.get(value) {
            return *known;
        }
        let number = i64::MIN + i64::from(id(self.texts.len()));
        self.texts.push(display(value));
        self.text_ids.insert(value.clone(), number);
        number
    }

    /// The number of a key.
    pub(crate) fn key(&mut self, key: Datum) -> u32 {
        *self.key_ids.entry(key).or_insert_with(|| {
            self.keys.push(key);
            id(self.keys.len() - 1)
        })
    }

    /// The number of a value of a key; `None` is a register's initial one.
    pub(crate) fn version(&mut self, key: u32, value: Option<Datum>) -> Version {
        let (version, is_new) = self.version_ids.number(key, value);
        if is_new {
            self.versions.push(value);
        }
        version
    }

    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        const TEXT_BYTES: usize = 128;
        let versions = self.versions.capacity() * size_of::<Option<Datum>>();
        versions + self.version_ids.bytes() + self.texts.len() * TEXT_BYTES
    }

    pub(crate) fn versions(&self) -> usize {
        self.versions.len()
    }

    /// Whether it is the initial version of a register.
    pub(crate) fn is_initial(&self, version: Version) -> bool {
        self.versions[version as usize].is_none()
    }

    /// A key for people.
    pub(crate) fn key_name(&self, key: u32) -> String {
        self.show(self.keys[key as usize])
    }

    /// A value for people.
    pub(crate) fn value_name(&self, version: Version) -> String {
        self.versions[version as usize].map_or_else(|| "nil".to_owned(), |datum| self.show(datum))
    }

    fn show(&self, datum: Datum) -> String {
        let text = usize::try_from(datum.wrapping_sub(i64::MIN)).ok();
        match text.and_then(|position| self.texts.get(position)) {
            Some(text) => text.clone(),
            None => datum.to_string(),
        }
    }

    /// What only building needs.
    pub(crate) fn forget_lookups(&mut self) {
        self.text_ids = FxHashMap::default();
        self.key_ids = FxHashMap::default();
        self.version_ids = Numbering::default();
    }
}

/// More characters of a name than this nobody reads.
const SHOWN_MAX: usize = 60;

/// Keywords without their colon, strings without quotes; nothing that a terminal would obey.
pub(crate) fn display(value: &history::Datum) -> String {
    match value.as_str() {
        Some(text) => cut(text.strip_prefix(':').unwrap_or(text), SHOWN_MAX),
        None => cut(&value.to_string(), SHOWN_MAX),
    }
}
