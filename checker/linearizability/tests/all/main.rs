//! One binary for all tests but that of the memory: each binary compiles the search for its models anew.

#[path = "../common/mod.rs"]
mod common;
#[path = "../containers/mod.rs"]
mod containers;

mod kinds;
mod large;
mod limits;
mod models;
mod monitors;
mod named;
mod oracle;
mod plain;
mod sentences;
mod threads;
mod words;
