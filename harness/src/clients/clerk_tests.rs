//! The rules of the record, one test each: what is `ok`, `fail` and `info`, and when it is written down.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router, body::Bytes, extract::State, http::StatusCode, response::IntoResponse, routing::post,
};
use contract::{Operation, Request};
use history::{Event, EventKind, Process};
use record::{AttemptEnd, AttemptRecord};

use super::*;
use crate::{
    clients::{Patience, repeats},
    stream::{Reader, RunEvent, Stream},
};

/// Keeps the record in memory.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<Event>>>, Arc<Mutex<Vec<AttemptRecord>>>);

impl Reader for Memory {
    fn read(&mut self, event: &RunEvent) -> std::io::Result<()> {
        match event {
            RunEvent::History(event) => self.0.lock().unwrap().push(event.clone()),
            RunEvent::Attempts(records) => self.1.lock().unwrap().extend(records.iter().cloned()),
            RunEvent::Fault(_) | RunEvent::Introspection(_) => {}
        }
        Ok(())
    }
}

/// What a scripted node does with the next request; after the last step it repeats `ok`.
#[derive(Clone, Debug)]
enum Reply {
    Ok,
    Refuse(&'static str, u16),
    /// It knew of the request for a while.
    RefuseLate(&'static str, u16),
    Never,
    Body(u16, &'static str),
}

#[derive(Clone)]
struct Node {
    script: Arc<Mutex<VecDeque<Reply>>>,
    seen: Arc<Mutex<Vec<Request>>>,
    /// How many events the record held when each request arrived.
    record: Memory,
    recorded_before: Arc<Mutex<Vec<bool>>>,
}

async fn serve(State(node): State<Node>, body: Bytes) -> axum::response::Response {
    let request: Request = serde_json::from_slice(&body).unwrap();
    // The record's thread may lag: the invocation counts as recorded once it is in the stream, so wait for it.
    let mut recorded = false;
    for _ in 0..200 {
        let process: u64 = request.client[1..].parse().unwrap();
        let invoked = |event: &Event| {
            event.process == Process::Client(process) && event.kind == EventKind::Invoke
        };
        recorded = node.record.0.lock().unwrap().iter().any(invoked);
        if recorded {
            break;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    node.recorded_before.lock().unwrap().push(recorded);
    node.seen.lock().unwrap().push(request.clone());
    let step = node.script.lock().unwrap().pop_front().unwrap_or(Reply::Ok);
    let status = |code: u16| StatusCode::from_u16(code).unwrap();
    match step {
        Reply::Ok if request.op.is_read_only() => r#"{"ok":{"value":null}}"#.into_response(),
        Reply::Ok => r#"{"ok":{}}"#.into_response(),
        Reply::Refuse(code, http) | Reply::RefuseLate(code, http) => {
            if matches!(step, Reply::RefuseLate(..)) {
                tokio::time::sleep(LATE).await;
            }
            (status(http), format!(r#"{{"error":{{"code":"{code}"}}}}"#)).into_response()
        }
        Reply::Never => std::future::pending().await,
        Reply::Body(code, body) => (status(code), body).into_response(),
    }
}

struct Setup {
    clerk: Clerk,
    node: Node,
    record: Memory,
    shared: Arc<Shared>,
}

/// One clerk and two nodes that share a script.
async fn setup(script: &[Reply]) -> Setup {
    setup_with(script, true).await
}

/// The same with a store that may execute twice what is sent twice.
async fn setup_without_exactly_once(script: &[Reply]) -> Setup {
    setup_with(script, false).await
}

async fn setup_with(script: &[Reply], exactly_once: bool) -> Setup {
    let record = Memory::default();
    let node = Node {
        script: Arc::new(Mutex::new(script.iter().cloned().collect())),
        seen: Arc::default(),
        record: record.clone(),
        recorded_before: Arc::default(),
    };
    let mut addresses = HashMap::new();
    for id in ["n1", "n2"] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.insert(id.to_owned(), listener.local_addr().unwrap());
        let router = Router::new().route("/v1/op", post(serve)).with_state(node.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
    }
    let (stream, _) = Stream::start(vec![Box::new(record.clone())]).unwrap();
    let patience =
        Patience { attempt: Duration::from_millis(150), operation: Duration::from_millis(600) };
    let nodes = vec!["n1".to_owned(), "n2".to_owned()];
    let shared = Arc::new(Shared::new(stream, nodes, addresses, 10, patience, exactly_once));
    Setup { clerk: Clerk::new(Arc::clone(&shared), 3, 1), node, record, shared }
}

impl Setup {
    fn requests(&self) -> Vec<Request> {
        self.node.seen.lock().unwrap().clone()
    }

    /// What was recorded of the attempts.
    async fn attempts(&self) -> Vec<AttemptRecord> {
        self.shared.stream.flush().await.unwrap();
        self.record.1.lock().unwrap().clone()
    }

    /// The record as (process, kind) pairs, once everything written so far has arrived.
    async fn events(&self, count: usize) -> Vec<(Process, EventKind)> {
        for _ in 0..500 {
            let events = self.record.0.lock().unwrap().clone();
            if events.len() >= count {
                return events.into_iter().map(|event| (event.process, event.kind)).collect();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("fewer than {count} events");
    }
}

fn put() -> Operation {
    Operation::Put { key: "x".to_owned(), value: "1".to_owned() }
}

fn get() -> Operation {
    Operation::Get { key: "x".to_owned() }
}

#[tokio::test]
async fn the_invocation_is_recorded_before_any_byte_leaves_and_the_completion_after_the_answer() {
    let mut setup = setup(&[]).await;
    assert!(matches!(setup.clerk.perform(&put()).await, Performed::Ok(_)));
    assert_eq!(*setup.node.recorded_before.lock().unwrap(), [true]);
    let process = Process::Client(3);
    assert_eq!(
        setup.events(2).await,
        [(process.clone(), EventKind::Invoke), (process, EventKind::Ok)]
    );
}

#[tokio::test]
async fn where_every_attempt_was_definite_the_operation_failed() {
    let refusals = vec![Reply::Refuse("not_leader", 421); 200];
    let mut setup = setup(&refusals).await;
    assert_eq!(setup.clerk.perform(&put()).await, Performed::Fail);
    assert!(setup.requests().len() > 2, "it tried elsewhere");
}

#[tokio::test]
async fn a_trusting_client_takes_a_late_refusal_for_the_outcome_but_not_after_an_uncertain_attempt()
{
    let late = Reply::RefuseLate("not_leader", 421);
    let often = |replies: [Reply; 2]| (0..20).flat_map(|_| replies.clone()).collect::<Vec<_>>();
    let setup_of = setup(&often([late.clone(), Reply::Ok])).await;
    let mut clerk = setup_of.clerk.trusting();
    let mut taken = 0;
    for _ in 0..15 {
        let asked = setup_of.node.seen.lock().unwrap().len();
        let is_taken = clerk.perform(&put()).await == Performed::Fail;
        let attempts = setup_of.node.seen.lock().unwrap().len() - asked;
        assert!(!is_taken || attempts == 1, "{attempts}");
        taken += u32::from(is_taken);
    }
    assert!(taken > 0, "nobody took it");
    for _ in 0..5 {
        // Anew each time: on a busy machine one may end before it has heard the late refusal.
        let doubtful = setup(&often([Reply::Refuse("timeout", 504), late.clone()])).await;
        assert_ne!(doubtful.clerk.trusting().perform(&put()).await, Performed::Fail);
    }
}

#[tokio::test]
async fn one_uncertain_attempt_makes_a_write_info_and_a_read_fail() {
    let script = [vec![Reply::Never], vec![Reply::Refuse("not_leader", 421); 200]].concat();
    let mut first = setup(&script).await;
    assert_eq!(first.clerk.perform(&put()).await, Performed::Info);
    let mut second = setup(&script).await;
    assert_eq!(second.clerk.perform(&get()).await, Performed::Fail);
}

#[tokio::test]
async fn an_operation_for_one_node_asks_it_once_and_no_other() {
    let mut refused = setup(&[Reply::Refuse("not_leader", 421)]).await;
    assert_eq!(refused.clerk.perform_at(&put(), 1).await, Performed::Fail);
    assert_eq!(refused.requests().len(), 1);
    let attempts = refused.attempts().await;
    assert_eq!((attempts.len(), attempts[0].node.as_str()), (1, "n2"));
    assert_eq!(refused.record.0.lock().unwrap()[1].node.as_deref(), Some("n2"));
    let begun = tokio::time::Instant::now();
    let mut silent = setup(&[Reply::Never]).await;
    assert_eq!(silent.clerk.perform_at(&put(), 1).await, Performed::Info);
    assert_eq!(silent.requests().len(), 1);
    assert!(begun.elapsed() >= Duration::from_millis(600), "it has all the time of an operation");
}

#[tokio::test]
async fn after_an_uncertain_attempt_the_same_request_is_sent_again_until_it_is_answered() {
    let mut setup =
        setup(&[Reply::Never, Reply::Refuse("timeout", 504), Reply::Refuse("internal", 500)]).await;
    assert!(matches!(setup.clerk.perform(&put()).await, Performed::Ok(_)));
    let requests = setup.requests();
    assert_eq!(requests.len(), 4);
    assert!(
        requests.iter().all(|request| *request == requests[0]),
        "same client, same seq: {requests:?}"
    );
}

#[tokio::test]
async fn after_info_the_clerk_goes_on_as_another_process_and_another_client() {
    let mut setup = setup(&vec![Reply::Never; 4]).await;
    assert_eq!(setup.clerk.perform(&put()).await, Performed::Info);
    setup.node.script.lock().unwrap().clear();
    assert!(matches!(setup.clerk.perform(&put()).await, Performed::Ok(_)));
    let (old, new) = (Process::Client(3), Process::Client(13));
    let expected = [(old.clone(), EventKind::Invoke), (old, EventKind::Info)];
    let expected = [expected, [(new.clone(), EventKind::Invoke), (new, EventKind::Ok)]].concat();
    assert_eq!(setup.events(4).await, expected);
    let last = setup.requests().pop().unwrap();
    assert_eq!((last.client.as_str(), last.seq), ("c13", 1));
}

#[tokio::test]
async fn a_malformed_answer_is_info_and_a_protocol_error() {
    for (status, body) in [(200, "nonsense"), (200, r#"{"ok":{"value":5}}"#), (302, "")] {
        let script = vec![Reply::Body(status, body); 3];
        let mut setup = setup(&script).await;
        let cas = Operation::Cas { key: "x".to_owned(), expect: None, value: "1".to_owned() };
        assert_eq!(setup.clerk.perform(&cas).await, Performed::Info, "{status} {body}");
        assert_eq!(setup.requests().len(), 1, "not retried, not redirected");
        assert_eq!(setup.shared.protocol_errors.total(), 1);
    }
}

#[tokio::test]
async fn an_aborted_transaction_failed_but_not_after_an_uncertain_attempt() {
    let mut first = setup(&[Reply::Refuse("aborted", 409)]).await;
    assert_eq!(first.clerk.perform(&put()).await, Performed::Fail);
    let mut second = setup(&[Reply::Never, Reply::Refuse("aborted", 409)]).await;
    assert_eq!(second.clerk.perform(&put()).await, Performed::Info);
}

#[tokio::test]
async fn a_refusal_of_a_right_request_is_a_protocol_error_and_never_a_fail() {
    for (code, status) in [("bad_request", 400), ("unsupported", 501), ("stale_seq", 409)] {
        let mut setup = setup(&[Reply::Refuse(code, status)]).await;
        assert_eq!(setup.clerk.perform(&put()).await, Performed::Info, "{code}");
        assert_eq!(setup.shared.protocol_errors.examples().len(), 1);
    }
}

#[tokio::test]
async fn lost_replies_and_copies_never_change_what_a_client_may_conclude() {
    let mut setup = setup(&[]).await;
    setup.shared.faults.switch_on();
    for _ in 0..60 {
        assert!(matches!(setup.clerk.perform(&put()).await, Performed::Ok(_) | Performed::Info));
    }
    assert!(setup.shared.faults.count() > 0);
    setup.clerk.retire().await;
    let requests = setup.node.seen.lock().unwrap().len();
    assert!(
        requests > 60,
        "{requests} requests for 60 operations: replies were lost and copies sent"
    );
}

/// A controller that remembers that it was asked, and not what it said, tells the retry something else.
#[tokio::test]
async fn what_a_controller_refuses_may_be_lost_and_is_asked_for_again() {
    let mut setup = setup(&vec![Reply::Refuse("exists", 409); 2000]).await;
    setup.shared.faults.switch_on();
    let join = Operation::Join { groups: [("g1".to_owned(), vec!["n1".to_owned()])].into() };
    let mut outcomes = Vec::new();
    for _ in 0..60 {
        outcomes.push(setup.clerk.perform(&join).await);
    }
    assert!(setup.shared.faults.count() > 0);
    assert!(outcomes.contains(&Performed::Fail) && outcomes.contains(&Performed::Info));
    assert!(setup.node.seen.lock().unwrap().len() > 60, "none was asked for again");
}

#[tokio::test]
async fn a_copy_on_its_way_makes_a_refused_write_info() {
    let mut setup = setup(&vec![Reply::Refuse("not_leader", 421); 5000]).await;
    setup.shared.faults.switch_on();
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        outcomes.push(setup.clerk.perform(&put()).await);
    }
    // Each makes some twenty attempts, of which one in seven sends a copy: hardly one sends none.
    let uncertain = outcomes.iter().filter(|outcome| **outcome == Performed::Info).count();
    assert!(uncertain >= 2, "{outcomes:?}");
}

#[tokio::test]
async fn a_write_is_sent_once_to_a_store_that_may_execute_it_twice() {
    let doubts = [Reply::Never, Reply::Refuse("timeout", 504), Reply::Refuse("internal", 500)];
    for doubt in doubts {
        let mut setup = setup_without_exactly_once(std::slice::from_ref(&doubt)).await;
        assert_eq!(setup.clerk.perform(&put()).await, Performed::Info, "{doubt:?}");
        assert_eq!(setup.requests().len(), 1, "{doubt:?}");
        let mut setup = setup_without_exactly_once(std::slice::from_ref(&doubt)).await;
        let read = setup.clerk.perform(&get()).await;
        assert!(matches!(read, Performed::Ok(_)), "a read may come again: {doubt:?}");
    }
    let elsewhere = Reply::Refuse("not_leader", 421);
    let mut setup = setup_without_exactly_once(&[elsewhere]).await;
    assert!(matches!(setup.clerk.perform(&put()).await, Performed::Ok(_)));
    assert_eq!(setup.requests().len(), 2, "what was refused may come again");
}

#[tokio::test]
async fn client_faults_send_no_write_twice_to_a_store_that_may_execute_it_twice() {
    let mut setup = setup_without_exactly_once(&[]).await;
    setup.shared.faults.switch_on();
    let mut lost = 0;
    for _ in 0..60 {
        lost += u64::from(setup.clerk.perform(&put()).await == Performed::Info);
    }
    assert_eq!(setup.shared.faults.count(), lost, "nothing but lost replies");
    assert!(lost > 0);
    setup.clerk.retire().await;
    assert_eq!(setup.node.seen.lock().unwrap().len(), 60);
}

#[tokio::test]
async fn a_plain_answer_leaves_no_attempts_and_every_other_end_one_line_each() {
    let mut plain = setup(&[]).await;
    plain.clerk.perform(&put()).await;
    assert_eq!(plain.attempts().await, []);

    let script = [Reply::Refuse("not_ready", 503), Reply::Never, Reply::Ok];
    let mut setup = setup(&script).await;
    setup.clerk.perform(&get()).await;
    let attempts = setup.attempts().await;
    let ends: Vec<_> = attempts.iter().map(|attempt| attempt.end).collect();
    assert_eq!(ends, [AttemptEnd::Refused, AttemptEnd::NoAnswer, AttemptEnd::Answered]);
    assert_eq!(attempts[0].reason, "not_ready");
    assert_ne!(attempts[0].node, attempts[1].node);
    let history = setup.record.0.lock().unwrap().clone();
    // All of them within the operation, one after the other.
    let mut moments = vec![history[0].time_ns];
    moments.extend(attempts.iter().flat_map(|attempt| [attempt.sent_ns, attempt.ended_ns]));
    moments.push(history[1].time_ns);
    assert!(moments.is_sorted(), "{moments:?}");
    assert!(attempts.iter().all(|attempt| (attempt.operation, attempt.process) == (0, 3)));
}

#[tokio::test]
async fn one_garbled_or_refused_attempt_is_recorded() {
    for (reply, end) in [
        (Reply::Body(200, "nonsense"), AttemptEnd::Garbled),
        (Reply::Refuse("aborted", 409), AttemptEnd::Refused),
    ] {
        let mut setup = setup(&[reply]).await;
        setup.clerk.perform(&put()).await;
        let ends: Vec<_> = setup.attempts().await.iter().map(|attempt| attempt.end).collect();
        assert_eq!(ends, [end]);
    }
}

#[tokio::test]
async fn lost_replies_and_copies_are_recorded_for_what_they_are() {
    let mut setup = setup(&[]).await;
    setup.shared.faults.switch_on();
    for _ in 0..60 {
        setup.clerk.perform(&put()).await;
    }
    let Setup { clerk, node, record, shared } = setup;
    // The operations take so little time that no copy may have been sent yet.
    tokio::time::sleep(Duration::from_millis(50)).await;
    clerk.retire().await;
    shared.stream.flush().await.unwrap();
    let attempts = record.1.lock().unwrap().clone();
    let copies: Vec<_> = attempts.iter().filter(|attempt| attempt.copy).collect();
    let lost = attempts.iter().filter(|attempt| attempt.end == AttemptEnd::ReplyLost).count();
    assert!(!copies.is_empty() && lost > 0, "{} copies, {lost} lost", copies.len());
    // Of an operation with a copy the attempts themselves are there, too.
    for copy in copies {
        let of_operation = |attempt: &&AttemptRecord| attempt.operation == copy.operation;
        assert!(attempts.iter().filter(of_operation).any(|attempt| !attempt.copy), "{copy:?}");
    }
    let requests = node.seen.lock().unwrap().len();
    assert!(attempts.len() <= requests, "{} lines for {requests} requests", attempts.len());
}

#[tokio::test]
async fn the_last_write_of_a_client_comes_once_more_when_all_is_over_until_a_node_takes_it() {
    let mut setup = setup(&[]).await;
    for operation in [put(), put(), get()] {
        assert!(matches!(setup.clerk.perform(&operation).await, Performed::Ok(_)));
    }
    let Setup { clerk, node, record, shared } = setup;
    clerk.retire().await;
    *node.script.lock().unwrap() =
        [Reply::Refuse("not_leader", 421), Reply::Refuse("stale_seq", 409)].into();
    repeats::send_again(&shared).await;
    shared.stream.flush().await.unwrap();
    let requests = node.seen.lock().unwrap().clone();
    assert_eq!(requests.len(), 5, "three operations, and one of them twice more");
    assert_eq!(requests[3..], [requests[1].clone(), requests[1].clone()]);
    let attempts = record.1.lock().unwrap().clone();
    assert!(attempts.iter().all(|attempt| attempt.copy), "{attempts:?}");
    assert_eq!(attempts.len(), 2);
    repeats::send_again(&shared).await;
    assert_eq!(node.seen.lock().unwrap().len(), 5, "not again");
}
