//! Transactions: random histories, and isolation by its definitions.

pub mod compare;
pub mod cycles;
pub mod oracle;
pub mod orders;
pub mod stores;
