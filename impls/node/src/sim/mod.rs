//! The simulator: the same protocol code in virtual time, on a network and disks that misbehave by seed.
//!
//! ```text
//! Scenario ── clients, fault plan, settle ──▶ Simulator ── one event at a time ──▶ Protocol
//!    ▲ Report: history, violation, trace          │ Network: loss, duplication, delay, cut links
//! ```
//! [`Simulator`] is the cluster: nodes, disks, links and a queue of events. It knows neither clients nor plans; they
//! use its [`Simulator::submit`], [`Simulator::alarm`] and fault calls. [`Scenario`] puts them together.
//! Everything follows from the seed: the same seed gives the same run, event for event.

pub mod clients;
pub mod dice;
pub mod faults;
pub mod history;
pub mod network;
pub mod scenario;
pub mod simulator;

pub use clients::{ClientOptions, Generator, single_key_operation};
pub use dice::Dice;
pub use faults::{Fault, FaultFamily, FaultOptions, FaultPlan};
pub use history::{Completion, Event, EventKind, History, Operation};
pub use network::NetworkOptions;
pub use scenario::{Report, Scenario};
pub use simulator::{Happening, Simulator, Ticket, TraceLine, View, operation_text, outcome_text};
