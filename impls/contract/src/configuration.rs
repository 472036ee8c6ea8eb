//! What a shard controller answers: which replica group owns which shard; and to which shard a key belongs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{NodeId, hash::fnv1a_32};

/// A replica group's id, such as `g1`.
pub type GroupId = String;

/// The groups of a moment, and which shard each of them owns.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Configuration {
    /// Counts the configurations from 0.
    pub num: u64,
    /// The owner of each shard; `None` where there are no groups.
    pub shards: Vec<Option<GroupId>>,
    /// The servers of each group.
    pub groups: BTreeMap<GroupId, Vec<NodeId>>,
}

impl Configuration {
    /// Number 0: no groups, and nobody owns anything.
    #[must_use]
    pub fn first(shards: usize) -> Self {
        Self { num: 0, shards: vec![None; shards], groups: BTreeMap::new() }
    }

    /// Reads a controller's result.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn parse(fields: &Map<String, Value>) -> Result<Self, String> {
        serde_json::from_value(Value::Object(fields.clone()))
            .map_err(|error| format!("is no configuration: {error}"))
    }

    /// The owner of a key's shard.
    #[must_use]
    pub fn owner(&self, key: &str) -> Option<&GroupId> {
        self.shards.get(shard_of(key, self.shards.len()))?.as_ref()
    }
}

/// The shard of a key among so many: the digits at its end as a number, modulo the number of shards; of a key without
/// digits there, its FNV-1a hash of 32 bits instead.
#[must_use]
pub fn shard_of(key: &str, shards: usize) -> usize {
    let digits = key.len() - key.trim_end_matches(|end: char| end.is_ascii_digit()).len();
    let shards = shards.max(1);
    if digits == 0 {
        return usize::try_from(fnv1a_32(key.bytes())).unwrap_or(usize::MAX) % shards;
    }
    // The remainder of the whole number, however long, digit by digit.
    key[key.len() - digits..]
        .bytes()
        .fold(0, |rest, digit| (rest * 10 + usize::from(digit - b'0')) % shards)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn digits_at_the_end_place_a_key_and_else_its_hash() {
        for (key, shard) in [("k7", 7), ("k17", 7), ("17", 7), ("k7a10", 0), ("k000", 0)] {
            assert_eq!(shard_of(key, 10), shard, "{key}");
        }
        assert_eq!(shard_of("k123456789012345678901234567890123", 10), 3);
        assert_eq!(shard_of("k123456789012345678901234567890123", 7), shard_of("k4", 7));
        // 0xE40C292C, the published FNV-1a hash of "a".
        assert_eq!(shard_of("a", 10), 0xE40C_292C_usize % 10);
        assert_eq!(shard_of("", 10), 0x811C_9DC5_usize % 10);
    }

    #[test]
    fn the_owner_of_a_key_is_that_of_its_shard() {
        let mut configuration = Configuration::first(2);
        assert_eq!(configuration.owner("k1"), None);
        configuration.shards[1] = Some("g1".to_owned());
        assert_eq!(configuration.owner("k1"), Some(&"g1".to_owned()));
        assert_eq!(configuration.owner("k2"), None);
    }

    #[test]
    fn what_is_no_configuration_is_refused() {
        let read = |value: Value| Configuration::parse(value.as_object().unwrap());
        assert!(read(json!({ "num": 0, "shards": [null, "g1"], "groups": {} })).is_ok());
        for (value, complaint) in [
            (json!({ "num": -1, "shards": [], "groups": {} }), "-1"),
            (json!({ "num": 0, "shards": [7], "groups": {} }), "7"),
            (json!({ "num": 0, "shards": [] }), "groups"),
        ] {
            let error = read(value.clone()).unwrap_err();
            assert!(error.contains(complaint), "{value}: {error}");
        }
    }
}
