//! The runtime: a protocol on real sockets, a real clock and a real disk.
//!
//! ```text
//! clients, peers ─HTTP─▶ server ─bounded queue─▶ driver (its own thread) ─▶ Protocol
//!                          ▲ answers               │ write + fsync, then:
//!                          └───────────────────────┴─▶ peers ─HTTP─▶ other nodes
//! ```

mod driver;
pub mod launch;
mod log;
mod peers;
mod server;

use std::{future::Future, io, net::SocketAddr, sync::mpsc, thread, time::Duration};

use contract::Launch;
use tokio::{net::TcpListener, sync::oneshot};

pub use launch::{launch_from, main_from, main_with};

use crate::{
    Protocol,
    clock::DurableClocks,
    wal::{Wal, WalError},
};
use driver::{Driver, Input};
use peers::Peers;

/// How many inputs may wait for the protocol; more are refused, which clients and peers survive.
const INPUTS_MAX: usize = 4096;
/// How long a stopping node waits for a write that is under way.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// Why a node cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The address is taken or not ours.
    #[error("cannot bind DS_LISTEN={address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The disk failed, or what is on it is damaged. Nothing was acknowledged after that.
    #[error(transparent)]
    Wal(#[from] WalError),
    /// The system refused something else.
    #[error("cannot {doing}: {source}")]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The protocol's thread ended: a bug, whose trace is on stderr.
    #[error("the protocol panicked; the message above says where")]
    Panicked,
}

impl RuntimeError {
    fn clock(source: io::Error) -> Self {
        Self::Io { doing: "keep the clocks in DS_DATA", source }
    }
}

/// Runs a node until `shutdown` completes or something fails. `make` builds the protocol from what earlier lives
/// persisted.
///
/// # Errors
/// The address cannot be bound, the log cannot be opened, or a write failed.
pub async fn serve<P: Protocol>(
    launch: Launch,
    make: impl FnOnce(&Launch, Vec<P::Record>) -> P,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RuntimeError> {
    let address = launch.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| RuntimeError::Bind { address, source })?;
    serve_on(listener, launch, make, shutdown).await
}

/// Like [`serve`], on a socket that is bound already.
///
/// # Errors
/// The log cannot be opened, or a write failed.
pub async fn serve_on<P: Protocol>(
    listener: TcpListener,
    launch: Launch,
    make: impl FnOnce(&Launch, Vec<P::Record>) -> P,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RuntimeError> {
    let (wal, recovered) = Wal::open(&launch.data)?;
    let (records, cut_bytes) = (recovered.records.len(), recovered.cut_bytes);
    tracing::info!(node = launch.node, records, cut_bytes, "recovered");
    if records > 0 && !launch.restart {
        tracing::warn!("DS_RESTART is not 1, but DS_DATA holds an earlier life: it is taken up");
    }
    let clocks = DurableClocks::open(&launch.data, &launch.node).map_err(RuntimeError::clock)?;
    let protocol = make(&launch, recovered.records);
    // The workers end when this set is dropped.
    let (peers, _workers) = Peers::start(&launch);
    let driver = Driver::new(&launch, protocol, wal, clocks, peers);
    let (inputs, receiver) = mpsc::sync_channel(INPUTS_MAX);
    let (ended, mut end) = oneshot::channel();
    let thread = thread::Builder::new().name("protocol".to_owned());
    let run = move || {
        // Nobody listens any more where the node stops first.
        let _ = ended.send(driver.run(&receiver));
    };
    thread.spawn(run).map_err(|source| RuntimeError::Io { doing: "start a thread", source })?;
    let server = server::serve(listener, inputs.clone(), &launch);
    tokio::select! {
        () = shutdown => {}
        result = server => {
            result.map_err(|source| RuntimeError::Io { doing: "accept connections", source })?;
        }
        result = &mut end => return result.unwrap_or(Err(RuntimeError::Panicked)),
    }
    stop(inputs, end).await
}

/// Lets the driver finish the batch it is at, so that the folder is free when this returns.
async fn stop<P: Protocol>(
    inputs: mpsc::SyncSender<Input<P>>,
    end: oneshot::Receiver<Result<(), RuntimeError>>,
) -> Result<(), RuntimeError> {
    // A full queue is being emptied; the blocking send waits for that, off this thread.
    let stopping = tokio::task::spawn_blocking(move || inputs.send(Input::Stop));
    let stopped = async {
        let _ = stopping.await;
        end.await
    };
    match tokio::time::timeout(STOP_TIMEOUT, stopped).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(RuntimeError::Panicked),
        // The disk hangs. What was acknowledged is durable; what was not may be lost.
        Err(_) => Ok(()),
    }
}
