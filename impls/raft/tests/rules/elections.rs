//! Elections: §5.2, §5.4.1, and the dissertation's §4.2.3, §6.2 and §9.6.

use contract::ErrorCode;
use raft::{
    Timer,
    message::{AppendResult, Message, RequestVote},
};

use crate::bench::{Bench, append, ask, get, put, reply, vote_request, voted};

#[test]
fn a_vote_outlives_a_crash() {
    let mut bench = Bench::new();
    bench.receive("n2", ask(1, 0, 0));
    assert!(bench.granted());
    let mut bench = bench.restart();
    bench.receive("n3", ask(1, 0, 0));
    assert!(!bench.granted(), "one vote a term");
    bench.receive("n2", ask(1, 0, 0));
    assert!(bench.granted(), "the answer may have got lost");
}

#[test]
fn a_candidate_has_voted_for_itself_even_if_it_crashes() {
    let mut bench = Bench::new();
    let term = bench.campaign();
    let mut bench = bench.restart();
    bench.receive("n3", ask(term, 9, 9));
    assert!(!bench.granted());
}

#[test]
fn only_a_log_that_is_up_to_date_gets_a_vote() {
    let mut bench = Bench::new();
    bench.receive("n2", append(3, (0, 0), &[1, 3], 0));
    bench.now_ms = 1_000;
    for (last_log_index, last_log_term, expected) in [(1, 3, false), (9, 2, false), (2, 3, true)] {
        bench.receive("n3", Message::PreVote(vote_request(9, last_log_index, last_log_term)));
        assert_eq!(bench.granted(), expected);
        bench.receive("n3", ask(9, last_log_index, last_log_term));
        assert_eq!(bench.granted(), expected, "({last_log_index}, {last_log_term})");
    }
}

#[test]
fn a_pre_vote_changes_nothing() {
    let mut bench = Bench::new();
    bench.receive("n2", Message::PreVote(vote_request(7, 0, 0)));
    assert!(bench.granted());
    assert!(bench.timers.is_empty());
    assert_eq!(bench.server.current_term(), 0);
    bench.receive("n3", ask(1, 0, 0));
    assert!(bench.granted(), "no vote was given away");
    bench.fire(Timer::Election);
    assert_eq!(bench.kinds(), ["PreVote", "PreVote"]);
    assert_eq!(bench.server.current_term(), 1, "nor does asking raise the term");
}

#[test]
fn who_hears_a_leader_neither_votes_nor_learns_of_a_later_term() {
    let mut bench = Bench::new();
    bench.receive("n2", append(1, (0, 0), &[], 0));
    for message in [ask(5, 9, 9), Message::PreVote(vote_request(5, 9, 9))] {
        bench.receive("n3", message);
        assert!(!bench.granted());
        assert_eq!(bench.server.current_term(), 1);
    }
    let wanted = RequestVote { leadership_transfer: true, ..vote_request(2, 9, 9) };
    bench.receive("n3", Message::RequestVote(wanted));
    assert!(bench.granted(), "the leader itself wants it");
    let mut bench = Bench::new();
    bench.receive("n2", append(1, (0, 0), &[], 0));
    bench.now_ms = 300;
    bench.receive("n3", ask(5, 9, 9));
    assert!(bench.granted(), "an election timeout has passed");
}

#[test]
fn only_a_living_leader_and_a_vote_hold_off_an_election() {
    let mut bench = Bench::new();
    bench.receive("n2", ask(4, 0, 0));
    assert_eq!(bench.timers, [Timer::Election]);
    bench.receive("n3", ask(4, 0, 0));
    assert!(bench.timers.is_empty(), "a vote that was refused");
    bench.receive("n3", append(3, (0, 0), &[], 0));
    assert!(bench.timers.is_empty(), "a leader of the past");
    bench.receive("n2", append(4, (0, 0), &[], 0));
    assert_eq!(bench.timers, [Timer::Election]);
}

#[test]
fn votes_of_an_earlier_term_elect_nobody() {
    let mut bench = Bench::new();
    let old = bench.campaign();
    bench.now_ms += 1_000;
    let new = bench.campaign();
    bench.receive("n3", voted(old));
    assert!(!bench.server.is_leader());
    bench.receive("n3", voted(new));
    assert!(bench.server.is_leader());
}

#[test]
fn a_candidate_gives_up_for_a_leader_and_a_leader_for_a_later_term() {
    let mut bench = Bench::new();
    let term = bench.campaign();
    bench.receive("n3", append(term, (0, 0), &[], 0));
    bench.receive("n2", voted(term));
    assert!(!bench.server.is_leader());
    let term = bench.elect();
    bench.receive("n3", reply(term + 1, 0, AppendResult::StaleTerm));
    assert!(!bench.server.is_leader());
    assert_eq!(bench.server.current_term(), term + 1);
}

#[test]
fn a_leader_without_a_majority_gives_up_its_office() {
    let mut bench = Bench::new();
    bench.establish();
    bench.request(1, put());
    bench.request(2, get());
    bench.now_ms += 300;
    bench.fire(Timer::Heartbeat);
    let expected = [(2, Some(ErrorCode::NotLeader)), (1, Some(ErrorCode::Timeout))];
    assert_eq!(bench.codes(), expected, "what is in the log may still be committed");
    assert_eq!(bench.timers, [Timer::Election]);
    bench.request(3, put());
    assert_eq!(bench.codes(), [(3, Some(ErrorCode::NotLeader))]);
}
