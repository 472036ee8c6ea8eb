//! What a violation that only a search finds is called, word for word.

#![allow(clippy::unwrap_used, reason = "a test's helpers say what they expect, too")]

use checker_testing::linearizability::call;
use history::Verdict;
use linearizability::models::cas_register::{CasInput, CasOutput};
use linearizability::models::counter::{CounterInput, CounterOutput};
use linearizability::models::kv::{KvInput, KvOutput};
use linearizability::models::line::{LineInput, LineOutput};
use linearizability::models::lock::{LockInput, LockOutput};
use linearizability::models::multi_register::{MultiInput, MultiOutput, MultiRegister};
use linearizability::models::set::{SetInput, SetOutput};
use linearizability::models::{CasRegister, Counter, Kv, OwnedLock, Queue, Set, Stack};
use linearizability::{Call, CallOf, Limits, Model, check};
use serde_json::Value;

/// An operation from one millisecond to another, which also names it and its process.
fn at<I, O>(begin: u64, end: u64, input: I, output: O) -> Call<I, O> {
    call(begin, input, Some(output), begin, Some(end))
}

type Multi = CallOf<MultiRegister>;

/// `x=1 y=nil`.
fn pairs(text: &str) -> impl Iterator<Item = (String, &str)> {
    text.split(' ').map(|pair| pair.split_once('=').unwrap()).map(|(k, v)| (k.to_owned(), v))
}

fn multiput(begin: u64, end: u64, values: &str) -> Multi {
    let values = pairs(values).map(|(key, value)| (key, value.into())).collect();
    at(begin, end, MultiInput::Write(values), MultiOutput::Done)
}

fn multiget(begin: u64, end: u64, values: &str) -> Multi {
    let keys = pairs(values).map(|(key, _)| key).collect();
    let value = |value: &str| if value == "nil" { Value::Null } else { value.into() };
    let values = pairs(values).map(|(key, seen)| (key, value(seen))).collect();
    at(begin, end, MultiInput::Read(keys), MultiOutput::Values(values))
}

fn swap(begin: u64, end: u64) -> Multi {
    at(begin, end, MultiInput::Swap("x".into(), "y".into()), MultiOutput::Done)
}

/// The sentence, of these operations (by when they began).
fn said<M: Model>(model: &M, calls: &[CallOf<M>]) -> (Vec<u64>, String) {
    let report = check(model, calls, &Limits::default());
    assert_eq!(report.verdict, Verdict::Violation, "{report:?}");
    assert_eq!(report.statistics.searched, 1, "not decided by a search");
    let witness = report.witness.expect("a violation has a witness");
    assert!(witness.sentence.starts_with(witness.kind.name()), "{witness:?}");
    (witness.operations, witness.sentence)
}

type Said = (Vec<u64>, String);

