//! Which jobs clients start: of all sizes, so that each part of an implementation has something to do.

use std::ops::Range;

use contract::mapreduce::{INDEX, WORDCOUNT};

use super::{Document, Job};
use crate::seeded::Seeded;

/// Of a hundred jobs so many are `index`.
const INDEX_PERCENT: u64 = 40;
/// How many different words there are: fewer for `index`, whose lines are long.
const WORDS: u64 = 400;
const WORDS_OF_INDEX: u64 = 60;
/// What stands between two words; the first is the usual one.
const SEPARATORS: [&str; 8] = [" ", "\n", ", ", ".\n", " 42 ", "-", "\t", "' "];
/// What words are made of.
const SYLLABLES: [&str; 20] = [
    "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va",
    "we", "xi", "yo", "zu",
];

/// How large a job is.
struct Size {
    /// Of a hundred jobs so many.
    percent: u64,
    documents: Range<u64>,
    /// In each document.
    words: Range<u64>,
}

/// Usual jobs; ones of many documents, which a reduce task may have to merge in several rounds; larger ones, which take a worker
/// longer; and tiny ones, most of whose outputs are empty.
const SIZES: [Size; 4] = [
    Size { percent: 70, documents: 2..9, words: 20..250 },
    Size { percent: 10, documents: 75..250, words: 0..4 },
    Size { percent: 10, documents: 3..6, words: 800..1500 },
    Size { percent: 10, documents: 1..3, words: 0..4 },
];

/// The jobs of one client.
pub struct Jobs {
    choices: Seeded,
    client: u32,
    /// Where the documents are.
    folder: String,
    started: u64,
}

impl Jobs {
    /// Those of the client with this number, whose documents are in this folder.
    #[must_use]
    pub fn new(seed: u64, client: u32, folder: String) -> Self {
        Self { choices: Seeded::new(seed, client), client, folder, started: 0 }
    }

    /// How long the client rests before the next one, in milliseconds: now and then workers are idle.
    pub fn rest_ms(&mut self) -> u64 {
        if self.choices.chance(20) { self.choices.below(300) } else { 0 }
    }

    fn document(&mut self, number: u64, words: &Range<u64>, app: &str) -> Document {
        let path = format!("{}/c{}-{}-{number}", self.folder, self.client, self.started);
        let mut text = String::new();
        for _ in 0..self.between(words) {
            text.push_str(&self.word(if app == INDEX { WORDS_OF_INDEX } else { WORDS }));
            let usual = self.choices.chance(60);
            let other = self.choices.below(SEPARATORS.len() as u64);
            text.push_str(SEPARATORS[if usual { 0 } else { other as usize }]);
        }
        Document { path, text }
    }

    /// Some words are far more common than others.
    fn word(&mut self, words: u64) -> String {
        let most = self.choices.below(words) + 1;
        let rank = self.choices.below(most);
        let syllable = |place: u64| SYLLABLES[(place % SYLLABLES.len() as u64) as usize];
        let word = [syllable(rank), syllable(rank / 20), syllable(rank / 7)].concat();
        if self.choices.chance(10) { word.to_uppercase() } else { word }
    }

    fn between(&mut self, range: &Range<u64>) -> u64 {
        range.start + self.choices.below(range.end - range.start)
    }

    fn size(&mut self) -> &'static Size {
        let mut place = self.choices.below(100);
        for size in &SIZES {
            if place < size.percent {
                return size;
            }
            place -= size.percent;
        }
        &SIZES[0]
    }
}

impl Iterator for Jobs {
    type Item = Job;

    /// The next one; there is always one.
    fn next(&mut self) -> Option<Job> {
        self.started += 1;
        let app = if self.choices.chance(INDEX_PERCENT) { INDEX } else { WORDCOUNT };
        let size = self.size();
        let documents = self.between(&size.documents);
        let documents = (0..documents).map(|number| self.document(number, &size.words, app));
        let documents = documents.collect();
        let reducers = if self.choices.chance(10) { 20 } else { 1 + self.choices.below(8) };
        let reducers = u32::try_from(reducers).unwrap_or(1);
        Some(Job { app: app.to_owned(), reducers, documents })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_repeat_by_seed_and_client_have_all_sizes_and_fit_into_a_record() {
        let jobs = |seed, client| {
            Jobs::new(seed, client, "/shared/in".to_owned()).take(300).collect::<Vec<_>>()
        };
        let all = jobs(1, 0);
        assert_eq!(all, jobs(1, 0));
        assert_ne!(all[0].documents, jobs(1, 1)[0].documents);
        assert_ne!(all[0].documents, jobs(2, 0)[0].documents);
        let bytes = |job: &Job| job.documents.iter().map(|document| document.text.len()).sum();
        let sizes: Vec<usize> = all.iter().map(bytes).collect();
        assert!(sizes.iter().all(|bytes| *bytes < 100_000), "{sizes:?}");
        for app in [WORDCOUNT, INDEX] {
            let of_app = || all.iter().filter(|job| job.app == app);
            assert!(of_app().any(|job| job.documents.len() > 64), "{app}");
            assert!(of_app().any(|job| bytes(job) > 10_000), "{app}");
            assert!(of_app().any(|job| bytes(job) < 50), "{app}");
            assert!(
                of_app().any(|job| job.reducers == 1) && of_app().any(|job| job.reducers == 20)
            );
        }
    }

    #[test]
    fn paths_differ_and_texts_are_ascii() {
        let jobs = (0..3).flat_map(|client| Jobs::new(1, client, String::new()).take(50));
        let documents: Vec<Document> = jobs.flat_map(|job| job.documents).collect();
        let paths: std::collections::BTreeSet<_> = documents.iter().map(|one| &one.path).collect();
        assert_eq!(paths.len(), documents.len());
        assert!(documents.iter().all(|document| document.text.is_ascii()));
    }
}
