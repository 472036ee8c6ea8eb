//! The rules of a server, one test each.

#![allow(clippy::unwrap_used, reason = "helpers of tests: a failure here is a failed test")]

use contract::{
    Answer, ErrorCode, NodeId, Operation, Request,
    view::{PING_PATH, VIEW_PATH},
};
use kv::{ExactlyOnce, Store};
use node::{Effect, Effects, Protocol};
use primary_backup::{
    Config, Node, View,
    message::{Message, Record},
};
use serde_json::{Value, json};

type Kv = Node<ExactlyOnce<Store>>;

/// One server, and what its last step wanted done.
struct Server {
    name: &'static str,
    node: Kv,
    log: Vec<Record>,
    sent: Vec<(NodeId, Message)>,
    replies: Vec<(u64, Answer)>,
}

impl Server {
    fn new(name: &'static str, log: Vec<Record>) -> Self {
        let config = Config {
            node: name.to_owned(),
            servers: ["n1", "n2", "n3"].map(str::to_owned).to_vec(),
            view_service: "v1".to_owned(),
            reaches_servers: true,
            ping_ms: 50,
            dead_pings: 6,
            snapshot_bytes: None,
            chunk_bytes: 1 << 20,
        };
        let node = Node::new(config, ExactlyOnce::default(), log.clone()).unwrap();
        let mut server = Self { name, node, log, sent: Vec::new(), replies: Vec::new() };
        server.step(Kv::on_start);
        server
    }

    fn restart(self) -> Self {
        Self::new(self.name, self.log)
    }

    fn step(&mut self, handler: impl FnOnce(&mut Kv, &mut Effects<Kv>)) {
        let mut effects = Effects::new(0, 0);
        handler(&mut self.node, &mut effects);
        (self.sent, self.replies) = (Vec::new(), Vec::new());
        for effect in effects.into_list() {
            match effect {
                Effect::Persist(record) => self.log.push(record),
                Effect::Rewrite(records) => self.log = records,
                Effect::Send(to, message) => self.sent.push((to, message)),
                Effect::Reply(token, answer) => self.replies.push((token, answer)),
                Effect::SetTimer(..) | Effect::CancelTimer(_) => {}
            }
        }
    }

    fn hear(&mut self, from: &str, message: Message) {
        self.step(|node, effects| node.on_message(&from.to_owned(), message, effects));
    }

    fn hear_of(&mut self, view: View) {
        self.hear("v1", Message::CurrentView { view, acknowledged: false });
    }

    fn ask(&mut self, token: u64, op: Operation) {
        let request = Request { client: format!("c{token}"), seq: 1, op };
        self.step(|node, effects| node.on_request(token, request, effects));
    }

    /// The names of the messages to this node.
    fn sent_to(&self, node: &str) -> Vec<&'static str> {
        self.sent.iter().filter(|(to, _)| to == node).map(|(_, message)| message.kind()).collect()
    }

    /// What the last step answered, and to whom; `None` for a success.
    fn replied(&self) -> Vec<(u64, Option<ErrorCode>)> {
        let code = |answer: &Answer| match answer {
            Answer::Ok(_) => None,
            Answer::Error(refusal) => Some(refusal.code),
        };
        self.replies.iter().map(|(token, answer)| (*token, code(answer))).collect()
    }
}

fn view(num: u64, primary: &str, backup: &str) -> View {
    let server = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
    View { num, primary: server(primary), backup: server(backup) }
}

fn put(value: &str) -> Operation {
    Operation::Put { key: "x".to_owned(), value: value.to_owned() }
}

fn get() -> Operation {
    Operation::Get { key: "x".to_owned() }
}

/// n1 is primary and n2 its backup, acknowledged.
fn primary_with_backup() -> Server {
    let mut primary = Server::new("n1", Vec::new());
    primary.hear_of(view(1, "n1", ""));
    primary.hear_of(view(2, "n1", "n2"));
    assert_eq!(primary.sent_to("n2"), ["Transfer"]);
    primary.hear("n2", Message::Forwarded { num: 2, position: 0 });
    assert!(matches!(primary.sent[..], [(_, Message::Ping { num: 2, .. })]), "{:?}", primary.sent);
    primary
}

/// n2 has the state of a primary that carried out one operation.
fn backup_with_state() -> Server {
    let mut primary = Server::new("n1", Vec::new());
    primary.hear_of(view(1, "n1", ""));
    primary.ask(1, put("1"));
    primary.hear_of(view(2, "n1", "n2"));
    let transfer = primary.sent.iter().find(|(to, _)| to == "n2").unwrap().1.clone();
    let mut backup = Server::new("n2", Vec::new());
    backup.hear("n1", transfer);
    assert_eq!(backup.sent_to("n1"), ["Forwarded"]);
    backup
}

