//! Waiting for a node, and the ports it is given.
#![allow(clippy::unwrap_used)] // Tests say what they expect by unwrapping it.

mod common;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Duration;

use cluster::ready::{Readiness, wait_ready};
use cluster::{Exit, ports};
use common::{Bench, PATIENCE, start};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A server that gives one answer after the other, the last one for ever.
async fn serve(answers: &'static [&'static str]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for turn in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let count = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..count]).to_lowercase();
            assert!(request.starts_with("get /readyz http/1.1\r\n"), "{request}");
            assert!(request.contains("\r\nhost: 127.0.0.1:"), "{request}");
            let answer = answers[turn.min(answers.len() - 1)];
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    address
}

async fn wait_for(answers: &'static [&'static str], limit: Duration) -> Readiness {
    let bench = Bench::new();
    let node = start(&bench.script("exec sleep 1000")).await;
    let readiness = wait_ready(serve(answers).await, "/readyz", &node, limit).await;
    assert!(node.kill().await.unwrap());
    readiness
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const BUSY: &str = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn a_node_is_ready_when_it_says_so() {
    assert_eq!(wait_for(&[OK], PATIENCE).await, Readiness::Ready);
    assert_eq!(wait_for(&[BUSY, "", "HTTP/1.1 2", BUSY, OK], PATIENCE).await, Readiness::Ready);
    assert_eq!(
        wait_for(&["HTTP/1.0 503 \r\n\r\n", "HTTP/1.1 200\n\n"], PATIENCE).await,
        Readiness::Ready
    );
}

#[tokio::test]
async fn a_node_that_never_gets_ready_times_out_with_a_reason() {
    let limit = Duration::from_millis(200);
    let timed_out = |last: &str| Readiness::TimedOut { last: last.into() };
    assert_eq!(wait_for(&[BUSY], limit).await, timed_out("HTTP 503"));

    let bench = Bench::new();
    let node = start(&bench.script("exec sleep 1000")).await;
    let [port] = &ports::reserve(1).unwrap()[..] else { unreachable!() };
    let readiness = wait_ready(port.address(), "/healthz", &node, limit).await;
    let Readiness::TimedOut { last } = &readiness else { panic!("{readiness:?}") };
    assert!(last.contains("refused"), "{last}");
    assert!(node.kill().await.unwrap());
}

#[tokio::test]
async fn redirects_and_garbage_are_named() {
    const REDIRECT: &str = "HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:9/readyz\r\n\r\n";
    let location = "http://127.0.0.1:9/readyz".to_string();
    assert_eq!(
        wait_for(&[REDIRECT], PATIENCE).await,
        Readiness::Redirected { status: 307, location }
    );
    for (answer, first_bytes) in [
        ("\x1b[31mhello", "\\u{1b}[31mhello"),
        ("SSH-2.0-\x1b[2J", "SSH-2.0-\\u{1b}[2J"),
        ("HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 2000 OK\\n\\n"),
        ("HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 abc\\n\\n"),
    ] {
        let expected = Readiness::NotHttp { first_bytes: first_bytes.to_owned() };
        assert_eq!(wait_for(Box::leak(Box::new([answer])), PATIENCE).await, expected);
    }
}

#[tokio::test]
async fn an_exit_ends_the_wait() {
    let bench = Bench::new();
    let node = start(&bench.script("exit 9")).await;
    let [port] = &ports::reserve(1).unwrap()[..] else { unreachable!() };
    let readiness = wait_ready(port.address(), "/healthz", &node, PATIENCE).await;
    assert_eq!(readiness, Readiness::Exited(Exit::Code(9)));
    // Someone else's answer on its port does not make a dead node ready.
    let readiness = wait_ready(serve(&[OK]).await, "/readyz", &node, PATIENCE).await;
    assert_eq!(readiness, Readiness::Exited(Exit::Code(9)));
    assert!(node.kill().await.unwrap());
}

#[test]
fn reserved_ports_are_distinct_and_can_be_bound_again_and_again() {
    let reserved = ports::reserve(200).unwrap();
    let more = ports::reserve(200).unwrap();
    let distinct: HashSet<u16> =
        reserved.iter().chain(&more).map(ports::Reservation::port).collect();
    assert_eq!(distinct.len(), 400);
    for reservation in reserved.iter().take(5) {
        assert!(reservation.address().ip().is_loopback());
        assert!(std::net::TcpStream::connect(reservation.address()).is_err(), "nobody listens");
        for _ in 0..2 {
            let listener = std::net::TcpListener::bind(reservation.address()).unwrap();
            let client = std::net::TcpStream::connect(reservation.address()).unwrap();
            // Closing the accepting side first leaves it in TIME_WAIT, which must not keep the next life out.
            drop(listener.accept().unwrap());
            drop(client);
        }
    }
    // Once given back, a port can be had by anyone.
    let address = reserved[7].address();
    drop(reserved);
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&address.into()).unwrap();
}

#[test]
fn a_reserved_port_is_not_given_to_others() {
    let reserved = ports::reserve(1).unwrap();
    // One who does not share cannot have it, even by number.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let error = socket.bind(&reserved[0].address().into()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}
