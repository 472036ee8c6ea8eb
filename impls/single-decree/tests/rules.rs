//! Single rules, step by step.

use contract::{Answer, ErrorCode, Operation, Outcome, Request};
use kv::{ExactlyOnce, Store};
use node::{Effect, Effects, Protocol};
use single_decree::{Acceptor, Ballot, Config, Registers, message::Record};

type Node = Registers<ExactlyOnce<Store>>;

fn initial() -> ExactlyOnce<Store> {
    ExactlyOnce::remembering(Store::default(), 1 << 10)
}

fn alone(records: Vec<Record>) -> Node {
    let config = Config {
        node: "n1".to_owned(),
        members: vec!["n1".to_owned()],
        retry_ms: 50,
        snapshot_bytes: Some(5_000),
    };
    Registers::new(config, Box::new(initial), records)
}

/// What a node that is the whole cluster answers, and what it makes durable.
fn ask(node: &mut Node, log: &mut Vec<Record>, seq: u64, op: Operation) -> Answer {
    let mut effects = Effects::new(0, seq);
    node.on_request(1, Request { client: "c1".to_owned(), seq, op }, &mut effects);
    let mut answer = None;
    for effect in effects.into_list() {
        match effect {
            Effect::Persist(record) => log.push(record),
            Effect::Rewrite(records) => *log = records,
            Effect::Reply(_, given) => answer = Some(given),
            _ => {}
        }
    }
    answer.expect("alone, a node needs nobody's answer")
}

fn append(value: String) -> Operation {
    Operation::Append { key: "x".to_owned(), value }
}

/// A record of the log has a limit; past it every node would die of its own vote.
#[test]
fn a_full_register_refuses_and_keeps_what_it_holds() {
    let (mut node, mut log) = (alone(Vec::new()), Vec::new());
    let mut refused = 0;
    for seq in 1..=8 {
        match ask(&mut node, &mut log, seq, append("y".repeat(1 << 20))) {
            Answer::Ok(_) => assert_eq!(refused, 0),
            Answer::Error(refusal) => {
                assert_eq!(refusal.code, ErrorCode::BadRequest);
                refused += 1;
            }
        }
    }
    assert!((1..8).contains(&refused), "{refused} of eight megabytes");
    let get = Operation::Get { key: "x".to_owned() };
    let Answer::Ok(Outcome::Value { value: Some(value) }) = ask(&mut node, &mut log, 9, get) else {
        panic!("the register can still be read");
    };
    assert_eq!(value.len(), (8 - refused) << 20);
}

#[test]
fn a_compacted_log_gives_back_every_promise_and_vote() {
    let promise = Ballot { round: 9, node: "n2".to_owned() };
    let mut log = vec![Record::Promised { key: "y".to_owned(), ballot: promise.clone() }];
    let mut node = alone(log.clone());
    let (mut most, mut compacted) = (0, 0);
    for seq in 1..=200 {
        let before = log.len();
        ask(&mut node, &mut log, seq, append(format!("{seq},")));
        compacted += usize::from(log.len() < before);
        most = most.max(log.len());
    }
    assert!(compacted > 2 && most < 2 * 200, "{compacted} times, {most} records");
    let again = alone(log);
    assert_eq!(again.acceptor("x"), node.acceptor("x"));
    assert!(again.acceptor("x").is_some_and(|acceptor| acceptor.vote().is_some()));
    assert_eq!(again.acceptor("y").map(Acceptor::promised), Some(&promise));
}
