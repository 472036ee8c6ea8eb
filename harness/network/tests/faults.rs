//! Each message fault, proven by counting executions.
#![allow(clippy::unwrap_used)] // Helpers of tests say what they expect by unwrapping it, too.

mod common;

use common::*;
use network::{Delay, Gate, MessageFaults, Trace};
use record::{Fate, MessageRecord};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;

const NONE: MessageFaults = MessageFaults {
    drop_request: 0.0,
    drop_response: 0.0,
    duplicate: 0.0,
    duplicate_late_ms_max: 0,
    reorder: 0.0,
    delay: None,
};

#[tokio::test]
async fn without_faults_a_request_is_executed_once() {
    let bench = Bench::open().await;
    let mut client = bench.connection().await;
    client.send(post("/a", "1")).await;
    assert_eq!(client.answer().await.as_deref(), Some("1"));
    assert_eq!(bench.n2.log.count("/a"), 1);
    assert_eq!(bench.counters().delivered, 2);
    bench.close().await;
}

#[tokio::test]
async fn a_dropped_request_is_never_executed_and_its_connection_is_a_black_hole() {
    let bench = Bench::open().await;
    let mut client = bench.connection().await;
    bench.faults(MessageFaults { drop_request: 1.0, ..NONE });
    client.send(post("/a", "1")).await;
    until("dropped", || bench.counters().request_dropped == 1).await;
    bench.network.clear_faults();
    client.send(post("/b", "2")).await;
    assert!(bench.hears_nothing(&mut client).await, "lost, not refused");
    drop(client);
    // Another connection is not touched, and comes after whatever the first would have brought.
    bench.connection().await;
    assert_eq!(bench.n2.log.count("/a") + bench.n2.log.count("/b"), 0);
    bench.close().await;
}

#[tokio::test]
async fn a_dropped_response_was_executed_once() {
    let bench = Bench::open().await;
    let mut client = bench.connection().await;
    bench.faults(MessageFaults { drop_response: 1.0, ..NONE });
    client.send(post("/a", "1")).await;
    until("executed", || bench.n2.log.count("/a") == 1).await;
    assert!(bench.hears_nothing(&mut client).await);
    assert_eq!(bench.counters().response_dropped, 1);
    assert_eq!(bench.n2.log.count("/a"), 1);
    bench.close().await;
}

#[tokio::test]
async fn answers_to_earlier_pipelined_requests_survive_a_dropped_one() {
    let bench = Bench::open().await;
    let mut client = bench.connection().await;
    client.send(post("/slow", "first")).await;
    until("executing", || bench.n2.log.count("/slow") == 1).await;
    bench.faults(MessageFaults { drop_response: 1.0, ..NONE });
    client.send(post("/a", "second")).await;
    assert_eq!(client.answer().await.as_deref(), Some("first"));
    until("executed", || bench.n2.log.count("/a") == 1).await;
    assert!(bench.hears_nothing(&mut client).await);
    bench.close().await;
}

#[tokio::test]
async fn a_duplicate_is_executed_twice_and_answered_once() {
    let bench = Bench::open().await;
    let mut client = bench.connection().await;
    bench.faults(MessageFaults { duplicate: 1.0, ..NONE });
    client.send(post("/a", "1")).await;
    assert_eq!(client.answer().await.as_deref(), Some("1"));
    until("executed twice", || bench.n2.log.count("/a") == 2).await;
    assert!(bench.hears_nothing(&mut client).await, "one answer only");
    assert_eq!(bench.counters().duplicated, 1);
    assert_eq!(bench.counters().delivered, 2);
    bench.close().await;
}

#[tokio::test]
async fn a_delayed_request_outlives_its_sender() {
    for reset in [false, true] {
        let bench = Bench::open().await;
        let mut client = bench.connection().await;
        let delay = Delay { probability: 1.0, min_ms: 200, max_ms: 200 };
        bench.faults(MessageFaults { delay: Some(delay), ..NONE });
        client.send(post("/slow", "late")).await;
        assert_eq!(bench.n2.log.count("/slow"), 0);
        if reset {
            socket2::SockRef::from(&client.0).set_linger(Some(Duration::ZERO)).unwrap();
        }
        drop(client);
        until("executed", || bench.n2.log.count("/slow") == 1).await;
        // The sender's end waits until the request is answered, else the upstream would abandon it.
        until("finished", || bench.n2.log.count("finished") == 1).await;
        until("the end follows", || bench.n2.log.count("end") == 1).await;
        assert_eq!(bench.counters().delayed, 1);
        bench.close().await;
    }
}

