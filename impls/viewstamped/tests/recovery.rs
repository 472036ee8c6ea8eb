//! Recovery (§4.3) by hand: its rules, and the schedule in which the published version loses an operation.

mod bench;

use std::collections::BTreeMap;

use contract::Answer;
use viewstamped::{
    Config,
    log::LogSuffix,
    message::{Message, Record},
};

use crate::bench::{Bench, Out, done, get, kinds, put, value};

/// One of three or five that comes up with this on its disk, and the nonce that it asks with.
fn recovering(node: &str, count: usize, view_number: u64) -> (Bench, u64) {
    let mut bench = Bench::with(Bench::new(node, count).config, vec![Record { view_number }]);
    bench.entropy = 7;
    let (messages, _) = bench.start();
    let [(_, Message::Recovery { nonce, .. }), ..] = &messages[..] else { panic!("{messages:?}") };
    (bench, *nonce)
}

fn response(view_number: u64, nonce: u64, log: Option<LogSuffix>) -> Message {
    Message::RecoveryResponse { view_number, nonce, log }
}

fn empty() -> Option<LogSuffix> {
    Some(LogSuffix::default())
}

#[test]
fn the_first_life_is_written_down_before_anything_is_sent() {
    let mut bench = Bench::new("n1", 3);
    assert!(bench.node.is_normal() && bench.disk.is_empty());
    bench.start();
    assert_eq!(bench.disk, [Record { view_number: 0 }]);
    bench.restart();
    assert!(bench.node.is_recovering());
}

#[test]
fn whoever_dies_before_that_has_not_lived() {
    let mut bench = Bench::new("n1", 3);
    bench.restart();
    bench.start();
    assert!(bench.node.is_normal());
}

#[test]
fn whoever_is_said_to_have_lived_recovers_whatever_is_on_its_disk() {
    let config = Config { restarted: true, ..Bench::new("n1", 3).config };
    let mut bench = Bench::with(config, Vec::new());
    let (messages, _) = bench.start();
    assert_eq!(kinds(&messages), [("n2", "Recovery"), ("n3", "Recovery")]);
}

#[test]
fn each_life_asks_with_a_nonce_of_its_own() {
    let (mut bench, first) = recovering("n1", 3, 0);
    bench.restart();
    let (messages, _) = bench.start();
    let [(_, Message::Recovery { nonce, .. }), _] = &messages[..] else { panic!("{messages:?}") };
    assert_ne!(*nonce, first);
    bench.receive("n2", response(1, first, empty()));
    bench.receive("n3", response(1, first, None));
    assert!(bench.node.is_recovering(), "answers to an earlier life");
}

#[test]
fn a_recovering_replica_needs_the_answers_of_a_quorum_of_others_and_of_the_primary() {
    let (mut bench, nonce) = recovering("n1", 5, 0);
    bench.receive("n2", response(1, nonce, empty()));
    bench.receive("n2", response(1, nonce, empty()));
    bench.receive("n3", response(1, nonce, None));
    assert!(bench.node.is_recovering(), "two of five");
    bench.receive("n4", response(2, nonce, None));
    assert!(bench.node.is_recovering(), "n3, the primary of view 2, has not told its log");
    bench.receive("n3", response(2, nonce, empty()));
    assert!(bench.node.is_normal());
    assert_eq!(bench.node.view_number(), 2);
}

#[test]
fn an_old_answer_does_not_replace_a_newer_one() {
    let (mut bench, nonce) = recovering("n1", 5, 0);
    bench.receive("n3", response(2, nonce, empty()));
    bench.receive("n3", response(1, nonce, None));
    bench.receive("n2", response(1, nonce, empty()));
    bench.receive("n4", response(1, nonce, None));
    assert_eq!((bench.node.is_normal(), bench.node.view_number()), (true, 2));
}

#[test]
fn a_recovering_replica_takes_no_view_before_the_one_on_its_disk() {
    let (mut bench, nonce) = recovering("n3", 3, 4);
    bench.receive("n1", response(3, nonce, empty()));
    bench.receive("n2", response(3, nonce, None));
    assert!(bench.node.is_recovering());
    bench.receive("n1", response(4, nonce, None));
    bench.receive("n2", response(4, nonce, empty()));
    assert_eq!((bench.node.is_normal(), bench.node.view_number()), (true, 4));
}

