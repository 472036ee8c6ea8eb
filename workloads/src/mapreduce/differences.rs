//! What is wrong with the outputs of a job.

use std::collections::BTreeMap;

use history::words::{counted, cut};

use super::{Content, Job, Output, sequential};

/// So much is told of a word, a result or a path.
const CHARS_MAX: usize = 60;

/// What is wrong, in the first place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// What kind of mistake it is.
    pub(super) kind: &'static str,
    /// What is wrong, to be put behind the name of a job.
    pub(super) sentence: String,
}

/// Compares outputs with those of a sequential run; `None`: nothing is wrong.
///
/// # Errors
/// The sequential run does not know the application.
pub(super) fn of(job: &Job, outputs: &[Output]) -> Result<Option<Difference>, String> {
    let expected = sequential::results(job)?;
    Ok(Found::read(outputs).map_or_else(Some, |found| found.compare(&expected, &job.app)))
}

/// The lines of all outputs.
struct Found<'a> {
    results: BTreeMap<&'a str, &'a str>,
    /// The words with more than one line.
    twice: Vec<&'a str>,
}

impl<'a> Found<'a> {
    fn read(outputs: &'a [Output]) -> Result<Self, Difference> {
        let mut found = Self { results: BTreeMap::new(), twice: Vec::new() };
        for Output { path, content } in outputs {
            let path = cut(path.rsplit('/').next().unwrap_or(path), CHARS_MAX);
            let text = match content {
                Content::Text(text) => text,
                Content::Trouble(why) => {
                    let sentence = format!("has an output that cannot be read: {}", cut(why, 200));
                    return Err(Difference { kind: "unreadable output", sentence });
                }
            };
            for line in text.lines() {
                let Some((word, result)) = line.split_once(' ') else {
                    let line = cut(line, CHARS_MAX);
                    let sentence = format!(
                        "has the line `{line}` in {path}, which is no word and a result with a space between"
                    );
                    return Err(Difference { kind: "no line of an output", sentence });
                };
                if found.results.insert(word, result).is_some() {
                    found.twice.push(word);
                }
            }
        }
        Ok(found)
    }

    fn compare(&self, expected: &BTreeMap<String, String>, app: &str) -> Option<Difference> {
        let is_missing = |word: &&String| !self.results.contains_key(word.as_str());
        let missing: Vec<&String> = expected.keys().filter(is_missing).collect();
        let mut wrong = Vec::new();
        let mut foreign = Vec::new();
        for (word, result) in &self.results {
            match expected.get(*word) {
                None => foreign.push(*word),
                Some(right) if right != result => wrong.push((*word, *result, right)),
                Some(_) => {}
            }
        }
        let count = expected.len();
        let more = |wrong: usize| format!("{wrong} of {} like that", counted(count, "word"));
        let short = |text: &str| cut(text, CHARS_MAX);
        let (kind, sentence) = if let Some(word) = self.twice.first() {
            let (word, more) = (short(word), more(self.twice.len()));
            ("word twice", format!("has two lines for `{word}` in its outputs ({more})"))
        } else if let Some((word, result, right)) = wrong.first() {
            let (word, more) = (short(word), more(wrong.len()));
            ("wrong result", format!("{} ({more})", disagree(app, &word, result, right)))
        } else if let Some(word) = missing.first() {
            let (right, more) = (short(&expected[*word]), more(missing.len()));
            let word = short(word);
            let sentence = format!("has no line for `{word}`, whose result is `{right}` ({more})");
            ("missing word", sentence)
        } else {
            let word = short(foreign.first()?);
            let sentence = format!("has a line for `{word}`, which is in none of its documents");
            ("foreign word", sentence)
        };
        Some(Difference { kind, sentence })
    }
}

fn disagree(app: &str, word: &str, found: &str, right: &str) -> String {
    if app == contract::mapreduce::WORDCOUNT {
        let found = cut(found, CHARS_MAX);
        return format!("says that `{word}` occurs {found} times, and it occurs {right} times");
    }
    // Paths begin alike: what differs is told.
    let of = |result: &str| -> Vec<String> {
        let paths = result.split([' ', ',']).skip(1);
        paths.map(|path| path.rsplit('/').next().unwrap_or(path).to_owned()).collect()
    };
    let (found_in, is_in) = (of(found), of(right));
    let lacks = is_in.iter().find(|name| !found_in.contains(name));
    let has = found_in.iter().find(|name| !is_in.contains(name));
    let what = match (lacks, has) {
        (Some(lacks), _) => format!("does not say that it is in {}", cut(lacks, CHARS_MAX)),
        (_, Some(has)) => format!("says that it is in {}, where it is not", cut(has, CHARS_MAX)),
        _ => format!("says `{}`", cut(found, CHARS_MAX)),
    };
    let count = counted(is_in.len(), "document");
    format!("{what}, of `{word}`, which is in {count}")
}
