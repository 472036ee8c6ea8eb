//! What the monitors say of each kind of violation, word for word.

use checker_testing::linearizability::call;
use history::Verdict;
use linearizability::models::line::{LineInput, LineOutput, Queue, Stack};
use linearizability::models::set::{Set, SetInput, SetOutput};
use linearizability::{Call, CallOf, Limits, Model, check};

/// An operation from one millisecond to another.
fn at<I, O>(begin: u64, end: u64, input: I, output: O) -> Call<I, O> {
    call(begin, input, Some(output), begin, Some(end))
}

fn enqueue(begin: u64, end: u64, value: u32) -> CallOf<Queue<u32>> {
    at(begin, end, LineInput::Put(value), LineOutput::Done)
}

fn dequeue(begin: u64, end: u64, value: u32) -> CallOf<Queue<u32>> {
    at(begin, end, LineInput::Take, LineOutput::Value(value))
}

fn nothing(begin: u64, end: u64) -> CallOf<Queue<u32>> {
    at(begin, end, LineInput::Take, LineOutput::Empty)
}

fn push(begin: u64, end: u64, value: u32) -> CallOf<Stack<u32>> {
    at(begin, end, LineInput::Put(value), LineOutput::Done)
}

fn pop(begin: u64, end: u64, value: u32) -> CallOf<Stack<u32>> {
    at(begin, end, LineInput::Take, LineOutput::Value(value))
}

fn add(begin: u64, end: u64, value: u32) -> CallOf<Set<u32>> {
    at(begin, end, SetInput::Add(value), SetOutput::Done)
}

fn remove(begin: u64, end: u64, value: u32) -> CallOf<Set<u32>> {
    at(begin, end, SetInput::Remove(value), SetOutput::Done)
}

fn contains(begin: u64, end: u64, value: u32, present: bool) -> CallOf<Set<u32>> {
    at(begin, end, SetInput::Contains(value), SetOutput::Present(present))
}

fn read_all(begin: u64, end: u64, values: &[u32]) -> CallOf<Set<u32>> {
    at(begin, end, SetInput::ReadAll, SetOutput::Values(values.iter().copied().collect()))
}

/// The sentence, of these operations (by when they began).
#[track_caller]
fn says<M: Model>(model: &M, calls: &[CallOf<M>], operations: &[u64], sentence: &str) {
    let report = check(model, calls, &Limits::default());
    assert_eq!(report.verdict, Verdict::Violation);
    let witness = report.witness.expect("a violation has a witness");
    assert_eq!(witness.sentence, sentence);
    assert_eq!(witness.operations, operations);
    assert!(witness.sentence.starts_with(witness.kind.name()));
}

