//! The output of a map function: gathered in a bounded buffer, then sorted, combined and spilled to disk.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{
    app::Combiner,
    failure::Failure,
    merge::write_group,
    partition::reducer,
    sorted_run::{Run, Writer},
};

/// How much map output is in memory.
pub const BUFFER_BYTES: usize = 32 << 20;

/// One pair in the buffer.
struct Pair {
    reducer: u32,
    /// Its key starts here in the bytes, and its value behind that.
    start: u32,
    key_len: u32,
    value_len: u32,
    /// The first bytes of the key: most comparisons end with them.
    prefix: u64,
}

/// Map output on its way to the reduce tasks.
pub struct Buffer<'a> {
    reducers: u32,
    combiner: Option<Combiner>,
    bytes_max: usize,
    scratch: PathBuf,
    stop: &'a AtomicBool,
    bytes: Vec<u8>,
    pairs: Vec<Pair>,
    spills: u32,
    /// The runs of each reduce task.
    runs: Vec<Vec<Run>>,
    failure: Option<Failure>,
}

impl<'a> Buffer<'a> {
    /// An empty buffer that spills into `scratch` before it is larger than `bytes_max`.
    pub fn new(
        reducers: u32,
        combiner: Option<Combiner>,
        bytes_max: usize,
        scratch: PathBuf,
        stop: &'a AtomicBool,
    ) -> Self {
        Self {
            reducers,
            combiner,
            bytes_max,
            scratch,
            stop,
            // Reserved at once, as growing would leave copies behind. What is never used takes no memory.
            bytes: Vec::with_capacity(bytes_max),
            pairs: Vec::with_capacity(bytes_max / size_of::<Pair>() + 1),
            spills: 0,
            runs: vec![Vec::new(); reducers as usize],
            failure: None,
        }
    }

    /// Adds a pair. After a failure nothing more is taken; [`Self::finish`] tells it.
    pub fn add(&mut self, key: &str, value: &str) {
        if self.failure.is_none() {
            self.failure = self.try_add(key, value).err();
        }
    }

    fn try_add(&mut self, key: &str, value: &str) -> Result<(), Failure> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Failure::Stopped);
        }
        let pair_bytes = key.len() + value.len() + size_of::<Pair>();
        let bytes = self.bytes.len() + self.pairs.len() * size_of::<Pair>();
        if bytes + pair_bytes > self.bytes_max && !self.pairs.is_empty() {
            self.spill()?;
        }
        let length = |length: usize| {
            let too_long = |_| Failure::App("a key or value is longer than 4 GiB".to_owned());
            u32::try_from(length).map_err(too_long)
        };
        self.pairs.push(Pair {
            reducer: reducer(key.as_bytes(), self.reducers),
            start: length(self.bytes.len())?,
            key_len: length(key.len())?,
            value_len: length(value.len())?,
            prefix: prefix(key.as_bytes()),
        });
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.extend_from_slice(value.as_bytes());
        Ok(())
    }

    /// Spills and empties the buffer. Its memory stays, for what comes next.
    fn spill(&mut self) -> Result<(), Failure> {
        let mut pairs = std::mem::take(&mut self.pairs);
        let spilled = self.write_runs(&mut pairs);
        pairs.clear();
        self.pairs = pairs;
        self.bytes.clear();
        spilled
    }

    /// Writes a sorted run for each reduce task, all into one file.
    fn write_runs(&mut self, pairs: &mut [Pair]) -> Result<(), Failure> {
        let bytes = &self.bytes;
        pairs.sort_unstable_by(|one, other| {
            let rough = |pair: &Pair| (pair.reducer, pair.prefix);
            let whole = |pair: &Pair| (pair.key(bytes), pair.value(bytes));
            rough(one).cmp(&rough(other)).then_with(|| whole(one).cmp(&whole(other)))
        });
        let path = self.scratch.join(format!("spill-{}", self.spills));
        self.spills += 1;
        let mut writer = Writer::create(path.clone())?;
        for pairs in pairs.chunk_by(|one, other| one.reducer == other.reducer) {
            let start = writer.written();
            for group in pairs.chunk_by(|one, other| one.key(bytes) == other.key(bytes)) {
                let mut values = group.iter().map(|pair| text(pair.value(bytes)));
                let key = text(group[0].key(bytes));
                write_group(&mut writer, &key, &mut values, self.combiner)?;
            }
            let run = Run { path: path.clone(), start, end: Some(writer.written()) };
            self.runs[pairs[0].reducer as usize].push(run);
        }
        writer.finish()
    }

    /// The sorted runs of each reduce task.
    pub fn finish(mut self) -> Result<Vec<Vec<Run>>, Failure> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if !self.pairs.is_empty() {
            self.spill()?;
        }
        Ok(self.runs)
    }
}

