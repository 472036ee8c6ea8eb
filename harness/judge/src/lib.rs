//! From a record to a verdict.
//!
//! [`run`] judges the record of a run of this bench, [`foreign`] a history that any other tool recorded. Both read
//! files and nothing else: this crate knows no process, network or terminal, and its tests see to that.

pub mod foreign;
pub mod run;