#[test]
fn a_queue() {
    let queue = Queue::new();
    says(
        &queue,
        &[enqueue(0, 1, 8), dequeue(2, 3, 9), dequeue(4, 5, 8)],
        &[2],
        "phantom value: dequeue = 9 by process 2 (0.0020–0.0030 s) returned 9, which was never enqueued.",
    );
    let failed = Call { failed: true, output: None, ..enqueue(0, 1, 9) };
    says(
        &queue,
        &[failed, dequeue(2, 3, 9)],
        &[0, 2],
        "aborted read: dequeue = 9 by process 2 (0.0020–0.0030 s) returned 9, enqueued only by enqueue 9 by process 0 (0.0000–0.0010 s), which failed.",
    );
    says(
        &queue,
        &[enqueue(0, 1, 8), dequeue(2, 3, 8), dequeue(4, 5, 8)],
        &[0, 2, 4],
        "dequeued twice: 8 was enqueued once and dequeued twice, by dequeue = 8 by process 2 (0.0020–0.0030 s) and by dequeue = 8 by process 4 (0.0040–0.0050 s).",
    );
    says(
        &queue,
        &[dequeue(2, 3, 9), enqueue(4, 5, 9)],
        &[2, 4],
        "read from the future: dequeue = 9 by process 2 (0.0020–0.0030 s) was over before enqueue 9 by process 4 (0.0040–0.0050 s) began, the only one that put 9 there.",
    );
    says(
        &queue,
        &[enqueue(0, 1, 1), enqueue(2, 3, 2), enqueue(4, 5, 3), dequeue(6, 7, 2), dequeue(8, 9, 1)],
        &[0, 2, 6, 8],
        "FIFO order: enqueue 1 by process 0 was over before enqueue 2 by process 2 began, yet dequeue = 2 by process 6 was over before dequeue = 1 by process 8 began.",
    );
    says(
        &queue,
        &[enqueue(0, 1, 1), enqueue(2, 3, 2), dequeue(6, 7, 2)],
        &[0, 2, 6],
        "FIFO order: enqueue 1 by process 0 was over before enqueue 2 by process 2 began, yet dequeue = 2 by process 6 took the second, and nobody ever the first.",
    );
    says(
        &queue,
        &[enqueue(0, 1, 5), nothing(2, 3), dequeue(4, 5, 5)],
        &[0, 2, 4],
        "wrongly empty: dequeue found nothing by process 2 (0.0020–0.0030 s) although 5 was in the queue throughout: enqueue 5 by process 0 (0.0000–0.0010 s) had returned before, and it was dequeued only by dequeue = 5 by process 4 (0.0040–0.0050 s).",
    );
    says(
        &queue,
        &[enqueue(0, 1, 5), nothing(2, 9), enqueue(3, 4, 6), dequeue(5, 6, 5)],
        &[0, 2, 3, 5],
        "wrongly empty: dequeue found nothing by process 2 (0.0020–0.0090 s) although the queue held 5, then 6 throughout.",
    );
}

#[test]
fn a_stack() {
    let stack = Stack::new();
    says(
        &stack,
        &[push(0, 1, 1), push(2, 3, 2), push(4, 5, 3), pop(6, 7, 3), pop(8, 9, 1), pop(10, 11, 2)],
        &[0, 2, 8, 10],
        "LIFO order: push 1 by process 0 was over before push 2 by process 2 began, on top of it, yet pop = 1 by process 8 was over before pop = 2 by process 10 began.",
    );
    says(
        &stack,
        &[push(0, 1, 1), push(2, 3, 2), pop(8, 9, 1)],
        &[0, 2, 8],
        "LIFO order: push 1 by process 0 was over before push 2 by process 2 began, on top of it, yet pop = 1 by process 8 took the lower, and nobody ever the upper.",
    );
    // Each two of the three have an order.
    says(
        &stack,
        &[
            push(3, 4, 1),
            push(6, 7, 2),
            pop(8, 13, 1),
            push(9, 10, 3),
            pop(12, 16, 2),
            pop(15, 19, 3),
        ],
        &[3, 6, 8, 9, 12, 15],
        "LIFO order: in no order does each pop take what was pushed last: push 1 by process 3; push 2 by process 6; pop = 1 by process 8; push 3 by process 9; pop = 2 by process 12; pop = 3 by process 15.",
    );
    says(
        &stack,
        &[push(0, 1, 5), at(2, 3, LineInput::Take, LineOutput::Empty), pop(4, 5, 5)],
        &[0, 2, 4],
        "wrongly empty: pop found nothing by process 2 (0.0020–0.0030 s) although 5 was in the stack throughout: push 5 by process 0 (0.0000–0.0010 s) had returned before, and it was popped only by pop = 5 by process 4 (0.0040–0.0050 s).",
    );
}

