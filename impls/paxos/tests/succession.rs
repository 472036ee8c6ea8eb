//! When a follower suspects its leader, and who is then the first to stand for election. Nothing here is needed for safety.

mod bench;

use contract::Answer;
use multi_paxos::{message::Message, replica::Timer, slot::Batch};
use node::Protocol;
use single_decree::Ballot;

use crate::bench::{Bench, accept, ballot, put};

const ELECTION_MS: u64 = 300;

fn heartbeat(ballot: &Ballot, round: u64, successors: &[&str]) -> Message {
    let successors = successors.iter().map(|&node| node.to_owned()).collect();
    Message::Heartbeat { ballot: ballot.clone(), commit: 0, round, successors }
}

/// n1, which has heard n3 lead in a steady rhythm: twenty rounds.
fn follower(successors: &[&str]) -> (Bench, Ballot) {
    let (mut bench, leader) = (Bench::new(), ballot(4, "n3"));
    for round in 1..=20 {
        bench.now_ms += 50;
        bench.receive("n3", heartbeat(&leader, round, successors));
    }
    (bench, leader)
}

/// Whether n1 would now vote for n2.
fn suspects(bench: &mut Bench) -> bool {
    let (messages, _) = bench.receive("n2", Message::PreVote { ballot: ballot(9, "n2") });
    matches!(messages[..], [(_, Message::PreVoteGranted { .. })])
}

#[test]
fn successors_stand_for_election_one_after_the_other() {
    let first = follower(&["n1", "n2"]).0.canvass().0;
    let second = follower(&["n2", "n1"]).0.canvass().0;
    assert!(first < ELECTION_MS, "{first}");
    assert_eq!(second, first + 25);
}

#[test]
fn whom_the_leader_does_not_name_waits_for_a_random_time() {
    let after_ms = follower(&["n2"]).0.canvass().0;
    assert!((ELECTION_MS..2 * ELECTION_MS).contains(&after_ms), "{after_ms}");
}

#[test]
fn a_successor_that_is_not_elected_waits_for_a_random_time() {
    let (mut bench, _) = follower(&["n1", "n2"]);
    bench.canvass();
    assert!(bench.canvass().0 >= ELECTION_MS);
}

#[test]
fn the_last_of_many_successors_does_not_wait_for_ever() {
    let others: Vec<String> = (10..100).map(|number| format!("n{number}")).collect();
    let successors: Vec<&str> = others.iter().map(String::as_str).chain(["n1"]).collect();
    assert_eq!(follower(&successors).0.canvass().0, 2 * ELECTION_MS);
}

#[test]
fn whoever_stood_still_itself_hears_its_leader_again_before_it_deposes_it() {
    let (mut bench, leader) = follower(&["n1", "n2"]);
    bench.stand_still(5_000);
    assert!(bench.node.is_ready(), "it still follows");
    bench.receive("n3", heartbeat(&leader, 21, &["n1", "n2"]));
    bench.stand_still(5_000);
    assert!(bench.node.is_ready());
    assert!(bench.canvass().0 < ELECTION_MS, "but not for ever");
}

#[test]
fn nobody_is_helped_to_depose_a_leader_that_is_heard() {
    let (mut bench, _) = follower(&["n1", "n2"]);
    let patience_ms = follower(&["n1", "n2"]).0.canvass().0;
    bench.now_ms += patience_ms - 1;
    assert!(!suspects(&mut bench));
    bench.now_ms += 1;
    assert!(suspects(&mut bench));
}

#[test]
fn a_heartbeat_that_comes_late_or_twice_shows_no_life() {
    let (mut bench, leader) = follower(&["n1", "n2"]);
    bench.now_ms += 250;
    for round in [7, 20] {
        bench.receive("n3", heartbeat(&leader, round, &["n1", "n2"]));
        assert!(suspects(&mut bench));
    }
    bench.receive("n3", heartbeat(&leader, 21, &["n1", "n2"]));
    assert!(!suspects(&mut bench));
}

#[test]
fn neither_does_it_end_a_canvass() {
    let (mut bench, leader) = follower(&["n1", "n2"]);
    bench.canvass();
    bench.receive("n3", heartbeat(&leader, 20, &["n1", "n2"]));
    assert!(!bench.node.is_ready());
    bench.receive("n3", heartbeat(&leader, 21, &["n1", "n2"]));
    assert!(bench.node.is_ready());
}

#[test]
fn a_proposal_shows_life_once() {
    let (mut bench, leader) = follower(&["n1", "n2"]);
    bench.now_ms += 250;
    bench.receive("n3", accept(&leader));
    assert!(!suspects(&mut bench));
    bench.now_ms += ELECTION_MS;
    bench.receive("n3", accept(&leader));
    assert!(suspects(&mut bench));
}

#[test]
fn each_leader_has_a_rhythm_of_its_own() {
    let (mut bench, _) = follower(&["n1", "n2"]);
    bench.now_ms += 50;
    bench.receive("n2", heartbeat(&ballot(5, "n2"), 1, &["n1", "n3"]));
    assert_eq!(bench.canvass().0, ELECTION_MS, "the next one's is not known yet");
}

#[test]
fn a_leader_that_shows_itself_by_a_proposal_first_has_one_of_its_own_too() {
    let (mut bench, _) = follower(&["n1", "n2"]);
    bench.now_ms += 50;
    bench.receive("n2", accept(&ballot(5, "n2")));
    let after_ms = bench.canvass().0;
    assert!(after_ms >= ELECTION_MS, "{after_ms}: the old leader's rhythm and successors");
}

#[test]
fn what_comes_late_from_an_older_leader_shows_no_life() {
    let (mut bench, _) = follower(&["n1", "n2"]);
    bench.receive("n2", heartbeat(&ballot(5, "n2"), 1, &["n1", "n3"]));
    bench.now_ms += ELECTION_MS;
    bench.receive("n3", accept(&ballot(4, "n3")));
    assert!(suspects(&mut bench));
    bench.canvass();
    bench.receive(
        "n3",
        Message::Accept { slot: 2, ballot: ballot(4, "n3"), batch: Batch::default(), commit: 0 },
    );
    assert!(!bench.node.is_ready(), "nor does it end a canvass");
}

#[test]
fn a_leader_names_first_who_answers_it() {
    let mut bench = Bench::new();
    let ballot = bench.elect();
    bench.receive("n3", Message::HeartbeatAck { ballot, round: 1 });
    let (messages, _) = bench.step(|node, effects| node.on_timer(Timer::Heartbeat, effects));
    let [(_, Message::Heartbeat { successors, .. }), _] = &messages[..] else {
        panic!("{messages:?}")
    };
    assert_eq!(*successors, ["n3", "n2"]);
}

#[test]
fn a_leader_that_prepares_anew_is_still_the_one_to_ask() {
    let (mut bench, _) = follower(&["n1", "n2"]);
    bench.receive("n3", Message::Prepare { ballot: ballot(5, "n3"), first: 1 });
    assert!(bench.node.is_ready());
    let (_, answers) = bench.request(1, put());
    let [(1, Answer::Error(refusal))] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(refusal.hint.as_deref(), Some("n3"));
    bench.receive("n2", Message::Prepare { ballot: ballot(6, "n2"), first: 1 });
    assert!(!bench.node.is_ready(), "nobody knows whether n2 will be elected");
}