#[test]
fn a_recovering_replica_takes_no_part() {
    let (mut bench, _) = recovering("n2", 3, 0);
    let messages = [
        Message::StartViewChange { view_number: 9 },
        Message::Suspect { view_number: 9 },
        Message::StartView { view_number: 9, log: LogSuffix::default() },
        Message::Commit { view_number: 0, commit_number: 0, round: 1 },
        Message::Recovery { nonce: 1, view_number: 0 },
        Message::GetState { commit_number: 0, checkpoint: None },
    ];
    for message in messages {
        assert!(bench.receive("n1", message).0.is_empty());
    }
    assert!(bench.node.is_recovering());
    assert_eq!(bench.disk, [Record { view_number: 0 }]);
}

#[test]
fn only_a_replica_whose_status_is_normal_answers_and_only_the_primary_tells_its_log() {
    let mut backup = Bench::new("n2", 3);
    backup.start();
    let ask = Message::Recovery { nonce: 5, view_number: 0 };
    let (messages, _) = backup.receive("n3", ask.clone());
    assert!(matches!(&messages[..], [(_, Message::RecoveryResponse { nonce: 5, log: None, .. })]));
    backup.receive("n1", Message::StartViewChange { view_number: 1 });
    assert!(backup.receive("n3", ask.clone()).0.is_empty());

    let mut primary = Bench::new("n1", 3);
    primary.start();
    let (messages, _) = primary.receive("n3", ask);
    assert!(matches!(&messages[..], [(_, Message::RecoveryResponse { log: Some(_), .. })]));
}

#[test]
fn whoever_is_in_an_earlier_view_than_the_one_on_the_disk_comes_along() {
    let mut backup = Bench::new("n2", 3);
    backup.start();
    let (messages, _) = backup.receive("n3", Message::Recovery { nonce: 5, view_number: 4 });
    assert_eq!(kinds(&messages), [("n1", "StartViewChange"), ("n3", "StartViewChange")]);
    assert_eq!(backup.node.view_number(), 4);
}

#[test]
fn a_recovering_replica_first_gets_what_comes_before_the_log() {
    let mut primary = Bench::new("n1", 3);
    primary.start();
    for token in 1..=3 {
        primary.request(token, put(&token.to_string()));
        primary.receive("n2", Message::PrepareOk { view_number: 0, op_number: token });
    }
    primary.request(4, put("4"));
    let (mut bench, nonce) = recovering("n3", 3, 0);
    let (messages, _) = primary.receive("n3", Message::Recovery { nonce, view_number: 0 });
    bench.receive("n2", response(0, nonce, None));
    let (messages, _) = bench.receive("n1", messages[0].1.clone());
    assert!(bench.node.is_recovering());
    let (messages, _) = primary.receive("n3", messages[0].1.clone());
    let (messages, _) = bench.receive("n1", messages[0].1.clone());
    assert!(bench.node.is_normal());
    assert!(matches!(messages[..], [(_, Message::PrepareOk { view_number: 0, op_number: 4 })]));
    assert_eq!(bench.node.application(), primary.node.application());
}

/// Three replicas, and what is under way between them.
struct Group {
    replicas: BTreeMap<String, Bench>,
    under_way: Vec<(String, String, Message)>,
}

impl Group {
    fn new() -> Self {
        let names = ["n1", "n2", "n3"];
        let replicas = names.map(|name| (name.to_owned(), Bench::new(name, 3))).into();
        let mut group = Self { replicas, under_way: Vec::new() };
        for name in names {
            group.step(name, Bench::start);
        }
        group.heartbeat(0, &["n1"]);
        group
    }

    /// What it lets out is under way.
    fn step(&mut self, name: &str, step: impl FnOnce(&mut Bench) -> Out) -> Vec<(u64, Answer)> {
        let (messages, answers) = step(self.replicas.get_mut(name).expect("one of the group"));
        let from = name.to_owned();
        let sent = messages.into_iter().map(|(to, message)| (from.clone(), to, message));
        self.under_way.extend(sent);
        answers
    }

    /// Delivers what is under way between these, and what comes of it; all else is late. Gives the answers.
    fn deliver(&mut self, names: &[&str]) -> Vec<(u64, Answer)> {
        let mut answers = Vec::new();
        let is_meant = |(from, to, _): &(String, String, Message)| {
            names.contains(&from.as_str()) && names.contains(&to.as_str())
        };
        while let Some(position) = self.under_way.iter().position(is_meant) {
            let (from, to, message) = self.under_way.remove(position);
            answers.extend(self.step(&to, |bench| bench.receive(&from, message)));
        }
        answers
    }