/// Four operations and their long values fit into a sentence that can be read.
#[test]
fn long_values_make_no_long_sentence() {
    let value = |end: &str| format!("{}{end}", "value ".repeat(50));
    let put = |begin, end: &str| at(begin, begin + 1, LineInput::Put(value(end)), LineOutput::Done);
    let take =
        |begin, end: &str| at(begin, begin + 1, LineInput::Take, LineOutput::Value(value(end)));
    let queue = check(
        &Queue::new(),
        &[put(0, "1"), put(2, "2"), take(4, "2"), take(6, "1")],
        &Limits::default(),
    );
    let stack = check(
        &Stack::new(),
        &[put(0, "1"), put(2, "2"), take(4, "1"), take(6, "2")],
        &Limits::default(),
    );
    for report in [queue, stack] {
        let sentence = report.witness.expect("a violation has a witness").sentence;
        assert!(sentence.chars().count() <= 300, "{sentence}");
    }
}

#[test]
fn a_set() {
    let set = Set::new();
    says(
        &set,
        &[add(0, 1, 7), contains(2, 3, 8, true)],
        &[2],
        "phantom value: contains 8 = true by process 2 (0.0020–0.0030 s) saw 8, which was never added.",
    );
    says(
        &set,
        &[add(0, 1, 7), contains(2, 3, 7, false)],
        &[0, 2],
        "lost value: contains 7 = false by process 2 (0.0020–0.0030 s) did not see 7: add 7 by process 0 (0.0000–0.0010 s) was over before it began, and nobody ever removed it.",
    );
    says(
        &set,
        &[contains(0, 1, 7, true), add(2, 3, 7)],
        &[0, 2],
        "read from the future: contains 7 = true by process 0 (0.0000–0.0010 s) was over before add 7 by process 2 (0.0020–0.0030 s) began, the only one that put 7 there.",
    );
    says(
        &set,
        &[add(0, 1, 7), remove(2, 3, 7), contains(4, 5, 7, true)],
        &[0, 2, 4],
        "stale read: contains 7 = true by process 4 (0.0040–0.0050 s) saw 7 although remove 7 by process 2 (0.0020–0.0030 s) was over before it began, and nobody put it back.",
    );
    says(
        &set,
        &[add(0, 1, 7), contains(2, 3, 7, false), contains(4, 5, 7, true), remove(6, 7, 7)],
        &[0, 2, 6],
        "stale read: contains 7 = false by process 2 (0.0020–0.0030 s) did not see 7: add 7 by process 0 (0.0000–0.0010 s) was over before it began, and remove 7 by process 6 (0.0060–0.0070 s), which alone removed it, began only after it.",
    );
    says(
        &set,
        &[add(0, 1, 7), read_all(2, 3, &[7, 9])],
        &[2],
        "phantom value: read all = {7, 9} by process 2 (0.0020–0.0030 s) saw 9, which was never added.",
    );
    says(
        &set,
        &[add(0, 1, 7), add(2, 3, 8), read_all(4, 5, &[8])],
        &[0, 4],
        "lost value: add 7 by process 0 (0.0000–0.0010 s) was over before read all = {8} by process 4 (0.0040–0.0050 s) began, which did not see 7.",
    );
    says(
        &set,
        &[read_all(0, 1, &[8]), add(2, 3, 8)],
        &[0, 2],
        "read from the future: read all = {8} by process 0 (0.0000–0.0010 s) was over before add 8 by process 2 (0.0020–0.0030 s) began, the only one that put 8 there.",
    );
    let open = Call { ret: None, output: None, ..add(0, 1, 7) };
    says(
        &set,
        &[open.clone(), read_all(2, 3, &[7]), read_all(4, 5, &[])],
        &[0, 2, 4],
        "stale read: read all = {7} by process 2 (0.0020–0.0030 s) was over before read all = {} by process 4 (0.0040–0.0050 s) began, which did not see 7.",
    );
    let other = Call { id: 1, ..Call { ret: None, output: None, ..add(0, 1, 8) } };
    says(
        &set,
        &[open, other, read_all(2, 9, &[7]), read_all(4, 5, &[8])],
        &[0, 1, 2, 4],
        "long fork: read all = {8} by process 4 (0.0040–0.0050 s) saw 8 but not 7, read all = {7} by process 2 (0.0020–0.0090 s) the other way round, and nothing was removed.",
    );
}
