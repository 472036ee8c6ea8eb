//! Each rule once broken, and once nearly so.

use history::Verdict;

use super::by_hand::{LONG, Record, SHORT};

/// Only n2 pings, and is told that nothing has changed.
fn primary_silent(rounds: usize) -> Record {
    Record::both().rounds(rounds, &[("n2", 2)], (2, "n1", "n2"))
}

fn backup_silent(rounds: usize) -> Record {
    Record::both().rounds(rounds, &[("n1", 2)], (2, "n1", "n2"))
}

#[test]
fn a_view_changes_only_after_its_primary_acknowledged_it() {
    let early = Record::unacknowledged().rounds(SHORT, &[("n2", 2)], (2, "n1", "n2"));
    early.clone().is_right();
    early.ping("n2", 2, (3, "n2", "")).is_wrong(
        "changed before acknowledgement",
        &[
            "the ping of n2 with 2 (0.305–0.306 s) was told view 3 (primary n2, no backup)",
            "n1 had not acknowledged view 2 (primary n1, backup n2) by a ping with 2",
            "its last ping was the ping of n1 with 1",
        ],
    );
    primary_silent(SHORT).ping("n2", 2, (3, "n2", "")).is_right();
}

#[test]
fn only_the_backup_is_promoted() {
    let both_silent = Record::three().rounds(LONG, &[("n3", 2)], (2, "n1", "n2"));
    both_silent.is_right();
    both_silent.clone().ping("n3", 2, (3, "n3", "")).is_wrong(
        "idle server promoted",
        &["view 3 (primary n3, no backup)", "only its primary and its backup have the data"],
    );
    // It is dead, too, but it has the data.
    both_silent.ping("n3", 2, (3, "n2", "n3")).is_right();
    let alone = Record::new().ping("n1", 0, (1, "n1", "")).ping("n1", 1, (1, "n1", ""));
    let first = alone.clone().wait_ms(800).ping("n2", 0, (2, "n2", ""));
    first.is_wrong("idle server promoted", &["view 2 (primary n2, no backup)"]);
    let alone = alone.wait_ms(800).rounds(LONG, &[("n2", 0)], (1, "n1", ""));
    alone.is_right();
    alone.ping("n2", 1, (2, "n2", "")).is_wrong("idle server promoted", &["view 2"]);
}

#[test]
fn a_backup_that_has_restarted_is_not_promoted() {
    let restarted = Record::both().ping("n2", 0, (2, "n1", "n2")).wait_ms(400);
    restarted.ping("n2", 0, (3, "n2", "")).is_wrong(
        "restarted backup promoted",
        &["n2 has restarted without data (the ping of n2 with 0"],
    );
}

#[test]
fn who_was_not_silent_for_long_is_not_dead() {
    let alive = "its last ping was the ping of n1 with 2";
    primary_silent(1).ping("n2", 2, (3, "n2", "")).is_wrong("live primary replaced", &[alive]);
    primary_silent(3).ping("n2", 2, (3, "n2", "")).is_right();
    let last = "n2 was alive: its last ping was the ping of n2 with 2";
    backup_silent(1).ping("n1", 2, (3, "n1", "")).is_wrong("live backup removed", &[last]);
    backup_silent(3).ping("n1", 2, (3, "n1", "")).is_right();
}

#[test]
fn a_dead_primary_is_replaced_in_time() {
    primary_silent(13).is_right();
    primary_silent(13).ping("n2", 2, (3, "n2", "")).is_right();
    primary_silent(LONG).is_wrong(
        "dead primary kept",
        &[
            "was told view 2 (primary n1, backup n2)",
            "n1 is silent since the ping of n1 with 2",
            "its backup n2 was alive, so a view with n2 as primary has been due",
        ],
    );
}

#[test]
fn a_dead_backup_is_removed_in_time() {
    backup_silent(13).ping("n1", 2, (3, "n1", "")).is_right();
    backup_silent(LONG).is_wrong("dead backup kept", &["n2 is silent since the ping of n2 with 2"]);
    // Nobody can be blamed while both are dead.
    Record::three().rounds(3 * LONG, &[("n3", 2)], (2, "n1", "n2")).is_right();
}

#[test]
fn a_server_that_restarted_counts_as_dead() {
    let primary = |rounds| Record::both().rounds(rounds, &[("n1", 0), ("n2", 2)], (2, "n1", "n2"));
    primary(1).ping("n2", 2, (3, "n2", "")).is_right();
    primary(1).ping("n2", 2, (3, "n2", "n1")).is_right();
    primary(SHORT).is_right();
    primary(LONG).is_wrong("restarted primary kept", &["n1 has restarted (the ping of n1 with 0"]);
    let backup = |rounds| Record::both().rounds(rounds, &[("n1", 2), ("n2", 0)], (2, "n1", "n2"));
    backup(1).ping("n1", 2, (3, "n1", "")).is_right();
    backup(LONG).is_wrong("restarted backup kept", &["n2 has restarted"]);
    // One that never knew the view need not have restarted.
    let unknowing = Record::unacknowledged().rounds(LONG, &[("n1", 2), ("n2", 0)], (2, "n1", "n2"));
    unknowing.is_right();
    unknowing.ping("n1", 2, (3, "n1", "")).is_right();
    // Nobody can take the place of a primary without backup.
    let begun = Record::new().ping("n1", 0, (1, "n1", "")).ping("n1", 1, (1, "n1", ""));
    begun.rounds(2 * LONG, &[("n1", 0), ("n2", 0)], (1, "n1", "")).is_right();
}

