//! Is a history of concurrent operations explained by some sequential order that respects real time?
//!
//! Describe the object as a [`Model`], turn the history into [`Call`]s and ask [`check()`], or
//! [`check_by_key`] or [`check_partitioned`] where the object falls into independent parts: linearizability is local
//! (Herlihy & Wing, "Linearizability", TOPLAS 1990, section 3.2). Models for the usual registers are in
//! [`models`].
//!
//! A `valid` of the search or of the fast path means that the order that was found has been replayed through the model;
//! where a [`Model::monitor`] decides, its word counts, and those of this crate replay their orders themselves. A
//! `violation` comes with a [`Witness`]. The few operations that the fast path names have been tried in every order, and
//! so have those, up to eight, that a monitor of this crate names or that are left of a history made smaller. Other
//! explanations rest on their argument (nobody can have left the value that was seen, or each of some operations had to
//! come before the next), and other verdicts on the search or the monitor. What could not be decided within the
//! [`Limits`] is `inconclusive`, with the reason.
//! This crate knows no process, network or workload.
//!
//! # A model of one's own
//!
//! Three functions say what the object is, [`Model::part`] into which independent parts it falls, and
//! [`Model::effects`] what an operation saw and leaves: the search then has less to try, and a violation gets a sentence.
//!
//! ```
//! use history::Verdict;
//! use linearizability::{Anomaly, Call, Content, Effects, Leaves, Limits, Model, Saw, check_partitioned};
//!
//! /// The lamps of a house, off at first. Pressing a switch tells whether the lamp is on now.
//! struct Lamps;
//!
//! #[derive(Clone, PartialEq, Eq, Hash)]
//! enum Ask {
//!     Press,
//!     Look,
//! }
//!
//! impl Model for Lamps {
//!     /// The room, and what is asked there.
//!     type Input = (&'static str, Ask);
//!     /// Is the lamp on?
//!     type Output = bool;
//!     /// Of one room.
//!     type State = bool;
//!
//!     fn initial(&self) -> bool {
//!         false
//!     }
//!
//!     fn step(&self, on: &bool, (_, ask): &Self::Input, output: Option<&bool>) -> Option<bool> {
//!         let after = if *ask == Ask::Press { !on } else { *on };
//!         // An unknown result: any is accepted.
//!         output.is_none_or(|&answer| answer == after).then_some(after)
//!     }
//!
//!     fn describe(&self, (_, ask): &Self::Input, output: Option<&bool>) -> String {
//!         let asked = if *ask == Ask::Press { "press" } else { "look" };
//!         match output {
//!             Some(true) => format!("{asked} = on"),
//!             Some(false) => format!("{asked} = off"),
//!             None => asked.to_owned(),
//!         }
//!     }
//!
//!     // Each room is an object of its own, which is exponentially cheaper than one search over all of them.
//!     fn part(&self, (room, _): &Self::Input) -> Option<String> {
//!         Some(format!("The {room}'s lamp"))
//!     }
//!
//!     fn effects<'a>(
//!         &'a self,
//!         (_, ask): &'a Self::Input,
//!         output: Option<&'a bool>,
//!     ) -> Effects<'a> {
//!         let lamp = |on: bool| Content::Plain(if on { "on" } else { "off" }.into());
//!         let (saw, leaves) = match (ask, output) {
//!             (Ask::Look, Some(&on)) => (Saw::Exactly(lamp(on)), Leaves::Unchanged),
//!             (Ask::Look, None) => (Saw::Anything, Leaves::Unchanged),
//!             (Ask::Press, Some(&on)) => (Saw::Exactly(lamp(!on)), Leaves::Exactly(lamp(on))),
//!             (Ask::Press, None) => (Saw::Anything, Leaves::Anything),
//!         };
//!         Effects::whole(saw, leaves)
//!     }
//! }
//!
//! // Room, operation, result, and when: two people press the kitchen's switch at the same time.
//! let recorded = [
//!     (("kitchen", Ask::Press), Some(true), 0, Some(3)),
//!     (("kitchen", Ask::Press), Some(false), 1, Some(2)),
//!     (("cellar", Ask::Press), Some(true), 4, Some(5)),
//!     (("cellar", Ask::Look), Some(false), 6, Some(7)),
//! ];
//! let call = |(id, (input, output, call, ret))| Call {
//!     id,
//!     process: id % 2,
//!     input,
//!     output,
//!     call,
//!     ret,
//!     call_ns: call,
//!     return_ns: ret,
//!     failed: false,
//! };
//! let calls = (0..).zip(recorded).map(call).collect();
//! let report = check_partitioned(&Lamps, calls, &Limits::default());
//! assert_eq!(report.verdict, Verdict::Violation);
//! let witness = report.witness.expect("a violation has a witness");
//! assert_eq!((witness.kind, witness.operations), (Anomaly::StaleRead, vec![2, 3]));
//! assert!(witness.sentence.starts_with("The cellar's lamp: stale read: look = off by process 1"));
//! ```
//!
//! An object whose histories can be decided without a search has a [`Model::monitor`], as [`models::Queue`] does.

#![warn(clippy::missing_errors_doc, clippy::missing_panics_doc)]

#[cfg(feature = "alone")]
pub mod alone;
mod anomaly;
mod answer;
mod attempts;
mod call;
mod certificate;
mod check;
mod content;
mod datum;
mod decide;
mod describe;
mod effects;
mod explain;
mod fast;
mod limits;
mod mask;
mod model;
pub mod models;
mod monitors;
pub mod named;
pub mod oracle;
mod parallel;
mod problem;
mod quick;
mod refutation;
mod refute;
mod report;
mod search;
mod table;
mod witness;

pub use anomaly::Anomaly;
pub use call::Call;
pub use check::{check, check_by_key, check_partitioned};
pub use content::Content;
pub use effects::{Effect, Effects, Leaves, Saw};
pub use history::Limits;
pub use limits::Explained;
pub use model::{CallOf, Model};
pub use named::Named;
pub use quick::has_order;
pub use refutation::{MonitorVerdict, Refutation};
pub use report::{CHECKER, Report, Statistics, Witness};
