//! Waiting until a node answers.
//!
//! A small HTTP/1.1 client of its own: it must not follow redirects or retry by itself, and it must see the raw bytes
//! of a node that speaks something else.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::exit::Exit;
use crate::logs::printable;
use crate::node::NodeProcess;

/// How much of an answer is read.
const ANSWER_BYTES: usize = 16 << 10;
/// How much of it is shown.
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
    let mut last = String::from("never asked");
    let ask = async {
        loop {
            match timeout(REQUEST_LIMIT, get(address, path)).await {
                Ok(Ok(Heard::Status { status: 200, .. })) => return Readiness::Ready,
                Ok(Ok(Heard::Status { status: status @ 300..=399, location })) => {
                    return Readiness::Redirected { status, location };
                }
                Ok(Ok(Heard::Status { status, .. })) => last = format!("HTTP {status}"),
                Ok(Ok(Heard::Garbage { first_bytes })) => {
                    return Readiness::NotHttp { first_bytes };
                }
                Ok(Ok(Heard::Nothing)) => last = "connection closed without an answer".into(),
                Ok(Err(error)) => last = error.to_string(),
                Err(_) => last = format!("no answer in {REQUEST_LIMIT:?}"),
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

/// What an answer began with.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Status { status: u16, location: String },
    Garbage { first_bytes: String },
    Nothing,
}

/// One request on a connection of its own.
async fn get(address: SocketAddr, path: &str) -> io::Result<Heard> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let mut chunk = [0; 1024];
    while answer.len() < ANSWER_BYTES {
        let count = match stream.read(&mut chunk).await {
            Ok(0) => break,
            Ok(count) => count,
            // What was read before a reset still tells what is there.
            Err(_) if !answer.is_empty() => break,
            Err(error) => return Err(error),
        };
        answer.extend_from_slice(&chunk[..count]);
        if is_garbage(&answer) || head(&answer).is_some() {
            break;
        }
    }
    Ok(hear(&answer))
}

/// Whether this cannot become an HTTP/1 answer any more.
fn is_garbage(answer: &[u8]) -> bool {
    let expected = b"HTTP/1.";
    let length = answer.len().min(expected.len());
    answer[..length] != expected[..length]
}

/// The head of an answer, if it is complete.
fn head(answer: &[u8]) -> Option<&[u8]> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    end.or_else(|| answer.windows(2).position(|window| window == b"\n\n")).map(|end| &answer[..end])
}

fn hear(answer: &[u8]) -> Heard {
    // An answer that was cut off before it said anything is none.
    if !is_garbage(answer) && !answer.contains(&b'\n') {
        return Heard::Nothing;
    }
    let text = String::from_utf8_lossy(head(answer).unwrap_or(answer));
    let mut lines = text.lines();
    let status = lines.next().filter(|_| !is_garbage(answer)).and_then(parse_status);
    let Some(status) = status else { return Heard::Garbage { first_bytes: shown(answer) } };
    let location = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("location"))
        .map_or(String::new(), |(_, value)| shown(value.trim().as_bytes()));
    Heard::Status { status, location }
}

/// The status of `HTTP/1.1 200 OK` (RFC 9112, section 4).
fn parse_status(line: &str) -> Option<u16> {
    let (version, rest) = line.split_once(' ')?;
    let status = rest.split(' ').next()?;
    let plausible = version.len() == "HTTP/1.1".len() && status.len() == 3;
    status.parse().ok().filter(|status| plausible && (100..600).contains(status))
}

fn shown(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(SHOWN_BYTES)];
    printable(cut).replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::{Heard, hear};

    #[test]
    fn answers_are_told_from_garbage() {
        let status = |status| Heard::Status { status, location: String::new() };
        let garbage = |text: &str| Heard::Garbage { first_bytes: text.into() };
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\n\r\n", status(200)),
            ("HTTP/1.0 503 \r\nLocation-Of: x\r\n\r\n", status(503)),
            ("HTTP/1.1 200\n\n", status(200)),
            ("", Heard::Nothing),
            ("HTTP/1.1 2000 OK\r\n\r\n", garbage("HTTP/1.1 2000 OK\\n\\n")),
            ("HTTP/1.1 abc\r\n\r\n", garbage("HTTP/1.1 abc\\n\\n")),
            ("HTTP/1.1 20", Heard::Nothing),
            ("SSH-2.0-\x1b[2J", garbage("SSH-2.0-\\u{1b}[2J")),
        ] {
            assert_eq!(hear(answer.as_bytes()), expected, "{answer:?}");
        }
        let redirect = hear(b"HTTP/1.1 307 Go\r\nLOCATION: http://127.0.0.1:1/\r\n\r\n");
        let location = "http://127.0.0.1:1/".into();
        assert_eq!(redirect, Heard::Status { status: 307, location });
    }
}
