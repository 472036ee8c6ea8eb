//! The page's sections, one file each.

pub mod behaviour;
pub mod browser;
pub mod charts;
pub mod checks;
pub mod counts;
pub mod evidence;
pub mod faults;
pub mod logs;
pub mod messages;
pub mod verdict;
pub mod violations;
