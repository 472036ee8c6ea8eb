//! The operations of the contract, carried out by `ZooKeeper`.
//!
//! A put is a write without a condition. All others are worked out here ([`adapter::effect`]) from what one request read, and
//! written by a second one on the condition that none of these keys has changed since; where one has, nothing has happened, and
//! all is done anew. An operation that changes nothing ends with the read.

use std::collections::BTreeMap;

use adapter::{State, effect, refusals};
use contract::{Operation, Outcome, Refusal};
use zookeeper_client::{
    Acls, Client, CreateMode, CreateOptions, Error, MultiReadResult, MultiWriter,
};

use crate::{
    errors::{is_conflict, refusal},
    znode,
};

/// So often an operation is tried before it is given up.
const ATTEMPTS_MAX: usize = 16;
const OPTIONS: CreateOptions<'static> = CreateMode::Persistent.with_acls(Acls::anyone_all());

/// The keys of an operation as they were at one moment; a key without a version has no znode yet.
#[derive(Default)]
struct Snapshot {
    state: State,
    versions: BTreeMap<String, i32>,
}

pub(crate) async fn perform(
    client: &Client,
    operation: &Operation,
    sync_reads: bool,
) -> Result<Outcome, Refusal> {
    if operation.is_of_controllers() {
        return Err(refusals::unsupported(operation));
    }
    for _ in 0..ATTEMPTS_MAX {
        let attempt = match operation {
            Operation::Put { key, value } => put(client, key, value).await,
            _ => {
                // A read changes nothing: without it the operation was never proposed.
                let snapshot = read(client, &operation.keys(), sync_reads).await;
                let snapshot = snapshot.map_err(refusals::not_sent)?;
                let effect = effect(operation, &snapshot.state)?;
                write(client, &snapshot, &effect.writes).await.map(|()| effect.outcome)
            }
        };
        match attempt {
            Err(error) if is_conflict(&error) => {}
            other => return other.map_err(|error| refusal(&error)),
        }
    }
    Err(refusals::aborted(format!("other clients were faster, {ATTEMPTS_MAX} times")))
}

async fn put(client: &Client, key: &str, value: &str) -> Result<Outcome, Error> {
    let (path, data) = (znode::path(key), znode::data(Some(value)));
    match client.set_data(&path, &data, None).await {
        Err(Error::NoNode) => client.create(&path, &data, &OPTIONS).await.map(|_| ())?,
        other => other.map(|_| ())?,
    }
    Ok(Outcome::Done {})
}

async fn read(client: &Client, keys: &[&str], sync: bool) -> Result<Snapshot, Error> {
    let mut snapshot = Snapshot::default();
    if keys.is_empty() {
        return Ok(snapshot);
    }
    if sync {
        client.sync("/").await?;
    }
    let mut reader = client.new_multi_reader();
    for key in keys {
        reader.add_get_data(&znode::path(key))?;
    }
    for (key, result) in keys.iter().map(|key| (*key).to_owned()).zip(reader.commit().await?) {
        match result {
            MultiReadResult::Data { data, stat } => {
                snapshot.versions.insert(key.clone(), stat.version);
                snapshot.state.insert(key, znode::value(&data));
            }
            MultiReadResult::Error { err: Error::NoNode } => {
                snapshot.state.insert(key, None);
            }
            MultiReadResult::Error { err } => return Err(err),
            other => return Err(Error::UnexpectedError(format!("{other:?} of a key"))),
        }
    }
    Ok(snapshot)
}

/// Writes all of it, if nothing of the snapshot has changed.
async fn write(client: &Client, snapshot: &Snapshot, writes: &State) -> Result<(), Error> {
    if writes.is_empty() {
        return Ok(());
    }
    let mut writer = client.new_multi_writer();
    for key in snapshot.state.keys() {
        add(&mut writer, &znode::path(key), snapshot.versions.get(key), writes.get(key))?;
    }
    writer.commit().await?;
    Ok(())
}

fn add(
    writer: &mut MultiWriter<'_>,
    path: &str,
    version: Option<&i32>,
    write: Option<&Option<String>>,
) -> Result<(), Error> {
    match (version, write) {
        (Some(&version), Some(value)) => {
            writer.add_set_data(path, &znode::data(value.as_deref()), Some(version))
        }
        (Some(&version), None) => writer.add_check_version(path, version),
        // That a key has no znode can be checked only by making one.
        (None, value) => {
            let value = value.and_then(Option::as_deref);
            writer.add_create(path, &znode::data(value), &OPTIONS)
        }
    }
}
