//! Single rules, step by step, each named by its section of the paper: what a simulation meets seldom, because good timing
//! hides it.

mod bench;

use std::sync::Arc;

use contract::{Answer, ErrorCode, Refusal, Request};
use node::Protocol;
use viewstamped::{
    Config,
    log::{Batch, LogSuffix},
    message::{Message, State},
};

use crate::bench::{Bench, codes, done, get, kinds, put, value};

fn batch(seq: u64) -> Batch {
    Arc::new(vec![Request { client: "c9".to_owned(), seq, op: put(&seq.to_string()) }])
}

fn suffix(commit_number: u64, seqs: &[u64]) -> LogSuffix {
    LogSuffix { commit_number, batches: seqs.iter().map(|seq| batch(*seq)).collect() }
}

fn prepare(view_number: u64, op_number: u64, commit_number: u64) -> Message {
    Message::Prepare { view_number, op_number, batch: batch(op_number), commit_number }
}

fn prepare_ok(view_number: u64, op_number: u64) -> Message {
    Message::PrepareOk { view_number, op_number }
}

fn offer(view_number: u64, last_normal_view: u64, log: LogSuffix) -> Message {
    Message::DoViewChange { view_number, last_normal_view, log }
}

/// A replica of three in view 0 that has started. n1 is the primary, and knows that the others follow.
fn replica(node: &str) -> Bench {
    let mut bench = Bench::new(node, 3);
    bench.start();
    if node == "n1" {
        bench.receive("n2", prepare_ok(0, 0));
        bench.receive("n3", prepare_ok(0, 0));
    }
    bench
}

/// Lets a replica miss its primary as long as another does.
fn misses_primary(bench: &mut Bench, other: &str) -> bench::Out {
    let view_number = bench.node.view_number();
    let (messages, _) = bench.heartbeat(1_000);
    assert!(kinds(&messages).iter().any(|(_, kind)| *kind == "Suspect"), "{messages:?}");
    bench.receive(other, Message::Suspect { view_number })
}

fn op_number_acknowledged((messages, _): &bench::Out) -> u64 {
    match &messages[..] {
        [(_, Message::PrepareOk { op_number, .. })] => *op_number,
        other => panic!("{other:?}"),
    }
}

#[test]
fn normal_a_request_is_answered_once_a_quorum_has_it() {
    let mut primary = replica("n1");
    let (messages, answers) = primary.request(1, put("1"));
    assert_eq!(kinds(&messages), [("n2", "Prepare"), ("n3", "Prepare")]);
    assert!(answers.is_empty());
    let (_, answers) = primary.receive("n3", prepare_ok(0, 1));
    assert_eq!(answers, [(1, done())]);
    assert_eq!(primary.receive("n2", prepare_ok(0, 1)).1, [], "it is answered once");
}

#[test]
fn normal_acknowledgements_of_another_view_do_not_count() {
    let mut primary = replica("n1");
    primary.request(1, put("1"));
    assert!(primary.receive("n2", prepare_ok(3, 1)).1.is_empty());
    assert_eq!(primary.node.commit_number(), 0);
}

#[test]
fn normal_only_what_is_committed_is_shown_as_chosen() {
    let mut backup = replica("n2");
    backup.receive("n1", prepare(0, 1, 0));
    backup.receive("n1", prepare(0, 2, 1));
    let shown: Vec<u64> = backup.node.chosen(0..9).unwrap().map(|entry| entry.slot).collect();
    assert_eq!(shown, [1]);
}

#[test]
fn normal_a_backup_acknowledges_in_order() {
    let mut backup = replica("n2");
    assert_eq!(op_number_acknowledged(&backup.receive("n1", prepare(0, 2, 0))), 0, "1 is missing");
    assert_eq!(op_number_acknowledged(&backup.receive("n1", prepare(0, 1, 0))), 2);
    assert_eq!(op_number_acknowledged(&backup.receive("n1", prepare(0, 1, 0))), 2, "doubled");
}

#[test]
fn normal_a_backup_executes_what_it_is_told_is_committed_and_no_more() {
    let mut backup = replica("n2");
    backup.receive("n1", prepare(0, 1, 0));
    backup.receive("n1", prepare(0, 2, 1));
    assert_eq!(backup.node.commit_number(), 1);
    backup.receive("n1", Message::Commit { view_number: 0, commit_number: 2, round: 1 });
    assert_eq!(backup.node.application().application().get("x"), Some("2"));
}

