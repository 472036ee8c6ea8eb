//! One node of the Multi-Paxos store.

fn main() {}
