//! What the comparisons with the oracles share with the command that runs millions of them.

#![allow(dead_code, reason = "each test binary uses a part")]

pub mod by_hand;
pub mod compare;
pub mod stores;
pub mod table;
