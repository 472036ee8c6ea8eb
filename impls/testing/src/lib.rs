//! What tests of simulated clusters share, whatever protocol the nodes run. For dev-dependencies only, and a crate of its
//! own: `node`, whose simulator it drives, is also what real nodes are made of, and must not bring the checkers along.
//!
//! A protocol's test says what is its own: it implements [`System`], with nodes around a [`Recorder`], and puts the
//! [`invariants`] that apply together. Then
//!
//! - [`run_seeds`] runs thousands of seeds, each of which must be [healthy](Run::healthy), and says how to see one that is not;
//! - [`refuted`] is the opposite, for protocols that are wrong;
//! - [`same_seed_same_run`] runs one twice;
//! - [`Run`] is a single run, for scenarios of one's own. [`Run::calm`] expects that everything succeeds without faults.
//!
//! `impls/node/examples/primary_backup` is a small example.

pub mod acknowledged;
pub mod carried;
pub mod coverage;
pub mod failure;
pub mod invariants;
pub mod linearizable;
pub mod progress;
pub mod recorded;
pub mod recorder;
mod replay;
pub mod run;
pub mod seeds;
pub mod system;
pub mod turns;

pub use coverage::Coverage;
pub use failure::Failure;
pub use linearizable::linearizable;
pub use progress::progress;
pub use recorded::recorded;
pub use recorder::Recorder;
pub use run::Run;
pub use seeds::{refuted, run_seeds, same_seed_same_run};
pub use system::System;
pub use turns::turns;
