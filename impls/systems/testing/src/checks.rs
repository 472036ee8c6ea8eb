//! What every adapter must do right.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use contract::{Answer, ErrorCode, MicroOperation, Operation, Outcome};
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};

use crate::System;

/// How many clients write at once.
const CLIENTS: usize = 8;
/// How often each of them appends where all append to one key.
const APPENDS: usize = 10;
/// How often two transactions meet.
const ROUNDS: usize = 100;
/// How long they write before the node is killed, and after.
const BEFORE_KILL: Duration = Duration::from_millis(700);
const AFTER_KILL: Duration = Duration::from_millis(300);

/// Carries out each of these operations in turn and compares the outcomes with those of the contract. Expects an empty database.
///
/// # Panics
/// One is wrong.
pub async fn each_operation(system: &System) {
    let strange = "é\"\\\n\u{1f600} '$1";
    for (operation, expected) in [
        (json!({"type": "get", "key": "x"}), json!({"value": null})),
        (json!({"type": "put", "key": "x", "value": "1"}), json!({})),
        (json!({"type": "get", "key": "x"}), json!({"value": "1"})),
        (json!({"type": "append", "key": "x", "value": "2"}), json!({"value": "12"})),
        (json!({"type": "append", "key": "new", "value": "a"}), json!({"value": "a"})),
        (json!({"type": "put", "key": "x", "value": ""}), json!({})),
        (json!({"type": "get", "key": "x"}), json!({"value": ""})),
        (json!({"type": "put", "key": strange, "value": strange}), json!({})),
        (json!({"type": "get", "key": strange}), json!({"value": strange})),
        (
            json!({"type": "cas", "key": "c", "expect": "1", "value": "2"}),
            json!({"swapped": false}),
        ),
        (
            json!({"type": "cas", "key": "c", "expect": null, "value": "1"}),
            json!({"swapped": true}),
        ),
        (
            json!({"type": "cas", "key": "c", "expect": null, "value": "2"}),
            json!({"swapped": false}),
        ),
        (json!({"type": "cas", "key": "c", "expect": "1", "value": "2"}), json!({"swapped": true})),
        (
            json!({"type": "cas", "key": "c", "expect": "1", "value": "3"}),
            json!({"swapped": false}),
        ),
        (json!({"type": "get", "key": "c"}), json!({"value": "2"})),
        (json!({"type": "multiput", "values": {"a": "1", "b": "2"}}), json!({})),
        (
            json!({"type": "multiget", "keys": ["b", "a", "none"]}),
            json!({"values": {"a": "1", "b": "2", "none": null}}),
        ),
        (json!({"type": "swap", "a": "a", "b": "b"}), json!({})),
        (json!({"type": "swap", "a": "a", "b": "none"}), json!({})),
        (
            json!({"type": "multiget", "keys": ["a", "b", "none"]}),
            json!({"values": {"a": null, "b": "1", "none": "2"}}),
        ),
        (
            json!({"type": "txn", "guards": {"b": "1", "a": null},
                "ops": [["r", "a"], ["append", "b", "5"], ["r", "b"], ["w", "b", "6"], ["append", "a", "7"]]}),
            json!({"committed": true, "results": [null, "15", "15", "6", "7"]}),
        ),
        (
            json!({"type": "txn", "guards": {"b": "1"}, "ops": [["w", "b", "8"]]}),
            json!({"committed": false}),
        ),
        (
            json!({"type": "txn", "guards": {"b": null}, "ops": [["w", "b", "8"]]}),
            json!({"committed": false}),
        ),
        (
            json!({"type": "txn", "ops": [["r", "b"], ["r", "none"], ["r", "nobody"]]}),
            json!({"committed": true, "results": ["6", "2", null]}),
        ),
        (json!({"type": "txn", "ops": []}), json!({"committed": true, "results": []})),
    ] {
        let request: Operation = serde_json::from_value(operation).expect("an operation");
        let expected = request.parse_outcome(&expected).expect("an outcome");
        let Answer::Ok(outcome) = system.ask(0, &request).await else {
            panic!("{request:?} was refused: {:?}", system.ask(0, &request).await);
        };
        assert_eq!(without_hint(outcome), expected, "{request:?}");
    }
}

