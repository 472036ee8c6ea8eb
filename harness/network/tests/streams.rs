//! What is not a small, well-formed request: raw bytes, big bodies, hostile peers, dead upstreams.
#![allow(clippy::unwrap_used)] // Helpers of tests say what they expect by unwrapping it, too.

mod common;

use common::*;
use network::{LinkSpec, MessageFaults, Network};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A listener and a network whose only link leads to it.
async fn link() -> (TcpListener, Network) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let network = link_to(listener.local_addr().unwrap()).await;
    (listener, network)
}

async fn link_to(upstream: SocketAddr) -> Network {
    let links = vec![LinkSpec::here("n1", "n2", upstream)];
    Network::open(links, 1, None).await.unwrap()
}

async fn pair(listener: &TcpListener, network: &Network) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(network.address("n1", "n2").unwrap()).await.unwrap();
    let (upstream, _) = listener.accept().await.unwrap();
    (client, upstream)
}

async fn passes(from: &mut TcpStream, to: &mut TcpStream, bytes: &[u8]) {
    from.write_all(bytes).await.unwrap();
    let mut read = vec![0; bytes.len()];
    tokio::time::timeout(LIMIT, to.read_exact(&mut read)).await.expect("hangs").unwrap();
    assert_eq!(read, bytes);
}

const ALL_LOST: MessageFaults = MessageFaults {
    drop_request: 1.0,
    drop_response: 1.0,
    duplicate: 1.0,
    duplicate_late_ms_max: 20,
    reorder: 1.0,
    delay: None,
};

#[tokio::test]
async fn what_is_not_http_passes_verbatim_whatever_the_faults() {
    let (listener, network) = link().await;
    network.set_faults("n1", "n2", ALL_LOST);
    for (at, garbage) in
        [&b"\x16\x03\x01\x00\xff\r\n\r\n"[..], b"PRI * HTTP/2.0\r\n\r\n", b"\0\0\0\x05hello"]
            .into_iter()
            .enumerate()
    {
        let (mut client, mut upstream) = pair(&listener, &network).await;
        passes(&mut client, &mut upstream, garbage).await;
        passes(&mut upstream, &mut client, garbage).await;
        passes(&mut client, &mut upstream, post("/looks-like", "http").as_bytes()).await;
        assert_eq!(network.counters()[0].2.raw, at as u64 + 1);
    }
    network.close().await;
}

#[tokio::test]
async fn bytes_that_are_no_messages_are_late_where_messages_would_be_late_or_lost() {
    let late = MessageFaults {
        delay: Some(network::Delay { probability: 1.0, min_ms: 150, max_ms: 150 }),
        ..MessageFaults::default()
    };
    let lost = MessageFaults { drop_request: 1.0, ..MessageFaults::default() };
    for faults in [late, lost] {
        let (listener, network) = link().await;
        let (mut client, mut upstream) = pair(&listener, &network).await;
        passes(&mut client, &mut upstream, b"\0\0\0\x05hello").await;
        assert_eq!(network.counters()[0].2.delayed, 0);
        network.set_faults("n1", "n2", faults);
        let started = std::time::Instant::now();
        passes(&mut client, &mut upstream, b"\0\0\0\x05again").await;
        passes(&mut upstream, &mut client, b"\0\0\0\x05again").await;
        assert!(started.elapsed() >= std::time::Duration::from_millis(300));
        assert_eq!(network.counters()[0].2.delayed, 2);
        network.clear_faults();
        passes(&mut client, &mut upstream, b"\0\0\0\x05hello").await;
        assert_eq!(network.counters()[0].2.delayed, 2);
        network.close().await;
    }
}

