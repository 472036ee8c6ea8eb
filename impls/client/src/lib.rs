//! A client of the stores of the ladder, for programs: it finds whoever serves, and tries again until it has an answer.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use store_client::{Client, Servers};
//!
//! let nodes = [("n1".to_owned(), "127.0.0.1:4001".parse()?), ("n2".to_owned(), "127.0.0.1:4002".parse()?)];
//! let mut client = Client::new("c1", Servers::alike(nodes), Duration::from_secs(5));
//! client.put("x", "1").await?;
//! assert_eq!(client.get("x").await?.as_deref(), Some("1"));
//! # Ok(())
//! # }
//! ```
//!
//! **Exactly once.** Each operation has a number of the client's own, and is sent with the same number until somebody answers. So
//! the store can tell a repetition. A client has one operation under way at a time, and its name must be nobody else's, ever:
//! the store remembers what it got.
//!
//! **No node is needed.** Who does not answer, or does not lead, is passed over. Of a sharded store the client asks the shard
//! controllers which group owns a key, keeps that, and asks again when it is told `wrong_group`.

mod attempt;
mod client;
mod failure;
mod operations;
mod servers;

pub use client::Client;
pub use contract::{MicroOperation, Operation, Outcome};
pub use failure::Failure;
pub use servers::Servers;