#[track_caller]
fn all_as_expected(cases: &[(Said, (&[u64], &str))]) {
    let wrong: Vec<&Said> = cases
        .iter()
        .filter(|(said, (operations, sentence))| said.0 != *operations || said.1 != *sentence)
        .map(|(said, _)| said)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn registers_under_transactions() {
    let multi = |calls: &[Multi]| said(&MultiRegister::default(), calls);
    let failed = Call { failed: true, output: None, ..multiput(2, 3, "x=2 y=2") };
    all_as_expected(&[
        (
            multi(&[multiput(0, 1, "x=1"), multiget(2, 3, "x=7 y=nil")]),
            (
                &[2],
                r#"phantom value: multiget x = "7", y = nil by process 2 (0.0020–0.0030 s) saw x = "7", which nobody ever wrote."#,
            ),
        ),
        (
            multi(&[multiput(0, 1, "x=1"), failed, multiget(4, 5, "x=2 y=2")]),
            (
                &[2, 4],
                r#"aborted read: multiget x = "2", y = "2" by process 4 (0.0040–0.0050 s) saw x = "2", written only by multiput x = "2", y = "2" by process 2 (0.0020–0.0030 s), which failed."#,
            ),
        ),
        (
            multi(&[multiget(0, 1, "x=1 y=nil"), multiput(2, 3, "x=1")]),
            (
                &[0, 2],
                r#"read from the future: multiget x = "1", y = nil by process 0 (0.0000–0.0010 s) had finished before multiput x = "1" by process 2 (0.0020–0.0030 s) began, yet saw its x = "1"."#,
            ),
        ),
        (
            multi(&[multiput(0, 1, "x=1 y=1"), multiput(2, 3, "x=2"), multiget(4, 5, "x=1 y=1")]),
            (
                &[0, 2, 4],
                r#"stale read: multiget x = "1", y = "1" by process 4 (0.0040–0.0050 s) saw an older x = "1": it began after multiput x = "2" by process 2 (0.0020–0.0030 s) had finished, and that began after multiput x = "1", y = "1" by process 0 (0.0000–0.0010 s) had finished."#,
            ),
        ),
        (
            multi(&[multiput(0, 1, "x=1 y=1"), multiget(2, 3, "x=nil y=nil")]),
            (
                &[0, 2],
                r#"stale read: multiget x = nil, y = nil by process 2 (0.0020–0.0030 s) saw the initial x = nil: it began after multiput x = "1", y = "1" by process 0 (0.0000–0.0010 s) had finished."#,
            ),
        ),
        (
            multi(&[
                multiput(0, 1, "x=1"),
                multiput(2, 3, "x=2"),
                multiget(4, 5, "x=1"),
                multiget(6, 7, "x=1"),
            ]),
            (
                &[0, 2, 4],
                r#"lost write: multiget x = "1" by process 4 (0.0040–0.0050 s) saw an older x = "1": it began after multiput x = "2" by process 2 (0.0020–0.0030 s) had finished, and that began after multiput x = "1" by process 0 (0.0000–0.0010 s) had finished."#,
            ),
        ),
        (
            multi(&[
                multiput(0, 1, "x=3"),
                multiput(2, 9, "x=4"),
                multiget(3, 4, "x=4"),
                multiget(5, 6, "x=3"),
            ]),
            (
                &[0, 3, 5],
                r#"stale read: multiget x = "3" by process 5 (0.0050–0.0060 s) saw an older x = "3": it began after multiget x = "4" by process 3 (0.0030–0.0040 s) had finished, and that began after multiput x = "3" by process 0 (0.0000–0.0010 s) had finished."#,
            ),
        ),
        // One write half seen: older by real time, at first, and as two that overlap.
        (
            multi(&[
                multiput(0, 1, "x=1 y=1"),
                multiput(2, 9, "x=2 y=2"),
                multiget(4, 5, "x=2 y=1"),
            ]),
            (
                &[0, 2, 4],
                r#"torn read: multiget x = "2", y = "1" by process 4 (0.0040–0.0050 s) saw x = "2" of multiput x = "2", y = "2" by process 2 (0.0020–0.0090 s), but y = "1", which that replaced: multiput x = "1", y = "1" by process 0 (0.0000–0.0010 s) had finished before it began."#,
            ),
        ),
        (
            multi(&[
                multiput(0, 1, "x=1 y=1"),
                multiput(2, 3, "x=3 y=1"),
                multiput(4, 9, "x=2 y=2"),
                multiget(6, 7, "x=2 y=1"),
            ]),
            (
                &[2, 4, 6],
                r#"torn read: multiget x = "2", y = "1" by process 6 (0.0060–0.0070 s) saw x = "2" of multiput x = "2", y = "2" by process 4 (0.0040–0.0090 s), but y = "1", which that replaced: all 2 that may have left it had finished before that began, the last of them multiput x = "3", y = "1" by process 2 (0.0020–0.0030 s)."#,
            ),
        ),
        (
            multi(&[multiput(2, 9, "x=2 y=2"), multiget(4, 5, "x=2 y=nil")]),
            (
                &[2, 4],
                r#"torn read: multiget x = "2", y = nil by process 4 (0.0040–0.0050 s) saw x = "2" of multiput x = "2", y = "2" by process 2 (0.0020–0.0090 s), but the initial y = nil, which that replaced."#,
            ),
        ),
        (
            multi(&[
                multiput(0, 9, "x=1 y=1"),
                multiput(1, 9, "x=2 y=2"),
                multiget(4, 5, "x=2 y=1"),
            ]),
            (
                &[0, 1, 4],
                r#"torn read: multiget x = "2", y = "1" by process 4 (0.0040–0.0050 s) saw x = "2" of multiput x = "2", y = "2" by process 1 (0.0010–0.0090 s) and y = "1" of multiput x = "1", y = "1" by process 0 (0.0000–0.0090 s), although each of them wrote both."#,
            ),
        ),
        (
            multi(&[
                multiput(0, 9, "x=1"),
                multiput(1, 9, "y=1"),
                multiget(2, 8, "x=1 y=nil"),
                multiget(3, 8, "x=nil y=1"),
            ]),
            (
                &[2, 3],
                r#"long fork: multiget x = nil, y = "1" by process 3 (0.0030–0.0080 s) saw x = nil, which multiget x = "1", y = nil by process 2 (0.0020–0.0080 s) no longer found, and that saw y = nil, which the first no longer found: neither can come first."#,
            ),
        ),
        // A swap that is seen only half.
        (
            multi(&[multiput(0, 1, "x=1 y=2"), swap(2, 3), multiget(4, 5, "x=2 y=2")]),
            (
                &[0, 2, 4],
                r#"impossible result: multiget x = "2", y = "2" by process 4 could only have been multiget x = "2", y = "1", whatever the order of multiput x = "1", y = "2" by process 0; swap x and y by process 2."#,
            ),
        ),
        (
            multi(&[multiput(0, 1, "x=1 y=2"), swap(2, 3), multiget(4, 5, "x=1 y=2")]),
            (
                &[0, 2, 4],
                r#"impossible result: multiget x = "1", y = "2" by process 4 could only have been multiget x = "2", y = "1", whatever the order of multiput x = "1", y = "2" by process 0; swap x and y by process 2."#,
            ),
        ),
    ]);
}

#[test]
fn a_mutex() {
    use LockOutput::{Done, Refused};
    const ACQUIRE: LockInput = LockInput::Acquire(None);
    const RELEASE: LockInput = LockInput::Release(None);
    let says = |calls: &[CallOf<OwnedLock>]| said(&OwnedLock::default(), calls);
    all_as_expected(&[
        (
            says(&[at(0, 1, ACQUIRE, Done), at(2, 3, ACQUIRE, Done)]),
            (
                &[0, 2],
                r#"two holders: acquire by process 0 (0.0000–0.0010 s) and acquire by process 2 (0.0020–0.0030 s) both succeeded, and nobody released it in between."#,
            ),
        ),
        (
            says(&[at(0, 5, ACQUIRE, Done), at(1, 4, ACQUIRE, Done), at(6, 7, RELEASE, Done)]),
            (
                &[0, 1],
                r#"two holders: acquire by process 1 (0.0010–0.0040 s) and acquire by process 0 (0.0000–0.0050 s) both succeeded, and nobody released it in between."#,
            ),
        ),
        (
            says(&[at(0, 1, RELEASE, Done)]),
            (
                &[0],
                r#"released without holding: release by process 0 (0.0000–0.0010 s) had no acquire before it."#,
            ),
        ),
        (
            says(&[at(0, 1, ACQUIRE, Done), at(2, 3, RELEASE, Done), at(4, 5, ACQUIRE, Refused)]),
            (
                &[2, 4],
                r#"refused while free: acquire refused by process 4 (0.0040–0.0050 s) came after release by process 2 (0.0020–0.0030 s), and nobody had acquired it in between."#,
            ),
        ),
    ]);
}

#[test]
fn a_lock_with_an_owner() {
    use LockInput::{Acquire, Release};
    use LockOutput::{Done, Refused};
    let says = |calls: &[CallOf<OwnedLock>]| said(&OwnedLock::default(), calls);
    let open = Call { ret: None, output: None, ..at(1, 1, Release(Some(8)), Done) };
    all_as_expected(&[
        // Only its own client can have released it.
        (
            says(&[at(0, 1, Acquire(Some(7)), Done), open, at(2, 3, Acquire(Some(8)), Done)]),
            (
                &[0, 2],
                r#"two holders: acquire for 7 by process 0 (0.0000–0.0010 s) and acquire for 8 by process 2 (0.0020–0.0030 s) both succeeded, and nobody released it in between."#,
            ),
        ),
        (
            says(&[at(0, 1, Acquire(Some(7)), Done), at(2, 3, Release(Some(8)), Done)]),
            (
                &[2],
                r#"released without holding: release for 8 by process 2 (0.0020–0.0030 s) had no acquire for 8 before it."#,
            ),
        ),
        (
            says(&[at(0, 1, Acquire(Some(7)), Done), at(2, 3, Release(Some(7)), Refused)]),
            (
                &[0, 2],
                r#"refused to its holder: release for 7 refused by process 2 (0.0020–0.0030 s) came after acquire for 7 by process 0 (0.0000–0.0010 s), and nobody had released it in between."#,
            ),
        ),
    ]);
}

#[test]
fn a_counter() {
    let add = |begin, end, by| at(begin, end, CounterInput::Add(by), CounterOutput::Done);
    let read = |begin, end, sum| at(begin, end, CounterInput::Read, CounterOutput::Value(sum));
    let says = |calls: &[CallOf<Counter>]| said(&Counter::default(), calls);
    all_as_expected(&[
        (
            says(&[add(0, 1, 2), add(2, 9, 3), read(4, 5, 1)]),
            (
                &[0, 2, 4],
                r#"lost addition: read = 1 by process 4 (0.0040–0.0050 s) must see from 2 to 5: additions that were over before it began make 2, and 1 more began before its end."#,
            ),
        ),
        (
            says(&[add(0, 1, 2), read(4, 5, 3)]),
            (
                &[0, 4],
                r#"phantom addition: read = 3 by process 4 (0.0040–0.0050 s) must see 2: additions that were over before it began make 2, and no other began before its end."#,
            ),
        ),
        (
            says(&[add(0, 9, 2), add(1, 9, 3), read(4, 5, 4)]),
            (
                &[0, 1, 4],
                r#"impossible result: read = 4 by process 4 could only have been read = 0 or read = 3 or read = 5 or read = 2, whatever the order of add 2 by process 0; add 3 by process 1."#,
            ),
        ),
    ]);
}

#[test]
fn collections_with_equal_values() {
    let (queue, stack, set) = (Queue::new(), Stack::new(), Set::new());
    let enqueue = |begin, value: u8| at(begin, begin + 1, LineInput::Put(value), LineOutput::Done);
    let dequeue =
        |begin, value: u8| at(begin, begin + 1, LineInput::Take, LineOutput::Value(value));
    let empty = |begin| at(begin, begin + 1, LineInput::Take, LineOutput::Empty);
    let push = |begin, value: u8| at(begin, begin + 1, LineInput::Put(value), LineOutput::Done);
    let pop = |begin, value: u8| at(begin, begin + 1, LineInput::Take, LineOutput::Value(value));
    let add =
        |begin, value: u8| at(begin, begin + 1, SetInput::Add(value), SetOutput::Changed(true));
    all_as_expected(&[
        (
            said(
                &queue,
                &[enqueue(0, 1), enqueue(2, 1), dequeue(4, 1), dequeue(6, 1), dequeue(8, 1)],
            ),
            (
                &[0, 2, 4, 6, 8],
                r#"taken twice: dequeue = 1 by process 8 (0.0080–0.0090 s) returned 1, dequeued 3 times by then and enqueued only 2 times."#,
            ),
        ),
        (
            said(&queue, &[enqueue(0, 1), enqueue(2, 1), dequeue(4, 2)]),
            (
                &[4],
                r#"phantom value: dequeue = 2 by process 4 (0.0040–0.0050 s) returned 2, which nobody had enqueued."#,
            ),
        ),
        (
            said(&queue, &[enqueue(0, 1), enqueue(2, 1), dequeue(4, 1), empty(6)]),
            (
                &[0, 2, 4, 6],
                r#"wrongly empty: dequeue found nothing by process 6 (0.0060–0.0070 s) began when 2 values had been enqueued, and at most 1 can have been dequeued by its end."#,
            ),
        ),
        (
            said(&queue, &[enqueue(0, 1), enqueue(2, 2), enqueue(4, 1), dequeue(6, 2)]),
            (
                &[0, 2, 4, 6],
                r#"impossible result: dequeue = 2 by process 6 could only have been dequeue = 1, whatever the order of enqueue 1 by process 0; enqueue 2 by process 2; enqueue 1 by process 4."#,
            ),
        ),
        (
            said(&stack, &[push(0, 1), push(2, 2), push(4, 1), pop(6, 2)]),
            (
                &[0, 2, 4, 6],
                r#"impossible result: pop = 2 by process 6 could only have been pop = 1, whatever the order of push 1 by process 0; push 2 by process 2; push 1 by process 4."#,
            ),
        ),
        (
            said(&set, &[add(0, 1), add(2, 1)]),
            (
                &[0, 2],
                r#"impossible result: add 1 changed the set by process 2 could only have been add 1 changed nothing, whatever the order of add 1 changed the set by process 0."#,
            ),
        ),
    ]);
}

/// Who is to blame had finished, and as many are listed as it takes.
#[test]
fn one_key_with_equal_pieces() {
    let append = |begin, piece: &str, left: &str| {
        let left = Some(left.to_owned());
        at(begin, begin + 1, KvInput::Append(piece.into()), KvOutput::Value(left.map(Into::into)))
    };
    let silent =
        |begin, piece: &str| at(begin, begin + 1, KvInput::Append(piece.into()), KvOutput::Done);
    let says = |calls: &[CallOf<Kv>]| said(&Kv, calls);
    all_as_expected(&[
        (
            says(&[append(0, "0", "0"), append(2, "1", "1"), silent(4, "0")]),
            (
                &[0, 2],
                r#"lost append: append "1" = "1" by process 2 (0.0020–0.0030 s) began after append "0" = "0" by process 0 (0.0000–0.0010 s) had finished, yet what it appended is missing."#,
            ),
        ),
        (
            says(&[append(0, "0", "0"), silent(2, "0"), append(4, "1", "01"), silent(6, "0")]),
            (
                &[0, 2, 4],
                r#"lost append: append "1" = "01" by process 4 (0.0040–0.0050 s) saw "0" only once, but began after it had been appended 2 times, the last time by append "0" by process 2 (0.0020–0.0030 s)."#,
            ),
        ),
    ]);
}

/// Values that several wrote, shown old by what was there in between: a write or only a read.
#[test]
fn a_register_with_equal_values() {
    let write = |begin, end, value: u8| {
        at(begin, end, CasInput::Write(Value::from(value)), CasOutput::Done)
    };
    let read =
        |begin, value: u8| at(begin, begin + 1, CasInput::Read, CasOutput::Value(value.into()));
    let swap = |begin, from: u8, to: u8| {
        let input = CasInput::Cas(from.into(), to.into());
        Call { ret: None, output: None, ..at(begin, begin, input, CasOutput::Done) }
    };
    let says = |calls: &[CallOf<CasRegister>]| said(&CasRegister::default(), calls);
    all_as_expected(&[
        // What swaps a value for itself leaves nothing that was not there. Two equal writes make it a search's.
        (
            says(&[
                write(0, 1, 4),
                write(2, 3, 3),
                swap(4, 4, 4),
                read(5, 4),
                write(8, 9, 7),
                write(10, 11, 7),
            ]),
            (
                &[0, 2, 5],
                r#"stale read: read = 4 by process 5 (0.0050–0.0060 s) saw an older 4: it began after write 3 by process 2 (0.0020–0.0030 s) had finished, and that began after write 4 by process 0 (0.0000–0.0010 s) had finished."#,
            ),
        ),
        (
            says(&[write(0, 1, 4), write(2, 3, 4), write(4, 9, 3), read(5, 3), read(7, 4)]),
            (
                &[2, 5, 7],
                r#"stale read: read = 4 by process 7 (0.0070–0.0080 s) saw an older 4: it began after read = 3 by process 5 (0.0050–0.0060 s) had finished, and that began after all 2 that may have left it had finished, the last of them write 4 by process 2 (0.0020–0.0030 s)."#,
            ),
        ),
    ]);
}

/// The swap found something else than the reader saw, so that somebody else must have replaced that.
#[test]
fn who_found_another_value_did_not_replace_this_one() {
    let write = |begin, end, value: u8| {
        at(begin, end, CasInput::Write(Value::from(value)), CasOutput::Done)
    };
    let register = CasRegister { initial: Value::from(4) };
    let history = [
        write(0, 1, 5),
        at(2, 9, CasInput::Read, CasOutput::Value(4_u8.into())),
        at(3, 9, CasInput::Cas(5_u8.into(), 6_u8.into()), CasOutput::Cas(true)),
        write(20, 21, 6),
        write(22, 23, 6),
    ];
    all_as_expected(&[(
        said(&register, &history),
        (
            &[0, 2, 3],
            r#"stale read: read = 4 by process 2 (0.0020–0.0090 s) saw 4, which cas 5 to 6, swapped by process 3 (0.0030–0.0090 s) no longer found, and that saw 5, which the first no longer found: neither can come first."#,
        ),
    )]);
}

#[test]
fn one_key_with_equal_values() {
    let put = |begin, value: &str| at(begin, begin + 1, KvInput::Put(value.into()), KvOutput::Done);
    let get = |begin, value: &str| {
        at(begin, begin + 1, KvInput::Get, KvOutput::Value(Some(value.into())))
    };
    let cas = |begin, end, from: &str, to: &str| {
        let input = KvInput::Cas { expect: Some(from.into()), value: to.into() };
        at(begin, end, input, KvOutput::Cas { swapped: true, current: None })
    };
    let says = |calls: &[CallOf<Kv>]| said(&Kv, calls);
    all_as_expected(&[
        (
            says(&[put(0, "1"), put(2, "1"), put(4, "2"), get(6, "1")]),
            (
                &[2, 4, 6],
                r#"stale read: get = "1" by process 6 (0.0060–0.0070 s) saw an older "1": it began after put "2" by process 4 (0.0040–0.0050 s) had finished, and that began after all 2 that may have left it had finished, the last of them put "1" by process 2 (0.0020–0.0030 s)."#,
            ),
        ),
        (
            says(&[put(0, "1"), put(2, "1"), get(4, "2")]),
            (
                &[4],
                r#"phantom value: get = "2" by process 4 (0.0040–0.0050 s) saw "2", which nobody ever wrote."#,
            ),
        ),
        (
            says(&[
                put(0, "0"),
                put(2, "1"),
                put(4, "0"),
                cas(6, 9, "0", "2"),
                cas(7, 9, "0", "3"),
            ]),
            (
                &[4, 6, 7],
                r#"lost update: cas "0" to "3", swapped by process 7 (0.0070–0.0090 s) and cas "0" to "2", swapped by process 6 (0.0060–0.0090 s) both saw "0" and replaced it, so that one of them is lost."#,
            ),
        ),
    ]);
}
