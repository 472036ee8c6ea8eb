//! Which nodes an operation is for: of a sharded store the group that owns its first key, as the shard controllers say; and the
//! controllers themselves for what only they know.

use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
};

use contract::{Configuration, GroupId, Operation};

/// Where clients find what they ask for. A node is named by its place among all that clients ask.
#[derive(Debug)]
pub struct Routing {
    /// The servers of each group.
    groups: Vec<(GroupId, Range<usize>)>,
    /// All of them.
    servers: Range<usize>,
    controllers: Range<usize>,
    /// The latest configuration that any client has heard of.
    known: Mutex<Option<Configuration>>,
}

impl Routing {
    /// Every node is the same, as in a store that is not sharded.
    #[must_use]
    pub fn alike(nodes: usize) -> Self {
        let controllers = 0..nodes;
        Self { groups: Vec::new(), servers: 0..nodes, controllers, known: Mutex::default() }
    }

    /// Groups of so many servers each, then the controllers.
    #[must_use]
    pub fn sharded(groups: &[(GroupId, usize)], controllers: usize) -> Self {
        let mut first = 0;
        let groups = groups.iter().map(|(group, servers)| {
            let places = first..first + servers;
            first = places.end;
            (group.clone(), places)
        });
        let groups: Vec<_> = groups.collect();
        let controllers = first..first + controllers;
        Self { groups, servers: 0..first, controllers, known: Mutex::default() }
    }

    /// Whether the store is sharded.
    #[must_use]
    pub fn is_sharded(&self) -> bool {
        !self.groups.is_empty()
    }

    /// The servers: whoever has keys.
    #[must_use]
    pub fn servers(&self) -> Range<usize> {
        self.servers.clone()
    }

    /// The shard controllers.
    #[must_use]
    pub fn controllers(&self) -> Range<usize> {
        self.controllers.clone()
    }

    /// Whom to ask for this: as far as is known, any of these may serve it.
    #[must_use]
    pub fn of(&self, operation: &Operation) -> Range<usize> {
        if !self.is_sharded() {
            return self.servers();
        }
        if operation.is_of_controllers() {
            return self.controllers();
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = operation.keys();
        let owner = known.as_ref().zip(keys.first()).and_then(|(known, key)| known.owner(key));
        let owner = owner.and_then(|owner| self.groups.iter().find(|(group, _)| group == owner));
        owner.map_or_else(|| self.servers(), |(_, places)| places.clone())
    }

    /// The place of the group that owns an operation's first key, as far as is known.
    #[must_use]
    pub fn group_of(&self, operation: &Operation) -> Option<usize> {
        let places = self.of(operation);
        self.groups.iter().position(|(_, own)| *own == places)
    }

    /// A controller answered this.
    pub fn learn(&self, configuration: Configuration) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|known| known.num < configuration.num) {
            *known = Some(configuration);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(key: &str) -> Operation {
        Operation::Get { key: key.to_owned() }
    }

    #[test]
    fn the_owner_of_the_first_key_is_asked_once_it_is_known() {
        let routing = Routing::sharded(&[("g1".to_owned(), 3), ("g2".to_owned(), 2)], 3);
        assert_eq!(routing.of(&get("k1")), 0..5, "nothing is known yet");
        assert_eq!(routing.of(&Operation::Query { num: -1 }), 5..8);
        let owned = |num, owner: &str| {
            let shards = vec![Some("g1".to_owned()), Some(owner.to_owned())];
            Configuration { num, shards, groups: [].into() }
        };
        routing.learn(owned(2, "g2"));
        assert_eq!((routing.of(&get("k0")), routing.of(&get("k1"))), (0..3, 3..5));
        assert_eq!(routing.group_of(&get("k1")), Some(1));
        assert_eq!(routing.group_of(&Operation::Query { num: -1 }), None);
        // What comes late is old.
        routing.learn(owned(1, "g1"));
        assert_eq!(routing.of(&get("k1")), 3..5);
        // A group that is none of these, and an operation without keys.
        routing.learn(owned(3, "g7"));
        assert_eq!(routing.of(&get("k1")), 0..5);
        assert_eq!(routing.of(&Operation::MultiGet { keys: Vec::new() }), 0..5);
    }

    #[test]
    fn without_shards_all_nodes_are_asked_for_everything() {
        let routing = Routing::alike(3);
        assert_eq!(routing.of(&get("k1")), 0..3);
        assert_eq!(routing.of(&Operation::Query { num: -1 }), 0..3);
    }
}
