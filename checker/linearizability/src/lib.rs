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
//!
//! # A model of one's own
//!
//! Four functions say what the object does with one client; the others of [`Model`] are hints that make the
//! search faster. Where the object falls into parts, such as the rooms of this house, model one part and give
//! [`check_by_key`] the calls of each: that is exponentially cheaper than one search over all of them.
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use history::Verdict;
//! use linearizability::{Call, CallOf, Limits, Model, check_by_key};
//!
//! /// A lamp, off at first. Pressing its switch tells whether it is on now.
//! struct Lamp;
//!
//! #[derive(Clone, PartialEq, Eq, Hash)]
//! enum Ask {
//!     Press,
//!     Look,
//! }
//!
//! impl Model for Lamp {
//!     type Input = Ask;
//!     type Output = bool;
//!     type State = bool;
//!
//!     fn initial(&self) -> bool {
//!         false
//!     }
//!
//!     fn step(&self, on: &bool, input: &Ask, output: Option<&bool>) -> Option<bool> {
//!         let after = match input {
//!             Ask::Press => !on,
//!             Ask::Look => *on,
//!         };
//!         // An unknown result: any is accepted.
//!         output.is_none_or(|&answer| answer == after).then_some(after)
//!     }
//!
//!     fn is_read_only(&self, input: &Ask) -> bool {
//!         *input == Ask::Look
//!     }
//!
//!     fn describe(&self, input: &Ask, output: Option<&bool>) -> String {
//!         let asked = if *input == Ask::Press { "press" } else { "look" };
//!         match output {
//!             Some(true) => format!("{asked} = on"),
//!             Some(false) => format!("{asked} = off"),
//!             None => format!("{asked} (result unknown)"),
//!         }
//!     }
//!
//!     // A hint: what leaves the lamp on cannot come right before what needs it off.
//!     fn gives(&self, input: &Ask, output: Option<&bool>) -> Option<u64> {
//!         match (input, output) {
//!             (Ask::Look, _) => Some(linearizability::UNCHANGED),
//!             (Ask::Press, Some(&on)) => Some(if on { 1 } else { 2 }),
//!             (Ask::Press, None) => None,
//!         }
//!     }
//!
//!     fn needs(&self, input: &Ask, output: Option<&bool>) -> Option<u64> {
//!         output.map(|&answer| if answer == (*input == Ask::Look) { 1 } else { 2 })
//!     }
//! }
//!
//! // Room, operation, result, and when: two people press the kitchen's switch at the same time.
//! let recorded = [
//!     ("kitchen", Ask::Press, Some(true), 0, Some(3)),
//!     ("kitchen", Ask::Press, Some(false), 1, Some(2)),
//!     ("cellar", Ask::Press, Some(true), 4, Some(5)),
//!     ("cellar", Ask::Look, Some(false), 6, Some(7)),
//! ];
//! let mut rooms: BTreeMap<&str, Vec<CallOf<Lamp>>> = BTreeMap::new();
//! for (id, (room, input, output, call, ret)) in (0..).zip(recorded) {
//!     rooms.entry(room).or_default().push(Call {
//!         id,
//!         process: id % 2,
//!         input,
//!         output,
//!         call,
//!         ret,
//!         call_ns: call,
//!         return_ns: ret,
//!         failed: false,
//!     });
//! }
//! let report = check_by_key(&Lamp, rooms.into_iter().collect(), &Limits::default());
//! assert_eq!(report.verdict, Verdict::Violation);
//! let witness = report.witness.expect("a violation has a witness");
//! assert_eq!(witness.key.as_deref(), Some("cellar"));
//! assert_eq!(witness.operations, [2, 3]);
//! ```
//!
//! An object that may do one thing or another without telling which is a [`NondeterministicModel`], which
//! [`Powerset`] makes a [`Model`]. One whose histories can be decided without a search has a
//! [`Model::monitor`], as [`models::Queue`] does.

mod by_key;
mod call;
mod certificate;
mod check;
mod fast;
mod kind;
mod limits;
mod mask;
mod model;
pub mod models;
pub mod monitors;
pub mod named;
mod nondeterministic;
pub mod oracle;
mod problem;
mod register;
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
pub use named::Named;
pub use nondeterministic::{NondeterministicModel, Powerset};
pub use register::{INITIAL, RegisterStep};
pub use report::{Report, Statistics, Witness};
