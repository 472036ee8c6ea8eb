//! The sequential run: the same functions on the same splits, in one process and in the simplest way.
//!
//! It shares nothing with the distributed run behind the splits: no buffer, no runs, no merge, no combiner. So it is what
//! a distributed run is compared with.

use std::{collections::BTreeMap, iter::repeat_n};

use crate::{
    app::App,
    failure::Failure,
    partition::reducer,
    split::{SPLIT_BYTES, plan},
};

/// The values of each key, with the number of times each was emitted.
type Groups = BTreeMap<String, BTreeMap<String, usize>>;

/// Runs a job. Returns the contents of the outputs.
///
/// # Errors
/// An input cannot be read, or the application failed.
pub fn run(app: &dyn App, documents: &[String], reducers: u32) -> Result<Vec<String>, Failure> {
    let mut groups = vec![Groups::new(); reducers as usize];
    for split in plan(documents, SPLIT_BYTES)? {
        let mut emit = |key: &str, value: &str| {
            let groups = &mut groups[reducer(key.as_bytes(), reducers) as usize];
            let group = groups.entry(key.to_owned()).or_default();
            *group.entry(value.to_owned()).or_default() += 1;
        };
        app.map(&split.document, &split.read()?, &mut emit).map_err(Failure::App)?;
    }
    groups.iter().map(|groups| lines(app, groups)).collect()
}

/// The lines of an output.
fn lines(app: &dyn App, groups: &Groups) -> Result<String, Failure> {
    let mut lines = String::new();
    for (key, group) in groups {
        let copies = |(value, times): (&String, &usize)| repeat_n(value.clone(), *times);
        let result = app.reduce(key, &mut group.iter().flat_map(copies)).map_err(Failure::App)?;
        lines.extend([key.as_str(), " ", result.as_str(), "\n"]);
    }
    Ok(lines)
}
