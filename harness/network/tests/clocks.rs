//! The clocks of messages in the trace, and from when on the trace does not show all that a node told.
#![allow(clippy::unwrap_used)] // Helpers of tests say what they expect by unwrapping it, too.

mod common;

use std::path::PathBuf;
use std::time::Instant;

use common::*;
use network::{Gate, MessageFaults, Trace, TraceSummary, Unseen};
use record::{Clocks, MessageRecord};
use tempfile::TempDir;

struct Traced {
    bench: Bench,
    file: PathBuf,
    _folder: TempDir,
}

impl Traced {
    async fn open(max_records: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("messages.jsonl");
        let trace = Trace::create(&file, Instant::now(), max_records).unwrap();
        Self { bench: Bench::traced(Some(trace)).await, file, _folder: folder }
    }

    async fn dial(&self) -> Client {
        Client::dial(&self.bench.network, "n1", "n2").await
    }

    async fn close(self) -> (Vec<MessageRecord>, TraceSummary) {
        let summary = self.bench.network.close().await;
        let text = std::fs::read_to_string(self.file).unwrap();
        (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), summary)
    }
}

/// With a body that an echo of it tells nothing: the answer is `{}`.
fn stamped(headers: &str) -> String {
    format!("POST / HTTP/1.1\r\n{headers}Content-Length: 2\r\n\r\n{{}}")
}

async fn ask(client: &mut Client, request: &str) {
    client.send(request).await;
    assert_eq!(client.answer().await.as_deref(), Some("{}"));
}

#[tokio::test]
async fn clocks_are_recorded_whatever_the_headers_hold() {
    let traced = Traced::open(100).await;
    let mut client = traced.dial().await;
    let many: Vec<String> = (0..2_000).map(|at| format!("\"n{at}\":{at}")).collect();
    let headers = [
        "X-DS-Term: 3\r\nx-ds-lamport: 17\r\nX-DS-VECTOR: {\"n1\":5,\"n2\":2}\r\n".to_owned(),
        String::new(),
        format!("X-DS-Lamport: 18\r\nX-DS-Vector: {{{}}}\r\n", many.join(",")),
        "X-DS-Lamport: -1\r\n".to_owned(),
        format!("X-DS-Vector: {}\r\n", "[".repeat(2_000)),
        "X-DS-Vector: {\"n1\":\u{fe}}\r\nX-DS-Term: 1e3\r\n".to_owned(),
    ];
    for headers in &headers {
        ask(&mut client, &stamped(headers)).await;
    }
    let (records, summary) = traced.close().await;
    let clocks: Vec<Option<Clocks>> = records.into_iter().map(|record| record.clocks).collect();
    let counts = [("n1".to_owned(), 5), ("n2".to_owned(), 2)];
    let whole = Clocks {
        term: Some(3),
        lamport: Some(17),
        vector: Some(counts.into()),
        ..Clocks::default()
    };
    let none = Clocks { malformed: true, ..Clocks::default() };
    let lamport = Clocks { lamport: Some(18), ..none.clone() };
    let [none, whole, lamport] = [none, whole, lamport].map(Some);
    assert_eq!(clocks, [whole, None, lamport, none.clone(), none.clone(), none]);
    assert_eq!(summary.unseen, [], "all is in the trace, and the answers say nothing");
}

#[tokio::test]
async fn a_megabyte_of_a_header_is_carried_and_its_link_not_trusted() {
    let traced = Traced::open(100).await;
    let mut client = traced.dial().await;
    let huge = format!("X-DS-Vector: {{{}}}\r\n", " ".repeat(1 << 20));
    ask(&mut client, &stamped(&huge)).await;
    let (records, summary) = traced.close().await;
    assert_eq!(records, [], "its bytes are no HTTP for the proxy");
    let [Unseen { from, to, requests_ns: Some(_), answers_ns: Some(_) }] = &summary.unseen[..]
    else {
        panic!("{:?}", summary.unseen)
    };
    assert_eq!((from.as_str(), to.as_str()), ("n1", "n2"));
}

#[tokio::test]
async fn the_head_is_timed_where_the_rest_comes_later() {
    for faults in [MessageFaults::default(), MessageFaults { reorder: 1e-9, ..<_>::default() }] {
        let traced = Traced::open(100).await;
        traced.bench.faults(faults);
        let mut client = traced.dial().await;
        let request = stamped("X-DS-Lamport: 1\r\n");
        let (head, body) = request.split_at(request.len() - 2);
        client.send(head).await;
        tokio::time::sleep(MOMENT).await;
        client.send(body).await;
        assert_eq!(client.answer().await.as_deref(), Some("{}"));
        ask(&mut client, &request).await;
        let (records, _) = traced.close().await;
        let head_ns = |at: usize| records[at].clocks.as_ref().unwrap().head_ns;
        let waited_ns = u64::try_from(MOMENT.as_nanos()).unwrap() / 2;
        assert!(head_ns(0).unwrap() + waited_ns < records[0].time_ns, "{records:?}");
        assert_eq!(head_ns(1), None, "it came at once");
    }
}

/// The requests that are not shown, of the one link that shows not all.
fn unseen_requests_ns(summary: &TraceSummary) -> u64 {
    match &summary.unseen[..] {
        [Unseen { requests_ns: Some(time_ns), answers_ns: None, .. }] => *time_ns,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_over_the_limit_is_missed() {
    let traced = Traced::open(2).await;
    let mut client = traced.dial().await;
    for _ in 0..4 {
        ask(&mut client, &stamped("")).await;
    }
    let (records, summary) = traced.close().await;
    assert!(unseen_requests_ns(&summary) > records[1].time_ns, "{summary:?}");
}

#[tokio::test]
async fn an_answer_that_says_something_is_missed() {
    let traced = Traced::open(100).await;
    let mut client = traced.dial().await;
    ask(&mut client, &stamped("")).await;
    client.send(post("/", "{\"granted\":true}")).await;
    client.answer().await.unwrap();
    let (records, summary) = traced.close().await;
    let [Unseen { requests_ns: None, answers_ns: Some(answers_ns), .. }] = summary.unseen[..]
    else {
        panic!("{:?}", summary.unseen)
    };
    assert!(answers_ns > records[1].time_ns);
}

#[tokio::test]
async fn a_request_that_is_cut_off_is_missed_if_some_of_it_arrived() {
    for is_cut_before in [false, true] {
        let traced = Traced::open(100).await;
        let mut client = traced.dial().await;
        ask(&mut client, &stamped("")).await;
        if is_cut_before {
            traced.bench.network.close_gate("n1", "n2", Gate::Stall);
        }
        client.send("POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\nbeginning").await;
        traced.bench.a_while().await;
        traced.bench.network.close_gate("n1", "n2", Gate::Refuse);
        assert!(client.is_reset().await);
        let (records, mut summary) = traced.close().await;
        assert_eq!(records.iter().filter(|record| record.from == "n1").count(), 1);
        // What `a_while` does.
        summary.unseen.retain(|unseen| unseen.from != "clients");
        if is_cut_before {
            assert_eq!(summary.unseen, [], "not a byte of it left");
        } else {
            assert!(unseen_requests_ns(&summary) > records[0].time_ns);
        }
    }
}
