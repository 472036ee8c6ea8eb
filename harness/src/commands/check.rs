//! `harness check`: judge a results folder again, from its record alone.

use super::{
    run::{conclude, limits, tell},
    say_json,
};
use crate::{
    cli::CheckArguments,
    exit::{Exit, Failure},
    run::{folder::Folder, judge::read_run},
};

/// Judges the folder and writes its results and report anew.
///
/// # Errors
/// The folder is no results folder, or cannot be read or written.
pub fn check(arguments: &CheckArguments) -> Result<Exit, Failure> {
    let path = arguments.folder.canonicalize().map_err(|error| {
        Failure::Usage(format!("{} is no results folder: {error}", arguments.folder.display()))
    })?;
    let run = read_run(&path)?;
    let folder = Folder::existing(path);
    let results = conclude(&folder, &limits(arguments.time_limit))?;
    if arguments.json {
        say_json(&results);
    } else {
        tell(&results, &folder, &run);
    }
    Ok(results.verdict.into())
}
