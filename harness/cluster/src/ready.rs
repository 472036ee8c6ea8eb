//! Waiting until a node answers.

use std::net::SocketAddr;
use std::time::Duration;

use http_client::{Client, HttpError, Response, header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::exit::Exit;
use crate::logs::printable;
use crate::node::NodeProcess;

/// How much of what a node sent is shown.
const SHOWN_BYTES: usize = 120;
/// How long one request may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(2);
/// How long between requests.
const PAUSE: Duration = Duration::from_millis(20);

/// What came of waiting for a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It answered 200.
    Ready,
    /// Its main process ended first.
    Exited(Exit),
    /// It did neither in time.
    TimedOut {
        /// What the last request met: `connection refused`, `HTTP 503`…
        last: String,
    },
    /// It sent the harness elsewhere, which the contract forbids.
    Redirected {
        /// The HTTP status.
        status: u16,
        /// The `Location` it gave, escaped and bounded.
        location: String,
    },
    /// What answers does not speak HTTP/1.1.
    NotHttp {
        /// The first bytes it sent, escaped and bounded.
        first_bytes: String,
    },
}

impl Readiness {
    /// Whether the submission has to answer for this; otherwise all is well, or it is the bench or the machine.
    ///
    /// [`Readiness::TimedOut`] counts as the submission's: allow so much time that an overloaded machine is no excuse.
    pub fn is_submissions_fault(&self) -> bool {
        match self {
            Readiness::Ready => false,
            Readiness::Exited(exit) => exit.is_submissions_fault(),
            Readiness::TimedOut { .. }
            | Readiness::Redirected { .. }
            | Readiness::NotHttp { .. } => true,
        }
    }
}

/// Asks `GET path` until the answer is 200, the node's main process ends, or the time is over. Other statuses than
/// redirects are asked again.
pub async fn wait_ready(
    address: SocketAddr,
    path: &str,
    node: &NodeProcess,
    limit: Duration,
) -> Readiness {
    let client = http_client::client(REQUEST_LIMIT, 0);
    let url = format!("http://{address}{path}");
    let mut last = String::from("never asked");
    let ask = async {
        loop {
            match get(&client, &url).await {
                Ok(answer) => match answer.status().as_u16() {
                    200 => return Readiness::Ready,
                    status @ 300..=399 => {
                        return Readiness::Redirected { status, location: location(&answer) };
                    }
                    status => last = format!("HTTP {status}"),
                },
                Err(HttpError::NotHttp(_)) => {
                    return Readiness::NotHttp { first_bytes: first_bytes(address, path).await };
                }
                Err(HttpError::TimedOut) => last = format!("no answer in {REQUEST_LIMIT:?}"),
                Err(error) => last = error.to_string(),
            }
            sleep(PAUSE).await;
        }
    };
    let outcome = tokio::select! {
        // First, so that the answer of whoever else holds the port is never taken for a dead node's.
        biased;
        exit = node.exited() => Some(Readiness::Exited(exit)),
        outcome = timeout(limit, ask) => outcome.ok(),
    };
    outcome.unwrap_or(Readiness::TimedOut { last })
}

/// One request on a connection of its own.
async fn get(client: &Client, url: &str) -> Result<Response, HttpError> {
    http_client::send(client.get(url).header(header::CONNECTION, "close")).await
}

/// Where an answer sends the client.
fn location(answer: &Response) -> String {
    let location = answer.headers().get(header::LOCATION);
    location.map_or(String::new(), |location| shown(location.as_bytes()))
}

/// What a node that does not speak HTTP says, for people: the HTTP client gives no raw bytes, so it is asked again.
async fn first_bytes(address: SocketAddr, path: &str) -> String {
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut bytes = [0; SHOWN_BYTES];
        let count = stream.read(&mut bytes).await?;
        std::io::Result::Ok(shown(&bytes[..count]))
    };
    timeout(REQUEST_LIMIT, ask).await.ok().and_then(Result::ok).unwrap_or_default()
}

fn shown(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(SHOWN_BYTES)];
    printable(cut).replace('\n', "\\n")
}