#[test]
fn normal_only_the_primary_of_the_same_view_is_obeyed() {
    let mut backup = replica("n2");
    assert!(backup.receive("n3", prepare(0, 1, 0)).0.is_empty());
    assert!(backup.receive("n1", prepare(3, 1, 0)).0.is_empty(), "n1 leads view 3 as well");
    assert_eq!(backup.node.log().op_number(), 0);
}

#[test]
fn normal_a_retry_is_answered_from_the_client_table() {
    let mut primary = replica("n1");
    primary.request(1, put("1"));
    primary.receive("n2", prepare_ok(0, 1));
    let (messages, answers) = primary.request(1, put("1"));
    assert!(messages.is_empty());
    assert_eq!(answers, [(1, done())]);
}

#[test]
fn normal_the_pipeline_is_bounded_and_what_waits_shares_an_operation() {
    let mut primary = replica("n1");
    for token in 1..=8 {
        assert_eq!(primary.request(token, put("1")).0.len(), 2);
    }
    for token in 9..=12 {
        assert!(primary.request(token, put("1")).0.is_empty());
    }
    let (messages, _) = primary.receive("n2", prepare_ok(0, 1));
    let [(_, Message::Prepare { op_number: 9, batch, .. }), _] = &messages[..] else {
        panic!("{messages:?}")
    };
    assert_eq!(batch.len(), 4);
}

#[test]
fn normal_what_is_not_acknowledged_is_sent_again_to_whom_it_misses() {
    let mut primary = replica("n1");
    primary.request(1, put("1"));
    primary.receive("n2", prepare_ok(0, 0));
    let again = |messages: &[(String, Message)]| -> Vec<String> {
        let is_prepare = |message: &&(String, Message)| message.1.kind() == "Prepare";
        messages.iter().filter(is_prepare).map(|(to, _)| to.clone()).collect()
    };
    assert_eq!(again(&primary.heartbeat(60).0), ["n2", "n3"]);
    primary.receive("n2", prepare_ok(0, 1));
    assert!(
        again(&primary.heartbeat(60).0).is_empty(),
        "it is committed: state transfer is for n3"
    );
}

#[test]
fn reads_wait_for_a_quorum_that_confirms_after_they_came() {
    let mut primary = replica("n1");
    primary.heartbeat(50); // round 1 is under way
    let (messages, answers) = primary.request(1, get());
    assert!(messages.is_empty() && answers.is_empty());
    let confirm = |round| Message::CommitOk { view_number: 0, op_number: 0, round };
    let (messages, answers) = primary.receive("n2", confirm(1));
    assert!(answers.is_empty(), "that one left before the read came");
    assert!(matches!(messages[..], [(_, Message::Commit { round: 2, .. }), _]), "{messages:?}");
    assert!(primary.receive("n2", confirm(1)).1.is_empty());
    assert_eq!(primary.receive("n3", confirm(2)).1, [(1, value(None))]);
}

#[test]
fn reads_wait_until_what_earlier_views_committed_is_executed() {
    let mut next = replica("n2");
    next.receive("n1", prepare(0, 1, 0)); // perhaps committed
    misses_primary(&mut next, "n3");
    next.receive("n3", Message::StartViewChange { view_number: 1 });
    next.receive("n3", offer(1, 0, suffix(0, &[])));
    assert!(next.node.is_primary() && next.node.commit_number() == 0);
    next.request(1, get());
    let confirm = Message::CommitOk { view_number: 1, op_number: 0, round: 9 };
    assert!(next.receive("n3", confirm).1.is_empty());
    assert_eq!(next.receive("n3", prepare_ok(1, 1)).1, [(1, value(Some("1")))]);
}

#[test]
fn view_change_needs_a_quorum_that_misses_the_primary() {
    let mut backup = Bench::new("n2", 5);
    backup.start();
    assert!(kinds(&backup.heartbeat(299).0).is_empty(), "not yet");
    backup.receive("n3", Message::Suspect { view_number: 0 });
    backup.heartbeat(1);
    backup.receive("n3", Message::Suspect { view_number: 0 });
    backup.receive("n3", Message::Suspect { view_number: 0 });
    assert_eq!(backup.node.view_number(), 0, "two of five");
    backup.receive("n4", Message::Suspect { view_number: 0 });
    assert_eq!(backup.node.view_number(), 1);
}

#[test]
fn view_change_a_backup_that_hears_its_primary_stays() {
    let mut backup = replica("n2");
    backup.heartbeat(1_000);
    backup.receive("n1", Message::Commit { view_number: 0, commit_number: 0, round: 1 });
    backup.receive("n3", Message::Suspect { view_number: 0 });
    assert_eq!(backup.node.view_number(), 0);
}

