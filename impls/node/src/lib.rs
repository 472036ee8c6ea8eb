//! Protocols as pure state machines, and what drives them.
//!
//! A [`Protocol`] gets messages, timers and client requests and gives back [`Effects`]; it owns no clock,
//! socket, file or random source. The runtime drives it for real, the simulator in virtual time.

pub mod application;
pub mod clock;
pub mod hex;
pub mod log_size;
pub mod protocol;
pub mod runtime;
pub mod sim;
pub mod wal;

pub use application::Application;
pub use log_size::{LogRecord, LogSize};
pub use protocol::{Effect, Effects, Protocol, Token};
pub use runtime::{main_from, main_with, serve};
