//! Gates: what each mode does to existing and new connections, in each direction.
#![allow(clippy::unwrap_used)] // Helpers of tests say what they expect by unwrapping it, too.

mod common;

use common::*;
use network::Gate;
use std::io::ErrorKind;
use tokio::net::TcpStream;

#[tokio::test]
async fn a_stall_holds_requests_and_then_delivers_them() {
    let bench = Bench::open().await;
    let mut client = bench.connection().await;
    bench.network.close_gate("n1", "n2", Gate::Stall);
    client.send(post("/a", "1")).await;
    client.send(post("/b", "2")).await;
    until("held", || bench.counters().stalled > 0).await;
    assert!(bench.hears_nothing(&mut client).await);
    assert_eq!(bench.n2.log.count("/a"), 0);
    bench.network.open_all_gates();
    assert_eq!(client.answer().await.as_deref(), Some("1"));
    assert_eq!(client.answer().await.as_deref(), Some("2"));
    bench.close().await;
}

#[tokio::test]
async fn a_stall_withholds_the_end_of_a_stream_and_what_was_said_before() {
    let bench = Bench::open().await;
    let mut client = bench.connection().await;
    bench.network.close_gate("n1", "n2", Gate::Stall);
    client.send(post("/slow", "1")).await;
    drop(client);
    until("held", || bench.counters().stalled > 0).await;
    bench.a_while().await;
    assert_eq!(bench.n2.log.lines(), ["connection", "/hello"]);
    bench.network.open_gate("n1", "n2");
    until("the end", || bench.n2.log.count("end") == 1).await;
    assert_eq!(bench.n2.log.lines(), ["connection", "/hello", "/slow", "finished", "end"]);
    bench.close().await;
}

#[tokio::test]
async fn a_stall_hides_new_connections_until_it_heals() {
    let bench = Bench::open().await;
    bench.network.close_gate("n1", "n2", Gate::Stall);
    // More than are accepted: the rest waits in the backlog.
    let mut clients = Vec::new();
    for _ in 0..40 {
        let mut client = Client::dial(&bench.network, "n1", "n2").await;
        client.send(post("/a", "1")).await;
        clients.push(client);
    }
    until("held", || bench.counters().stalled > 0).await;
    assert!(bench.hears_nothing(&mut clients[0]).await);
    assert!(bench.n2.log.lines().is_empty(), "no connection is to be seen");
    bench.network.open_gate("n1", "n2");
    for client in &mut clients {
        assert_eq!(client.answer().await.as_deref(), Some("1"));
    }
    bench.close().await;
}

#[tokio::test]
async fn a_one_way_cut_holds_requests_of_one_side_and_answers_to_the_other() {
    let bench = Bench::open().await;
    let mut forth = bench.connection_of("n1", "n2").await;
    let mut back = bench.connection_of("n2", "n1").await;
    let mut client = bench.connection_of("clients", "n2").await;
    bench.network.close_gate("n1", "n2", Gate::Stall);

    // n2's request passes; n1's answer, which travels from n1 to n2, does not.
    back.send(post("/back", "2")).await;
    until("executed", || bench.n1.log.count("/back") == 1).await;
    until("the answer held", || bench.counters_of("n2", "n1").stalled > 0).await;
    assert!(bench.hears_nothing(&mut back).await);
    // n1's request does not pass.
    forth.send(post("/forth", "1")).await;
    until("the request held", || bench.counters_of("n1", "n2").stalled > 0).await;
    assert_eq!(bench.n2.log.count("/forth"), 0);
    // Clients are not touched.
    client.send(post("/client", "3")).await;
    assert_eq!(client.answer().await.as_deref(), Some("3"));

    bench.network.open_gate("n1", "n2");
    assert_eq!(back.answer().await.as_deref(), Some("2"));
    assert_eq!(forth.answer().await.as_deref(), Some("1"));
    bench.close().await;
}

#[tokio::test]
async fn the_other_way_round_requests_pass_and_their_answers_wait() {
    let bench = Bench::open().await;
    let mut forth = bench.connection().await;
    bench.network.close_gate("n2", "n1", Gate::Stall);
    forth.send(post("/forth", "1")).await;
    until("executed", || bench.n2.log.count("/forth") == 1).await;
    assert!(bench.hears_nothing(&mut forth).await);
    // A new connection in the open direction is made; its answer waits.
    let mut new = Client::dial(&bench.network, "n1", "n2").await;
    new.send(post("/new", "2")).await;
    until("executed", || bench.n2.log.count("/new") == 1).await;
    assert!(bench.hears_nothing(&mut new).await);
    bench.network.open_all_gates();
    assert_eq!(forth.answer().await.as_deref(), Some("1"));
    assert_eq!(new.answer().await.as_deref(), Some("2"));
    bench.close().await;
}

/// A store whose nodes went around the links once seemed to be partitioned.
#[tokio::test]
async fn to_refuse_where_nothing_ever_passed_is_no_cut() {
    let bench = Bench::open().await;
    let address = bench.network.address("n1", "n2").unwrap();
    bench.network.close_gate("n1", "n2", Gate::Refuse);
    tokio::time::sleep(MOMENT).await;
    assert!(TcpStream::connect(address).await.is_err());
    assert_eq!(bench.counters().stalled, 0);
    bench.close().await;
}

#[tokio::test]
async fn refusing_resets_what_exists_and_refuses_what_is_new_and_keeps_the_port() {
    let bench = Bench::open().await;
    let address = bench.network.address("n1", "n2").unwrap();
    let mut client = bench.connection().await;
    bench.network.close_gate("n1", "n2", Gate::Refuse);
    assert!(client.is_reset().await);
    until("the listener closed", || bench.counters().stalled >= 2).await;
    for _ in 0..3 {
        let error = TcpStream::connect(address).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
    let other = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    assert_eq!(other.bind(&address.into()).unwrap_err().kind(), ErrorKind::AddrInUse);
    // Another direction is not touched.
    bench.connection_of("clients", "n2").await;
    bench.network.open_gate("n1", "n2");
    while TcpStream::connect(address).await.is_err() {}
    bench.connection().await;
    assert_eq!(bench.network.address("n1", "n2"), Some(address));
    bench.close().await;
}

#[tokio::test]
async fn refused_answers_reset_their_connection() {
    let bench = Bench::open().await;
    bench.network.close_gate("n2", "n1", Gate::Refuse);
    let mut client = Client::dial(&bench.network, "n1", "n2").await;
    client.send(post("/a", "1")).await;
    assert!(client.is_reset().await);
    assert_eq!(bench.n2.log.count("/a"), 1);
    bench.close().await;
}

#[tokio::test]
async fn refusing_reaches_connections_behind_a_stall_and_spares_other_links() {
    let bench = Bench::open().await;
    let mut client = bench.connection_of("clients", "n2").await;
    bench.network.close_gate("n1", "n2", Gate::Stall);
    let mut held = Client::dial(&bench.network, "n1", "n2").await;
    until("held", || bench.counters().stalled > 0).await;
    bench.network.close_gate("n1", "n2", Gate::Refuse);
    assert!(held.is_reset().await);
    client.send(post("/a", "1")).await;
    assert_eq!(client.answer().await.as_deref(), Some("1"));
    bench.close().await;
}

#[tokio::test]
async fn a_gate_without_a_link_has_no_effect() {
    let bench = Bench::open().await;
    bench.network.close_gate("n1", "n9", Gate::Refuse);
    bench.network.set_faults("n9", "n1", network::MessageFaults::mit());
    assert_eq!(bench.network.address("n1", "n9"), None);
    bench.connection().await;
    bench.close().await;
}
