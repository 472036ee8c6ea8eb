use std::sync::Mutex;

use axum::{
    Router,
    extract::{RawQuery, State},
    http::{self, Uri},
};

use super::*;
use crate::stream::{Reader, RunEvent};

/// Keeps what nodes said of themselves.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<IntrospectionRecord>>>);

impl Reader for Memory {
    fn read(&mut self, event: &RunEvent) -> std::io::Result<()> {
        if let RunEvent::Introspection(record) = event {
            self.0.lock().unwrap().push(record.clone());
        }
        Ok(())
    }
}

/// What a node answers, whatever it is asked, and the queries that it got.
#[derive(Clone, Default)]
struct Script {
    status: Arc<Mutex<String>>,
    log: Arc<Mutex<String>>,
    code: Arc<Mutex<u16>>,
    queries: Arc<Mutex<Vec<String>>>,
}

impl Script {
    fn says(&self, status: &str, log: &str) {
        status.clone_into(&mut self.status.lock().unwrap());
        log.clone_into(&mut self.log.lock().unwrap());
    }
}

async fn answer(
    State(script): State<Script>,
    uri: Uri,
    RawQuery(query): RawQuery,
) -> (http::StatusCode, String) {
    let body = if uri.path() == "/v1/log" { &script.log } else { &script.status };
    script.queries.lock().unwrap().extend(query);
    let code = http::StatusCode::from_u16(*script.code.lock().unwrap()).unwrap();
    (code, body.lock().unwrap().clone())
}

