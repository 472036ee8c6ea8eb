//! How the nodes of a store talk to each other.

use serde::{Deserialize, Serialize};

use crate::Availability;

/// How peers talk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Peer {
    /// HTTP/1.1; one request is one message.
    #[default]
    Http,
    /// Anything else over TCP.
    Tcp,
}

/// One row of a registry: the ways to talk, or the headers of messages.
#[derive(Clone, Copy, Debug)]
pub struct PeerEntry {
    /// Its name.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Whether the bench uses it already.
    pub availability: Availability,
}

/// Every value of the manifest's `peer`.
pub const PEERS: [PeerEntry; 2] = [
    now("http", "HTTP/1.1; one request is one message. Every network fault applies."),
    planned(
        "tcp",
        "Anything else over TCP. Accepted so far: links are cut, but message faults do not apply, and no report says so.",
    ),
];

/// Every header that makes reports richer.
pub const HEADERS: [PeerEntry; 4] = [
    now("X-DS-Type", "the message's name, such as `AppendEntries`"),
    now("X-DS-Term", "the term, view or ballot round that it speaks of, a whole number"),
    now("X-DS-Lamport", "the sender's Lamport clock, a whole number"),
    now("X-DS-Vector", "the sender's vector clock: JSON object, id → count"),
];

const fn now(name: &'static str, meaning: &'static str) -> PeerEntry {
    PeerEntry { name, meaning, availability: Availability::Now }
}

const fn planned(name: &'static str, meaning: &'static str) -> PeerEntry {
    PeerEntry { name, meaning, availability: Availability::Planned }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_holds_the_values_that_a_manifest_may_have() {
        for (peer, entry) in [Peer::Http, Peer::Tcp].into_iter().zip(PEERS) {
            assert_eq!(serde_json::to_value(peer).unwrap(), entry.name);
        }
    }
}