    /// Takes out what is late of this kind from one to another.
    fn late(&mut self, from: &str, to: &str, kind: &str) -> Message {
        let is_meant = |(sender, receiver, message): &(String, String, Message)| {
            sender == from && receiver == to && message.kind() == kind
        };
        let position = self.under_way.iter().position(is_meant);
        self.under_way.remove(position.unwrap_or_else(|| panic!("no {kind} of {from} to {to}"))).2
    }

    fn receive(&mut self, from: &str, to: &str, message: Message) {
        self.step(to, |bench| bench.receive(from, message));
    }

    /// A heartbeat of these, and all that comes of it between all three.
    fn heartbeat(&mut self, after_ms: u64, names: &[&str]) {
        for name in names {
            self.step(name, |bench| bench.heartbeat(after_ms));
        }
        self.deliver(&["n1", "n2", "n3"]);
    }

    /// It crashes; with `forgets` its disk tells only that it lived, as in the published protocol. It comes up and recovers.
    fn crash_and_recover(&mut self, name: &str, forgets: bool) {
        let bench = self.replicas.get_mut(name).expect("one of the group");
        bench.entropy += 1;
        if forgets {
            bench.disk = vec![Record { view_number: 0 }];
        }
        bench.restart();
        self.under_way.clear();
        self.step(name, Bench::start);
        self.settle();
    }

    /// Some heartbeats in which nothing goes wrong; then nobody is away.
    fn settle(&mut self) {
        for _ in 0..40 {
            self.heartbeat(50, &["n1", "n2", "n3"]);
        }
        assert!(self.replicas.values().all(|bench| bench.node.is_normal()));
    }

    fn primary(&self) -> String {
        let mut replicas = self.replicas.iter();
        let primary = replicas.find(|(_, bench)| bench.node.is_primary());
        primary.expect("somebody leads").0.clone()
    }

    fn replica(&self, name: &str) -> &Bench {
        &self.replicas[name]
    }
}

/// What n2 answers in the end to a read of the key that n1 had acknowledged.
///
/// At no time is more than one replica away. `forgets`: view-numbers do not outlive a crash.
fn acknowledged_and_then_read(forgets: bool) -> Answer {
    let mut group = Group::new();
    // n2 and n3 miss n1 for a moment. n2 hears that n3 does, and starts view 1, of which nobody hears yet.
    group.step("n2", |bench| bench.heartbeat(400));
    group.step("n3", |bench| bench.heartbeat(400));
    let suspect = group.late("n3", "n2", "Suspect");
    group.receive("n3", "n2", suspect);
    let start_of_n2 = group.late("n2", "n3", "StartViewChange");
    group.under_way.clear();
    group.step("n1", |bench| bench.heartbeat(50));
    group.deliver(&["n1", "n3"]);
    // n2 crashes, and would recover into view 0, in which n1 and n3 are.
    group.crash_and_recover("n2", forgets);
    // With its view-number on its disk it asks the others to come along, and none of the old messages matters any more.
    assert_eq!(group.replica("n1").node.view_number() > 0, !forgets);
    // Now n3 gets the old message, leaves view 0 and tells n2 what it has: nothing. That is late.
    let before = group.replica("n3").node.view_number();
    group.receive("n2", "n3", start_of_n2);
    let offer = (before == 0).then(|| {
        let start_of_n3 = group.late("n3", "n2", "StartViewChange");
        (start_of_n3, group.late("n3", "n2", "DoViewChange"))
    });
    group.under_way.clear();
    // n3 crashes as well, and recovers in the same way.
    group.crash_and_recover("n3", forgets);
    // A client's write: the primary and n3 have it, and it is acknowledged.
    let primary = group.primary();
    group.step(&primary, |bench| bench.request(1, put("1")));
    let other = if primary == "n3" { "n1" } else { "n3" };
    assert_eq!(group.deliver(&[&primary, other]), [(1, done())]);
    group.under_way.clear();
    // The old messages of n3 reach n2.
    if let Some((start_of_n3, offer)) = offer {
        group.receive("n3", "n2", start_of_n3);
        group.receive("n3", "n2", offer);
    }
    group.settle();
    let primary = group.primary();
    group.step(&primary, |bench| bench.request(2, get()));
    let [(2, answer)] = &group.deliver(&["n1", "n2", "n3"])[..] else { panic!("no answer") };
    answer.clone()
}

#[test]
fn the_published_protocol_loses_an_acknowledged_operation() {
    assert_eq!(acknowledged_and_then_read(true), value(None));
}

#[test]
fn a_view_number_on_the_disk_keeps_it() {
    assert_eq!(acknowledged_and_then_read(false), value(Some("1")));
}
