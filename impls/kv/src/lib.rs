//! The key-value application and its exactly-once wrapper.
//!
//! Both are [`node::Application`]s: any replication protocol can carry them. They know no protocol.

pub mod exactly_once;
pub mod store;

pub use exactly_once::ExactlyOnce;
pub use store::Store;
