//! Protocols as pure state machines, and what drives them.
//!
//! A [`Protocol`] gets messages, timers and client requests and gives back [`Effects`]; it owns no clock,
//! socket, file or random source. The runtime drives it for real, the simulator in virtual time.
//!
//! # How to write a protocol
//!
//! **Write its handlers.** They change the node's state and say what is to be done: [persist](Effects::persist) a record,
//! [send](Effects::send) a message, [reply](Effects::reply), [set a timer](Effects::set_timer). What a handler persists is
//! durable before its messages and replies leave. After a crash a node is made anew from its records.
//!
//! ```
//! use std::process::ExitCode;
//!
//! use contract::{NodeId, Request};
//! use kv::{ExactlyOnce, Store};
//! use node::{Application, Effects, Protocol, Token, sim::Scenario};
//!
//! /// One server, whose log holds every request.
//! struct Server(ExactlyOnce<Store>);
//!
//! impl Protocol for Server {
//!     type Message = ();
//!     type Record = Request;
//!     type Timer = ();
//!
//!     fn on_request(&mut self, token: Token, request: Request, effects: &mut Effects<Self>) {
//!         effects.persist(request.clone());
//!         effects.reply(token, self.0.apply(&request));
//!     }
//!
//!     fn on_start(&mut self, _effects: &mut Effects<Self>) {}
//!     fn on_message(&mut self, _from: &NodeId, _message: (), _effects: &mut Effects<Self>) {}
//!     fn on_timer(&mut self, _timer: (), _effects: &mut Effects<Self>) {}
//!
//!     fn is_ready(&self) -> bool {
//!         true
//!     }
//!
//!     fn status(&self) -> serde_json::Value {
//!         serde_json::json!({ "role": "server" })
//!     }
//!
//!     fn message_kind(_message: &()) -> &'static str {
//!         "none"
//!     }
//! }
//!
//! fn server(log: Vec<Request>) -> Server {
//!     let mut store = ExactlyOnce::new(Store::default());
//!     for request in &log {
//!         store.apply(request);
//!     }
//!     Server(store)
//! }
//!
//! /// One node as a process.
//! fn main() -> ExitCode {
//! #   simulate();
//! #   return ExitCode::SUCCESS;
//!     node::main_with(|_launch, log| server(log))
//! }
//!
//! /// The same node in simulation: clients, crashes, a network that loses and doubles what they say.
//! fn simulate() {
//!     for seed in 0..20 {
//!         let report = Scenario::new(seed, 1).run(|_name, log| server(log), |_view| Ok(()));
//!         assert!(report.ok_after_heal > 0, "seed {seed}: nothing works after the faults");
//!     }
//! }
//! ```
//!
//! **Simulate it.** Everything follows from a seed: [`sim::Scenario`] has clients ask, lets links, disks and nodes fail, and
//! hands each step to an invariant. The crate `simulation-checks` (`impls/testing`) does the rest for thousands of seeds. It
//! needs to know what is the protocol's own: how to make a node, the scenarios, the invariants. Then it checks that the
//! clients' history is linearizable, that everything works again after the faults, that no acknowledged write is lost; and
//! for a seed that fails it prints the command that shows what happened, message by message.
//!
//! **Hand it to the bench.** [`main_with`] makes a process of it, which speaks the bench's contract. A `submission.toml` beside
//! it says how it is built and started; then `harness run FOLDER` breaks real processes, disks and connections.
//!
//! `examples/primary_backup` goes this way with a store of about a hundred lines that looks right. Simulation refutes it in a
//! second; with one constant changed, it passes.

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
pub use protocol::{Effect, Effects, Protocol, Replicates, Token};
pub use runtime::{launch_from, main_from, main_with, serve};
