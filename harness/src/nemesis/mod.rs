//! The nemesis: what is broken, when, and how it is healed.
//!
//! ```text
//! fault     what a fault is: the trait that each implements
//! faults/   the families, one file each
//! family    the table of the families, and how they are named on the command line
//! schedule  when each family breaks something
//! plan      which fault when: everything is decided from a seed
//! execute   carries a plan out
//! ```
//!
//! A new family is a file in `faults/` and a row in the table of `family`.

pub mod execute;
pub mod family;
pub mod fault;
pub mod faults;
pub mod plan;
pub mod schedule;

pub use family::{Families, Family};