fn forward(num: u64, first: u64, value: &str) -> Message {
    let request = Request { client: format!("w{first}"), seq: 1, op: put(value) };
    Message::Forward { num, first, requests: vec![request] }
}

/// How far the backup says that it is.
fn position(server: &Server) -> u64 {
    match server.sent[..] {
        [(_, Message::Forwarded { position, .. })] => position,
        _ => panic!("{:?}", server.sent),
    }
}

#[test]
fn nothing_is_answered_before_the_backup_has_it_not_even_a_read() {
    let mut primary = primary_with_backup();
    primary.ask(1, put("1"));
    assert_eq!((primary.replied(), primary.sent_to("n2")), (vec![], vec!["Forward"]));
    primary.ask(2, get());
    assert_eq!((primary.replied(), primary.sent_to("n2")), (vec![], vec!["Forward"]));
    primary.hear("n2", Message::Forwarded { num: 1, position: 2 });
    assert_eq!(primary.replied(), [], "of an earlier view");
    primary.hear("n2", Message::Forwarded { num: 2, position: 2 });
    assert_eq!(primary.replied(), [(1, None), (2, None)]);
}

#[test]
fn a_view_is_acknowledged_once_the_backup_has_everything_that_was_answered_alone() {
    let mut primary = Server::new("n1", Vec::new());
    primary.hear_of(view(1, "n1", ""));
    primary.hear_of(view(2, "n1", "n2"));
    primary.ask(1, put("1"));
    assert_eq!(primary.replied(), [(1, None)], "alone");
    primary.hear("n2", Message::Forwarded { num: 2, position: 0 });
    assert_eq!((primary.sent_to("n2"), primary.sent_to("v1")), (vec!["Forward"], vec![]));
    primary.ask(2, put("2"));
    assert_eq!(primary.replied(), [], "the backup is about to follow it");
    primary.hear("n2", Message::Forwarded { num: 2, position: 1 });
    assert!(matches!(primary.sent[..], [(_, Message::Ping { num: 2, .. })]), "{:?}", primary.sent);
}

#[test]
fn a_primary_that_is_refused_serves_no_more_and_does_not_know_what_became_of_the_rest() {
    let mut primary = primary_with_backup();
    primary.ask(1, put("1"));
    primary.hear("n2", Message::Refused { num: 3 });
    assert_eq!(primary.replied(), [(1, Some(ErrorCode::Timeout))]);
    primary.ask(2, get());
    assert_eq!(primary.replied(), [(2, Some(ErrorCode::NotLeader))]);
}

#[test]
fn a_primary_that_loses_its_backup_answers_whoever_waited_for_it() {
    let mut primary = primary_with_backup();
    primary.ask(1, put("1"));
    primary.hear_of(view(3, "n1", "n3"));
    assert_eq!((primary.replied(), primary.sent_to("n3")), (vec![(1, None)], vec!["Transfer"]));
}

#[test]
fn a_backup_that_never_takes_the_state_holds_up_nobody() {
    let mut primary = Server::new("n1", Vec::new());
    primary.hear_of(view(1, "n1", ""));
    primary.hear_of(view(2, "n1", "n2"));
    let mut begun = Vec::new();
    for token in 1..=3_000 {
        primary.ask(token, put("1"));
        assert_eq!(primary.replied(), [(token, None)]);
        begun.extend(primary.sent.iter().filter_map(|(_, message)| match message {
            Message::Transfer { position, .. } => Some(*position),
            _ => None,
        }));
    }
    assert_eq!(begun, [1024, 2048], "what waits for it is bounded: a newer state takes its place");
}

#[test]
fn what_waits_for_an_acknowledged_backup_is_bounded() {
    let mut primary = primary_with_backup();
    for token in 1..=1_024 {
        primary.ask(token, put("1"));
        assert_eq!(primary.replied(), []);
    }
    primary.ask(1_025, put("1"));
    assert_eq!(primary.replied(), [(1_025, Some(ErrorCode::NotReady))]);
    primary.hear("n2", Message::Forwarded { num: 2, position: 1_024 });
    assert_eq!(primary.replied().len(), 1_024);
}

