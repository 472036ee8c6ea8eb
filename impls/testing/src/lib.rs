//! What tests of simulated clusters share, whatever protocol the nodes run. For dev-dependencies only.
//!
//! A protocol's own test builds its nodes around a [`Recorder`], calls the [`invariants`] after each step, and in the
//! end asks whether the clients' history is [`linearizable()`], made [`progress()`] and left the cluster [`settled()`].
//! [`for_each_seed`] does that many times, and [`Coverage`] says whether the runs met what the test is about.

pub mod coverage;
pub mod invariants;
pub mod linearizable;
pub mod progress;
pub mod recorder;
pub mod seeds;
pub mod settled;
pub mod turns;

pub use coverage::Coverage;
pub use linearizable::linearizable;
pub use progress::progress;
pub use recorder::Recorder;
pub use seeds::for_each_seed;
pub use settled::settled;
pub use turns::turns;
