//! One server that carries out each request exactly once, whatever the network does to requests and answers.
//!
//! The first rung of the ladder, and what all others build on. A client numbers its requests and repeats one until it has
//! an answer; [`kv::ExactlyOnce`] remembers the last answer of each, so that a retry gets it again and changes nothing (Birrell
//! and Nelson, "Implementing Remote Procedure Calls", 1984, section 3.2). The log makes both survive a crash: the store and
//! the table of answers.

pub mod server;

pub use server::{Record, Server};
