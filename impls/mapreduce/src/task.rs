//! Carrying out one task: a split becomes intermediate files, intermediate files become an output (section 3.1).

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
};

use crate::{
    app::App,
    buffer::{BUFFER_BYTES, Buffer},
    failure::Failure,
    merge,
    sorted_run::{Run, Writer},
    split::Split,
};

/// Where a task does its work.
pub struct Place<'a> {
    /// The worker's own folder, for what nobody else needs.
    pub scratch: &'a Path,
    /// Set when the task is no longer needed.
    pub stop: &'a AtomicBool,
}

/// Maps a split and writes one sorted file for each reduce task, all of which are named by `file`.
///
/// # Errors
/// A file cannot be read or written, the application failed, or the task was stopped.
pub fn map(
    app: &dyn App,
    split: &Split,
    reducers: u32,
    file: impl Fn(u32) -> PathBuf,
    place: &Place,
) -> Result<(), Failure> {
    let (scratch, stop) = (place.scratch, place.stop);
    let mut buffer = Buffer::new(reducers, app.combiner(), BUFFER_BYTES, scratch.to_owned(), stop);
    let text = split.read()?;
    app.map(&split.document, &text, &mut |key, value| buffer.add(key, value))
        .map_err(Failure::App)?;
    drop(text);
    for (reducer, runs) in (0..reducers).zip(buffer.finish()?) {
        let runs = merge::narrow(runs, merge::FAN_IN, scratch, app.combiner(), stop)?;
        merge::into_file(&runs, Writer::create(file(reducer))?, app.combiner(), stop)?;
    }
    Ok(())
}

/// Reduces intermediate files and writes the lines of an output file, which is durable when this ends.
///
/// # Errors
/// A file cannot be read or written, the application failed, or the task was stopped.
pub fn reduce(
    app: &dyn App,
    files: Vec<PathBuf>,
    output: &Path,
    place: &Place,
) -> Result<(), Failure> {
    let runs = files.into_iter().map(Run::whole).collect();
    let runs = merge::narrow(runs, merge::FAN_IN, place.scratch, app.combiner(), place.stop)?;
    let file = File::create(output).map_err(Failure::file("create", output))?;
    let mut lines = BufWriter::new(file);
    merge::each_group(&runs, place.stop, |key, values| {
        let result = app.reduce(key, values).map_err(Failure::App)?;
        writeln!(lines, "{key} {result}").map_err(Failure::file("write", output))
    })?;
    let durable = lines.flush().and_then(|()| lines.get_ref().sync_all());
    durable.map_err(Failure::file("write", output))
}
