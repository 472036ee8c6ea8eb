//! One binary for all tests but that of the memory: each binary compiles the search for its models anew.

mod kinds;
mod large;
mod limits;
mod models;
mod monitors;
mod named;
mod oracle;
mod plain;
mod recording;
mod sentences;
mod threads;
mod witnesses;
mod words;
