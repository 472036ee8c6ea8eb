//! Log replication and commitment: §5.3 and §5.4.2.

use node::Protocol;
use raft::{Timer, message::AppendResult};

use crate::bench::{Bench, append, put, reply, success};

#[test]
fn a_term_outlives_a_crash() {
    let mut bench = Bench::new();
    bench.receive("n2", append(5, (0, 0), &[], 0));
    let mut bench = bench.restart();
    bench.receive("n3", append(4, (0, 0), &[], 0));
    assert_eq!(*bench.append_result(), AppendResult::StaleTerm);
}

#[test]
fn entries_outlive_a_crash_and_what_they_replaced_does_not() {
    let mut bench = Bench::new();
    bench.receive("n2", append(1, (0, 0), &[1, 1, 1], 0));
    bench.receive("n3", append(3, (1, 1), &[3], 0));
    assert_eq!(bench.restart().terms(1), [1, 3]);
}

#[test]
fn entries_go_behind_what_the_leader_has_too() {
    let mut bench = Bench::new();
    bench.receive("n2", append(4, (0, 0), &[1, 4, 4], 0));
    bench.receive("n3", append(5, (5, 5), &[5], 0));
    let missing =
        AppendResult::Conflict { prev_log_index: 5, conflict_term: None, conflict_index: 4 };
    assert_eq!(*bench.append_result(), missing);
    bench.receive("n3", append(5, (3, 2), &[5], 0));
    let other =
        AppendResult::Conflict { prev_log_index: 3, conflict_term: Some(4), conflict_index: 2 };
    assert_eq!(*bench.append_result(), other);
    assert_eq!(bench.terms(1), [1, 4, 4]);
    bench.receive("n3", append(5, (1, 1), &[2, 2, 5], 0));
    assert_eq!(*bench.append_result(), AppendResult::Success { match_index: 4 });
    assert_eq!(bench.terms(1), [1, 2, 2, 5]);
}

#[test]
fn an_old_message_takes_nothing_away() {
    let mut bench = Bench::new();
    bench.receive("n2", append(1, (0, 0), &[1, 1, 1], 0));
    bench.receive("n2", append(1, (0, 0), &[1], 0));
    assert_eq!(*bench.append_result(), AppendResult::Success { match_index: 1 });
    bench.receive("n2", append(1, (1, 1), &[], 0));
    assert_eq!(bench.terms(1), [1, 1, 1]);
}

#[test]
fn a_follower_commits_only_what_it_is_told_of() {
    let mut bench = Bench::new();
    bench.receive("n2", append(1, (0, 0), &[1, 1, 1], 0));
    bench.receive("n3", append(2, (1, 1), &[], 3));
    assert_eq!(bench.server.commit_index(), 1, "2 and 3 are perhaps not the new leader's");
    bench.receive("n3", append(2, (1, 1), &[1], 9));
    assert_eq!(bench.server.commit_index(), 2);
    bench.receive("n3", append(2, (1, 1), &[], 1));
    assert_eq!(bench.server.commit_index(), 2, "never back");
}

#[test]
fn only_what_is_committed_is_shown_as_chosen() {
    let mut bench = Bench::new();
    bench.receive("n2", append(1, (0, 0), &[1, 1, 1], 2));
    let shown = |from, to| -> Vec<u64> {
        let entries = bench.server.chosen(from..to).unwrap();
        entries.map(|entry| entry.slot).collect()
    };
    assert_eq!((shown(0, u64::MAX), shown(2, 3), shown(3, 9)), (vec![1, 2], vec![2], vec![]));
}

#[test]
fn copies_of_an_earlier_leaders_entry_do_not_commit_it() {
    let mut bench = Bench::new();
    bench.receive("n3", append(1, (0, 0), &[1], 0));
    let term = bench.elect();
    bench.receive("n2", success(term, 1));
    assert_eq!(bench.server.commit_index(), 0, "Figure 8");
    bench.receive("n2", success(term, 2));
    assert_eq!(bench.server.commit_index(), 2);
}

#[test]
fn a_majority_commits_and_the_client_is_answered_then() {
    let mut bench = Bench::new();
    let term = bench.establish();
    bench.request(1, put());
    assert!(bench.codes().is_empty());
    bench.receive("n2", success(term - 1, 2));
    assert!(bench.codes().is_empty(), "an answer of an earlier term");
    bench.receive("n2", success(term, 2));
    assert_eq!(bench.codes(), [(1, None)]);
    bench.request(1, put());
    assert_eq!(bench.codes(), [(1, None)], "a retry of it, whose answer is known");
    assert!(bench.sent.is_empty());
}

#[test]
fn a_leader_does_not_wait_for_answers_and_repeats_what_got_lost() {
    let mut bench = Bench::new();
    let term = bench.establish();
    for token in 1..=3 {
        bench.request(token, put());
        let appends = bench.appends_to("n2");
        assert_eq!((appends.len(), appends[0].prev_log_index), (1, token));
    }
    assert!(bench.appends_to("n3").is_empty(), "it has not answered the first one yet");
    bench.fire(Timer::Heartbeat);
    assert_eq!(bench.appends_to("n2")[0].prev_log_index, 4);
    let lost = AppendResult::Conflict { prev_log_index: 4, conflict_term: None, conflict_index: 3 };
    bench.receive("n2", reply(term, 0, lost));
    let again = bench.appends_to("n2");
    assert_eq!((again[0].prev_log_index, again[0].entries.len()), (2, 2));
}

#[test]
fn a_leader_steps_over_whole_terms_to_find_where_a_follower_agrees() {
    let mut bench = Bench::new();
    bench.receive("n2", append(6, (0, 0), &[1, 4, 4, 5, 6], 0));
    let term = bench.elect();
    let conflict = |prev_log_index, conflict_term, conflict_index| {
        let conflict_term = Some(conflict_term);
        reply(term, 0, AppendResult::Conflict { prev_log_index, conflict_term, conflict_index })
    };
    bench.receive("n3", conflict(5, 4, 2));
    assert_eq!(bench.appends_to("n3")[0].prev_log_index, 3, "where its own entries of term 4 end");
    bench.receive("n3", conflict(3, 3, 2));
    assert_eq!(bench.appends_to("n3")[0].prev_log_index, 1, "it has no entries of term 3");
}