#[test]
fn view_change_skips_a_primary_that_nobody_heard() {
    let mut backup = replica("n3");
    let mut five = Bench::new("n3", 5);
    five.start();
    five.heartbeat(1_000);
    for other in ["n4", "n5"] {
        five.receive(other, Message::Suspect { view_number: 0 });
    }
    assert_eq!(five.node.view_number(), 2, "n2, which leads view 1, was not heard");
    misses_primary(&mut backup, "n2");
    assert_eq!(backup.node.view_number(), 1);
}

#[test]
fn view_change_the_view_number_is_on_the_disk_before_anybody_hears_of_it() {
    let mut backup = replica("n2");
    let (messages, _) = misses_primary(&mut backup, "n3");
    assert_eq!(kinds(&messages), [("n1", "StartViewChange"), ("n3", "StartViewChange")]);
    assert_eq!(backup.disk[0].view_number, 1, "the driver writes before it sends");
    assert_eq!(backup.disk.len(), 1);
}

#[test]
fn view_change_one_who_starts_takes_the_others_along() {
    let mut backup = replica("n3");
    backup.receive("n1", prepare(0, 1, 0));
    let (messages, _) = backup.receive("n2", Message::StartViewChange { view_number: 1 });
    assert_eq!(
        kinds(&messages),
        [("n1", "StartViewChange"), ("n2", "StartViewChange"), ("n2", "DoViewChange")]
    );
    let Some((_, Message::DoViewChange { last_normal_view: 0, log, .. })) = messages.last() else {
        panic!("{messages:?}")
    };
    assert_eq!(*log, suffix(0, &[1]));
    assert!(backup.receive("n1", prepare(0, 2, 1)).0.is_empty(), "it has left view 0");
}

#[test]
fn view_change_no_log_is_offered_before_a_quorum_has_left() {
    let mut backup = Bench::new("n3", 5);
    backup.start();
    let of = |bench: &mut Bench, from| {
        let message = Message::StartViewChange { view_number: 1 };
        let (messages, _) = bench.receive(from, message);
        messages.iter().filter(|(_, message)| message.kind() == "DoViewChange").count()
    };
    assert_eq!(of(&mut backup, "n4"), 0);
    assert_eq!(of(&mut backup, "n4"), 0, "the same one again");
    assert_eq!(of(&mut backup, "n5"), 1);
}

/// n2, about to lead view 4 of five replicas, with the operations 1 and 2 of view 0.
fn next_primary() -> Bench {
    let mut next = Bench::new("n5", 5);
    next.start();
    next.receive("n1", prepare(0, 1, 0));
    next.receive("n1", prepare(0, 2, 0));
    for other in ["n2", "n3"] {
        next.receive(other, Message::StartViewChange { view_number: 4 });
    }
    next
}

#[test]
fn view_change_the_log_of_the_latest_normal_view_is_chosen_and_then_the_longest() {
    let seqs = |bench: &Bench| -> Vec<u64> {
        bench.node.log().from(1).map(|(_, batch)| batch[0].seq).collect()
    };
    let mut next = next_primary();
    next.receive("n2", offer(4, 0, suffix(0, &[1, 2, 3, 4])));
    assert!(!next.node.is_normal(), "two of five");
    next.receive("n2", offer(4, 0, suffix(0, &[1, 2, 3, 4])));
    assert!(!next.node.is_normal(), "the same one again");
    let (messages, _) = next.receive("n3", offer(4, 2, suffix(0, &[1, 20])));
    assert!(next.node.is_primary());
    assert_eq!(seqs(&next), [1, 20], "view 2 was later than view 0");
    assert!(
        matches!(&messages[0].1, Message::StartView { view_number: 4, log } if *log == suffix(0, &[1, 20]))
    );

    let mut next = next_primary();
    next.receive("n2", offer(4, 0, suffix(0, &[1])));
    next.receive("n3", offer(4, 0, suffix(0, &[1, 2, 3])));
    assert_eq!(seqs(&next), [1, 2, 3]);

    let mut next = next_primary();
    next.receive("n2", offer(4, 0, suffix(0, &[1])));
    next.receive("n3", offer(4, 0, suffix(0, &[])));
    assert_eq!(seqs(&next), [1, 2], "its own");
}

