//! One connection through the proxy: two pumps, and how it ends.
//!
//! ```text
//! client ──▶ requests pump ──▶ upstream      gate from→to, message faults
//! client ◀── responses pump ◀── upstream     gate to→from, dropped answers
//! ```
//! The end of a stream travels like a byte; a reset on one side becomes a reset on the other.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::exchange::Exchange;
use crate::gate::Passage;
use crate::link::Link;
use crate::pump::End;
use crate::requests::RequestPump;
use crate::responses::ResponsePump;

/// The gates a connection passes.
#[derive(Clone)]
pub(crate) struct Passages {
    pub requests: Passage,
    pub responses: Passage,
}

impl Passages {
    pub fn renewed(&self) -> Self {
        Self { requests: self.requests.renewed(), responses: self.responses.renewed() }
    }

    /// Returns when one of the gates resets what exists.
    async fn cut(mut self) {
        tokio::select! {
            () = self.requests.cut() => {}
            () = self.responses.cut() => {}
        }
    }
}

/// Carries `client`'s bytes until both sides have ended or a gate cuts them.
pub(crate) async fn serve(link: Arc<Link>, mut client: TcpStream, passages: Passages) {
    let cut = passages.clone().cut();
    tokio::pin!(cut);
    let held = !passages.requests.is_open();
    let reached = tokio::select! {
        () = &mut cut => None,
        upstream = reach(&link, passages.requests.clone()) => upstream,
    };
    // A process that is down answers a connection attempt with a reset, and so does the proxy.
    let Some(mut upstream) = reached else { return reset(&client) };
    let end = tokio::select! {
        biased;
        end = carry(&link, &mut client, &mut upstream, &passages, held) => end,
        () = &mut cut => {
            link.counters.stalled.count();
            End::Reset
        }
    };
    if let End::Reset = end {
        reset(&client);
        reset(&upstream);
    }
}

async fn reach(link: &Link, mut gate: Passage) -> Option<TcpStream> {
    gate.pass().await.ok()?;
    match link.upstream.connect().await {
        Ok(upstream) => return Some(upstream),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
        // Not the doing of a dead process: the machine lacks something, which distorts the test.
        Err(error) => tracing::warn!(from = link.from, to = link.to, %error, "cannot connect"),
    }
    None
}

async fn carry(
    link: &Arc<Link>,
    client: &mut TcpStream,
    upstream: &mut TcpStream,
    passages: &Passages,
    held: bool,
) -> End {
    let exchange = Exchange::default();
    let (client_read, client_write) = client.split();
    let (upstream_read, upstream_write) = upstream.split();
    let requests =
        RequestPump::new(link, &exchange, &passages.requests, client_read, upstream_write, held);
    let responses =
        ResponsePump::new(link, &exchange, &passages.responses, upstream_read, client_write);
    match tokio::try_join!(requests.run(), responses.run()) {
        Ok(_) => End::Close,
        Err(end) => end,
    }
}

/// Makes the coming close a reset.
fn reset(stream: &TcpStream) {
    let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
}
