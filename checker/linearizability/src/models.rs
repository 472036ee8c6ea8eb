//! Sequential specifications of the usual objects.

mod bag;
pub mod cas_register;
pub mod counter;
mod holding;
pub mod kv;
pub mod line;
pub mod lock;
pub mod multi_register;
pub mod set;
mod text;

pub use crate::datum::Datum;
pub use cas_register::{CasRegister, Register};
pub use counter::Counter;
pub use kv::Kv;
pub use line::{Queue, Stack};
pub use lock::OwnedLock;
pub use multi_register::MultiRegister;
pub use set::Set;

/// An operation for people, with its result where that is known.
fn with_result(asked: String, answered: Option<String>) -> String {
    match answered {
        None => asked,
        Some(answer) if answer.is_empty() => asked,
        Some(answer) => format!("{asked} {answer}"),
    }
}
