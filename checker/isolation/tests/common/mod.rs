//! Transactions and cases as tests write them down.

#![allow(dead_code, reason = "each test binary uses a part")]

pub mod by_hand;
pub mod table;
