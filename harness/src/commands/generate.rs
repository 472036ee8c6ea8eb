//! `harness generate`: a synthetic history of transactions, strict serializable but for what is injected.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use history::{Event, Format, write_edn};
use isolation::{
    Datatype,
    generate::{Injection, Steps, Synthetic},
};

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
/// Unknown names, a file that cannot be written, a history too short for the anomaly.
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
    let mut steps = options.steps();
    let events = write(&arguments.file, datatype, &mut steps)?;
    if let Some(injection) = steps.not_injected() {
        return Err(Failure::Usage(format!(
            "The history is too short to hold a {}: ask for more --transactions.",
            injection.name()
        )));
    }
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

/// How many events were written.
fn write(path: &Path, datatype: Datatype, steps: &mut Steps) -> Result<usize, Failure> {
    let edn = path.extension().is_some_and(|extension| extension == "edn");
    let format = if edn { Format::Edn } else { Format::JsonLines };
    let mut file = BufWriter::new(File::create(path)?);
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
