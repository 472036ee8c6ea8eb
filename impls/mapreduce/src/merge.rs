//! Merging sorted runs, a bounded number at a time, so that neither pairs nor open files fill the memory (section 3.1).

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque, binary_heap::PeekMut},
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{
    app::{Combiner, Values},
    failure::Failure,
    sorted_run::{Reader, Run, Writer},
};

/// How many runs are open at the same time.
pub const FAN_IN: usize = 64;

/// The next pair of a run.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Head {
    key: Vec<u8>,
    value: Vec<u8>,
    /// Which run.
    run: usize,
}

/// The pairs of some runs, in the order of keys, then values.
struct Merge<'a> {
    readers: Vec<Reader>,
    heads: BinaryHeap<Reverse<Head>>,
    /// Why the pairs end early.
    failure: Option<Failure>,
    stop: &'a AtomicBool,
}

impl<'a> Merge<'a> {
    fn open(runs: &[Run], stop: &'a AtomicBool) -> Result<Self, Failure> {
        let mut readers = runs.iter().map(Reader::open).collect::<Result<Vec<_>, _>>()?;
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (run, reader) in readers.iter_mut().enumerate() {
            let mut head = Head { key: Vec::new(), value: Vec::new(), run };
            if reader.next(&mut head.key, &mut head.value)? {
                heads.push(Reverse(head));
            }
        }
        Ok(Self { readers, heads, failure: None, stop })
    }

    /// The next value, if it is one of `key`.
    fn next_of(&mut self, key: &str) -> Result<Option<String>, Failure> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Failure::Stopped);
        }
        let Some(mut top) = self.heads.peek_mut() else { return Ok(None) };
        let head = &mut top.0;
        if head.key != key.as_bytes() {
            return Ok(None);
        }
        let reader = &mut self.readers[head.run];
        let value = text(&head.value, reader)?;
        if !reader.next(&mut head.key, &mut head.value)? {
            PeekMut::pop(top);
        }
        Ok(Some(value))
    }

    fn next_key(&self) -> Result<Option<String>, Failure> {
        let Some(Reverse(head)) = self.heads.peek() else { return Ok(None) };
        text(&head.key, &self.readers[head.run]).map(Some)
    }
}

fn text(bytes: &[u8], reader: &Reader) -> Result<String, Failure> {
    let text = std::str::from_utf8(bytes);
    text.map(str::to_owned).map_err(|_| reader.damaged("a key or value is no UTF-8"))
}

/// The values of one key. A failure ends them, and waits in the merge.
struct Group<'a, 'b> {
    key: &'a str,
    merge: &'a mut Merge<'b>,
}

impl Iterator for Group<'_, '_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.merge.failure.is_some() {
            return None;
        }
        self.merge.next_of(self.key).unwrap_or_else(|failure| {
            self.merge.failure = Some(failure);
            None
        })
    }
}

/// Hands each key with its values to `take`. What that leaves of the values is skipped.
///
/// # Errors
/// A run cannot be read, `take` failed, or the task was stopped.
pub fn each_group(
    runs: &[Run],
    stop: &AtomicBool,
    mut take: impl FnMut(&str, &mut Values) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut merge = Merge::open(runs, stop)?;
    while let Some(key) = merge.next_key()? {
        let mut group = Group { key: &key, merge: &mut merge };
        let taken = take(&key, &mut group);
        group.for_each(drop);
        // A result made of half of the values is none, and neither is an error because of them.
        merge.failure.take().map_or(taken, Err)?;
    }
    Ok(())
}

/// Writes a key with its values, or with what the combiner makes of them.
///
/// # Errors
/// The combiner failed, or the system refused.
pub fn write_group(
    writer: &mut Writer,
    key: &str,
    values: &mut Values,
    combiner: Option<Combiner>,
) -> Result<(), Failure> {
    if let Some(combine) = combiner {
        let value = combine(key, values).map_err(Failure::App)?;
        return writer.add(key.as_bytes(), value.as_bytes());
    }
    for value in values {
        writer.add(key.as_bytes(), value.as_bytes())?;
    }
    Ok(())
}

/// Merges runs into a new file.
///
/// # Errors
/// As those of [`each_group`] and [`write_group`].
pub fn into_file(
    runs: &[Run],
    mut writer: Writer,
    combiner: Option<Combiner>,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    each_group(runs, stop, |key, values| write_group(&mut writer, key, values, combiner))?;
    writer.finish()
}

