//! Single rules of leadership transfer and of changes of the cluster.

use std::sync::Arc;

use contract::{ErrorCode, NodeId};
use raft::{
    NoChange, Timer,
    configuration::Configuration,
    log::{Entry, LogIndex, Payload, Term},
    message::{AppendEntries, Message},
};

use crate::bench::{Bench, append, ask, put, reply, success, voted};

fn node(name: &str) -> NodeId {
    name.to_owned()
}

fn add(bench: &mut Bench, name: &str) -> Result<(), NoChange> {
    bench.step(|server, effects| server.add_server(&node(name), effects))
}

fn remove(bench: &mut Bench, name: &str) -> Result<(), NoChange> {
    bench.step(|server, effects| server.remove_server(&node(name), effects))
}

fn transfer(bench: &mut Bench, name: &str) -> bool {
    bench.step(|server, effects| server.transfer_leadership(&node(name), effects))
}

fn servers(bench: &Bench) -> Vec<&str> {
    bench.server.configuration().servers().map(String::as_str).collect()
}

/// The leader of `term` sends a configuration, behind (index, term).
fn configuration(term: Term, prev: (LogIndex, Term), servers: &[&str]) -> Message {
    let configuration: Configuration = servers.iter().map(|name| node(name)).collect();
    Message::AppendEntries(AppendEntries {
        term,
        prev_log_index: prev.0,
        prev_log_term: prev.1,
        entries: vec![Arc::new(Entry { term, payload: Payload::Configuration(configuration) })],
        leader_commit: 0,
        round: 0,
    })
}

#[test]
fn a_leader_hands_over_once_the_other_has_its_whole_log() {
    let mut bench = Bench::new();
    let term = bench.establish();
    bench.request(1, put());
    assert!(transfer(&mut bench, "n3"));
    assert!(!bench.kinds().contains(&"TimeoutNow"));
    bench.request(2, put());
    assert!(bench.sent.is_empty(), "requests wait");
    bench.receive("n3", success(term, 2));
    assert!(matches!(&bench.sent[..], [(to, Message::TimeoutNow { .. })] if to == "n3"));
    bench.receive("n3", ask(term + 1, 2, term));
    assert!(!bench.granted(), "not every candidate is the wanted one");
    bench.receive("n3", append(term + 1, (2, term), &[], 0));
    assert_eq!(bench.codes(), [(2, Some(ErrorCode::NotLeader))], "it waited outside the log");
}

#[test]
fn a_transfer_that_does_not_succeed_is_given_up() {
    let mut bench = Bench::new();
    let term = bench.establish();
    assert!(transfer(&mut bench, "n3"));
    assert!(!transfer(&mut bench, "n2"), "one at a time");
    bench.request(1, put());
    bench.now_ms += 299;
    bench.receive("n2", success(term, 1));
    bench.fire(Timer::Heartbeat);
    assert_eq!(bench.server.log().last_index(), 1);
    bench.now_ms += 1;
    bench.fire(Timer::Heartbeat);
    assert_eq!(bench.server.log().last_index(), 2, "what waited goes on");
    assert!(!transfer(&mut bench, "n1") && !transfer(&mut bench, "n9"), "to whom?");
}

#[test]
fn who_is_to_lead_asks_for_votes_at_once() {
    let mut bench = Bench::new();
    bench.receive("n2", append(3, (0, 0), &[], 0));
    bench.receive("n2", Message::TimeoutNow { term: 2 });
    assert!(bench.sent.is_empty(), "of a leader of the past");
    bench.receive("n2", Message::TimeoutNow { term: 3 });
    let asks = |(_, message): &(String, Message)| match message {
        Message::RequestVote(request) => request.leadership_transfer && request.term == 4,
        _ => false,
    };
    assert!(bench.sent.len() == 2 && bench.sent.iter().all(asks), "{:?}", bench.sent);
}

#[test]
fn a_leader_changes_nothing_before_an_entry_of_its_term_is_committed() {
    let mut bench = Bench::new();
    let term = bench.elect();
    assert_eq!(remove(&mut bench, "n3"), Err(NoChange::NotYet));
    bench.receive("n2", success(term, 1));
    assert_eq!(remove(&mut bench, "n3"), Ok(()));
}

#[test]
fn a_change_counts_at_once_and_the_next_one_waits_until_it_is_committed() {
    let mut bench = Bench::new();
    let term = bench.establish();
    assert_eq!(remove(&mut bench, "n3"), Ok(()));
    assert_eq!(servers(&bench), ["n1", "n2"]);
    assert!(bench.appends_to("n3").is_empty());
    assert_eq!(remove(&mut bench, "n2"), Err(NoChange::NotYet));
    bench.receive("n3", success(term, 2));
    assert_eq!(bench.server.commit_index(), 1, "n3 does not count any more");
    bench.receive("n2", success(term, 2));
    assert_eq!(bench.server.commit_index(), 2);
    assert_eq!(remove(&mut bench, "n3"), Err(NoChange::Pointless));
    assert_eq!(remove(&mut bench, "n2"), Ok(()));
    assert_eq!(bench.server.commit_index(), 3, "alone it needs nobody");
    assert_eq!(remove(&mut bench, "n1"), Err(NoChange::Pointless), "the last one stays");
}

