//! Triggers: a message stops at its boundary, and what happens there happens before it goes on.
#![allow(clippy::unwrap_used)] // Helpers of tests say what they expect by unwrapping it, too.

mod common;

use common::*;
use network::{Armed, Boundary, Caught, Gate, Trace, Trigger};

/// A network with a trace: kinds are only known there.
async fn open() -> (Bench, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("messages.jsonl");
    let trace = Trace::create(file, std::time::Instant::now(), 1_000).unwrap();
    (Bench::traced(Some(trace)).await, folder)
}

fn arm(bench: &Bench, boundary: Boundary, skip: u32) -> Armed {
    let links = vec![("n1".to_owned(), "n2".to_owned())];
    bench.network.arm(Trigger { links, kinds: vec!["Test".to_owned()], boundary, skip })
}

/// n1 has sent this request to n2, and it was caught.
async fn sent_and_caught(
    boundary: Boundary,
    path: &str,
) -> (Bench, tempfile::TempDir, Client, Caught) {
    let (bench, folder) = open().await;
    let mut client = bench.connection().await;
    let mut armed = arm(&bench, boundary, 0);
    client.send(post(path, "1")).await;
    let caught = caught(&mut armed).await;
    (bench, folder, client, caught)
}

async fn caught(armed: &mut Armed) -> Caught {
    tokio::time::timeout(LIMIT, armed.caught()).await.expect("hangs").unwrap()
}

#[tokio::test]
async fn a_request_is_held_before_its_receiver_sees_it() {
    let (bench, _folder, mut client, caught) =
        sent_and_caught(Boundary::BeforeDelivery, "/a").await;
    assert_eq!([&caught.from, &caught.to, &caught.kind], ["n1", "n2", "Test"]);
    assert!(bench.hears_nothing(&mut client).await);
    assert_eq!(bench.n2.log.count("/a"), 0);
    drop(caught);
    assert_eq!(client.answer().await.as_deref(), Some("1"));
    client.send(post("/b", "2")).await;
    assert_eq!(client.answer().await.as_deref(), Some("2"), "only one is caught");
    bench.close().await;
}

#[tokio::test]
async fn an_answer_is_held_once_the_request_is_delivered_or_once_it_is_given() {
    for boundary in [Boundary::Delivered, Boundary::BeforeAnswer] {
        let (bench, _folder, mut client, caught) = sent_and_caught(boundary, "/slow").await;
        let is_answered = bench.n2.log.count("finished") == 1;
        assert_eq!(is_answered, boundary == Boundary::BeforeAnswer);
        until("answered", || bench.n2.log.count("finished") == 1).await;
        assert!(bench.hears_nothing(&mut client).await, "{boundary:?}");
        drop(caught);
        assert_eq!(client.answer().await.as_deref(), Some("1"));
        bench.close().await;
    }
}

#[tokio::test]
async fn an_answer_that_was_given_is_told_and_not_held() {
    let (bench, _folder, mut client, caught) = sent_and_caught(Boundary::Answered, "/a").await;
    assert_eq!(client.answer().await.as_deref(), Some("1"));
    client.send(post("/b", "2")).await;
    assert_eq!(client.answer().await.as_deref(), Some("2"));
    drop(caught);
    bench.close().await;
}

#[tokio::test]
async fn so_many_messages_are_let_by_first_and_other_kinds_and_links_do_not_count() {
    let (bench, _folder) = open().await;
    let mut client = bench.connection().await;
    let mut back = bench.connection_of("n2", "n1").await;
    let mut armed = arm(&bench, Boundary::BeforeDelivery, 1);
    back.send(post("/back", "0")).await;
    assert_eq!(back.answer().await.as_deref(), Some("0"));
    client.send("POST /other HTTP/1.1\r\nContent-Length: 1\r\n\r\n0").await;
    assert_eq!(client.answer().await.as_deref(), Some("0"));
    client.send(post("/a", "1")).await;
    assert_eq!(client.answer().await.as_deref(), Some("1"));
    client.send(post("/b", "2")).await;
    let caught = caught(&mut armed).await;
    assert!(bench.hears_nothing(&mut client).await);
    drop(caught);
    assert_eq!(client.answer().await.as_deref(), Some("2"));
    let kinds = bench.network.kinds();
    let (.., counts) = kinds.iter().find(|(from, to, _)| from == "n1" && to == "n2").unwrap();
    assert_eq!((counts["Test"], counts["/other"]), (3, 1), "{counts:?}");
    bench.close().await;
}

