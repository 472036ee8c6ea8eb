//! `harness export`: the messages of a run for another tool.

use record::Folder;

use super::{complain, say};
use crate::{
    cli::ExportArguments,
    disk,
    exit::{Exit, Failure},
    shiviz::{Selection, Shiviz},
};

const NS_PER_MS: u64 = 1_000_000;

/// Writes the log for ShiViz; what it does not show is said on stderr.
///
/// # Errors
/// No such run, no clocks in it, nothing selected, or a file that is there already or cannot be written.
pub fn export(arguments: &ExportArguments) -> Result<Exit, Failure> {
    if let Some(file) = arguments.output.as_ref().filter(|file| file.symlink_metadata().is_ok()) {
        return Err(Failure::Usage(format!("{} is there already.", file.display())));
    }
    let folder = Folder::existing(arguments.run.clone());
    let run = judge::run::read_run(&folder)?;
    let ns = |ms: u64| ms.saturating_mul(NS_PER_MS);
    let selection = Selection {
        from_ns: ns(arguments.from_ms),
        to_ns: arguments.to_ms.map_or(u64::MAX, ns),
        messages_max: arguments.limit,
    };
    let mut shiviz = Shiviz::new(&run.linked(), selection);
    let reading = folder.read_messages(|message| shiviz.take(message));
    let reading = reading.map_err(judge::run::RunError::from)?;
    if let Some(unreadable) = &reading.first_unreadable {
        let count = reading.unreadable;
        complain(&format!(
            "{count} lines of {} are left out: {unreadable}",
            record::files::MESSAGES
        ));
    }
    let log = shiviz.log().map_err(|why| Failure::Usage(why.to_string()))?;
    for remark in &log.remarks {
        complain(remark);
    }
    match &arguments.output {
        None => say(log.text.trim_end()),
        Some(file) => record::write_whole(file, &log.text).map_err(|error| {
            Failure::Failed(format!("no log in {}: {}", file.display(), disk::explain(&error)))
        })?,
    }
    Ok(Exit::Valid)
}