/// A node, whoever asks it, and what is recorded of that.
async fn interviewed() -> (Script, Interview, Memory) {
    let script = Script { code: Arc::new(Mutex::new(200)), ..Script::default() };
    let router = Router::new().fallback(answer).with_state(script.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let memory = Memory::default();
    let (stream, _) = Stream::start(vec![Box::new(memory.clone())]).unwrap();
    (script, Interview::new("n1".to_owned(), address, stream), memory)
}

/// What was recorded since the last look.
async fn recorded(interview: &Interview, memory: &Memory) -> Vec<Said> {
    interview.stream.flush().await.unwrap();
    let records = std::mem::take(&mut *memory.0.lock().unwrap());
    assert!(records.iter().all(|record| record.asked_ns < record.answered_ns));
    records.into_iter().map(|record| record.said).collect()
}

fn log(from: u64, to: u64, entries: &[(u64, &str)]) -> Said {
    let entries = entries.iter().map(|(slot, value)| (*slot, (*value).to_owned())).collect();
    Said::Log { from, to, entries }
}

#[tokio::test]
async fn what_a_node_acts_as_is_recorded_when_it_changes() {
    let (script, mut interview, memory) = interviewed().await;
    script.says(r#"{"role":"leader","term":3,"commit":7}"#, "");
    assert_eq!(interview.status().await, Some(7));
    assert_eq!(interview.status().await, Some(7));
    script.says(r#"{"role":"follower","term":4}"#, "");
    assert_eq!(interview.status().await, None);
    let said = recorded(&interview, &memory).await;
    assert_eq!(said, [Said::status("leader", Some(3)), Said::status("follower", Some(4))]);
}

#[tokio::test]
async fn that_a_node_led_between_two_questions_is_recorded_once() {
    let (script, mut interview, memory) = interviewed().await;
    for led in [3, 3, 5] {
        script.says(&format!(r#"{{"role":"follower","term":6,"led":{led}}}"#), "");
        interview.status().await;
    }
    let said = recorded(&interview, &memory).await;
    let led = |term| Said::status("leader", Some(term));
    assert_eq!(said, [Said::status("follower", Some(6)), led(3), led(5)]);
}

#[tokio::test]
async fn what_a_node_promised_is_recorded_when_it_changes() {
    let (script, mut interview, memory) = interviewed().await;
    for promised in [
        r#""promised":6"#,
        r#""promised":6,"voted":"n2""#,
        r#""promised":6,"voted":"n2""#,
        r#""voted":"n3""#,
        r#""promised":"x""#,
        r#""promised":7,"voted":null"#,
        r#""promised":7,"voted":"""#,
        r#""promised":8,"voted":2"#,
    ] {
        script.says(&format!("{{{promised}}}"), "");
        interview.status().await;
    }
    let said = recorded(&interview, &memory).await;
    let promised = Said::promised;
    let odd = Said::unusable("GET /v1/status: `voted` is no id");
    let told =
        [promised(6, None), promised(6, Some("n2")), promised(7, Some("")), odd, promised(8, None)];
    assert_eq!(said[1..], told);
}

/// Its last words went into the record by another way: what it said before them, and says again when it is back, would not have been
/// recorded, and nobody would have known that it forgot.
#[tokio::test]
async fn what_a_node_promised_is_recorded_again_after_a_kill() {
    let (script, mut interview, memory) = interviewed().await;
    script.says(r#"{"promised":5}"#, "");
    let pace = Pace::default();
    let killing = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        pace.kill();
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    tokio::select! {
        () = interview.go_on(&pace) => {}
        () = killing => {}
    }
    let said = recorded(&interview, &memory).await;
    let promised = said.iter().filter(|said| **said == Said::promised(5, None));
    assert_eq!(promised.count(), 2, "{said:?}");
}

#[tokio::test]
async fn what_a_node_says_again_is_not_recorded_and_what_it_takes_back_is() {
    let (script, mut interview, memory) = interviewed().await;
    let says = |text: &str| script.says("{}", &format!(r#"{{"entries":[{text}]}}"#));
    says(r#"{"slot":1,"value":"a"},{"slot":2,"value":"b"}"#);
    assert_eq!(interview.log(1..3).await, Some(2));
    says(r#"{"slot":1,"value":"a"},{"slot":2,"value":"x"},{"slot":9,"value":"not asked for"}"#);
    assert_eq!(interview.log(1..4).await, Some(2));
    says("");
    assert_eq!(interview.log(1..4).await, None);
    let said = recorded(&interview, &memory).await;
    assert_eq!(said, [log(1, 3, &[(1, "a"), (2, "b")]), log(1, 4, &[(2, "x")])]);
}

#[tokio::test]
async fn each_slot_is_asked_for_and_the_last_ones_again() {
    let (_, mut interview, _) = interviewed().await;
    assert_eq!(interview.due(0), 0..1);
    assert_eq!(interview.due(5_000), 4_001..5_001, "as much as fits into an answer");
    interview.next_slot = 5_001;
    assert_eq!(interview.due(5_100), 4_901..5_101);
    assert_eq!(interview.due(5_500), 5_001..5_501);
    assert_eq!(interview.due(90), 0..91, "it was restarted");
    assert!(interview.due(u64::MAX).contains(&(u64::MAX - 1)));
}

#[tokio::test]
async fn at_the_end_a_node_is_asked_page_by_page() {
    let (script, mut interview, memory) = interviewed().await;
    script.says(
        r#"{"role":"follower","term":1,"commit":11000}"#,
        r#"{"entries":[{"slot":4000,"value":"a"}]}"#,
    );
    interview.last_slots().await;
    let queries = script.queries.lock().unwrap().clone();
    assert_eq!(queries[..2], ["from=1001&to=11001", "from=4001&to=11001"]);
    assert_eq!(queries.len(), 2, "nothing new, so there is no more");
    let said = recorded(&interview, &memory).await;
    assert_eq!(said[1..], [log(1001, 11001, &[(4000, "a")])]);
}

#[tokio::test]
async fn hostile_answers_are_told_once_and_kept_short() {
    let (script, mut interview, memory) = interviewed().await;
    let endless =
        format!(r#"{{"entries":[{}]}}"#, vec![r#"{"slot":1,"value":""}"#; 200_000].join(","));
    let nested = "[".repeat(500_000);
    for bad in [
        r#"{"entries":[{"slot":-1,"value":"a"}]}"#,
        r#"{"entries":[{"slot":18446744073709551616,"value":"a"}]}"#,
        r#"{"entries":[{"slot":1,"value":{}}]}"#,
        r#"{"entries":7}"#,
        "\0",
        &nested,
    ] {
        script.says(bad, bad);
        assert_eq!(interview.log(0..9).await, None, "{bad:.40}");
    }
    assert_eq!(recorded(&interview, &memory).await.len(), 1);
    script.says("{}", &endless);
    assert_eq!(interview.log(0..9).await, None);
    let told = recorded(&interview, &memory).await;
    assert!(matches!(&told[..], [Said::Unusable(why)] if why.contains("longer than")), "{told:?}");
    let many = vec![r#"{"slot":1,"value":""}"#; 5_000].join(",");
    script.says("{}", &format!(r#"{{"entries":[{many}]}}"#));
    assert_eq!(interview.log(0..9).await, Some(1));
    let [Said::Log { entries, .. }] = &recorded(&interview, &memory).await[..] else { panic!() };
    assert_eq!(entries.len(), ENTRIES_MAX);
    script.says(r#"{"role":{},"term":-5,"commit":"x"}"#, "");
    assert_eq!(interview.status().await, None);
    assert_eq!(recorded(&interview, &memory).await, [Said::status("", None)]);
    *script.code.lock().unwrap() = 404;
    assert_eq!(interview.log(0..9).await, None);
    assert_eq!(recorded(&interview, &memory).await, [Said::unusable("GET /v1/log: status 404")]);
    *script.code.lock().unwrap() = 503;
    assert_eq!(interview.log(0..9).await, None, "not ready: that is no complaint");
    assert_eq!(recorded(&interview, &memory).await, []);
}

#[tokio::test]
async fn a_node_that_is_down_is_skipped() {
    let (_, interview, memory) = interviewed().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut down = Interview::new("n2".to_owned(), nobody, Arc::clone(&interview.stream));
    down.last_slots().await;
    assert_eq!(recorded(&interview, &memory).await, []);
}
