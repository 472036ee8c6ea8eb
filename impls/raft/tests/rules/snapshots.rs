//! Single rules of log compaction.

use raft::{
    Timer,
    log::{LogIndex, Term},
    message::{AppendResult, InstallSnapshot, InstallSnapshotReply, Message, NO_ROUND, Received},
    snapshot::Chunk,
};

use crate::bench::{Bench, append, put, reply, success};

/// The only chunk that the last step sent.
fn chunk(bench: &Bench) -> Chunk {
    match &bench.sent[..] {
        [(_, Message::InstallSnapshot(install))] => install.chunk.clone(),
        other => panic!("{other:?}"),
    }
}

/// A follower whose log ends after the first entry; the leader compacted that away.
fn laggard(term: Term) -> Message {
    let lost = AppendResult::Conflict { prev_log_index: 3, conflict_term: None, conflict_index: 1 };
    reply(term, 0, lost)
}

fn received(term: Term, last_included_index: LogIndex, received: Received) -> Message {
    Message::InstallSnapshotReply(InstallSnapshotReply {
        term,
        round: 0,
        last_included_index,
        received,
    })
}

/// A leader that has compacted three entries, the last two of them puts.
fn compacted_leader() -> (Bench, Term) {
    let mut bench = Bench::compacting();
    let term = bench.establish();
    for token in 1..=3 {
        bench.request(token, put());
        bench.receive("n2", success(term, token + 1));
    }
    assert_eq!(bench.server.log().before_index(), 3, "what follows the snapshot before is kept");
    (bench, term)
}

/// The chunks of its snapshot, as a follower asks for them.
fn chunks() -> Vec<Chunk> {
    let (mut bench, term) = compacted_leader();
    bench.receive("n3", laggard(term));
    let mut chunks = vec![chunk(&bench)];
    while let Some(Chunk { last_included_index, offset, data, done: false, .. }) = chunks.last() {
        let bytes = Received::Bytes(offset + data.len());
        bench.receive("n3", received(term, *last_included_index, bytes));
        chunks.push(chunk(&bench));
    }
    chunks
}

fn install(term: Term, chunk: &Chunk) -> Message {
    Message::InstallSnapshot(InstallSnapshot { term, chunk: chunk.clone(), round: 0 })
}

fn answer(bench: &Bench) -> Received {
    match &bench.sent[..] {
        [(_, Message::InstallSnapshotReply(reply))] => reply.received,
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_lacks_compacted_entries_gets_the_snapshot_chunk_by_chunk() {
    let chunks = chunks();
    assert!(chunks.len() >= 3, "{chunks:?}");
    assert!(
        chunks.iter().all(|chunk| (chunk.last_included_index, chunk.last_included_term) == (4, 1))
    );
}

#[test]
fn a_chunk_is_repeated_only_to_one_that_answers_and_not_at_once() {
    let (mut bench, term) = compacted_leader();
    bench.receive("n3", laggard(term));
    assert_eq!(chunk(&bench).offset, 0);
    bench.receive("n3", laggard(term));
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
    bench.now_ms += 100;
    bench.fire(Timer::Heartbeat);
    assert!(!bench.kinds().contains(&"InstallSnapshot"), "what is large goes to nobody unasked");
    bench.receive("n3", laggard(term));
    assert_eq!(chunk(&bench).offset, 0);
}

#[test]
fn entries_follow_on_an_installed_snapshot() {
    let (mut bench, term) = compacted_leader();
    bench.request(4, put());
    bench.receive("n3", laggard(term));
    bench.receive("n3", received(term, 4, Received::All));
    let appends = bench.appends_to("n3");
    assert_eq!((appends[0].prev_log_index, appends[0].entries.len()), (4, 1));
}

#[test]
fn a_snapshot_replaces_the_state_and_outlives_a_crash() {
    let mut bench = Bench::new();
    bench.receive("n2", append(1, (0, 0), &[1], 0));
    let chunks = chunks();
    for chunk in &chunks {
        bench.receive("n2", install(1, chunk));
    }
    assert_eq!(answer(&bench), Received::All);
    let bench = bench.restart();
    assert_eq!((bench.server.commit_index(), bench.server.log().before_index()), (4, 4));
    assert_eq!(bench.server.application().application().get("x"), Some("1"));
}

#[test]
fn a_snapshot_without_its_beginning_is_none() {
    let mut bench = Bench::new();
    let chunks = chunks();
    bench.receive("n2", install(1, &chunks[0]));
    assert_eq!(answer(&bench), Received::Bytes(20));
    let mut bench = bench.restart();
    bench.receive("n2", install(1, &chunks[1]));
    assert_eq!(answer(&bench), Received::Bytes(0));
}

#[test]
fn whoever_has_the_entries_keeps_them_and_what_follows() {
    let mut bench = Bench::new();
    bench.receive("n2", append(1, (0, 0), &[1, 1, 1, 1, 1], 0));
    bench.receive("n2", install(1, &chunks()[0]));
    assert_eq!(answer(&bench), Received::All);
    assert_eq!((bench.server.commit_index(), bench.server.log().last_index()), (4, 5));
}

#[test]
fn a_snapshot_of_the_past_changes_nothing() {
    let mut bench = Bench::new();
    bench.receive("n2", append(2, (0, 0), &[1, 1, 2, 2, 2], 5));
    for chunk in chunks() {
        bench.receive("n2", install(2, &chunk));
        assert_eq!(answer(&bench), Received::All);
    }
    assert_eq!(bench.terms(1), [1, 1, 2, 2, 2]);
    bench.receive("n3", install(1, &chunks()[0]));
    assert_eq!(answer(&bench), Received::Bytes(0), "a leader of the past");
}

#[test]
fn a_snapshot_of_an_earlier_term_confirms_no_read() {
    let chunk = chunks().remove(0);
    let mut bench = Bench::new();
    bench.receive("n3", append(5, (0, 0), &[], 0));
    bench.receive("n2", Message::InstallSnapshot(InstallSnapshot { term: 4, chunk, round: 900 }));
    assert_eq!(answer(&bench), Received::Bytes(0));
    assert_eq!(bench.answered_round(), NO_ROUND);
}