#[tokio::test]
async fn what_was_caught_can_be_sent_again_later() {
    let (bench, _folder, mut client, caught) = sent_and_caught(Boundary::Answered, "/a").await;
    assert_eq!(client.answer().await.as_deref(), Some("1"));
    caught.send_again();
    until("executed twice", || bench.n2.log.count("/a") == 2).await;
    assert!(bench.hears_nothing(&mut client).await, "the second answer is nobody's");
    bench.close().await;
}

#[tokio::test]
async fn a_trigger_that_is_dropped_catches_nothing_and_a_lost_connection_is_said() {
    let (bench, _folder) = open().await;
    let mut client = bench.connection().await;
    drop(arm(&bench, Boundary::BeforeDelivery, 0));
    let mut second = arm(&bench, Boundary::BeforeDelivery, 0);
    client.send(post("/a", "1")).await;
    // The first would have caught it, had it still been there.
    drop(caught(&mut second).await);
    assert_eq!(client.answer().await.as_deref(), Some("1"));
    let mut armed = arm(&bench, Boundary::Answered, 0);
    client.send(post("/slow", "1")).await;
    until("at work", || bench.n2.log.count("/slow") == 1).await;
    drop(client);
    let ended = tokio::time::timeout(LIMIT, armed.caught()).await.expect("hangs");
    assert!(ended.is_none());
    bench.close().await;
}

/// Servers often give a request up when its sender has gone.
#[tokio::test]
async fn a_held_request_outlives_its_sender() {
    let (bench, _folder, client, caught) = sent_and_caught(Boundary::BeforeDelivery, "/slow").await;
    drop(client);
    bench.a_while().await;
    drop(caught);
    until("executed", || bench.n2.log.count("finished") == 1).await;
    bench.close().await;
}

#[tokio::test]
async fn a_message_before_a_closed_gate_is_caught_by_its_kind_too() {
    let (bench, _folder) = open().await;
    let mut client = bench.connection().await;
    bench.network.close_gate("n1", "n2", Gate::Stall);
    let mut armed = arm(&bench, Boundary::BeforeDelivery, 0);
    client.send(post("/a", "1")).await;
    drop(caught(&mut armed).await);
    assert!(bench.hears_nothing(&mut client).await, "the gate is closed all the same");
    bench.network.open_gate("n1", "n2");
    assert_eq!(client.answer().await.as_deref(), Some("1"));
    bench.close().await;
}

#[tokio::test]
async fn a_message_without_the_header_is_of_the_kind_that_its_body_says() {
    let (bench, _folder) = open().await;
    let links = vec![("n1".to_owned(), "n2".to_owned())];
    let kinds = vec!["Vote".to_owned()];
    let boundary = Boundary::BeforeDelivery;
    let mut armed = bench.network.arm(Trigger { links, kinds, boundary, skip: 0 });
    let mut client = bench.connection().await;
    let message = |body: &str| post("/peer", body).replace("X-DS-Type: Test\r\n", "");
    client.send(message(r#"{"type":"Append","n":1}"#)).await;
    assert!(client.answer().await.is_some());
    client.send(message(r#"{"n":2,"type":"Vote"}"#)).await;
    let caught = caught(&mut armed).await;
    assert_eq!(caught.kind, "Vote");
    drop(caught);
    assert!(client.answer().await.is_some());
    // Where the body says nothing, the path does.
    client.send(message("no json")).await;
    assert!(client.answer().await.is_some());
    let kinds: Vec<String> =
        bench.network.kinds().into_iter().flat_map(|(_, _, kinds)| kinds.into_keys()).collect();
    // The connection was tried out with one of kind `Test`.
    assert_eq!(kinds, ["/peer", "Append", "Test", "Vote"]);
    bench.close().await;
}
