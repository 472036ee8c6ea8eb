//! Single rules, step by step: what a simulation meets seldom, because good timing hides it.

mod bench;

use contract::{Answer, ErrorCode, Outcome};
use multi_paxos::{message::Message, replica::Timer};
use node::Protocol;

use crate::bench::{Bench, accept, ballot, codes, get, promise, put};

#[test]
fn a_promise_outlives_a_crash() {
    let mut bench = Bench::new();
    bench.receive("n3", Message::Prepare { ballot: ballot(5, "n3"), first: 1 });
    let mut bench = bench.restart();
    let (messages, _) = bench.receive("n2", accept(&ballot(4, "n2")));
    assert!(matches!(&messages[..], [(_, Message::Reject { .. })]), "{messages:?}");
}

#[test]
fn a_vote_outlives_a_crash_and_is_reported() {
    let mut bench = Bench::new();
    bench.receive("n2", accept(&ballot(4, "n2")));
    let mut bench = bench.restart();
    let (messages, _) = bench.receive("n3", Message::Prepare { ballot: ballot(5, "n3"), first: 1 });
    let [(_, Message::Promise { votes, .. })] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!(votes[0].1.ballot, ballot(4, "n2"));
}

#[test]
fn a_ballot_is_never_used_twice_even_by_a_candidate_that_crashed() {
    let mut bench = Bench::new();
    let first = bench.elect();
    let second = bench.restart().elect();
    assert!(second > first);
}

#[test]
fn a_read_waits_for_a_majority_that_confirms_after_it_came() {
    let mut bench = Bench::new();
    let ballot = bench.elect();
    let (messages, answers) = bench.request(1, get());
    assert!(answers.is_empty(), "a leader may have been deposed without knowing it");
    assert!(messages.is_empty(), "the heartbeats of the election are under way");
    let (messages, answers) =
        bench.receive("n2", Message::HeartbeatAck { ballot: ballot.clone(), round: 1 });
    assert!(answers.is_empty(), "that heartbeat left before the read came");
    assert!(matches!(messages[..], [(_, Message::Heartbeat { round: 2, .. }), _]), "{messages:?}");
    let (_, answers) = bench.receive("n2", Message::HeartbeatAck { ballot, round: 2 });
    assert_eq!(answers, [(1, Answer::Ok(Outcome::Value { value: None }))]);
}

#[test]
fn a_new_leader_answers_no_read_before_it_has_applied_what_earlier_ones_had_chosen() {
    let mut bench = Bench::new();
    bench.receive("n3", accept(&ballot(1, "n3"))); // perhaps chosen, by n1 and n3
    let ballot = bench.elect();
    bench.request(1, get());
    bench.receive("n2", Message::HeartbeatAck { ballot: ballot.clone(), round: 1 });
    let confirmed = Message::HeartbeatAck { ballot: ballot.clone(), round: 2 };
    assert!(bench.receive("n2", confirmed).1.is_empty(), "slot 1 is not applied yet");
    let (_, answers) = bench.receive("n2", Message::Accepted { ballot, slot: 1 });
    assert_eq!(answers.len(), 1);
}

#[test]
fn a_deposed_leader_refuses_for_certain_only_what_it_never_proposed() {
    let mut bench = Bench::new();
    bench.elect();
    for token in 1..=9 {
        bench.request(token, put()); // eight fill the pipeline, the ninth waits
    }
    bench.request(10, get());
    let (_, answers) = bench.receive("n3", accept(&ballot(99, "n3")));
    let mut codes = codes(&answers);
    codes.sort_by_key(|(token, _)| *token);
    let expected = (1..=8).map(|token| (token, ErrorCode::Timeout));
    let refused = [(9, ErrorCode::NotLeader), (10, ErrorCode::NotLeader)];
    assert_eq!(codes, expected.chain(refused).collect::<Vec<_>>());
    let (_, answers) = bench.request(11, put());
    let [(11, Answer::Error(refusal))] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(refusal.hint.as_deref(), Some("n3"));
}

#[test]
fn a_promise_of_an_earlier_ballot_elects_nobody() {
    let mut bench = Bench::new();
    let old = bench.campaign();
    bench.receive("n3", Message::Reject { ballot: ballot(50, "n3") });
    let new = bench.campaign();
    bench.receive("n2", promise(&old));
    assert_eq!(bench.node.leading(), None);
    bench.receive("n2", promise(&new));
    assert_eq!(bench.node.leading(), Some(&new));
}

#[test]
fn a_vote_of_an_earlier_ballot_chooses_nothing() {
    let mut bench = Bench::new();
    let old = bench.elect();
    bench.receive("n3", Message::Reject { ballot: ballot(50, "n3") });
    let new = bench.elect();
    assert!(old < new);
    bench.request(1, put());
    assert!(bench.receive("n2", Message::Accepted { ballot: old, slot: 1 }).1.is_empty());
    assert_eq!(bench.receive("n2", Message::Accepted { ballot: new, slot: 1 }).1.len(), 1);
}

#[test]
fn a_leader_without_a_majority_gives_up_its_office() {
    let mut bench = Bench::new();
    bench.elect();
    bench.request(1, get());
    let mut answers = Vec::new();
    for _ in 0..6 {
        assert!(answers.is_empty());
        bench.now_ms += 50;
        answers = bench.step(|node, effects| node.on_timer(Timer::Heartbeat, effects)).1;
    }
    assert_eq!(codes(&answers), [(1, ErrorCode::NotLeader)]);
    assert_eq!(bench.node.leading(), None);
    assert!(!bench.node.is_ready());
}

#[test]
fn only_what_is_chosen_is_shown_and_by_one_value_at_all_nodes() {
    let (mut leader, mut follower) = (Bench::new(), Bench::new());
    let ballot = leader.elect();
    let (messages, _) = leader.request(1, put());
    let proposal = messages.into_iter().find(|(to, _)| to == "n2").unwrap().1;
    follower.receive("n1", proposal);
    let shown = |bench: &Bench| bench.node.chosen(0..u64::MAX).unwrap().collect::<Vec<_>>();
    assert_eq!((shown(&leader), shown(&follower)), (vec![], vec![]), "one vote is no majority");
    leader.receive("n2", Message::Accepted { ballot, slot: 1 });
    let Message::Chosen { slots } = leader.receive("n3", Message::Fetch { first: 1 }).0.remove(0).1
    else {
        panic!("the slot is known");
    };
    follower.receive("n3", Message::Chosen { slots });
    assert_eq!(shown(&leader).len(), 1);
    assert_eq!(shown(&leader), shown(&follower));
}