#[test]
fn view_change_what_anybody_knows_to_be_committed_is_executed() {
    let mut next = next_primary();
    next.receive("n2", offer(4, 0, suffix(1, &[2, 3])));
    assert!(!next.node.is_normal());
    let (messages, _) = next.receive("n3", offer(4, 0, suffix(0, &[])));
    // It has not executed 1, so the best log's suffix does not follow on what it has.
    assert_eq!(kinds(&messages), [("n2", "GetState")]);
    let state = State::Operations { first: 1, batches: vec![batch(1)] };
    next.receive("n2", Message::NewState { view_number: 4, state });
    assert!(next.node.is_primary());
    assert_eq!((next.node.commit_number(), next.node.log().op_number()), (1, 3));
}

#[test]
fn view_change_offers_for_another_view_do_not_count() {
    let mut next = next_primary();
    next.receive("n2", offer(4, 0, suffix(0, &[])));
    next.receive("n3", offer(2, 0, suffix(0, &[])));
    assert!(!next.node.is_normal());
}

#[test]
fn view_change_a_backup_takes_over_the_new_log_and_acknowledges_it() {
    let mut backup = replica("n3");
    backup.receive("n1", prepare(0, 1, 0));
    backup.receive("n1", prepare(0, 2, 0));
    let start = Message::StartView { view_number: 1, log: suffix(0, &[1, 20, 30]) };
    assert_eq!(op_number_acknowledged(&backup.receive("n2", start.clone())), 3);
    assert_eq!(backup.node.log().get(2), Some(&batch(20)));
    backup.receive("n2", prepare(1, 4, 0));
    backup.receive("n2", start);
    assert_eq!(backup.node.log().op_number(), 4, "an old message cuts nothing");
    let old = Message::StartView { view_number: 0, log: suffix(0, &[]) };
    assert!(backup.receive("n1", old).0.is_empty());
}

#[test]
fn view_change_a_backup_keeps_its_log_until_it_can_take_over_the_new_one() {
    let mut backup = replica("n3");
    backup.receive("n1", prepare(0, 1, 0)); // committed with its help
    let start = Message::StartView { view_number: 1, log: suffix(2, &[3]) };
    let (messages, _) = backup.receive("n2", start);
    assert!(kinds(&messages).contains(&("n2", "GetState")), "it has not executed 1 and 2");
    let (messages, _) = backup.receive("n1", Message::StartViewChange { view_number: 3 });
    let Some((_, Message::DoViewChange { log, last_normal_view: 0, .. })) = messages.last() else {
        panic!("{messages:?}")
    };
    assert_eq!(*log, suffix(0, &[1]));
}

#[test]
fn view_change_a_backup_enters_when_everything_before_is_executed() {
    let mut backup = replica("n3");
    backup.receive("n1", prepare(0, 1, 0));
    backup.receive("n2", Message::StartView { view_number: 1, log: suffix(2, &[3]) });
    assert!(!backup.node.is_normal());
    // Under load later ones begin further on: the first one stays.
    backup.receive("n2", Message::StartView { view_number: 1, log: suffix(5, &[6]) });
    let state = State::Operations { first: 1, batches: vec![batch(1), batch(2)] };
    backup.receive("n2", Message::NewState { view_number: 1, state });
    assert!(backup.node.is_normal());
    assert_eq!((backup.node.commit_number(), backup.node.log().op_number()), (2, 3));
}

#[test]
fn view_change_a_primary_that_hears_no_quorum_falls_silent_and_lets_its_clients_go() {
    let mut primary = replica("n1");
    for token in 1..=9 {
        primary.request(token, put("1")); // eight fill the pipeline, the ninth waits
    }
    primary.request(10, get());
    let (messages, answers) = primary.heartbeat(300);
    assert_eq!(kinds(&messages), [("n2", "Suspect"), ("n3", "Suspect")]);
    let mut codes = codes(&answers);
    codes.sort_by_key(|(token, _)| *token);
    let unknown = (1..=8).map(|token| (token, ErrorCode::Timeout));
    let refused = [(9, ErrorCode::NotLeader), (10, ErrorCode::NotLeader)];
    assert_eq!(codes, unknown.chain(refused).collect::<Vec<_>>());
    assert_eq!(bench::codes(&primary.request(11, put("1")).1), [(11, ErrorCode::NotLeader)]);
    primary.receive("n3", prepare_ok(0, 0));
    assert!(kinds(&primary.heartbeat(50).0).contains(&("n3", "Commit")), "it goes on");
}

#[test]
fn view_change_a_backup_names_the_primary_that_it_hears() {
    let mut backup = replica("n2");
    backup.receive("n1", Message::Commit { view_number: 0, commit_number: 0, round: 1 });
    let (_, answers) = backup.request(1, put("1"));
    let [(1, Answer::Error(Refusal { hint, .. }))] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(hint.as_deref(), Some("n1"));
}

