//! A link's listener: it accepts, or does not, as the gate says.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::Socket;
use tokio::net::{TcpListener, TcpStream};

use crate::connection::{Passages, serve};
use crate::end::End;
use crate::gate::Gate;
use crate::link::Link;

/// Connections the kernel keeps for us while the gate is stalled.
const BACKLOG: i32 = 256;
/// Connections accepted at a stalled gate, so that the stall can be seen to take hold; further ones wait in the
/// backlog, where they cost no descriptors.
const HELD_CONNECTIONS_MAX: usize = 16;
/// After a failed accept (usually: out of descriptors).
const RETRY_MS: u64 = 20;
const RELISTEN_ATTEMPTS: u32 = 250;

/// A port that stays ours while nobody listens on it.
pub(crate) struct Port {
    /// Bound and never listening: connections are refused, and the kernel hands the port to no one else. (Who asks
    /// for this very port with SO_REUSEADDR still gets it.)
    _reserved: Socket,
    end: End,
    address: SocketAddr,
}

impl Port {
    pub fn reserve(end: &End) -> io::Result<Self> {
        let reserved = end.bind()?;
        let address = reserved.local_addr()?.as_socket();
        let address = address.ok_or_else(|| io::Error::other("a socket without an IP address"))?;
        Ok(Self { _reserved: reserved, end: end.at(address), address })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn listen(&self) -> io::Result<TcpListener> {
        let socket = self.end.bind()?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        TcpListener::from_std(socket.into())
    }
}

/// Accepts until the network closes.
pub(crate) async fn run(
    link: Arc<Link>,
    port: Port,
    mut listener: TcpListener,
    mut passages: Passages,
) {
    loop {
        let goes_on = match passages.requests.gate() {
            Gate::Open => accept(&link, &listener, &mut passages, usize::MAX).await,
            Gate::Stall => accept(&link, &listener, &mut passages, HELD_CONNECTIONS_MAX).await,
            Gate::Refuse => {
                drop(listener);
                // Nobody may ever have wanted to pass here.
                if link.counters.have_carried() {
                    link.counters.stalled.count();
                }
                if !passages.requests.changed().await {
                    return;
                }
                let Some(again) = relisten(&link, &port).await else { return };
                listener = again;
                true
            }
        };
        if !goes_on {
            return;
        }
    }
}

/// Accepts at most `limit` connections until the gate changes; `false` when the network closed.
async fn accept(
    link: &Arc<Link>,
    listener: &TcpListener,
    passages: &mut Passages,
    limit: usize,
) -> bool {
    let mut accepted = 0;
    loop {
        tokio::select! {
            biased;
            goes_on = passages.requests.changed() => return goes_on,
            client = listener.accept(), if accepted < limit => match client {
                Ok((client, _)) => {
                    accepted += 1;
                    start(link, client, passages);
                }
                Err(error) => {
                    tracing::warn!(from = link.from, to = link.to, %error, "cannot accept");
                    tokio::time::sleep(Duration::from_millis(RETRY_MS)).await;
                }
            },
        }
    }
}

fn start(link: &Arc<Link>, client: TcpStream, passages: &Passages) {
    let passages = passages.renewed();
    if !passages.requests.is_open() {
        link.counters.stalled.count();
    }
    let _ = client.set_nodelay(true); // Fails only where the client is gone already.
    link.tasks.spawn(serve(Arc::clone(link), client, passages));
}

/// The port was ours all along, so this fails only for want of descriptors, which pass.
async fn relisten(link: &Link, port: &Port) -> Option<TcpListener> {
    for _ in 0..RELISTEN_ATTEMPTS {
        match port.listen() {
            Ok(listener) => return Some(listener),
            Err(error) => {
                tracing::warn!(from = link.from, to = link.to, %error, "cannot listen again yet");
                tokio::time::sleep(Duration::from_millis(RETRY_MS)).await;
            }
        }
    }
    tracing::error!(
        from = link.from,
        to = link.to,
        "the link stays closed: its port cannot listen"
    );
    None
}
