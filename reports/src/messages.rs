//! The messages between the nodes, counted.

use std::collections::BTreeMap;

use record::{Fate, Folder, FolderError, MessageRecord, Reading};

use crate::markup::cut;

/// The fates in the order shown, with a word for each.
pub const FATES: [(Fate, &str); 7] = [
    (Fate::Delivered, "delivered"),
    (Fate::RequestDropped, "request dropped"),
    (Fate::ResponseDropped, "response dropped"),
    (Fate::Delayed, "delayed"),
    (Fate::Duplicated, "duplicated"),
    (Fate::Reordered, "reordered"),
    (Fate::Stalled, "stalled"),
];

/// A message's kind is the sender's choice: so many different ones are told apart.
const KEYS_MAX: usize = 2_000;
const NAME_CHARS_MAX: usize = 80;

/// Counts of one link or kind.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Messages.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
    /// By fate, in the order of [`FATES`].
    pub fates: [u64; FATES.len()],
}

/// All messages of a run.
#[derive(Debug, Default)]
pub struct Messages {
    /// By sender and receiver.
    pub links: BTreeMap<(String, String), Tally>,
    /// By `X-DS-Type`, else by method and path.
    pub kinds: BTreeMap<String, Tally>,
    /// All of them.
    pub total: Tally,
}

impl Messages {
    /// Reads and counts, as far as they can be read.
    pub fn read(folder: &Folder) -> (Self, Result<Reading, FolderError>) {
        let mut all = Self::default();
        let reading = folder.read_messages(|record| all.take(record));
        (all, reading)
    }

    fn take(&mut self, record: MessageRecord) {
        let Self { links, kinds, total, .. } = self;
        let kind = record.kind.unwrap_or_else(|| {
            let path = record.path.split('?').next().unwrap_or_default();
            format!("{} {path}", record.method)
        });
        let link = (cut(&record.from, NAME_CHARS_MAX), cut(&record.to, NAME_CHARS_MAX));
        let others = ("others".to_owned(), "others".to_owned());
        let tallies = [
            total,
            entry(links, link, others),
            entry(kinds, cut(&kind, NAME_CHARS_MAX), "other kinds".into()),
        ];
        for tally in tallies {
            tally.messages += 1;
            tally.bytes = tally.bytes.saturating_add(record.bytes);
            if let Some(place) = FATES.iter().position(|(fate, _)| *fate == record.fate) {
                tally.fates[place] += 1;
            }
        }
    }
}

fn entry<K: Ord>(map: &mut BTreeMap<K, Tally>, key: K, others: K) -> &mut Tally {
    let key = if map.len() < KEYS_MAX || map.contains_key(&key) { key } else { others };
    map.entry(key).or_default()
}