impl Pair {
    fn key<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.start as usize..][..self.key_len as usize]
    }

    fn value<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.start as usize + self.key_len as usize..][..self.value_len as usize]
    }
}

/// The first eight bytes as a number of the same order.
fn prefix(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let len = key.len().min(8);
    bytes[..len].copy_from_slice(&key[..len]);
    u64::from_be_bytes(bytes)
}

/// It came from a `str`, so that nothing is replaced.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::{app::App, apps::WordCount, merge::each_group};

    type Outputs = Vec<Vec<(String, Vec<String>)>>;

    fn outputs(
        pairs: &[(String, String)],
        bytes_max: usize,
        combiner: Option<Combiner>,
    ) -> Outputs {
        let scratch = tempfile::tempdir().unwrap();
        let go_on = AtomicBool::new(false);
        let mut buffer = Buffer::new(3, combiner, bytes_max, scratch.path().to_owned(), &go_on);
        for (key, value) in pairs {
            buffer.add(key, value);
        }
        let runs = buffer.finish().unwrap();
        let groups = |runs: Vec<Run>| {
            let mut groups = Vec::new();
            each_group(&runs, &go_on, |key, values| {
                groups.push((key.to_owned(), values.collect()));
                Ok(())
            })
            .unwrap();
            groups
        };
        runs.into_iter().map(groups).collect()
    }

    fn naive(pairs: &[(String, String)]) -> Outputs {
        let mut outputs = vec![BTreeMap::<String, Vec<String>>::new(); 3];
        for (key, value) in pairs {
            let groups = &mut outputs[reducer(key.as_bytes(), 3) as usize];
            groups.entry(key.clone()).or_default().push(value.clone());
        }
        let sorted = |mut groups: BTreeMap<String, Vec<String>>| {
            groups.values_mut().for_each(|values| values.sort());
            groups.into_iter().collect()
        };
        outputs.into_iter().map(sorted).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn however_often_it_spills_the_pairs_are_those_that_came(
            pairs in prop::collection::vec(("[aä\\x00]{0,10}", "[0-9]{1,2}"), 0..60),
            bytes_max in 1_usize..2000,
        ) {
            let expected = naive(&pairs);
            prop_assert_eq!(outputs(&pairs, bytes_max, None), expected.clone());
            // Sums of sums are the sums of all.
            let sum = |values: &[String]| values.iter().map(|value| value.parse::<u64>().unwrap()).sum();
            let sums = |outputs: Outputs| -> Vec<Vec<(String, u64)>> {
                let sums = |groups: Vec<(String, Vec<String>)>| {
                    groups.into_iter().map(|(key, values)| (key, sum(&values))).collect()
                };
                outputs.into_iter().map(sums).collect()
            };
            prop_assert_eq!(sums(outputs(&pairs, bytes_max, WordCount.combiner())), sums(expected));
        }
    }

    #[test]
    fn one_pair_may_be_larger_than_the_buffer() {
        let pairs = [("k".repeat(1000), "v".repeat(1000))];
        assert_eq!(outputs(&pairs, 10, None), naive(&pairs));
    }

    #[test]
    fn a_spill_that_fails_is_told_at_the_end() {
        let go_on = AtomicBool::new(false);
        let nowhere = PathBuf::from("/nonexistent/folder");
        let mut buffer = Buffer::new(1, None, 1, nowhere, &go_on);
        ["a", "b", "c"].iter().for_each(|key| buffer.add(key, ""));
        let error = buffer.finish().err().unwrap().to_string();
        assert!(error.contains("cannot create /nonexistent/folder/spill-0"), "{error}");
    }
}
