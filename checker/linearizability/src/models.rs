//! Sequential specifications of the usual objects.

pub mod cas_register;
pub mod kv;
pub mod multi_register;
mod text;

pub use cas_register::CasRegister;
pub use kv::Kv;
pub use multi_register::MultiRegister;

/// How much of a value a sentence shows.
const SHOWN_CHARS: usize = 40;

/// A value for people: quoted, escaped and, since tests write long ones, shortened to its end, where appends
/// differ.
fn quoted(value: &str) -> String {
    let length = value.chars().count();
    if length <= SHOWN_CHARS {
        return format!("{value:?}");
    }
    let end: String = value.chars().skip(length - SHOWN_CHARS).collect();
    format!("…{end:?} ({length} characters)")
}
