//! `harness generate`: a synthetic history of transactions, strict serializable but for what is injected.

use std::{
    fs::Permissions,
    io::{BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use history::{Event, Format, write_edn};
use isolation::{
    Datatype,
    generate::{Injection, Steps, Synthetic},
};

use tempfile::NamedTempFile;

use super::say;
use crate::{
    cli::GenerateArguments,
    exit::{Exit, Failure},
};

/// How many events are written at a time.
const CHUNK: usize = 4096;

/// Writes the history into the file and says what it is.
///
/// # Errors
/// Unknown names, a file that cannot be written or is there already, a history too short for the anomaly. Then nothing
/// is written.
pub fn generate(arguments: &GenerateArguments) -> Result<Exit, Failure> {
    let datatype = Datatype::by_name(&arguments.model).ok_or_else(|| {
        let names = Datatype::ALL.map(Datatype::name).join(", ");
        Failure::Usage(format!("There is no model `{}`; there are {names}.", arguments.model))
    })?;
    let inject = arguments.inject.as_deref().map(|name| injection(datatype, name)).transpose()?;
    let options = Synthetic {
        datatype,
        transactions: arguments.transactions as usize,
        clients: arguments.clients.into(),
        seed: arguments.seed,
        inject,
        ..Synthetic::default()
    };
    refuse_to_overwrite(arguments)?;
    let mut steps = options.steps();
    let mut draft = draft_of(&arguments.file)?;
    let format = format_of(&arguments.file);
    let events = write(draft.as_file_mut(), format, datatype, &mut steps)?;
    if let Some(injection) = steps.not_injected() {
        return Err(Failure::Usage(format!(
            "The history is too short to hold a {}: ask for more --transactions.",
            injection.name()
        )));
    }
    publish(draft, arguments)?;
    let wrong =
        inject.map_or(String::new(), |injection| format!(", with one {}", injection.name()));
    let (file, transactions) = (arguments.file.display(), arguments.transactions);
    say(&format!("{file}: {events} events of {transactions} transactions{wrong}"));
    Ok(Exit::Valid)
}

fn injection(datatype: Datatype, name: &str) -> Result<Injection, Failure> {
    Injection::all(datatype).find(|injection| injection.name() == name).ok_or_else(|| {
        let names: Vec<_> = Injection::all(datatype).map(Injection::name).collect();
        Failure::Usage(format!(
            "Nothing named `{name}` can be injected; there are {}.",
            names.join(", ")
        ))
    })
}

fn refuse_to_overwrite(arguments: &GenerateArguments) -> Result<(), Failure> {
    if arguments.force || !arguments.file.exists() {
        return Ok(());
    }
    let file = arguments.file.display();
    Err(Failure::Usage(format!("{file} is there already; --force replaces it.")))
}

/// A file beside the one that is asked for, which becomes it once it is whole.
fn draft_of(path: &Path) -> Result<NamedTempFile, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    tempfile::Builder::new()
        // As for any other file: the user's mask decides.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(|error| Failure::Usage(format!("No file in {}: {error}.", folder.display())))
}

fn publish(draft: NamedTempFile, arguments: &GenerateArguments) -> Result<(), Failure> {
    let published = match arguments.force {
        true => draft.persist(&arguments.file),
        false => draft.persist_noclobber(&arguments.file),
    };
    let refused = |error: tempfile::PersistError| {
        Failure::Usage(format!("{}: {}.", arguments.file.display(), error.error))
    };
    published.map(drop).map_err(refused)
}

fn format_of(path: &Path) -> Format {
    let edn = path.extension().is_some_and(|extension| extension == "edn");
    if edn { Format::Edn } else { Format::JsonLines }
}

/// How many events were written.
fn write(
    file: impl Write,
    format: Format,
    datatype: Datatype,
    steps: &mut Steps,
) -> Result<usize, Failure> {
    let mut file = BufWriter::new(file);
    let mut events = 0;
    loop {
        let chunk: Vec<Event> =
            steps.take(CHUNK).map(|step| step.event(datatype, format)).collect();
        if chunk.is_empty() {
            file.flush()?;
            return Ok(events);
        }
        events += chunk.len();
        match format {
            Format::Edn => write_edn(&chunk, &mut file)?,
            _ => write_jsonl(&chunk, &mut file)?,
        }
    }
}

fn write_jsonl(events: &[Event], file: &mut impl Write) -> std::io::Result<()> {
    for event in events {
        serde_json::to_writer(&mut *file, event)?;
        file.write_all(b"\n")?;
    }
    Ok(())
}
