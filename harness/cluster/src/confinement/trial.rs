//! Whether this machine lets a node be confined: it is tried.

use std::path::Path;
use std::sync::Arc;

use super::{Confinement, Files, OwnNetwork};
use crate::limits::Limits;
use crate::{NodeProcess, NodeSpec};

/// The argument with which an executable only ends.
const ARGUMENT: &str = "__trial";

/// Ends the process if it was started for a trial.
pub(crate) fn end_if_requested() {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT) {
        std::process::exit(0);
    }
}

/// Starts a confined node that ends at once. `shim` as in [`NodeSpec::shim`]. Takes some milliseconds.
///
/// # Errors
/// What this machine does not allow, as a sentence for people.
pub async fn try_confinement(shim: &Path) -> Result<(), String> {
    let network = OwnNetwork::open(shim).map_err(|error| error.to_string())?;
    let place = std::env::current_dir().map_err(|error| error.to_string())?;
    let hidden = ["/tmp", "/dev/shm"].map(Into::into).into();
    let files = Files { writable: vec![place.clone()], hidden, visible: vec![place] };
    let spec = NodeSpec {
        id: "trial".into(),
        argv: vec![shim.into(), ARGUMENT.into()],
        folder: "/".into(),
        environment: Vec::new(),
        stdout: "/dev/null".into(),
        stderr: "/dev/null".into(),
        stamps_since: None,
        limits: Limits::default(),
        confinement: Some(Confinement { network: Arc::new(network), files }),
        shim: shim.into(),
    };
    let node = NodeProcess::start(&spec).await.map_err(|error| error.to_string())?;
    let exit = node.exited().await;
    match node.kill().await {
        Ok(true) if exit.success() => Ok(()),
        _ => Err(format!("a process that does nothing could not run confined ({exit})")),
    }
}
