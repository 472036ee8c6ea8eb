//! What each configuration was seen to be, and the steps from one to the next.

use std::collections::{BTreeMap, btree_map::Entry};

use history::{Findings, Operation, words::who};
use serde_json::Value;

use super::reading::{Change, Configuration, Groups, Query, configuration, named};
use super::steps::{Wrong, balance, moved, step};

/// A configuration that was seen.
struct Seen<'a> {
    query: &'a Operation,
    result: &'a Value,
    configuration: Configuration,
    /// Another query saw something else, and nobody knows which of them is right.
    is_contradicted: bool,
}

/// What each configuration was seen to be.
pub(super) struct Contents<'a> {
    seen: BTreeMap<u64, Seen<'a>>,
    /// Configuration 0, which everybody knows.
    first: Configuration,
}

/// The steps from each configuration to the next.
pub(super) struct Steps {
    /// The change that each step shows, where both its ends were seen and it can be one: that to configuration 1 first.
    pub(super) known: Vec<Option<Change>>,
    /// How many shards found another owner in steps that were seen.
    pub(super) shards_moved: usize,
}

impl<'a> Contents<'a> {
    /// Every query must see what the first with that number saw, and that must be a configuration.
    pub(super) fn new(queries: &[Query<'a>], findings: &mut Findings) -> Result<Self, String> {
        let mut seen: BTreeMap<u64, Seen<'a>> = BTreeMap::new();
        let mut first: Option<(&Operation, Configuration)> = None;
        for query in queries {
            let (number, operation, result) = (query.number, query.operation, query.result);
            // Most see what was seen before: no need to read that again.
            if seen.get(&number).is_some_and(|seen| seen.result == result) {
                continue;
            }
            let configuration = configuration(query)?;
            let shards = configuration.shards.len();
            let (counted_by, empty) = first.get_or_insert_with(|| (operation, empty(shards)));
            if let Some(why) = malformed(number, &configuration, counted_by, empty.shards.len()) {
                findings.add("malformed configuration", [operation.call, counted_by.call], || {
                    format!("{} saw configuration {number} {why}", who(operation))
                });
                continue;
            }
            let known = match seen.entry(number) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unknown) => {
                    let is_contradicted = false;
                    unknown.insert(Seen {
                        query: operation,
                        result,
                        configuration,
                        is_contradicted,
                    });
                    continue;
                }
            };
            if known.configuration != configuration {
                known.is_contradicted = true;
                findings.add("configuration changed", [known.query.call, operation.call], || {
                    let (before, now) = (who(known.query), who(operation));
                    let what = difference(&known.configuration, &configuration);
                    format!("{before} and {now} both saw configuration {number}, but {what}")
                });
            }
        }
        let first = first.map_or_else(|| empty(0), |(_, first)| first);
        Ok(Self { seen, first })
    }

    /// How many of them were seen.
    pub(super) fn count(&self) -> usize {
        self.seen.len()
    }

    /// The first query that saw the configuration of this number as it was.
    pub(super) fn witness(&self, number: u64) -> Option<&'a Operation> {
        self.seen.get(&number).map(|seen| seen.query)
    }

    fn configuration(&self, number: u64) -> Option<&Configuration> {
        if number == 0 {
            return Some(&self.first);
        }
        self.seen.get(&number).filter(|seen| !seen.is_contradicted).map(|seen| &seen.configuration)
    }

    /// Every step between two configurations that were seen must be one change, balanced, that moves no shard
    /// needlessly.
    pub(super) fn steps(&self, highest: usize, findings: &mut Findings) -> Steps {
        let mut steps = Steps { known: Vec::with_capacity(highest), shards_moved: 0 };
        for to in 1..=highest as u64 {
            let ends = self.configuration(to - 1).zip(self.configuration(to));
            let Some((before, after)) = ends else {
                steps.known.push(None);
                continue;
            };
            steps.shards_moved += moved(before, after).len();
            let change = step(before, after).map_err(|wrong| self.report(to, &wrong, findings));
            if let Some(wrong) = change.as_ref().ok().and_then(|how| balance(how, before, after)) {
                self.report(to, &wrong, findings);
            }
            steps.known.push(change.ok());
        }
        steps
    }

    fn report(&self, to: u64, Wrong { kind, why }: &Wrong, findings: &mut Findings) {
        let witnesses = [to - 1, to].map(|number| self.witness(number));
        let proof = witnesses.iter().flatten().map(|operation| operation.call);
        findings.add(kind, proof, || {
            let of = |number: u64, by: Option<&Operation>| {
                let seen =
                    by.map_or("which is empty".to_owned(), |by| format!("as {} saw it", who(by)));
                format!("configuration {number}, {seen},")
            };
            let [before, after] = witnesses;
            format!("from {} to {} {why}", of(to - 1, before), of(to, after))
        });
    }
}

fn empty(shards: usize) -> Configuration {
    Configuration { shards: vec![None; shards], groups: Groups::new() }
}

/// Why this is no configuration.
fn malformed(
    number: u64,
    Configuration { shards, groups }: &Configuration,
    counted_by: &Operation,
    count: usize,
) -> Option<String> {
    if shards.len() != count {
        let (has, by) = (shards.len(), who(counted_by));
        return Some(format!("with {has} shards, where {by} saw {count}"));
    }
    if number == 0 && !groups.is_empty() {
        return Some(format!("with the group {}, but it has none", named(groups.keys().take(1))));
    }
    let wrong = |(shard, owner): (usize, &Option<String>)| match owner {
        None if groups.is_empty() => None,
        None => Some(format!("with no owner of shard {shard} although there are groups")),
        Some(owner) if groups.contains_key(owner) => None,
        Some(owner) => {
            let owner = named([owner]);
            Some(format!("with shard {shard} owned by {owner}, which is none of its groups"))
        }
    };
    shards.iter().enumerate().find_map(wrong)
}

/// What two of the same number have in common no more.
fn difference(one: &Configuration, other: &Configuration) -> String {
    let owner = |owner: &Option<String>| owner.as_ref().map_or("nobody".to_owned(), |o| named([o]));
    let mut owners = one.shards.iter().zip(&other.shards).enumerate();
    if let Some((shard, (first, then))) = owners.find(|(_, (first, then))| first != then) {
        return format!(
            "the one with shard {shard} owned by {}, the other by {}",
            owner(first),
            owner(then)
        );
    }
    let (first, then) = (named(one.groups.keys()), named(other.groups.keys()));
    if first == then {
        return "with other servers in a group".to_owned();
    }
    format!("the one with the groups {first}, the other with {then}")
}
