//! Sequential specifications of the usual objects.

mod bag;
pub mod cas_register;
pub mod counter;
mod datum;
mod holding;
pub mod kv;
pub mod line;
pub mod lock;
pub mod multi_register;
pub mod mutex;
mod numbers;
pub mod register;
pub mod set;
mod text;

pub use cas_register::CasRegister;
pub use counter::Counter;
pub use datum::Datum;
pub use kv::Kv;
pub use line::{Queue, Stack};
pub use lock::OwnedLock;
pub use multi_register::MultiRegister;
pub use mutex::Mutex;
pub use register::Register;
pub use set::Set;

/// How much of a value a sentence shows.
const SHOWN_CHARS: usize = 40;

/// A value for people: quoted, escaped and, since tests write long ones, shortened to its end, where appends
/// differ.
pub(crate) fn quoted(value: &str) -> String {
    let length = value.chars().count();
    if length <= SHOWN_CHARS {
        return format!("{value:?}");
    }
    let end: String = value.chars().skip(length - SHOWN_CHARS).collect();
    format!("…{end:?} ({length} characters)")
}
