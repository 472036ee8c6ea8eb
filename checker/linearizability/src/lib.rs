//! Is a history of concurrent operations explained by some sequential order that respects real time?
//!
//! Describe the object as a [`Model`], turn the history into [`Call`]s and ask [`check`], or
//! [`check_by_key`] where the object falls into independent parts: linearizability is local
//! (Herlihy & Wing, "Linearizability", TOPLAS 1990, section 3.2). Models for the usual registers are in
//! [`models`].
//!
//! A verdict certifies itself: `valid` means that the order that was found has been replayed through the
//! model, `violation` comes with a [`Witness`], and what could not be decided within the [`Limits`] is
//! `inconclusive`, with the reason. This crate knows no process, network or workload.

mod by_key;
mod call;
mod certificate;
mod check;
mod kind;
mod limits;
mod mask;
mod model;
pub mod models;
pub mod monitors;
pub mod oracle;
mod problem;
mod report;
mod search;
mod sentence;
mod table;
mod witness;

pub use by_key::check_by_key;
pub use call::{Call, CallOf};
pub use check::check;
pub use limits::Limits;
pub use model::{Model, UNCHANGED};
pub use report::{Report, Statistics, Witness};
