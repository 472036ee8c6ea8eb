//! Reads without the log: the dissertation's §6.4.

use contract::{Answer, Outcome};
use raft::message::{AppendEntries, AppendResult, Message, NO_ROUND};

use crate::bench::{Bench, append, get, reply, success};

#[test]
fn a_read_waits_for_a_majority_that_answers_after_it_came() {
    let mut bench = Bench::new();
    let term = bench.establish();
    bench.request(1, get());
    assert!(bench.kinds().is_empty(), "a round is under way");
    let answer = |round| reply(term, round, AppendResult::Success { match_index: 1 });
    bench.receive("n2", answer(1));
    assert!(bench.codes().is_empty(), "that heartbeat left before the read came");
    assert_eq!(bench.kinds(), ["AppendEntries", "AppendEntries"]);
    bench.receive("n2", answer(2));
    assert_eq!(bench.answers, [(1, Answer::Ok(Outcome::Value { value: None }))]);
}

#[test]
fn a_new_leader_answers_no_read_before_an_entry_of_its_term_is_committed() {
    let mut bench = Bench::new();
    bench.receive("n3", append(1, (0, 0), &[1], 0));
    let term = bench.elect();
    bench.receive("n2", reply(term, 1, AppendResult::Success { match_index: 1 }));
    bench.request(1, get());
    bench.receive("n2", reply(term, 2, AppendResult::Success { match_index: 1 }));
    assert!(bench.codes().is_empty(), "what was committed before is not known yet");
    bench.receive("n2", success(term, 2));
    assert_eq!(bench.codes(), [(1, None)]);
}

/// A heartbeat of an earlier term came a second late, when its sender led again. The answer was of the new term and named the round,
/// and so it confirmed all reads of the new term up to that number: a leader that was deposed answered with what had been overwritten.
#[test]
fn a_heartbeat_of_an_earlier_term_confirms_no_read() {
    let mut bench = Bench::new();
    bench.receive("n3", append(5, (0, 0), &[], 0));
    let Message::AppendEntries(heartbeat) = append(4, (0, 0), &[], 0) else { unreachable!() };
    bench.receive("n2", Message::AppendEntries(AppendEntries { round: 900, ..heartbeat }));
    assert_eq!(*bench.append_result(), AppendResult::StaleTerm);
    assert_eq!(bench.answered_round(), NO_ROUND);
}