#[tokio::test]
async fn a_delay_holds_up_its_own_connection_only() {
    let bench = Bench::open().await;
    let mut slow = bench.connection().await;
    let mut fast = bench.connection().await;
    let delay = Delay { probability: 1.0, min_ms: 60_000, max_ms: 60_000 };
    bench.faults(MessageFaults { delay: Some(delay), ..NONE });
    slow.send(post("/slow", "1")).await;
    assert!(bench.hears_nothing(&mut slow).await);
    bench.network.clear_faults();
    fast.send(post("/fast", "2")).await;
    assert_eq!(fast.answer().await.as_deref(), Some("2"));
    assert_eq!(bench.n2.log.count("/slow"), 0);
    bench.close().await;
}

#[tokio::test]
async fn a_reordered_request_is_executed_after_a_later_one_was_answered() {
    let bench = Bench::open().await;
    let mut first = bench.connection().await;
    let mut second = bench.connection().await;
    bench.faults(MessageFaults { reorder: 1.0, ..NONE });
    first.send(post("/first", "1")).await;
    // It is held for a limited time only; that it really was shows in the log below.
    tokio::time::sleep(MOMENT).await;
    assert!(first.has_heard_nothing().await, "held");
    second.send(post("/slow", "2")).await;
    assert_eq!(second.answer().await.as_deref(), Some("2"));
    assert_eq!(first.answer().await.as_deref(), Some("1"));
    let log = bench.n2.log.lines();
    let at = |path: &str| log.iter().position(|line| line == path).unwrap();
    assert!(at("finished") < at("/first"), "{log:?}");
    assert_eq!((bench.counters().reordered, bench.counters().delayed), (1, 0));
    bench.close().await;
}

#[tokio::test]
async fn nobody_to_overtake_it_makes_a_reordered_request_a_late_one() {
    let bench = Bench::open().await;
    let mut client = bench.connection().await;
    bench.faults(MessageFaults { reorder: 1.0, ..NONE });
    client.send(post("/a", "1")).await;
    assert_eq!(client.answer().await.as_deref(), Some("1"));
    assert_eq!((bench.counters().reordered, bench.counters().delayed), (0, 1));
    bench.close().await;
}

#[tokio::test]
async fn faults_of_one_link_leave_the_others_alone() {
    let bench = Bench::open().await;
    bench.faults(MessageFaults { drop_request: 1.0, drop_response: 1.0, ..NONE });
    for (from, to) in [("n2", "n1"), ("clients", "n1"), ("clients", "n2")] {
        bench.connection_of(from, to).await;
    }
    bench.close().await;
}

#[tokio::test]
async fn a_sender_that_waits_for_100_continue_is_not_kept_waiting() {
    let bench = Bench::open().await;
    let mut client = Client::dial(&bench.network, "n1", "n2").await;
    bench.faults(MessageFaults { duplicate: 1.0, ..NONE });
    client.send("POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n").await;
    until("delivered so far", || bench.n2.log.count("connection") == 1).await;
    client.send("1").await;
    assert_eq!(client.answer().await.as_deref(), Some("1"));
    assert_eq!(bench.n2.log.count("/a"), 1);
    bench.close().await;
}

#[tokio::test]
async fn the_trace_tells_each_messages_fate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("messages.jsonl");
    let trace = Trace::create(&path, Instant::now(), 1000).unwrap();
    let bench = Bench::traced(Some(trace)).await;
    let cases = [
        (NONE, Fate::Delivered),
        (MessageFaults { drop_request: 1.0, ..NONE }, Fate::RequestDropped),
        (MessageFaults { drop_response: 1.0, ..NONE }, Fate::ResponseDropped),
        (MessageFaults { duplicate: 1.0, ..NONE }, Fate::Duplicated),
        (
            MessageFaults { delay: Some(Delay { probability: 1.0, min_ms: 1, max_ms: 1 }), ..NONE },
            Fate::Delayed,
        ),
    ];
    for (at, (faults, _)) in cases.iter().enumerate() {
        bench.faults(*faults);
        let mut client = Client::dial(&bench.network, "n1", "n2").await;
        client.send(post(&format!("/{at}"), "body")).await;
        until("seen", || {
            let counters = bench.counters();
            counters.delivered + counters.request_dropped == at as u64 + 1
        })
        .await;
    }
    let summary = bench.network.close().await;
    assert_eq!((summary.written, summary.over_limit, summary.lost), (5, 0, 0));
    let text = std::fs::read_to_string(path).unwrap();
    let records: Vec<MessageRecord> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (at, (_, fate)) in cases.iter().enumerate() {
        let record = &records[at];
        assert_eq!(record.fate, *fate);
        assert_eq!(record.path, format!("/{at}"));
        assert_eq!((record.from.as_str(), record.to.as_str()), ("n1", "n2"));
        assert_eq!((record.method.as_str(), record.kind.as_deref()), ("POST", Some("Test")));
        assert_eq!(record.bytes, post("/0", "body").len() as u64);
    }
    assert!(records.is_sorted_by_key(|record| record.time_ns));
}

