//! The sequential run, by the rules of the contract: what the outputs of a job are measured by.

use std::collections::{BTreeMap, BTreeSet};

use contract::mapreduce::{INDEX, WORDCOUNT};

use super::Job;

/// The result of each word.
///
/// # Errors
/// There is no such application.
pub(super) fn results(job: &Job) -> Result<BTreeMap<String, String>, String> {
    match job.app.as_str() {
        WORDCOUNT => Ok(counts(job)),
        INDEX => Ok(places(job)),
        other => Err(format!("there is no app `{other}`")),
    }
}

fn counts(job: &Job) -> BTreeMap<String, String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for word in job.documents.iter().flat_map(|document| words(&document.text)) {
        *counts.entry(word).or_default() += 1;
    }
    counts.into_iter().map(|(word, count)| (word.to_owned(), count.to_string())).collect()
}

fn places(job: &Job) -> BTreeMap<String, String> {
    let mut places: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for document in &job.documents {
        for word in words(&document.text) {
            places.entry(word).or_default().insert(&document.path);
        }
    }
    let result = |paths: BTreeSet<&str>| {
        let count = paths.len();
        format!("{count} {}", paths.into_iter().collect::<Vec<_>>().join(","))
    };
    places.into_iter().map(|(word, paths)| (word.to_owned(), result(paths))).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphabetic()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapreduce::Document;

    #[test]
    fn words_are_counted_and_found_in_their_documents() {
        let document = |path: &str, text: &str| Document { path: path.into(), text: text.into() };
        let documents =
            vec![document("/b", "don't, Do 42do"), document("/a", "t-t"), document("/c", "")];
        let job =
            |app: &str| Job { app: app.to_owned(), reducers: 2, documents: documents.clone() };
        let told = |app| {
            let lines = results(&job(app)).unwrap();
            lines.into_iter().map(|(word, result)| format!("{word} {result}")).collect::<Vec<_>>()
        };
        assert_eq!(told(WORDCOUNT), ["Do 1", "do 1", "don 1", "t 3"]);
        assert_eq!(told(INDEX), ["Do 1 /b", "do 1 /b", "don 1 /b", "t 2 /a,/b"]);
        assert!(results(&job("sort")).unwrap_err().contains("sort"));
    }
}