#[tokio::test]
async fn after_an_upgrade_bytes_pass_raw() {
    let (listener, network) = link().await;
    let (mut client, mut upstream) = pair(&listener, &network).await;
    passes(&mut client, &mut upstream, b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n").await;
    passes(&mut upstream, &mut client, b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x05").await;
    network.set_faults("n1", "n2", ALL_LOST);
    passes(&mut client, &mut upstream, b"\x81\x85mask").await;
    passes(&mut upstream, &mut client, b"\x88\0").await;
    assert_eq!(network.counters()[0].2.raw, 1);
    network.close().await;
}

#[tokio::test]
async fn malformed_but_framed_bytes_are_not_repaired() {
    let (listener, network) = link().await;
    let (mut client, mut upstream) = pair(&listener, &network).await;
    passes(
        &mut client,
        &mut upstream,
        b"post /%zz HTTP/1.1\nx-a:1\nX-A:  2 \nContent-length:2\n\n\xff\0",
    )
    .await;
    passes(
        &mut upstream,
        &mut client,
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    )
    .await;
    network.close().await;
}

#[tokio::test]
async fn either_side_may_end_first() {
    let (listener, network) = link().await;
    let (mut client, mut upstream) = pair(&listener, &network).await;
    client.shutdown().await.unwrap();
    assert_eq!(upstream.read(&mut [0]).await.unwrap(), 0);
    passes(&mut upstream, &mut client, b"HTTP/1.0 200 OK\r\n\r\nuntil close").await;
    drop(upstream);
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);

    let (mut client, mut upstream) = pair(&listener, &network).await;
    upstream.shutdown().await.unwrap();
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    passes(&mut client, &mut upstream, b"GET / HTTP/1.1\r\n\r\n").await;
    network.close().await;
}

#[tokio::test]
async fn an_unfinished_request_still_reaches_the_upstream_with_its_end() {
    let (listener, network) = link().await;
    network.set_faults("n1", "n2", ALL_LOST);
    let (mut client, mut upstream) = pair(&listener, &network).await;
    let unfinished = "POST /a HTTP/1.1\r\nContent-Length: 9\r\n\r\n12345";
    client.write_all(unfinished.as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    let mut read = String::new();
    tokio::time::timeout(LIMIT, upstream.read_to_string(&mut read)).await.expect("hangs").unwrap();
    assert_eq!(read, unfinished);
    network.close().await;
}

#[tokio::test]
async fn after_a_loss_the_client_does_not_even_hear_that_the_upstream_is_gone() {
    let lost = MessageFaults::default();
    let others = Bench::open().await;
    for (faults, reset) in [
        (MessageFaults { drop_request: 1.0, ..lost }, false),
        (MessageFaults { drop_request: 1.0, ..lost }, true),
        (MessageFaults { drop_response: 1.0, ..lost }, false),
        (MessageFaults { drop_response: 1.0, ..lost }, true),
    ] {
        let (listener, network) = link().await;
        network.set_faults("n1", "n2", faults);
        let (client, upstream) = pair(&listener, &network).await;
        let mut client = Client(client);
        client.send(post("/a", "1")).await;
        until("lost", || {
            let counters = network.counters()[0].2;
            counters.request_dropped + counters.response_dropped == 1
        })
        .await;
        if reset {
            socket2::SockRef::from(&upstream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
        }
        drop(upstream);
        assert!(others.hears_nothing(&mut client).await);
        network.close().await;
    }
}

#[tokio::test]
async fn a_reset_travels_through() {
    let (listener, network) = link().await;
    for client_resets in [true, false] {
        let (client, upstream) = pair(&listener, &network).await;
        let (dying, living) = if client_resets { (client, upstream) } else { (upstream, client) };
        socket2::SockRef::from(&dying).set_linger(Some(std::time::Duration::ZERO)).unwrap();
        drop(dying);
        assert!(Client(living).is_reset().await);
    }
    network.close().await;
}

#[tokio::test]
async fn a_dead_upstream_is_a_prompt_reset() {
    let dead = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let network = link_to(dead).await;
    let mut client = Client::dial(&network, "n1", "n2").await;
    assert!(client.is_reset().await);
    network.close().await;
}

#[tokio::test]
async fn an_upstream_that_dies_before_it_answers_is_seen() {
    let (listener, network) = link().await;
    let (mut client, mut upstream) = pair(&listener, &network).await;
    passes(&mut client, &mut upstream, post("/a", "1").as_bytes()).await;
    drop(upstream);
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    network.close().await;
}

#[tokio::test]
async fn hostile_peers_disturb_nobody_else() {
    // A panic in a task of the proxy would go unseen; this test shares its process only with tests that do not panic.
    static PANICKED: AtomicBool = AtomicBool::new(false);
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICKED.store(true, Ordering::Relaxed);
        print(info);
    }));
    let bench = Bench::open().await;
    bench.faults(MessageFaults::mit());
    let head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let hostile = [
        "A".repeat(200_000),
        "\r\n".repeat(100_000),
        format!("GET / HTTP/1.1\r\n{}", "a: b\r\n".repeat(20_000)),
        format!("{head}fffffffffffffffe\r\n{}", "x".repeat(100_000)),
        format!("{head}1{}", "0".repeat(100_000)),
        format!("{head}0\r\n{}", "a: b\r\n".repeat(20_000)),
        "GET / HTTP/1.1\r\n\r\n".repeat(20_000),
        "GET / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n".repeat(1000),
        "\0".repeat(100_000),
    ];
    for bytes in &hostile {
        let mut client = Client::dial(&bench.network, "n1", "n2").await;
        // Who is not listened to may be cut off, or left waiting.
        let _ = tokio::time::timeout(MOMENT, client.0.write_all(bytes.as_bytes())).await;
    }
    bench.connection_of("clients", "n2").await;
    bench.network.clear_faults();
    bench.connection().await;
    bench.close().await;
    assert!(!PANICKED.load(Ordering::Relaxed));
}

#[tokio::test]
async fn close_resets_every_connection_and_frees_every_port() {
    let bench = Bench::open().await;
    let address = bench.network.address("n1", "n2").unwrap();
    let mut idle = bench.connection().await;
    let mut lost = bench.connection_of("clients", "n2").await;
    bench.network.set_faults("clients", "n2", MessageFaults { drop_request: 1.0, ..ALL_LOST });
    lost.send(post("/a", "1")).await;
    let mut held = bench.connection_of("n2", "n1").await;
    bench.network.close_gate("n2", "n1", network::Gate::Stall);
    held.send(post("/a", "1")).await;
    bench.network.close().await;
    for client in [&mut idle, &mut lost, &mut held] {
        assert!(client.is_reset().await);
    }
    // Without SO_REUSEADDR: not even a remnant of a connection may be left.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&address.into()).unwrap();
}

#[tokio::test]
async fn a_dropped_network_ends_its_connections_too() {
    let bench = Bench::open().await;
    let mut client = bench.connection().await;
    drop(bench.network);
    assert!(client.is_reset().await);
}

#[tokio::test]
async fn a_link_is_given_once() {
    let spec = LinkSpec::here("n1", "n2", SocketAddr::from(([127, 0, 0, 1], 1)));
    let error = Network::open(vec![spec.clone(), spec], 1, None).await.err().unwrap();
    assert_eq!(error.to_string(), "the link n1>n2 is given twice");
}