/// A failed `cas` may say what stood in its way or not.
fn without_hint(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Swapped { swapped, .. } => Outcome::Swapped { swapped, value: None },
        other => other,
    }
}

/// What no adapter carries out is refused by its name.
///
/// # Panics
/// It is not.
pub async fn refusals(system: &System) {
    for (body, code) in [
        (json!({"client": "c", "seq": 1, "op": {"type": "query", "num": 0}}), "unsupported"),
        (json!({"client": "c", "seq": 1, "op": {"type": "fly"}}), "unsupported"),
        (json!({"client": "c", "seq": 1, "op": {"type": "put", "key": "x"}}), "bad_request"),
        (
            json!({"client": "c", "seq": 1, "op": {"type": "put", "key": "x", "value": "1".repeat(2 << 20)}}),
            "bad_request",
        ),
        (Value::Null, "bad_request"),
    ] {
        let (_, answer) = system.post(0, body.to_string()).await.expect("an answer");
        assert_eq!(answer["error"]["code"], code, "{answer}");
    }
}

/// Several clients append to one key at once, at all nodes, each until it was acknowledged. The key then holds each value once, and
/// each answer was a beginning of that.
///
/// # Panics
/// It does not, or an outcome is unknown.
pub async fn appends_at_once(system: &Arc<System>) {
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let system = Arc::clone(system);
        clients.spawn(async move {
            let mut answers = Vec::new();
            for number in 0..APPENDS {
                let key = "appended".to_owned();
                let value = format!("{client}.{number};");
                answers.push(until_done(&system, client, Operation::Append { key, value }).await);
            }
            answers
        });
    }
    let answers: Vec<Outcome> = clients.join_all().await.into_iter().flatten().collect();
    let whole = system.get(0, "appended").await.unwrap_or_default();
    let values: BTreeSet<&str> = whole.split_terminator(';').collect();
    assert_eq!(values.len(), CLIENTS * APPENDS, "{whole}");
    assert_eq!(whole.matches(';').count(), CLIENTS * APPENDS, "{whole}");
    let beginnings: BTreeSet<&str> = answers
        .iter()
        .filter_map(|answer| match answer {
            Outcome::Value { value: Some(value) } => Some(value.as_str()),
            _ => None,
        })
        .filter(|value| whole.starts_with(value))
        .collect();
    assert_eq!(beginnings.len(), CLIENTS * APPENDS, "two appends were answered alike");
}

/// Asks again as long as the operation is refused for certain.
async fn until_done(system: &System, client: usize, operation: Operation) -> Outcome {
    let node = client % system.node_count();
    loop {
        match system.ask(node, &operation).await {
            Answer::Ok(outcome) => return outcome,
            Answer::Error(refusal) => assert!(refusal.code.is_definite(), "{refusal:?}"),
        }
    }
}

/// How often two transactions at once each overlooked what the other one wrote: write skew, which serializable transactions never
/// show.
///
/// # Panics
/// A key cannot be set up.
pub async fn write_skews(system: &System) -> usize {
    let mut skews = 0;
    for round in 0..ROUNDS {
        let [a, b] = ["a", "b"].map(|name| format!("skew-{name}-{round}"));
        let values = [(a.clone(), "0".to_owned()), (b.clone(), "0".to_owned())].into();
        until_done(system, 0, Operation::MultiPut { values }).await;
        let write = |written: &str| Operation::Txn {
            guards: BTreeMap::new(),
            ops: vec![
                MicroOperation::Read(a.clone()),
                MicroOperation::Read(b.clone()),
                MicroOperation::Write(written.to_owned(), "1".to_owned()),
            ],
        };
        let (of_a, of_b) = (write(&a), write(&b));
        let (of_a, of_b) = tokio::join!(system.ask(0, &of_a), system.ask(0, &of_b));
        if overlooked(&of_a, 1) && overlooked(&of_b, 0) {
            skews += 1;
        }
    }
    eprintln!("write skew: {skews} times in {ROUNDS} rounds");
    skews
}

/// Whether the transaction committed and read the old value at this place.
fn overlooked(answer: &Answer, place: usize) -> bool {
    matches!(answer, Answer::Ok(Outcome::Committed { results: Some(results), .. })
        if results[place].as_deref() == Some("0"))
}

