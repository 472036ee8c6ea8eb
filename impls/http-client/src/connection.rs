//! One connection, driven by hand: for the paths on which each request counts.
//!
//! The pooled client of [`crate::client`] costs too much there. With it between the nodes, a cluster of three carried out
//! 16 % fewer operations a second for 16 clients (414 against 492) and 26 % fewer for one, and needed 29 to 53 % more of
//! the processors for each (dev profile, both in turn, on two busy processors). Alone it carries 0.61 of the requests a
//! second (0.51 to 0.68 in nine rounds, both in turn: `cargo bench -p http-client`). Besides, a clerk has to know whether a
//! request may have left before something failed; the pool hides that.

use std::{error::Error, net::SocketAddr};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    Request, StatusCode,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::AbortHandle};

/// Why there is no usable answer.
pub type Failure = Box<dyn Error + Send + Sync>;

/// One keep-alive connection. It is closed when dropped, whatever is under way on it: late answers are ignored.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    task: AbortHandle,
}

impl Connection {
    /// Connects; nothing is sent yet.
    ///
    /// # Errors
    /// Why there is no connection.
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let task = tokio::spawn(async move {
            // A broken connection shows at the request that waits for its answer.
            let _ = connection.await;
        });
        Ok(Self { sender, task: task.abort_handle() })
    }

    /// Waits until the next request can be sent; `false`: the connection is closed.
    pub async fn is_ready(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Sends a request and reads its whole answer, of at most `bytes_max`. After an error, or where this future is
    /// dropped before it ends, the connection must not be used again.
    ///
    /// # Errors
    /// Why there is no answer; the request may have been sent.
    pub async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        bytes_max: usize,
    ) -> Result<(StatusCode, Bytes), Failure> {
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), bytes_max).collect().await?;
        Ok((status, body.to_bytes()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}
