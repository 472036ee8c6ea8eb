//! `harness manual`: the manual pages.

use clap::CommandFactory;

use super::say;
use crate::{
    cli::{Cli, ManualArguments},
    disk,
    exit::{Exit, Failure},
};

/// Writes `harness.1`, `harness-run.1`… and says where.
///
/// # Errors
/// The folder cannot be made or written.
pub fn manual(arguments: &ManualArguments) -> Result<Exit, Failure> {
    let folder = &arguments.folder;
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written.map_err(|error| {
        let (place, why) = (folder.display(), disk::explain(&error));
        Failure::Failed(format!("no manual pages in {place}: {why}"))
    })?;
    say(&format!("Read them with `man {}`.", folder.join("harness.1").display()));
    Ok(Exit::Valid)
}
