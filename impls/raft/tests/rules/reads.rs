//! Reads without the log: the dissertation's §6.4.

use contract::{Answer, Outcome};
use raft::message::AppendResult;

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
