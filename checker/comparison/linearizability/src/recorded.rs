//! Recorded histories, from a folder whose `expected.tsv` lists file, format, model and verdict.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use comparison::Row;
use history::{Event, Events, Format, Operation, Verdict};
use linearizability::models::cas_register::{CasInput, CasOutput};
use linearizability::models::kv::{KvInput, KvOutput};
use linearizability::models::{CasRegister, Kv};
use linearizability::{Call, CallOf};
use serde_json::Value;

use crate::rows::{History, row};

/// The folder's Jepsen logs of a register, as one row, and its histories of key-value stores.
///
/// # Errors
/// What is wrong with the list.
pub fn rows(folder: &Path) -> Result<Vec<Row<History>>, String> {
    let list = folder.join("expected.tsv");
    let text = fs::read_to_string(&list).map_err(|error| format!("{}: {error}", list.display()))?;
    let (mut logs, mut stores) = (Vec::new(), Vec::new());
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let malformed =
            || format!("{}: file, format, model, verdict wanted: {line}", list.display());
        let [file, format, model, verdict] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(malformed());
        };
        let verdict = match verdict {
            "valid" => Verdict::Valid,
            "violation" => Verdict::Violation,
            _ => return Err(malformed()),
        };
        let path = folder.join(file);
        match (format, model) {
            ("jepsen-log", "cas-register") => logs.push((path, verdict)),
            ("porcupine-kv", _) => stores.push(store_row(path, verdict)),
            _ => {}
        }
    }
    if logs.is_empty() && stores.is_empty() {
        return Err(format!("{}: no Jepsen log, no history of a store", list.display()));
    }
    let logs = (!logs.is_empty()).then(|| logs_row(logs));
    Ok(logs.into_iter().chain(stores).collect())
}

/// All in one row.
fn logs_row(logs: Vec<(PathBuf, Verdict)>) -> Row<History> {
    let name = format!("{} etcd logs", logs.len());
    let (files, expected): (Vec<PathBuf>, _) = logs.into_iter().unzip();
    row(name, expected, move || {
        let calls = files.iter().map(|file| register(file));
        Ok(History::Registers(calls.collect::<Result<_, _>>()?))
    })
}

fn store_row(file: PathBuf, expected: Verdict) -> Row<History> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("Porcupine's kv {stem}");
    row(name, vec![expected], move || Ok(History::Store(store(&file)?)))
}

/// The calls on the register of a Jepsen log.
///
/// # Errors
/// What does not fit, and where.
pub fn register(file: &Path) -> Result<Vec<CallOf<CasRegister>>, String> {
    operations(file, Format::JepsenLog)?.iter().map(|o| on_register(o, file)).collect()
}

fn on_register(operation: &Operation, file: &Path) -> Result<CallOf<CasRegister>, String> {
    let arguments = &operation.arguments;
    let (input, output) = match (operation.f.as_str(), arguments.as_array().map(Vec::as_slice)) {
        ("read", _) => (CasInput::Read, operation.result().cloned().map(CasOutput::Value)),
        ("write", None) => (CasInput::Write(arguments.clone()), Some(CasOutput::Done)),
        ("cas", Some([expect, value])) => {
            (CasInput::Cas(expect.clone(), value.clone()), Some(CasOutput::Cas(true)))
        }
        _ => return Err(unknown(operation, file)),
    };
    Ok(Call::from_operation(operation, input, output))
}

/// The calls on a store, by key.
///
/// # Errors
/// What does not fit, and where.
pub fn store(file: &Path) -> Result<Vec<Vec<CallOf<Kv>>>, String> {
    let mut keys: BTreeMap<String, Vec<CallOf<Kv>>> = BTreeMap::new();
    for operation in operations(file, Format::PorcupineKv)? {
        let (key, call) = on_key(&operation).ok_or_else(|| unknown(&operation, file))?;
        keys.entry(key).or_default().push(call);
    }
    Ok(keys.into_values().collect())
}

fn on_key(operation: &Operation) -> Option<(String, CallOf<Kv>)> {
    let argument = |name| operation.arguments.get(name).and_then(Value::as_str).map(str::to_owned);
    let (input, output) = match operation.f.as_str() {
        "get" => {
            // An absent key reads as an empty string.
            let value =
                |read: &Value| read.as_str().filter(|text| !text.is_empty()).map(Into::into);
            (KvInput::Get, operation.result().map(|read| KvOutput::Value(value(read))))
        }
        "put" => (KvInput::Put(argument("value")?.into()), Some(KvOutput::Done)),
        "append" => (KvInput::Append(argument("value")?.into()), Some(KvOutput::Done)),
        _ => return None,
    };
    Some((argument("key")?, Call::from_operation(operation, input, output)))
}

fn operations(file: &Path, format: Format) -> Result<Vec<Operation>, String> {
    let at = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let located = Events::new(File::open(file).map_err(|error| at(&error))?, format);
    let events = located.map(|located| located.map(|located| Event::from(located.event)));
    let events: Vec<Event> = events.collect::<Result<_, _>>().map_err(|error| at(&error))?;
    history::operations(&events).map_err(|error| at(&error))
}

fn unknown(operation: &Operation, file: &Path) -> String {
    let Operation { f, arguments, call, .. } = operation;
    format!("{}: event {call}: `{f}` with {arguments} is not compared", file.display())
}