#[test]
fn a_primary_that_comes_up_again_serves_once_the_view_service_has_confirmed_it() {
    let mut primary = primary_with_backup().restart();
    primary.ask(1, get());
    assert_eq!(primary.replied(), [(1, Some(ErrorCode::NotReady))]);
    primary.hear_of(view(2, "n1", "n2"));
    primary.ask(2, get());
    assert_eq!(primary.replied(), [], "it has acknowledged the view, so it asks its backup");
    primary.hear("n2", Message::Forwarded { num: 2, position: 1 });
    assert_eq!(primary.replied(), [(2, None)]);
}

#[test]
fn a_backup_carries_out_operations_in_the_primary_s_order_without_a_gap() {
    let mut backup = backup_with_state();
    backup.hear("n1", forward(2, 3, "3"));
    assert_eq!(position(&backup), 1, "the second is missing");
    backup.hear("n1", forward(2, 2, "2"));
    assert_eq!(position(&backup), 3);
    backup.hear("n1", forward(2, 2, "2"));
    assert_eq!(position(&backup), 3, "doubled");
    let Node::Server(server) = &backup.node else { panic!("a view service") };
    assert_eq!(server.application().application().get("x"), Some("3"));
}

#[test]
fn a_backup_refuses_clients_and_names_the_primary() {
    let mut backup = backup_with_state();
    backup.ask(1, get());
    let [(1, Answer::Error(refusal))] = &backup.replies[..] else { panic!("{:?}", backup.replies) };
    assert_eq!((refusal.code, refusal.hint.as_deref()), (ErrorCode::NotLeader, Some("n1")));
}

#[test]
fn a_server_refuses_what_belongs_to_an_earlier_view_also_after_a_restart() {
    let mut server = backup_with_state();
    server.hear_of(view(3, "n2", ""));
    for mut server in [server.restart(), Server::new("n3", Vec::new())] {
        server.hear_of(view(3, "n2", ""));
        server.hear("n1", forward(2, 2, "2"));
        assert_eq!(server.sent_to("n1"), ["Refused"]);
    }
}

#[test]
fn a_backup_takes_no_operations_before_it_has_the_state() {
    let mut backup = backup_with_state();
    backup.hear_of(view(3, "n3", ""));
    backup.hear_of(view(4, "n3", "n2"));
    backup.hear("n3", forward(4, 2, "2"));
    assert_eq!(backup.sent_to("n3"), [""; 0], "what it has is of view 2");
}

/// It has lost its disk: a view is not acknowledged before both servers are in it.
#[test]
fn a_server_that_learns_too_late_that_it_is_in_a_view_stays_out_of_it() {
    for view in [view(2, "n1", "n2"), view(2, "n2", "n1")] {
        let mut server = Server::new("n2", Vec::new());
        server.hear("v1", Message::CurrentView { view, acknowledged: true });
        server.ask(1, get());
        assert_eq!(server.replied(), [(1, Some(ErrorCode::NotLeader))]);
        assert!(server.log.is_empty());
    }
}

/// The rung `view-service`: others ask the view service, too.
#[test]
fn the_view_service_answers_pings_that_come_as_requests() {
    let mut service = Server::new("v1", Vec::new());
    let call = |service: &mut Server, path: &str, body: Value| {
        let mut result = None;
        service.step(|node, effects| result = Some(node.on_call(path, body, effects)));
        result.unwrap().map_err(|refusal| refusal.code)
    };
    let none = json!({ "num": 0, "primary": null, "backup": null });
    assert_eq!(call(&mut service, VIEW_PATH, Value::Null), Ok(none));
    let ping = |node: &str, view: u64| json!({ "node": node, "view": view });
    let first = json!({ "num": 1, "primary": "n1", "backup": null });
    assert_eq!(call(&mut service, PING_PATH, ping("n1", 0)), Ok(first.clone()));
    assert!(matches!(service.log[..], [Record::Chosen { acknowledged: false, .. }]));
    assert_eq!(call(&mut service, PING_PATH, ping("n1", 1)), Ok(first));
    let second = json!({ "num": 2, "primary": "n1", "backup": "n2" });
    assert_eq!(call(&mut service, PING_PATH, ping("n2", 0)), Ok(second.clone()));
    for bad in
        [ping("n9", 0), json!({ "node": "n1" }), json!({ "node": "n1", "view": -1 }), Value::Null]
    {
        assert_eq!(call(&mut service, PING_PATH, bad), Err(ErrorCode::BadRequest));
    }
    // What was told is on the disk.
    assert_eq!(call(&mut service.restart(), VIEW_PATH, Value::Null), Ok(second));
    let mut server = Server::new("n1", Vec::new());
    assert_eq!(call(&mut server, PING_PATH, ping("n1", 0)), Err(ErrorCode::Unsupported));
}
