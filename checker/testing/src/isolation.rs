//! Transactions: random histories, and isolation by its definitions.

pub mod compare;
pub mod cycles;
pub mod oracle;
pub mod orders;
pub mod stores;

use ::isolation::{Datatype, History, Transaction};

/// The history of these, none of which reads what such keys cannot hold.
fn of_transactions(datatype: Datatype, transactions: &[Transaction]) -> History {
    History::from_transactions(datatype, transactions).expect("random reads fit their keys")
}
