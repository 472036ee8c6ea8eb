//! One run: phases, record, verdict.

mod by_hand;
mod compaction;
pub mod folder;
pub mod forecast;
pub mod interrupt;
mod jobs;
mod live;
pub mod machine;
mod main_phase;
pub mod open_files;
pub mod phases;
pub mod progress;
mod recovery;
mod restart;
mod scripts;
pub mod setting;
pub mod starvation;

pub(crate) use main_phase::AbortOnDrop;
