//! The scenarios, one file each.

pub mod all_at_once;
pub mod crash_again;
pub mod deposed;
pub mod followers_restart;
pub mod held_messages;
pub mod laggard;
pub mod leaders_in_turn;
pub mod lone_entry;
pub mod one_way;
pub mod shifting_groups;
pub mod short_cuts;
pub mod short_pauses;
pub mod voters_restart;

/// So long a store may take to find another leader, in milliseconds; else the scenario is given up.
const NEW_LEADER_MS: u64 = 2500;