/// Merges runs in passes until at most `fan_in` are left. New ones are written into `scratch`, and go again there.
///
/// # Errors
/// As those of [`into_file`].
pub fn narrow(
    runs: Vec<Run>,
    fan_in: usize,
    scratch: &Path,
    combiner: Option<Combiner>,
    stop: &AtomicBool,
) -> Result<Vec<Run>, Failure> {
    let fan_in = fan_in.max(2);
    let mut runs = VecDeque::from(runs);
    let mut passes = 0;
    while runs.len() > fan_in {
        // The last pass takes only what is too much.
        let count = fan_in.min(runs.len() - fan_in + 1);
        let merged: Vec<Run> = runs.drain(..count).collect();
        let path = scratch.join(format!("merged-{passes}"));
        into_file(&merged, Writer::create(path.clone())?, combiner, stop)?;
        runs.push_back(Run::whole(path));
        passes += 1;
        let again = |run: &&Run| run.end.is_none() && run.path.starts_with(scratch);
        for run in merged.iter().filter(again) {
            fs::remove_file(&run.path).map_err(Failure::file("remove", &run.path))?;
        }
    }
    Ok(runs.into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Pairs = Vec<(String, String)>;

    fn write(folder: &Path, runs: &[Pairs]) -> Vec<Run> {
        let write = |(number, pairs): (usize, &Pairs)| {
            let path = folder.join(format!("run-{number}"));
            let mut writer = Writer::create(path.clone()).unwrap();
            let mut pairs = pairs.clone();
            pairs.sort();
            for (key, value) in pairs {
                writer.add(key.as_bytes(), value.as_bytes()).unwrap();
            }
            writer.finish().unwrap();
            Run::whole(path)
        };
        runs.iter().enumerate().map(write).collect()
    }

    fn groups(runs: &[Run]) -> Result<Vec<(String, Vec<String>)>, Failure> {
        let mut groups = Vec::new();
        each_group(runs, &AtomicBool::new(false), |key, values| {
            groups.push((key.to_owned(), values.collect()));
            Ok(())
        })?;
        Ok(groups)
    }

    fn longest(_: &str, values: &mut Values) -> Result<String, String> {
        values.max_by_key(String::len).ok_or_else(|| "no values".to_owned())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn a_merge_is_what_sorting_everything_gives(
            runs in prop::collection::vec(
                prop::collection::vec(("[aä\n]{0,2}", "[bß]{0,2}"), 0..8), 0..12),
            fan_in in 2_usize..5,
        ) {
            let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (key, value) in runs.iter().flatten() {
                expected.entry(key.clone()).or_default().push(value.clone());
            }
            expected.values_mut().for_each(|values| values.sort());
            let folder = tempfile::tempdir().unwrap();
            let scratch = tempfile::tempdir().unwrap();
            let (files, go_on) = (write(folder.path(), &runs), AtomicBool::new(false));
            let narrowed = narrow(files.clone(), fan_in, scratch.path(), None, &go_on).unwrap();
            prop_assert!(narrowed.len() <= fan_in);
            prop_assert!(scratch.path().read_dir().unwrap().count() <= fan_in);
            prop_assert_eq!(folder.path().read_dir().unwrap().count(), runs.len());
            prop_assert_eq!(groups(&narrowed).unwrap(), expected.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(groups(&narrowed).unwrap(), groups(&files).unwrap());
            // A combiner changes the pairs, and not what reduce makes of them.
            let combined = narrow(files.clone(), fan_in, scratch.path(), Some(longest), &go_on).unwrap();
            let lengths = |runs: &[Run]| -> Vec<(String, usize)> {
                let longest = |values: &[String]| values.iter().map(String::len).max().unwrap();
                groups(runs).unwrap().iter().map(|(key, values)| (key.clone(), longest(values))).collect()
            };
            prop_assert_eq!(lengths(&combined), lengths(&files));
        }
    }

    #[test]
    fn values_that_nobody_reads_are_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let runs = [vec![pair("a", "1"), pair("b", "2")], vec![pair("a", "3"), pair("b", "4")]];
        let runs = write(folder.path(), &runs);
        let mut first = Vec::new();
        each_group(&runs, &AtomicBool::new(false), |key, values| {
            first.push((key.to_owned(), values.next().unwrap()));
            Ok(())
        })
        .unwrap();
        assert_eq!(first, [pair("a", "1"), pair("b", "2")]);
    }

    #[test]
    fn a_damaged_run_fails_whatever_the_function_says_of_its_half() {
        let folder = tempfile::tempdir().unwrap();
        let pairs = vec![("a".to_owned(), "1".to_owned()), ("a".to_owned(), "2".to_owned())];
        let runs = write(folder.path(), &[pairs]);
        let bytes = fs::read(&runs[0].path).unwrap();
        fs::write(&runs[0].path, &bytes[..bytes.len() - 1]).unwrap();
        let error = groups(&runs).unwrap_err().to_string();
        assert!(error.contains("damaged"), "{error}");
        fs::write(&runs[0].path, [1, 0, 0, 0, 0, 0, 0, 0, 0xff]).unwrap();
        let error = groups(&runs).unwrap_err().to_string();
        assert!(error.contains("no UTF-8"), "{error}");
    }

    #[test]
    fn a_merge_stops_when_it_is_told_to() {
        let folder = tempfile::tempdir().unwrap();
        let runs = write(folder.path(), &[vec![("a".to_owned(), "1".to_owned())]]);
        let result = each_group(&runs, &AtomicBool::new(true), |_, values| {
            values.for_each(drop);
            Ok(())
        });
        assert!(matches!(result, Err(Failure::Stopped)));
    }
}
