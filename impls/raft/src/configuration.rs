//! Who the servers of the cluster are, and what a majority of them is.

use std::collections::{BTreeMap, BTreeSet};

use contract::NodeId;
use serde::{Deserialize, Serialize};

use crate::log::LogIndex;

/// The servers that vote and whose copies count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Configuration(BTreeSet<NodeId>);

impl Configuration {
    /// Its servers, in order.
    pub fn servers(&self) -> impl Iterator<Item = &NodeId> {
        self.0.iter()
    }

    /// Whether the server is one of them.
    #[must_use]
    pub fn contains(&self, server: &NodeId) -> bool {
        self.0.contains(server)
    }

    /// This one and one more server.
    #[must_use]
    pub fn with(&self, server: &NodeId) -> Self {
        Self(self.0.iter().chain([server]).cloned().collect())
    }

    /// This one without a server.
    #[must_use]
    pub fn without(&self, server: &NodeId) -> Self {
        Self(self.0.iter().filter(|member| *member != server).cloned().collect())
    }

    /// Whether these are a majority of it.
    #[must_use]
    pub fn is_majority(&self, servers: &BTreeSet<NodeId>) -> bool {
        servers.intersection(&self.0).count() >= self.majority()
    }

    /// The highest value that a majority has reached, where `value` says which one each server has.
    #[must_use]
    pub fn reached_by_majority(&self, value: impl Fn(&NodeId) -> u64) -> u64 {
        let mut values: Vec<u64> = self.0.iter().map(value).collect();
        values.sort_unstable_by(|a, b| b.cmp(a));
        values.get(self.majority() - 1).copied().unwrap_or(0)
    }

    fn majority(&self) -> usize {
        self.0.len() / 2 + 1
    }
}

impl FromIterator<NodeId> for Configuration {
    fn from_iter<I: IntoIterator<Item = NodeId>>(servers: I) -> Self {
        Self(servers.into_iter().collect())
    }
}

/// The configurations in a log, and the one before it. The latest counts, committed or not (dissertation §4.1).
#[derive(Debug)]
pub struct Configurations {
    /// What the snapshot has; without one, what the cluster began with.
    before: Configuration,
    in_log: BTreeMap<LogIndex, Configuration>,
}

impl Configurations {
    /// Those of an empty log.
    #[must_use]
    pub fn new(before: Configuration) -> Self {
        Self { before, in_log: BTreeMap::new() }
    }

    /// The one that counts.
    #[must_use]
    pub fn latest(&self) -> &Configuration {
        self.in_log.values().next_back().unwrap_or(&self.before)
    }

    /// The index of the one that counts; 0 where it is not in the log.
    #[must_use]
    pub fn latest_index(&self) -> LogIndex {
        self.in_log.keys().next_back().copied().unwrap_or(0)
    }

    /// The one that counted up to `index`.
    #[must_use]
    pub fn at(&self, index: LogIndex) -> &Configuration {
        self.in_log.range(..=index).next_back().map_or(&self.before, |(_, found)| found)
    }

    /// The entry at `index` holds a configuration.
    pub fn append(&mut self, index: LogIndex, configuration: Configuration) {
        self.in_log.insert(index, configuration);
    }

    /// The entries from `index` on were deleted: an earlier configuration counts again.
    pub fn delete_from(&mut self, index: LogIndex) {
        self.in_log.split_off(&index);
    }

    /// A snapshot stands for the entries up to `index`.
    pub fn compact(&mut self, index: LogIndex) {
        self.before = self.at(index).clone();
        self.in_log = self.in_log.split_off(&(index + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(servers: &[&str]) -> Configuration {
        servers.iter().map(|server| (*server).to_owned()).collect()
    }

    #[test]
    fn a_majority_is_more_than_half_and_others_do_not_count() {
        let four = configuration(&["n1", "n2", "n3", "n4"]);
        let set = |servers: &[&str]| servers.iter().map(|server| (*server).to_owned()).collect();
        assert!(!four.is_majority(&set(&["n1", "n2", "n8", "n9"])));
        assert!(four.is_majority(&set(&["n1", "n2", "n3"])));
    }

    #[test]
    fn a_majority_has_reached_what_more_than_half_have() {
        let value = |server: &NodeId| match server.as_str() {
            "n1" => 7,
            "n2" => 3,
            _ => 5,
        };
        assert_eq!(configuration(&["n1", "n2", "n3"]).reached_by_majority(value), 5);
        assert_eq!(configuration(&["n1", "n2"]).reached_by_majority(value), 3);
        assert_eq!(configuration(&["n1"]).reached_by_majority(value), 7);
        assert_eq!(configuration(&[]).reached_by_majority(value), 0);
    }

    #[test]
    fn the_latest_counts_until_its_entry_is_deleted() {
        let three = configuration(&["n1", "n2", "n3"]);
        let four = three.with(&"n4".to_owned());
        let mut configurations = Configurations::new(three.clone());
        configurations.append(5, four.clone());
        configurations.append(8, three.clone());
        assert_eq!((configurations.latest(), configurations.latest_index()), (&three, 8));
        assert_eq!((configurations.at(4), configurations.at(7)), (&three, &four));
        configurations.delete_from(6);
        assert_eq!((configurations.latest(), configurations.latest_index()), (&four, 5));
        configurations.compact(5);
        assert_eq!((configurations.latest(), configurations.latest_index()), (&four, 0));
        assert_eq!(four.without(&"n4".to_owned()), three);
    }
}
