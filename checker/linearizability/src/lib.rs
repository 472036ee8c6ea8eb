//! Linearizability: Model trait, search, witnesses.
