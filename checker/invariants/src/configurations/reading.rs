//! What was asked of a shard controller, and what it answered.

use std::collections::{BTreeMap, BTreeSet};

use history::{Operation, words::cut};
use serde_json::Value;

use crate::shape::{collection, failed, field, integer, misfit, returned, succeeded};

/// Replica groups with their servers, those in order.
pub(super) type Groups = BTreeMap<String, Vec<String>>;

/// Which group owns each shard, and the groups.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Configuration {
    pub(super) shards: Vec<Option<String>>,
    pub(super) groups: Groups,
}

/// What makes one configuration of another.
#[derive(PartialEq, Eq, Hash)]
pub(super) enum Change {
    Join(Groups),
    Leave(BTreeSet<String>),
    Move(usize, String),
}

impl Change {
    /// `adds g1, g2`, after the name of an operation or a configuration.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Join(groups) => format!("adds {}", named(groups.keys())),
            Self::Leave(groups) => format!("removes {}", named(groups)),
            Self::Move(shard, group) => format!("moves shard {shard} to {}", cut(group, 20)),
        }
    }
}

/// Groups by name, not too many.
pub(super) fn named<'a>(groups: impl IntoIterator<Item = &'a String>) -> String {
    let groups: Vec<&str> = groups.into_iter().map(String::as_str).collect();
    cut(&groups.join(", "), 60)
}

/// A change that happened, or may have.
pub(super) struct Attempt<'a> {
    pub(super) operation: &'a Operation,
    pub(super) change: Change,
}

impl Attempt<'_> {
    /// The event at which it was done at the latest.
    pub(super) fn end(&self) -> u64 {
        returned(self.operation).unwrap_or(u64::MAX)
    }
}

/// A query that succeeded.
pub(super) struct Query<'a> {
    pub(super) operation: &'a Operation,
    /// The number it asked for, `None` for the latest.
    pub(super) asked: Option<u64>,
    /// The number it saw.
    pub(super) number: u64,
    pub(super) result: &'a Value,
    /// What it saw was the latest configuration, as far as that can be believed.
    pub(super) is_latest: bool,
}

impl Query<'_> {
    pub(super) fn end(&self) -> u64 {
        returned(self.operation).unwrap_or(u64::MAX)
    }
}

/// The changes that did not fail, in the order of their invocations.
pub(super) fn attempts(operations: &[Operation]) -> Result<Vec<Attempt<'_>>, String> {
    let made = operations.iter().filter(|operation| operation.f != "query" && !failed(operation));
    made.map(|operation| Ok(Attempt { operation, change: change(operation)? })).collect()
}

fn change(operation: &Operation) -> Result<Change, String> {
    let arguments = &operation.arguments;
    let (change, expected) = match operation.f.as_str() {
        "join" => {
            let joined = field(arguments, "groups").and_then(groups);
            (joined.filter(|groups| !groups.is_empty()).map(Change::Join), "{groups {ID [SERVER]}}")
        }
        "leave" => {
            let left = field(arguments, "groups").and_then(ids);
            (left.filter(|groups| !groups.is_empty()).map(Change::Leave), "{groups [ID]}")
        }
        _ => (moved(arguments), "{shard NUMBER, group ID}"),
    };
    change.ok_or_else(|| misfit(operation, arguments, expected))
}

fn moved(arguments: &Value) -> Option<Change> {
    let shard = usize::try_from(integer(field(arguments, "shard")?)?).ok()?;
    Some(Change::Move(shard, id(field(arguments, "group")?)?))
}

/// The queries that succeeded, in the order of their invocations.
pub(super) fn queries(operations: &[Operation]) -> Result<Vec<Query<'_>>, String> {
    succeeded(operations, "query").map(|(operation, result)| query(operation, result)).collect()
}

fn query<'a>(operation: &'a Operation, result: &'a Value) -> Result<Query<'a>, String> {
    let arguments = &operation.arguments;
    let asked = field(arguments, "num")
        .and_then(integer)
        .ok_or_else(|| misfit(operation, arguments, "{num NUMBER}"))?;
    let number = field(result, "num")
        .and_then(integer)
        .and_then(|number| u64::try_from(number).ok())
        .ok_or_else(|| misfit(operation, result, CONFIGURATION))?;
    let asked = u64::try_from(asked).ok();
    let is_latest = asked.is_none_or(|asked| number < asked);
    Ok(Query { operation, asked, number, result, is_latest })
}

const CONFIGURATION: &str = "{num NUMBER, shards [ID], groups {ID [SERVER]}}";

/// What a query saw.
pub(super) fn configuration(query: &Query<'_>) -> Result<Configuration, String> {
    let read = || {
        let owner =
            |shard: &Value| if shard.is_null() { Some(None) } else { Some(Some(id(shard)?)) };
        let shards = collection(field(query.result, "shards")?)?.iter().map(owner);
        let groups = groups(field(query.result, "groups")?)?;
        Some(Configuration { shards: shards.collect::<Option<_>>()?, groups })
    };
    read().ok_or_else(|| misfit(query.operation, query.result, CONFIGURATION))
}

fn groups(value: &Value) -> Option<Groups> {
    let group = |(group, servers): (&String, &Value)| {
        let mut servers: Vec<String> =
            collection(servers)?.iter().map(id).collect::<Option<_>>()?;
        servers.sort_unstable();
        Some((group.clone(), servers))
    };
    value.as_object()?.iter().map(group).collect()
}

fn ids(value: &Value) -> Option<BTreeSet<String>> {
    collection(value)?.iter().map(id).collect()
}

/// A name, or a number, which is text already where it is the key of an object.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