#[tokio::test]
async fn a_trace_stops_at_its_limit_and_counts_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("messages.jsonl");
    let bench = Bench::traced(Some(Trace::create(&path, Instant::now(), 2).unwrap())).await;
    let mut client = bench.connection().await;
    for _ in 0..4 {
        client.send(post("/a", "1")).await;
        client.answer().await.unwrap();
    }
    until("counted", || bench.counters().delivered == 5).await;
    let summary = bench.network.close().await;
    assert_eq!((summary.written, summary.over_limit, summary.lost), (2, 3, 0));
    assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 2);
}

#[tokio::test]
async fn a_stalled_message_is_recorded_while_it_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("messages.jsonl");
    let bench = Bench::traced(Some(Trace::create(&path, Instant::now(), 1000).unwrap())).await;
    for faults in [NONE, MessageFaults { reorder: 1e-9, ..NONE }] {
        let mut client = bench.connection().await;
        bench.faults(faults);
        bench.network.close_gate("n1", "n2", Gate::Stall);
        let stalled = bench.counters().stalled;
        client.send(post("/held", "1")).await;
        until("held", || bench.counters().stalled > stalled).await;
        bench.network.open_all_gates();
        assert_eq!(client.answer().await.as_deref(), Some("1"));
    }
    bench.network.close().await;
    let text = std::fs::read_to_string(path).unwrap();
    let records: Vec<MessageRecord> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let fates: Vec<_> = records.iter().map(|r| (r.path.as_str(), r.fate)).collect();
    let expected = [("/hello", Fate::Delivered), ("/held", Fate::Stalled)];
    assert_eq!(fates, [expected, expected].concat(), "one record each");
}

/// All faults at once, many connections: whatever happens to a message, it is counted, and the counts add up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn executions_are_what_the_counters_say() {
    const CLIENTS: usize = 20;
    const REQUESTS: usize = 15;
    let bench = Bench::open().await;
    bench.faults(MessageFaults {
        drop_request: 0.1,
        drop_response: 0.1,
        duplicate: 0.2,
        duplicate_late_ms_max: 20,
        reorder: 0.1,
        delay: Some(Delay { probability: 0.5, min_ms: 0, max_ms: 20 }),
    });
    let address = bench.network.address("n1", "n2").unwrap();
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(async move {
            let mut connection = None;
            let mut answered = 0_u64;
            for request in 0..REQUESTS {
                let mut stream = match connection.take() {
                    Some(stream) => stream,
                    None => tokio::net::TcpStream::connect(address).await.unwrap(),
                };
                let id = format!("{client}-{request}");
                stream.write_all(post(&format!("/{id}"), &id).as_bytes()).await.unwrap();
                // Who gives up dials anew, as clerks do.
                let answer = read_message(&mut stream);
                if let Ok(answer) = tokio::time::timeout(Duration::from_millis(500), answer).await {
                    assert_eq!(answer.unwrap().1, id.as_bytes(), "answers match their requests");
                    answered += 1;
                    connection = Some(stream);
                }
            }
            answered
        });
    }
    let answered: u64 = clients.join_all().await.iter().sum();
    let sent = (CLIENTS * REQUESTS) as u64;
    let executed = |log: &[String]| log.iter().filter(|line| line.contains('-')).count() as u64;
    until("all is settled", || {
        let counters = bench.counters();
        counters.delivered + counters.request_dropped == sent
            && executed(&bench.n2.log.lines()) == counters.delivered + counters.duplicated
    })
    .await;
    let counters = bench.counters();
    assert!(answered <= counters.delivered - counters.response_dropped);
    for count in [
        counters.request_dropped,
        counters.response_dropped,
        counters.duplicated,
        counters.delayed,
        counters.reordered,
    ] {
        assert!(count > 0, "{counters:?}");
    }
    bench.close().await;
}

#[tokio::test]
async fn one_kind_alone_is_doubled_and_others_pass_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let trace = Trace::create(folder.path().join("m.jsonl"), Instant::now(), 100).unwrap();
    let bench = Bench::traced(Some(trace)).await;
    let mut client = bench.connection().await;
    let doubled = MessageFaults { duplicate: 1.0, ..NONE };
    bench.network.set_faults_of_kinds("n1", "n2", &[("Test".to_owned(), doubled)].into());
    client.send(post("/a", "1")).await;
    assert_eq!(client.answer().await.as_deref(), Some("1"));
    until("doubled", || bench.n2.log.count("/a") == 2).await;
    client.send("POST /other HTTP/1.1\r\nContent-Length: 1\r\n\r\n0").await;
    assert_eq!(client.answer().await.as_deref(), Some("0"));
    bench.network.set_faults_of_kinds("n1", "n2", &BTreeMap::new());
    client.send(post("/b", "2")).await;
    assert_eq!(client.answer().await.as_deref(), Some("2"));
    bench.a_while().await;
    assert_eq!((bench.n2.log.count("/other"), bench.n2.log.count("/b")), (1, 1));
    bench.close().await;
}