/// A node that stops while it has the operation, and is killed: the operation is refused, and `definite` says whether for
/// certain. While the node is gone, everything is refused for certain.
///
/// # Panics
/// An answer is of another class.
pub async fn killed_in_the_middle(system: &System, operation: &Operation, definite: bool) {
    // With a session that is open already, the operation is sent.
    system.get(0, "x").await;
    system.stop(0);
    let kill = async {
        sleep(BEFORE_KILL).await;
        system.kill(0);
    };
    let (answer, ()) = tokio::join!(system.ask(0, operation), kill);
    let code = refused(&answer);
    assert_eq!(code.is_definite(), definite, "{operation:?}: {answer:?}");
    let answer = system.ask(0, operation).await;
    assert_eq!(refused(&answer), ErrorCode::NotReady, "{answer:?}");
    eprintln!(
        "killed in the middle of `{}`: {}, afterwards not_ready",
        operation.name(),
        code.name()
    );
    system.restart(0).await;
}

fn refused(answer: &Answer) -> ErrorCode {
    match answer {
        Answer::Error(refusal) => refusal.code,
        Answer::Ok(outcome) => panic!("a killed server answered {outcome:?}"),
    }
}

/// What came of the writes of one client.
#[derive(Debug, Default)]
struct Written {
    acknowledged: Vec<String>,
    failed: Vec<String>,
    unknown: Vec<String>,
}

/// A node that is killed while clients write, each write to a key of its own. What failed for certain has not happened. What was
/// acknowledged is there, unless it `may_lose` that. It returns how many acknowledged writes are lost.
///
/// # Panics
/// One of both is not so, or there was nothing to see.
pub async fn killed_under_load(system: &Arc<System>, may_lose: bool) -> usize {
    let over = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(write(Arc::clone(system), client, Arc::clone(&over)));
    }
    sleep(BEFORE_KILL).await;
    system.kill(0);
    sleep(AFTER_KILL).await;
    over.store(true, Ordering::Relaxed);
    let mut all = Written::default();
    for written in clients.join_all().await {
        all.acknowledged.extend(written.acknowledged);
        all.failed.extend(written.failed);
        all.unknown.extend(written.unknown);
    }
    system.restart(0).await;
    let lost = missing(system, &all.acknowledged).await.len();
    eprintln!(
        "killed under load: {} writes acknowledged ({lost} of them lost), {} failed, {} unknown",
        all.acknowledged.len(),
        all.failed.len(),
        all.unknown.len()
    );
    assert!(!all.acknowledged.is_empty() && !all.failed.is_empty(), "too little was seen");
    assert!(may_lose || lost == 0, "acknowledged writes are lost");
    let absent = missing(system, &all.failed).await;
    assert_eq!(absent.len(), all.failed.len(), "a write that failed for certain has happened");
    lost
}

async fn missing(system: &System, keys: &[String]) -> Vec<String> {
    let mut missing = Vec::new();
    for key in keys {
        if system.get(0, key).await.is_none() {
            missing.push(key.clone());
        }
    }
    missing
}

/// Writes until it is over, by each operation in turn.
async fn write(system: Arc<System>, client: usize, over: Arc<AtomicBool>) -> Written {
    let mut written = Written::default();
    let node = client % system.node_count();
    for number in 0.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let (key, value) = (format!("load-{client}-{number}"), "1".to_owned());
        let operation = match number % 4 {
            0 => Operation::Put { key: key.clone(), value },
            1 => Operation::Append { key: key.clone(), value },
            2 => Operation::Cas { key: key.clone(), expect: None, value },
            _ => Operation::Txn {
                guards: [(key.clone(), None)].into(),
                ops: vec![MicroOperation::Write(key.clone(), value)],
            },
        };
        match system.ask(node, &operation).await {
            Answer::Ok(_) => written.acknowledged.push(key),
            Answer::Error(refusal) if refusal.code.is_definite() => {
                written.failed.push(key);
                // The node is gone: asking at full speed would only cost time.
                sleep(Duration::from_millis(20)).await;
            }
            Answer::Error(_) => written.unknown.push(key),
        }
    }
    written
}
