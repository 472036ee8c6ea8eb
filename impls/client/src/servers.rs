//! Whom to ask.

use std::{collections::BTreeMap, net::SocketAddr};

use contract::{Configuration, NodeId, Operation};

/// The servers of a store, and what a client knows of who serves what.
#[derive(Clone, Debug)]
pub struct Servers {
    addresses: BTreeMap<NodeId, SocketAddr>,
    /// Those that have keys.
    nodes: Vec<NodeId>,
    /// Those that only have configurations; none where the store is not sharded.
    controllers: Vec<NodeId>,
    /// The latest configuration that a controller told.
    known: Option<Configuration>,
    /// Who answered last, by group; the empty name stands for the whole store, and for the controllers.
    favourites: BTreeMap<String, NodeId>,
}

impl Servers {
    /// The nodes of a replicated store, each of which may be asked for everything.
    pub fn alike(nodes: impl IntoIterator<Item = (NodeId, SocketAddr)>) -> Self {
        Self::sharded(nodes, [])
    }

    /// The nodes of all groups of a sharded store, and its shard controllers.
    pub fn sharded(
        nodes: impl IntoIterator<Item = (NodeId, SocketAddr)>,
        controllers: impl IntoIterator<Item = (NodeId, SocketAddr)>,
    ) -> Self {
        let mut addresses: BTreeMap<_, _> = nodes.into_iter().collect();
        let nodes = addresses.keys().cloned().collect();
        let controllers: BTreeMap<_, _> = controllers.into_iter().collect();
        addresses.extend(controllers.clone());
        Self {
            addresses,
            nodes,
            controllers: controllers.into_keys().collect(),
            known: None,
            favourites: BTreeMap::new(),
        }
    }

    pub(crate) fn address(&self, node: &NodeId) -> Option<SocketAddr> {
        self.addresses.get(node).copied()
    }

    pub(crate) fn is_sharded(&self) -> bool {
        !self.controllers.is_empty()
    }

    /// Whether a controller must be asked first who owns what.
    pub(crate) fn needs_configuration(&self, operation: &Operation) -> bool {
        self.is_sharded() && !operation.is_of_controllers() && self.known.is_none()
    }

    /// Whether that was news.
    pub(crate) fn learn(&mut self, configuration: Configuration) -> bool {
        let is_new = self.known.as_ref().is_none_or(|known| known.num < configuration.num);
        if is_new {
            self.known = Some(configuration);
        }
        is_new
    }

    /// Those who may serve this, whoever answered last first.
    pub(crate) fn of(&self, operation: &Operation) -> Vec<NodeId> {
        let group = self.group_of(operation);
        let of_group = || self.known.as_ref()?.groups.get(&group);
        let servers = match of_group() {
            _ if self.is_sharded() && operation.is_of_controllers() => &self.controllers,
            Some(servers) => servers,
            None => &self.nodes,
        };
        let mut servers: Vec<NodeId> = servers.clone();
        let favourite = self.favourites.get(&group);
        if let Some(place) = servers.iter().position(|node| Some(node) == favourite) {
            servers.rotate_left(place);
        }
        servers
    }

    /// This one answered: it probably leads.
    pub(crate) fn answered(&mut self, operation: &Operation, node: &NodeId) {
        self.favourites.insert(self.group_of(operation), node.clone());
    }

    fn group_of(&self, operation: &Operation) -> String {
        let owner = operation.keys().first().and_then(|key| self.owner_of(key));
        owner.unwrap_or_default().to_owned()
    }

    pub(crate) fn owner_of(&self, key: &str) -> Option<&str> {
        self.known.as_ref()?.owner(key).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(key: &str) -> Operation {
        Operation::Get { key: key.to_owned() }
    }

    fn at(id: &str) -> (NodeId, SocketAddr) {
        (id.to_owned(), ([127, 0, 0, 1], 4000).into())
    }

    #[test]
    fn the_group_that_owns_the_first_key_is_asked_and_there_whoever_answered_last() {
        let mut servers = Servers::sharded(["n1", "n2", "n3"].map(at), ["c1", "c2"].map(at));
        assert!(servers.needs_configuration(&get("k0")));
        let query = Operation::Query { num: -1 };
        assert!(!servers.needs_configuration(&query));
        assert_eq!(servers.of(&query), ["c1", "c2"]);
        assert_eq!(servers.of(&get("k0")), ["n1", "n2", "n3"], "nothing is known");
        let groups = [("g1", vec!["n1", "n2"]), ("g2", vec!["n3"])];
        let groups = groups
            .map(|(group, its)| (group.to_owned(), its.into_iter().map(str::to_owned).collect()));
        let shards = ["g1", "g2"].map(|group| Some(group.to_owned())).to_vec();
        servers.learn(Configuration { num: 2, shards, groups: groups.into() });
        servers.learn(Configuration::first(2));
        servers.answered(&get("k2"), &"n2".to_owned());
        assert_eq!(servers.of(&get("k0")), ["n2", "n1"]);
        assert_eq!(servers.of(&get("k1")), ["n3"]);
        assert_eq!(servers.of(&Operation::MultiGet { keys: Vec::new() }), ["n1", "n2", "n3"]);
    }

    #[test]
    fn without_controllers_every_node_is_asked_for_everything() {
        let servers = Servers::alike(["n2", "n1"].map(at));
        assert!(!servers.needs_configuration(&get("k0")));
        assert_eq!(servers.of(&get("k0")), ["n1", "n2"]);
        assert_eq!(servers.of(&Operation::Query { num: -1 }), ["n1", "n2"]);
    }
}
