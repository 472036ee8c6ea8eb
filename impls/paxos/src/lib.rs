//! Multi-Paxos: a replicated key-value store.
