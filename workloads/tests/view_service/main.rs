//! The check of view services: each rule on a record made by hand, and right and wrong services in simulation.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

mod by_hand;
mod rules;
mod service;
mod simulated;
mod world;
