//! The key-value application and its exactly-once wrapper.
//!
//! Both are [`node::Application`]s: any replication protocol can carry them. They know no protocol.

mod clients;
pub mod exactly_once;
pub mod store;
mod stored;

pub use clients::Clients;
pub use exactly_once::ExactlyOnce;
pub use store::Store;
