//! The nemesis: what is broken, when, and how it is healed.
//!
//! ```text
//! fault       what a fault is: the trait that each implements
//! faults/     the families, one file each
//! family      the table of the families, and how they are named on the command line
//! planned     one fault that is going to be carried out
//! execute     carries it out: starts it, says whether it took hold, heals it
//! steps       faults that start and heal one by one
//! script      … what a scenario acts with
//! scenario    what a scenario is
//! scenarios/  the scenarios, one file each, and their table
//! plan        which acts follow one another: everything is decided from a seed
//! play        … carried out
//! recorded_plan  what broke in a run, as a file
//! replay      … carried out again
//! workers     the plan for workers of MapReduce
//! late_worker  … one that is late, and then dies
//! ```
//!
//! A new family is a file in `faults/` and a row in the table of `family`; a new scenario a file in `scenarios/` and a row
//! in its table.

pub mod execute;
pub mod family;
pub mod fault;
pub mod faults;
mod late_worker;
pub mod plan;
pub mod planned;
pub mod play;
pub mod recorded_plan;
pub mod replay;
pub mod scenario;
pub mod scenarios;
pub mod script;
pub mod steps;
pub mod workers;

pub use family::{Families, Family};
