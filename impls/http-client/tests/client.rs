//! What the client does and, above all, does not do.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http_client::{HttpError, client, read, send};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const LIMIT: Duration = Duration::from_secs(5);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server that answers every request alike and counts connections and requests.
#[derive(Clone, Default)]
struct Server {
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// With `close`, the connection ends after each answer.
    async fn start(&self, answer: &'static str, close: bool) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = self.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                server.connections.fetch_add(1, Ordering::Relaxed);
                let requests = Arc::clone(&server.requests);
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    while stream.read(&mut request).await.is_ok_and(|count| count > 0) {
                        requests.fetch_add(1, Ordering::Relaxed);
                        stream.write_all(answer.as_bytes()).await.unwrap();
                        if close {
                            break;
                        }
                    }
                });
            }
        });
        address
    }

    fn counts(&self) -> (usize, usize) {
        (self.connections.load(Ordering::Relaxed), self.requests.load(Ordering::Relaxed))
    }
}

async fn ask(answer: &'static str, close: bool) -> (Result<u16, HttpError>, Server) {
    let server = Server::default();
    let address = server.start(answer, close).await;
    let response = send(client(LIMIT, 1).post(format!("http://{address}/"))).await;
    (response.map(|response| response.status().as_u16()), server)
}

#[tokio::test]
async fn a_request_is_sent_once_whatever_comes_back() {
    for (answer, expected) in [
        (OK, Ok(200)),
        ("HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n", Ok(503)),
        ("HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n", Ok(307)),
        ("", Err(HttpError::Closed)),
        ("HTTP/1.1 2", Err(HttpError::Closed)),
    ] {
        let (status, server) = ask(answer, true).await;
        assert_eq!(status, expected, "{answer:?}");
        assert_eq!(server.counts(), (1, 1), "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_called_so() {
    for answer in ["SSH-2.0-x", "\x1b[31mhello", "HTTP/1.1 2000 OK\r\n\r\n"] {
        let (status, _) = ask(answer, false).await;
        assert!(matches!(status, Err(HttpError::NotHttp(_))), "{answer:?}: {status:?}");
    }
}

#[tokio::test]
async fn connections_are_kept_where_that_is_wanted() {
    for (kept, connections) in [(1, 1), (0, 3)] {
        let server = Server::default();
        let address = server.start(OK, false).await;
        let client = client(LIMIT, kept);
        for _ in 0..3 {
            let response = send(client.get(format!("http://{address}/"))).await.unwrap();
            assert_eq!(read(response, 2).await.unwrap(), "ok");
            // The connection goes back a moment after the answer's last byte.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(server.counts(), (connections, 3), "{kept} kept");
    }
}

#[tokio::test]
async fn an_answer_is_bounded_in_time_and_length() {
    let server = Server::default();
    let address = server.start("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", false).await;
    let client = client(Duration::from_millis(100), 1);
    let response = send(client.get(format!("http://{address}/"))).await.unwrap();
    assert_eq!(read(response, 3).await, Err(HttpError::TimedOut));

    let address = server.start(OK, false).await;
    let response = send(client.get(format!("http://{address}/"))).await.unwrap();
    assert_eq!(read(response, 1).await, Err(HttpError::TooLong(1)));
}

#[tokio::test]
async fn a_refused_connection_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = send(client(LIMIT, 1).get(format!("http://{address}/"))).await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
}
