//! What every adapter shares.
//!
//! An adapter is a process beside a node of a database, outside that node's processes. It speaks the contract to the
//! bench's clients and the database's own protocol to its node:
//!
//! ```text
//! clients ─contract─▶ adapter ─database's protocol, over a link of its own─▶ node of the database
//! ```
//!
//! It remembers nothing of what it was asked. So a database that is tested this way does not claim `exactly-once`, and no
//! write is sent again whose outcome is unknown. What matters is therefore to tell the failures apart: those after which the
//! operation cannot take effect any more, and those after which nobody knows ([`refusals`]).

pub mod database;
pub mod effect;
pub mod environment;
pub mod refusals;
mod server;
mod sessions;
pub mod sql;

use std::process::ExitCode;

pub use database::Database;
pub use effect::{Effect, State, effect};
pub use environment::Environment;

/// Runs an adapter until the process is ended: `make` says from the environment which database it is for.
pub fn main_with<D: Database>(make: impl FnOnce(&Environment) -> Result<D, String>) -> ExitCode {
    match run(make) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn run<D: Database>(make: impl FnOnce(&Environment) -> Result<D, String>) -> Result<(), String> {
    let environment = Environment::from_process()?;
    let database = make(&environment)?;
    let sessions = sessions::Sessions::new(database, environment.limit);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start a runtime: {error}"))?;
    runtime.block_on(server::serve(environment.listen, sessions))
}
