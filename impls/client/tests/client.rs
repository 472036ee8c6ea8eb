//! The client against servers that behave badly.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by unwrapping it")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use contract::{NodeId, Request};
use serde_json::{Value, json};
use store_client::{Client, Failure, Operation, Servers};

const PATIENCE: Duration = Duration::from_millis(700);

/// What a server got, and what it answers to each of these in turn; the last one again and again.
#[derive(Clone, Default)]
struct Server {
    got: Arc<Mutex<Vec<Request>>>,
    answers: Arc<Mutex<Vec<Value>>>,
}

impl Server {
    /// The numbers of the requests, by client.
    fn numbers(&self) -> Vec<(String, u64)> {
        let got = self.got.lock().unwrap();
        got.iter().map(|request| (request.client.clone(), request.seq)).collect()
    }
}

/// `null` among the answers: the request is taken, and its answer is lost.
async fn server(id: &str, answers: &[Value]) -> (Server, (NodeId, SocketAddr)) {
    let server = Server { answers: Arc::new(Mutex::new(answers.to_vec())), ..Server::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = |State(server): State<Server>, Json(request): Json<Request>| async move {
        server.got.lock().unwrap().push(request);
        let mut answers = server.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        match answer {
            Value::Null => (StatusCode::BAD_GATEWAY, Json(Value::Null)),
            answer => (StatusCode::OK, Json(answer)),
        }
    };
    let router = Router::new().route("/v1/op", post(answer)).with_state(server.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (server, (id.to_owned(), address))
}

fn refusal(code: &str, hint: Option<&str>) -> Value {
    json!({ "error": { "code": code, "message": "", "hint": hint } })
}

fn nobody(id: &str) -> (NodeId, SocketAddr) {
    // Bound and closed again: connections are refused.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    (id.to_owned(), free)
}

#[tokio::test]
async fn dead_nodes_are_passed_over_and_hints_followed() {
    let (follower, n2) = server("n2", &[refusal("not_leader", Some("n4"))]).await;
    let (skipped, n3) = server("n3", &[refusal("not_leader", None)]).await;
    let (leader, n4) = server("n4", &[json!({ "ok": { "value": "1" } })]).await;
    let mut client = Client::new("c", Servers::alike([nobody("n1"), n2, n3, n4]), PATIENCE);
    assert_eq!(client.get("x").await.unwrap().as_deref(), Some("1"));
    assert_eq!(client.get("x").await.unwrap().as_deref(), Some("1"));
    assert_eq!((follower.numbers().len(), skipped.numbers().len()), (1, 0));
    assert_eq!(leader.numbers(), [("c".to_owned(), 1), ("c".to_owned(), 2)]);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_under_the_same_number() {
    let (first, n1) = server("n1", &[Value::Null, refusal("not_leader", None)]).await;
    let (second, n2) = server("n2", &[json!({ "ok": { "value": "a" } })]).await;
    let mut client = Client::new("c", Servers::alike([n1, n2]), PATIENCE);
    client.append("x", "a").await.unwrap();
    assert_eq!(first.numbers(), [("c".to_owned(), 1)]);
    assert_eq!(second.numbers(), [("c".to_owned(), 1)]);
}

#[tokio::test]
async fn who_owns_a_key_is_asked_once_and_anew_when_that_has_changed() {
    let configuration = |num: u64, owner: &str| json!({ "ok": { "num": num, "shards": [owner], "groups": { "g1": ["n1"], "g2": ["n2"] } } });
    let (one, n1) = server("n1", &[json!({ "ok": {} }), refusal("wrong_group", None)]).await;
    let (other, n2) = server("n2", &[json!({ "ok": {} })]).await;
    let (controller, c2) = server("c2", &[configuration(1, "g1"), configuration(2, "g2")]).await;
    let servers = Servers::sharded([n1, n2], [nobody("c1"), c2]);
    let mut client = Client::new("c", servers, PATIENCE);
    client.put("x", "1").await.unwrap();
    assert_eq!((one.numbers().len(), other.numbers().len()), (1, 0));
    client.put("x", "2").await.unwrap();
    assert_eq!((one.numbers().len(), other.numbers()), (2, vec![("c".to_owned(), 2)]));
    // The first question went to the one that is dead.
    assert_eq!(controller.numbers(), [2, 3].map(|seq| ("c/query".to_owned(), seq)));
}

#[tokio::test]
async fn what_is_known_of_an_operation_that_failed_is_said() {
    let put = || Operation::Put { key: "x".to_owned(), value: "1".to_owned() };
    let ask = async |server: (NodeId, SocketAddr)| {
        Client::new("c", Servers::alike([server]), PATIENCE).ask(put()).await.unwrap_err()
    };
    let (_, refuses) = server("n1", &[refusal("aborted", None)]).await;
    assert!(matches!(ask(refuses).await, Failure::Refused(_)));
    let (_, follows) = server("n1", &[refusal("not_leader", None)]).await;
    assert!(matches!(ask(follows).await, Failure::Unavailable { .. }));
    assert!(matches!(ask(nobody("n1")).await, Failure::Unavailable { .. }));
    let [timeout, stale] = ["timeout", "stale_seq"].map(|code| refusal(code, None));
    for doubtful in [Value::Null, json!({ "ok": 7 }), timeout, stale] {
        let (_, unsure) = server("n1", &[doubtful, refusal("aborted", None)]).await;
        assert!(matches!(ask(unsure).await, Failure::Unknown { .. }));
    }
    let (_, mute) = server("n1", &[Value::Null]).await;
    let failure = Client::new("c", Servers::alike([mute]), PATIENCE).get("x").await.unwrap_err();
    assert!(matches!(failure, Failure::Unavailable { .. }), "a read changes nothing: {failure}");
    let nowhere = Client::new("c", Servers::alike([]), PATIENCE).get("x").await.unwrap_err();
    assert_eq!(nowhere.to_string().split(": ").last(), Some("nobody was asked"));
}

#[tokio::test]
async fn who_is_asked_in_vain_is_asked_again_only_after_a_rest() {
    let (one, n1) = server("n1", &[refusal("not_leader", Some("n2"))]).await;
    let (other, n2) = server("n2", &[refusal("not_leader", Some("n1"))]).await;
    let mut client = Client::new("c", Servers::alike([n1, n2]), PATIENCE);
    assert!(matches!(client.get("x").await, Err(Failure::Unavailable { .. })));
    let rounds = PATIENCE.as_millis() as usize / 20;
    for server in [one, other] {
        assert!((2..=rounds).contains(&server.numbers().len()), "{}", server.numbers().len());
    }
}

#[tokio::test]
async fn a_group_that_is_behind_is_asked_again_only_after_a_rest() {
    let configuration = json!({ "ok": { "num": 1, "shards": ["g1"], "groups": { "g1": ["n1"] } } });
    let (behind, n1) = server("n1", &[refusal("wrong_group", None)]).await;
    let (controller, c1) = server("c1", &[configuration]).await;
    let mut client = Client::new("c", Servers::sharded([n1], [c1]), PATIENCE);
    assert!(matches!(client.put("x", "1").await, Err(Failure::Unavailable { .. })));
    let rounds = PATIENCE.as_millis() as usize / 20;
    assert!((2..=rounds).contains(&behind.numbers().len()), "{}", behind.numbers().len());
    assert_eq!(controller.numbers().len(), 1 + behind.numbers().len());
}

#[tokio::test]
async fn nobody_is_waited_for_longer_than_the_caller_is_patient() {
    // It accepts connections, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = |id: &str| (id.to_owned(), silent.local_addr().unwrap());
    let servers = Servers::sharded([silent("n1")], ["c1", "c2"].map(silent));
    let mut client = Client::new("c", servers, Duration::from_millis(50));
    let begun = std::time::Instant::now();
    let failure = client.put("x", "1").await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(matches!(failure, Failure::Unavailable { .. }), "no node was asked: {failure}");
    let mut client = Client::new("d", Servers::alike([silent("n1")]), Duration::from_millis(50));
    assert!(matches!(client.put("x", "1").await, Err(Failure::Unknown { .. })));
}