#[test]
fn a_new_server_has_the_log_before_it_has_a_vote() {
    let mut bench = Bench::new();
    let term = bench.establish();
    assert_eq!(add(&mut bench, "n4"), Ok(()));
    assert_eq!(servers(&bench), ["n1", "n2", "n3"]);
    assert_eq!(add(&mut bench, "n5"), Err(NoChange::NotYet));
    bench.receive("n4", success(term, 0));
    assert_eq!(bench.server.log().last_index(), 1);
    bench.receive("n4", success(term, 1));
    assert_eq!(servers(&bench), ["n1", "n2", "n3", "n4"]);
    bench.receive("n2", success(term, 2));
    assert_eq!(bench.server.commit_index(), 1, "two of four are no majority");
    bench.receive("n4", success(term, 2));
    assert_eq!(bench.server.commit_index(), 2);
}

#[test]
fn a_new_server_that_is_slow_gets_another_round_and_a_silent_one_is_not_added() {
    let mut bench = Bench::new();
    let term = bench.establish();
    assert_eq!(add(&mut bench, "n4"), Ok(()));
    bench.now_ms += 300;
    bench.receive("n4", success(term, 1));
    assert_eq!(servers(&bench), ["n1", "n2", "n3"], "the round took an election timeout");
    bench.receive("n2", success(term, 1));
    bench.now_ms += 299;
    bench.receive("n2", success(term, 1));
    bench.fire(Timer::Heartbeat);
    assert!(!bench.appends_to("n4").is_empty());
    bench.now_ms += 1;
    bench.fire(Timer::Heartbeat);
    assert!(bench.appends_to("n4").is_empty());
    bench.receive("n4", success(term, 1));
    assert_eq!(servers(&bench), ["n1", "n2", "n3"]);
    assert_eq!(add(&mut bench, "n5"), Ok(()), "others may be");
}

#[test]
fn a_leader_that_is_removed_leads_until_that_is_committed_without_its_own_copy() {
    let mut bench = Bench::new();
    let term = bench.establish();
    assert_eq!(remove(&mut bench, "n1"), Ok(()));
    bench.receive("n2", success(term, 2));
    assert_eq!(bench.server.commit_index(), 1, "one of two");
    assert!(bench.server.is_leader());
    bench.receive("n3", success(term, 2));
    assert_eq!(bench.server.commit_index(), 2);
    assert!(!bench.server.is_leader());
    bench.now_ms += 1_000;
    bench.fire(Timer::Election);
    assert!(bench.sent.is_empty(), "it does not run any more");
}

/// Of two servers the leader removes itself, and crashes when it alone has that entry, and so the longest log. Without it the other
/// one, which still counts two, is without a leader for ever.
#[test]
fn a_leader_that_is_removed_stands_again_until_that_is_committed() {
    let mut bench = Bench::new();
    let term = bench.establish();
    assert_eq!(remove(&mut bench, "n3"), Ok(()));
    bench.receive("n2", success(term, 2));
    assert_eq!(remove(&mut bench, "n1"), Ok(()));
    let mut bench = bench.restart();
    assert_eq!(servers(&bench), ["n2"]);
    let term = bench.campaign();
    assert!(!bench.server.is_leader(), "its own vote does not count");
    bench.receive("n2", voted(term));
    assert!(bench.server.is_leader());
    bench.receive("n2", success(term, bench.server.log().last_index()));
    assert!(!bench.server.is_leader(), "it is committed, and so it is gone");
}

#[test]
fn a_change_that_is_replaced_in_the_log_never_was() {
    let mut bench = Bench::new();
    bench.receive("n2", configuration(1, (0, 0), &["n1", "n2", "n3", "n4"]));
    assert_eq!(servers(&bench).len(), 4);
    bench.receive("n3", append(2, (0, 0), &[2], 0));
    assert_eq!(servers(&bench), ["n1", "n2", "n3"]);
}

#[test]
fn votes_of_strangers_do_not_count() {
    let mut bench = Bench::new();
    let term = bench.campaign();
    bench.receive("n8", voted(term));
    assert!(!bench.server.is_leader());
    bench.receive("n8", reply(term, 0, raft::message::AppendResult::StaleTerm));
    bench.receive("n3", voted(term));
    assert!(bench.server.is_leader());
}