#[test]
fn an_idle_server_is_taken_in_in_time() {
    let begun = || Record::new().ping("n1", 0, (1, "n1", ""));
    let with_idle = |rounds| begun().rounds(rounds, &[("n1", 1), ("n2", 0)], (1, "n1", ""));
    with_idle(SHORT).ping("n1", 1, (2, "n1", "n2")).is_right();
    with_idle(LONG)
        .is_wrong("idle server left out", &["n2 was idle and pinged", "should be backup"]);
    // Not before the primary has acknowledged.
    begun().rounds(2 * LONG, &[("n1", 0), ("n2", 0)], (1, "n1", "")).is_right();
    let waits = || Record::new().rounds(LONG, &[("n1", 0)], (0, "", ""));
    waits().is_wrong("first server left out", &["n1 had pinged for longer than"]);
}

#[test]
fn a_dead_server_is_not_made_backup() {
    let n3_silent =
        |rounds| Record::three().rounds(rounds, &[("n1", 2), ("n2", 2)], (2, "n1", "n2"));
    let then = |record: Record| {
        record.rounds(SHORT, &[("n1", 2)], (2, "n1", "n2")).ping("n1", 2, (3, "n1", "n3"))
    };
    then(n3_silent(SHORT)).is_right();
    then(n3_silent(LONG))
        .is_wrong("dead server made backup", &["n3 is silent since the ping of n3 with 0"]);
}

#[test]
fn numbers_go_up_by_one_and_views_keep_their_servers() {
    let looks = |told| primary_silent(SHORT).look(told);
    looks((4, "n2", "")).is_wrong("number skipped", &["numbers go up by one"]);
    looks((1, "n1", "")).is_wrong("number went back", &["view 2 (primary n1, backup n2)"]);
    looks((0, "", "")).is_wrong("number went back", &["was told view 0 (nobody)"]);
    looks((2, "n2", "n1"))
        .is_wrong("view changed under its number", &["it was view 2 (primary n1"]);
    looks((3, "n1", "n2")).is_wrong("view repeated", &["views that follow each other differ"]);
    looks((3, "", "n2")).is_wrong("view without primary", &["each view has a primary"]);
    looks((3, "n2", "n2")).is_wrong("one server twice", &["its own backup"]);
    looks((3, "n2", "n9")).is_wrong("unknown server", &["n9 had never pinged"]);
    let long = "x".repeat(500);
    looks((3, &long, "")).is_wrong("unknown server", &["xxxx… had never pinged"]);
    Record::new().look((0, "", "")).look((1, "n1", "")).is_wrong("unknown server", &["n1"]);
    looks((3, "n2", "")).look((3, "n2", "")).is_right();
    looks((u64::MAX, "n2", "")).is_wrong("number skipped", &[&u64::MAX.to_string()]);
}

/// A machine that stands still blames nobody: neither is a server dead for certain, nor anything overdue.
#[test]
fn time_in_which_nothing_was_seen_counts_little() {
    let stood_still = Record::both().wait_ms(5000);
    stood_still.clone().ping("n2", 2, (2, "n1", "n2")).is_right();
    stood_still.clone().ping("n1", 2, (2, "n1", "n2")).is_right();
    stood_still.ping("n2", 2, (3, "n2", "")).is_right();
}

#[test]
fn what_is_not_answered_decides_nothing() {
    let result = Record::both().unanswered("n1", 2).judged();
    assert_eq!(result.verdict, Verdict::Inconclusive);
    assert!(
        result.summary.contains("the ping of n1 with 2 (from 0.105 s, never answered)"),
        "{result:?}"
    );
}

#[test]
fn a_script_counts_once_it_has_come_to_its_end_in_one_of_its_tries() {
    let script = "first-backup";
    let half = |record: Record| record.begin(script).ping("n1", 0, (1, "n1", ""));
    let whole = |record| half(record).ping("n1", 1, (1, "n1", "")).ping("n2", 0, (2, "n1", "n2"));
    let verdict = |record: &Record| record.judged_by(script).verdict;
    let unfinished = half(Record::default());
    assert_eq!(verdict(&unfinished), Verdict::Inconclusive);
    let summary = unfinished.judged_by(script).summary;
    assert!(
        summary.contains("did not come to its end, 1 time. Views: 1 (n1, no backup)."),
        "{summary}"
    );
    assert_eq!(verdict(&whole(unfinished.clone())), Verdict::Valid);
    // What was wrong in one of them stays wrong.
    let wrong = unfinished.ping("n1", 1, (0, "", ""));
    assert_eq!(verdict(&whole(wrong)), Verdict::Violation);
}

#[test]
fn what_is_no_record_of_scripts_is_refused() {
    let early = Record::default().ping("n1", 0, (1, "n1", ""));
    assert!(early.refused().contains("comes before any script has begun"), "{}", early.refused());
}