#[test]
fn state_transfer_gives_only_what_is_committed() {
    let mut backup = replica("n2");
    backup.receive("n1", prepare(0, 1, 0));
    backup.receive("n1", prepare(0, 2, 1));
    let ask = Message::GetState { commit_number: 0, checkpoint: None };
    let (messages, _) = backup.receive("n3", ask);
    let [(_, Message::NewState { state: State::Operations { first: 1, batches }, .. })] =
        &messages[..]
    else {
        panic!("{messages:?}")
    };
    assert_eq!(batches[..], [batch(1)]);
    let ask = Message::GetState { commit_number: 1, checkpoint: None };
    assert!(backup.receive("n3", ask).0.is_empty());
}

#[test]
fn state_transfer_fetches_what_was_missing_for_a_whole_heartbeat() {
    let mut backup = replica("n2");
    let commit = |commit_number| Message::Commit { view_number: 0, commit_number, round: 1 };
    let (messages, _) = backup.receive("n1", commit(3));
    assert_eq!(kinds(&messages), [("n1", "CommitOk")], "perhaps it is only late");
    let (messages, _) = backup.receive("n1", commit(3));
    assert_eq!(kinds(&messages), [("n1", "GetState"), ("n1", "CommitOk")]);
    backup.receive("n1", prepare(0, 4, 3));
    let state = State::Operations { first: 1, batches: vec![batch(1), batch(2), batch(3)] };
    backup.receive("n1", Message::NewState { view_number: 0, state });
    assert_eq!((backup.node.commit_number(), backup.node.log().op_number()), (3, 4));
}

#[test]
fn state_transfer_of_a_later_view_is_not_for_a_log_of_this_one() {
    let mut backup = replica("n2");
    let state = State::Operations { first: 1, batches: vec![batch(1)] };
    backup.receive("n3", Message::NewState { view_number: 2, state });
    assert_eq!(backup.node.log().op_number(), 0);
}

#[test]
fn checkpoint_bounds_the_log_and_arrives_in_parts() {
    let mut ahead = replica("n1");
    (ahead.config.checkpoint_bytes, ahead.config.chunk_bytes) = (Some(200), 30);
    ahead = Bench::with(Config { ..ahead.config.clone() }, Vec::new());
    ahead.start();
    ahead.receive("n2", prepare_ok(0, 0));
    for token in 1..=20 {
        ahead.request(token, put(&token.to_string()));
        ahead.receive("n2", prepare_ok(0, token));
    }
    assert!(ahead.node.log().truncated() > 10 && ahead.node.log().bytes() < 400);

    let mut behind = replica("n3");
    let commit = Message::Commit { view_number: 0, commit_number: 20, round: 1 };
    behind.receive("n1", commit.clone());
    let (mut messages, _) = behind.receive("n1", commit);
    let mut parts = 0;
    while let Some((_, ask)) = messages.iter().find(|(_, m)| m.kind() == "GetState").cloned() {
        let (given, _) = ahead.receive("n3", ask);
        let [(_, state)] = &given[..] else { panic!("{given:?}") };
        parts +=
            usize::from(matches!(state, Message::NewState { state: State::Checkpoint { .. }, .. }));
        behind.receive("n1", state.clone()).0.clone_into(&mut messages);
        assert!(behind.receive("n1", state.clone()).0.is_empty(), "doubled");
    }
    assert!(parts > 1, "{parts}");
    assert_eq!(behind.node.commit_number(), 20);
    assert_eq!(behind.node.application(), ahead.node.application(), "the client-table as well");
}

#[test]
fn checkpoint_that_nobody_has_any_more_gives_way_to_an_older_one() {
    let mut behind = replica("n2");
    let part = |op_number| {
        let bytes = Arc::new(vec![0; 5]);
        let state = State::Checkpoint { op_number, offset: 0, bytes, is_last: false };
        Message::NewState { view_number: 0, state }
    };
    let commit = Message::Commit { view_number: 0, commit_number: 12, round: 1 };
    behind.receive("n1", commit.clone());
    assert_eq!(kinds(&behind.receive("n3", part(12)).0), [("n3", "GetState")]);
    assert!(behind.receive("n1", part(11)).0.is_empty(), "it has begun with another one");
    for _ in 0..5 {
        behind.receive("n1", commit.clone());
        behind.heartbeat(50);
    }
    assert_eq!(kinds(&behind.receive("n1", part(11)).0), [("n1", "GetState")]);
}
