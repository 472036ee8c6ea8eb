//! Small histories, one a line, with the verdict of each checker: `valid`, `inconclusive` or the kinds of violations.

mod common;

use common::{
    notation::{controller, history},
    told,
};
use history::Verdict;
use invariants::Invariant;

/// Checks a table of histories and what must be told of them.
fn expect(invariant: Invariant, cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (text, expected) in cases {
        let mut operations = history(text);
        let result = invariant.check(&operations);
        operations.reverse();
        assert_eq!(result, invariant.check(&operations), "{text}: their order in the list counted");
        if told(&result) != *expected {
            wrong.push(format!("{text}\n  expected {expected}, got {result:#?}"));
        }
        for violation in &result.violations {
            let known = |index: &u64| operations.iter().any(|operation| operation.call == *index);
            assert!(!violation.operations.is_empty() && violation.operations.iter().all(known));
            assert!(!violation.sentence.is_empty() && !violation.sentence.ends_with('.'));
        }
        assert!(result.summary.ends_with('.'), "{}", result.summary);
    }
    assert!(wrong.is_empty(), "{}: {}", invariant.name(), wrong.join("\n"));
}

#[test]
fn bank() {
    expect(
        Invariant::Bank,
        &[
            ("read -> {0 5, 1 5}", "valid"),
            ("read -> {0 5, 1 5}; transfer {:from 0}; read -> {0 2, 1 8}", "valid"),
            ("read -> {\"a\" 5}; read ?; read !", "valid"),
            ("read -> {0 5, 1 5}; read -> {0 5, 1 5}; read -> {0 5, 1 6}", "wrong total"),
            ("read -> {0 5}; read -> {0 4}; read -> {0 4}", "wrong total"),
            ("read -> {0 12, 1 -2}; read -> {0 5, 1 5}", "negative balance"),
            ("read -> {0 5, 1 5}; read -> {0 10}; read -> {0 5, 1 5}", "missing account"),
            ("read -> {0 5, 1 5}; read -> {0 5, 1 5, 2 0}; read -> {0 5, 1 5}", "unknown account"),
            ("read -> {0 5, 1 5}; read -> {0 10, 1 nil}", "missing balance"),
            ("read -> {0 9223372036854775807, 1 9223372036854775807}", "valid"),
            ("read ?; transfer {:from 0}", "inconclusive"),
            ("", "inconclusive"),
            ("read -> {0 5}; deposit 3; read -> {0 8}", "inconclusive"),
            ("read -> {0 5}; deposit 3 !; read -> {0 5}", "valid"),
            ("read -> {0 \"much\"}", "inconclusive"),
            ("read -> 7", "inconclusive"),
            // Two banks.
            ("read [:a nil] -> [:a {0 5}]; read [:b nil] -> [:b {0 7}]", "valid"),
            ("read [1 nil] -> [1 {0 5}]; read [1 nil] -> [1 {0 7}]", "wrong total"),
            // One that nobody reads does not hide that the other was tested; one that is none does.
            ("read [1 nil] -> [1 {0 5}]; transfer [2 {:from 0}]", "valid"),
            ("read [1 nil] -> [1 {0 5}]; read [2 nil] -> [2 7]", "inconclusive"),
            ("read [1 nil] ?; transfer [2 {:from 0}]", "inconclusive"),
        ],
    );
    expect(
        Invariant::BankNegative,
        &[
            ("read -> {0 12, 1 -2}; read -> {0 5, 1 5}", "valid"),
            ("read -> {0 12, 1 -2}; read -> {0 5, 1 -5}", "wrong total"),
        ],
    );
}

#[test]
fn set_final() {
    expect(
        Invariant::SetFinal,
        &[
            ("add 1; add 2; read -> [1 2]", "valid"),
            ("add 1; add 2; read -> #{2 1}", "valid"),
            ("add 1; add 2; read -> (1 2)", "valid"),
            ("add 1; add 2; read -> [1]", "lost element"),
            // Only the last read counts.
            ("add 1; read -> []; read -> [1]", "valid"),
            ("add 1; read -> [1]; read -> []", "lost element"),
            ("add 1; read -> [1]; read ?", "valid"),
            ("add 1; add 2 ?; read -> [1]", "valid"),
            ("add 1; add 2 ?; read -> [1 2]", "valid"),
            ("add 1; add 2 !; read -> [1]", "valid"),
            ("add 1; add 2 !; read -> [1 2]", "aborted read"),
            ("add 1; read -> [1 2]", "phantom element"),
            ("add 1; read -> [1 2]; add 2", "read from the future"),
            ("add 1; read -> [1 1]", "duplicated element"),
            ("add 1; add 1; read -> [1 1]", "valid"),
            ("add 1; 5-9 add 2; 6-8 read -> [1]", "valid"),
            ("add 1; 5-7 add 2; 6-9 read -> [1]", "valid"),
            ("add 1; 5-6 add 2; 7-9 read -> [1]", "lost element"),
            ("add 1; remove 1; read -> []", "inconclusive"),
            ("add 1", "inconclusive"),
            ("read -> []", "inconclusive"),
            ("add 1 ?; read -> []", "inconclusive"),
            ("add 1; read -> nil", "inconclusive"),
            ("add 1; read -> 7", "inconclusive"),
        ],
    );
}

#[test]
fn set_full() {
    let both = [
        ("add 1; read -> [1]", "valid"),
        ("add 1; read -> [1]; add 2; read -> [1 2]", "valid"),
        ("add 1; read -> []", "lost element"),
        ("add 1; read -> [1]; read -> []", "lost element"),
        // Known by a read, although nobody knows what became of the add.
        ("add 1 ?; read -> [1]; read -> []", "lost element"),
        ("add 1 ?; read -> []; read -> [1]", "valid"),
        ("add 1; add 2 ?; read -> [1]", "valid"),
        ("add 1; read -> [1 1]", "duplicated element"),
        ("add 1; read -> [1 1]; read -> [1]", "duplicated element"),
        ("add 1; add 1 ?; read -> [1 1]", "valid"),
        ("add 1; add 1 !; read -> [1 1]", "duplicated element"),
        ("add 1; read -> [1 2]", "phantom element"),
        ("add 1; add 2 !; read -> [1 2]", "aborted read"),
        ("add 1; read -> [1 2]; add 2 ?", "read from the future"),
        // Reads beside the add may miss it.
        ("0-5 add 1; 1-2 read -> []; 6-7 read -> [1]", "valid"),
        ("0-5 add 1; 1-6 read -> []; 7-8 read -> [1]", "valid"),
        // Seen once, an add that still runs is there.
        ("0-9 add 1; 1-2 read -> [1]; 3-4 read -> []", "lost element"),
        // Two reads beside each other, after the element was known.
        ("add 1; 5-9 read -> [1]; 10-20 read -> [1]; 11-12 read -> [1]", "valid"),
        ("add 1", "inconclusive"),
        ("read -> []", "inconclusive"),
        ("add 1 ?; read -> []", "inconclusive"),
        ("0-5 add 1; 1-6 read -> []", "inconclusive"),
        ("add 1; read -> {:a 1}", "inconclusive"),
        (
            "add [:x 1]; read [:x nil] -> [:x [1]]; add [:y 1]; read [:y nil] -> [:y []]",
            "lost element",
        ),
    ];
    expect(Invariant::SetFull, &both);
    expect(Invariant::SetFullLinearizable, &both);
    for (text, linearizable) in [
        ("add 1; read -> []; read -> [1]", "stale read"),
        // The read that saw it may have been the later one, but the other missed what was known.
        ("add 1; 5-9 read -> [1]; 6-8 read -> []", "stale read"),
        ("add 1; 5-9 read -> []; 6-8 read -> [1]", "stale read"),
        ("0-1 add 1; 2-3 read -> []; 4-5 read -> []; 6-7 read -> [1]", "stale read"),
    ] {
        expect(Invariant::SetFull, &[(text, "valid")]);
        expect(Invariant::SetFullLinearizable, &[(text, linearizable)]);
    }
}

/// The last read that missed it was once cited, seconds after everything was gone.
#[test]
fn a_lost_element_is_shown_by_the_first_read_that_missed_it_for_good() {
    let text = "add 1; read -> []; read -> [1]; 7-9 read -> []; 10-11 read -> []; 12-13 read -> []";
    let checked = Invariant::SetFull.check(&history(text));
    assert_eq!(checked.violations[0].operations.last(), Some(&7), "{:?}", checked.violations);
}

#[test]
fn an_operation_without_a_key_among_others_with_keys() {
    let right = "add [:x 1]; read [:x nil] -> [:x [1]]";
    let wrong = "add [:x 1]; read [:x nil] -> [:x []]";
    for invariant in [Invariant::SetFinal, Invariant::SetFull, Invariant::SetFullLinearizable] {
        let expect_with = |history: &str, other: &str, told: &str| {
            expect(invariant, &[(&format!("{history}; {other}"), told)]);
        };
        // It once made the history one set, whose reads then saw the key, which nobody had added.
        expect_with(right, "read nil -> [1]", "inconclusive");
        expect_with(right, "add 2 ?", "inconclusive");
        expect_with(right, "add 2 !", "valid");
        expect_with(wrong, "add 2 !", "lost element");
    }
    // One set, of pairs.
    expect(Invariant::SetFinal, &[("add [1 2]; add [1 3]; read -> [[1 2]]", "lost element")]);
}

#[test]
fn each_violation_names_the_operations_that_prove_it() {
    use Invariant as I;
    for (invariant, text, proof) in [
        (I::Bank, "read -> {0 5}; read -> {0 5}; read -> {0 6}", &[0, 4][..]),
        (I::Bank, "read -> {0 5, 1 5}; read -> {0 12, 1 -2}; read -> {0 5, 1 5}", &[2]),
        (I::Bank, "read -> {0 5}; read -> {0 5}; read -> {1 5}", &[0, 4]),
        (I::BankNegative, "read -> {0 5}; read -> {0 5}; read -> {0 -5}", &[0, 4]),
        (I::SetFinal, "add 1; add 2; read -> [1]", &[2, 4]),
        (I::SetFinal, "add 1; add 2 !; read -> [1 2]", &[2, 4]),
        (I::SetFinal, "add 1; read -> [1 2]", &[2]),
        (I::SetFinal, "add 1; add 2; read -> [1 2 2]", &[2, 4]),
        (I::SetFinal, "add 1; read -> [1 2]; add 2", &[2, 4]),
        (I::SetFull, "add 1; read -> [1]; read -> []", &[0, 4]),
        (I::SetFullLinearizable, "add 1; read -> []; read -> [1]", &[0, 2]),
        (I::CounterBounds, "add 1; add 2; read -> 2", &[0, 2, 4]),
        (I::UnorderedQueue, "enqueue 1; dequeue -> 1; dequeue -> 1", &[0, 4]),
        (I::TotalQueue, "enqueue 1; enqueue 2; drain -> [1]", &[2]),
        (I::UniqueIds, "generate -> 1; generate -> 2; generate -> 1", &[0, 4]),
        (
            I::LongFork,
            "read [] -> [[:r 1 7] [:r 2 nil]]; read [] -> [[:r 1 nil] [:r 2 7]]",
            &[0, 2],
        ),
        (I::Causal, "p1 write 1; p1 write 2; p1 read -> 1", &[0, 2, 4]),
        (I::CausalReverse, "write 1; write 2; read -> [2]", &[0, 2, 4]),
        (I::Sequential, "write 1; read 1 -> [1 [\"1_1\" nil]]", &[0, 2]),
        (I::G2, "insert [1 [1 nil]]; insert [1 [nil 2]]", &[0, 2]),
        (
            I::Monotonic,
            "add -> {:val 2 :sts 1}; add -> {:val 1 :sts 2}; read -> [{:val 2 :sts 1} {:val 1 :sts 2}]",
            &[0, 2, 4],
        ),
        (
            I::Configurations,
            "query {:num 0} -> {:num 0 :shards [nil] :groups {}}; join {:groups {1 [1]}}; \
             query {:num -1} -> {:num 0 :shards [nil] :groups {}}",
            &[2, 4],
        ),
    ] {
        let result = invariant.check(&history(text));
        let [violation] = &result.violations[..] else { panic!("{text}: {result:#?}") };
        let mut named = violation.operations.clone();
        named.sort_unstable();
        assert_eq!(named, proof, "{}: {text}: {violation:?}", invariant.name());
    }
}

#[test]
fn fates_and_latencies_of_elements() {
    // 1 is there at once, 2 five milliseconds after its add had ended, 3 is lost six after, 4 comes too late.
    let text = "0-1 add 1; 2-3 add 2; 4-5 add 3; 6-7 read -> [1 3]; 8-9 read -> [1 3]; 11-12 read -> [1 2 3]; \
                13-14 read -> [1 2]; 15-16 add 4";
    let statistics = Invariant::SetFull.check(&history(text)).statistics;
    let figure = |name: &str| statistics[name].as_u64().unwrap();
    assert_eq!(
        [figure("stable"), figure("stale"), figure("lost"), figure("never_read")],
        [2, 1, 1, 1]
    );
    assert_eq!(statistics["stable_latency_ms"]["max"], 5.0);
    assert_eq!(statistics["stable_latency_ms"]["p50"], 0.0);
    assert_eq!(statistics["lost_latency_ms"]["max"], 6.0);
}

#[test]
fn counter_bounds() {
    expect(
        Invariant::CounterBounds,
        &[
            ("read -> 0", "valid"),
            ("add 1; add 2; read -> 3", "valid"),
            ("add 1; add 2; read -> 2", "counter out of bounds"),
            ("add 1; add 2; read -> 4", "counter out of bounds"),
            ("add 1; add 2 ?; read -> 1; read -> 3", "valid"),
            ("add 1; add 2 ?; read -> 4", "counter out of bounds"),
            ("add 1 !; read -> 0", "valid"),
            ("add 1 !; read -> 1", "counter out of bounds"),
            ("read -> 1; add 1", "counter out of bounds"),
            ("0-5 add 1; 1-2 read -> 0; 3-4 read -> 1", "valid"),
            ("0-5 read -> 1; 1-2 add 1", "valid"),
            ("0-5 read -> 0; 1-2 add 1", "valid"),
            ("add -3; read -> -3", "valid"),
            ("add -3; read -> 0", "counter out of bounds"),
            ("add 5; add -3 ?; read -> 2; read -> 5", "valid"),
            ("add 5; add -3 ?; read -> 1", "counter out of bounds"),
            ("0-9 add -2; 1-8 add 4; 3-4 read -> 4; 5-6 read -> 2", "valid"),
            ("0-9 add -2; 1-8 add 4; 3-4 read -> -3", "counter out of bounds"),
            ("0-9 add -2; 1-8 add 4; 3-4 read -> 5", "counter out of bounds"),
            ("increment; increment; decrement; read -> 1", "valid"),
            ("increment; decrement; read -> 1", "counter out of bounds"),
            ("add 1", "inconclusive"),
            ("add 1; read ?", "inconclusive"),
            ("add 1; read -> nil", "inconclusive"),
            ("add \"x\"; read -> 1", "inconclusive"),
            ("add 1; reset; read -> 0", "inconclusive"),
            (
                "add [:a 1]; read [:a nil] -> [:a 1]; read [:b nil] -> [:b 1]",
                "counter out of bounds",
            ),
        ],
    );
}

#[test]
fn unordered_queue() {
    expect(
        Invariant::UnorderedQueue,
        &[
            ("enqueue 1; dequeue -> 1", "valid"),
            ("enqueue 1; enqueue 2; dequeue -> 2; dequeue -> 1", "valid"),
            ("enqueue 1; dequeue -> nil; dequeue -> 1", "valid"),
            ("enqueue 1 ?; dequeue -> 1", "valid"),
            ("enqueue 1 !; dequeue -> 1", "aborted read"),
            ("dequeue -> 1", "phantom element"),
            ("dequeue -> 1; enqueue 1", "read from the future"),
            ("0-5 dequeue -> 1; 1-6 enqueue 1", "valid"),
            ("enqueue 1; dequeue -> 1; dequeue -> 1", "duplicated element"),
            ("enqueue 1; enqueue 1; dequeue -> 1; dequeue -> 1", "valid"),
            ("enqueue 1; dequeue -> 1; dequeue -> 1; enqueue 1", "duplicated element"),
            ("enqueue 1; 5-9 dequeue -> 1; 6-10 dequeue -> 1; 7-8 enqueue 1", "valid"),
            ("enqueue 1; enqueue 2; drain -> [1 2]", "valid"),
            ("enqueue 1; drain -> [1 1]", "duplicated element"),
            ("enqueue 1; dequeue ?", "inconclusive"),
            ("enqueue 1; dequeue -> nil", "inconclusive"),
            ("enqueue 1; peek -> 1", "inconclusive"),
        ],
    );
}

#[test]
fn total_queue() {
    expect(
        Invariant::TotalQueue,
        &[
            ("enqueue 1; dequeue -> 1; drain -> []", "valid"),
            ("enqueue 1; enqueue 2; dequeue -> 2; drain -> [1]", "valid"),
            ("enqueue 1; enqueue 2; dequeue -> 2; drain -> []", "lost element"),
            ("enqueue 1; enqueue 2; dequeue -> 2; dequeue -> nil", "lost element"),
            ("enqueue 1; enqueue 2; dequeue -> 2; dequeue !", "inconclusive"),
            // Without a drain nobody knows.
            ("enqueue 1; enqueue 2; dequeue -> 2", "inconclusive"),
            ("enqueue 1; dequeue -> 1", "valid"),
            ("drain -> []; enqueue 1", "inconclusive"),
            ("0-5 enqueue 1; 1-2 drain -> []; 3-4 dequeue -> nil", "inconclusive"),
            // Whoever got no answer may have taken it.
            ("enqueue 1; dequeue ?; drain -> []", "inconclusive"),
            ("enqueue 1; enqueue 2; dequeue ?; drain -> []", "lost element"),
            ("enqueue 1; enqueue 2; drain ?; drain -> []", "inconclusive"),
            ("enqueue 1 ?; enqueue 2; drain -> [2]", "valid"),
            ("enqueue 1 ?; enqueue 2; drain -> [2 1]", "valid"),
            ("enqueue 1 !; enqueue 2; drain -> [2 1]", "aborted read"),
            ("enqueue 1; drain -> [1 3]", "phantom element"),
            ("drain -> [1]; enqueue 1", "read from the future"),
            // At least once: this is what `unordered-queue` refuses.
            ("enqueue 1; dequeue -> 1; drain -> [1]", "valid"),
            ("enqueue 1; enqueue 1; dequeue -> 1; drain -> []", "lost element"),
            // The one that came out may be the one that was certainly in.
            ("0-9 enqueue 1; 1-2 enqueue 1; 3-4 dequeue -> 1; 5-6 drain -> []", "inconclusive"),
            ("drain -> []", "inconclusive"),
            ("", "inconclusive"),
            // A key of which nobody knows whether it lost something is not made up for by another one.
            (
                "enqueue [1 7]; drain [1 nil] -> [1 [7]]; enqueue [2 8]; dequeue [2 nil] ?; drain [2 nil] -> [2 []]",
                "inconclusive",
            ),
            (
                "enqueue [1 7]; drain [1 nil] -> [1 [7]]; enqueue [2 8]; enqueue [2 9]; dequeue [2 nil] -> [2 8]",
                "inconclusive",
            ),
            ("enqueue [1 7]; drain [1 nil] -> [1 [7]]; enqueue [2 8]", "valid"),
        ],
    );
}

#[test]
fn unique_ids() {
    expect(
        Invariant::UniqueIds,
        &[
            ("generate -> 1; generate -> 2", "valid"),
            ("generate -> 1; generate -> \"1\"", "valid"),
            ("generate -> [1 2]; generate -> [2 1]; generate ?", "valid"),
            ("generate -> 1; generate -> 2; generate -> 1", "duplicate identifier"),
            ("generate -> 1; generate -> 1; generate -> 1", "duplicate identifier"),
            ("generate -> 1", "inconclusive"),
            ("generate ?; generate !", "inconclusive"),
            ("generate -> 1; generate -> 2; revoke 1", "inconclusive"),
        ],
    );
}

#[test]
fn long_fork() {
    let writes = "write [[:w :x 1]]; write [[:w :y 1]]";
    let read =
        |x: &str, y: &str| format!("; read [[:r :x nil] [:r :y nil]] -> [[:r :x {x}] [:r :y {y}]]");
    let case = |reads: &[(&str, &str)], expected| {
        let reads: String = reads.iter().map(|(x, y)| read(x, y)).collect();
        expect(Invariant::LongFork, &[(&format!("{writes}{reads}"), expected)]);
    };
    case(&[("nil", "nil"), ("1", "nil"), ("1", "1")], "valid");
    case(&[("nil", "1"), ("1", "1"), ("nil", "1")], "valid");
    case(&[("nil", "1"), ("1", "nil")], "long fork");
    case(&[("1", "nil"), ("1", "1"), ("nil", "nil"), ("nil", "1")], "long fork");
    case(&[("nil", "nil"), ("1", "1")], "inconclusive");
    case(&[], "inconclusive");
    case(&[("2", "nil")], "phantom value");
    expect(
        Invariant::LongFork,
        &[
            // Two groups have nothing to do with each other, nor have the same keys in another order.
            ("read [] -> [[:r 1 7] [:r 2 nil]]; read [] -> [[:r 3 nil] [:r 4 7]]", "valid"),
            ("read [] -> [[:r 1 7] [:r 2 nil]]; read [] -> [[:r 2 7] [:r 1 nil]]", "long fork"),
            (
                "read [] -> [[:r 0 1] [:r 1 1] [:r 2 nil]]; read [] -> [[:r 2 1] [:r 0 1] [:r 1 nil]]",
                "long fork",
            ),
            (
                "read [] -> [[:r 0 1] [:r 1 1] [:r 2 nil]]; read [] -> [[:r 2 nil] [:r 0 1] [:r 1 nil]]",
                "valid",
            ),
            ("txn [[:w 1 7]] ?; txn [] -> [[:r 1 7] [:r 2 nil]]", "valid"),
            ("txn [[:w 1 7]] !; txn [[:w 2 7]]; txn [] -> [[:r 1 7] [:r 2 nil]]", "phantom value"),
            ("read [] -> [[:r 1 7] [:r 2 nil]]; read [] -> [[:r 2 nil] [:r 1 8]]", "inconclusive"),
            (
                "write [[:w 1 7]]; write [[:w 1 8]]; read [] -> [[:r 1 7] [:r 2 nil]]",
                "inconclusive",
            ),
            ("write [[:w 1 7] [:w 2 7]]; read [] -> [[:r 1 7] [:r 2 nil]]", "inconclusive"),
            ("write [[:w 1 7] [:r 2 nil]]; read [] -> [[:r 1 7] [:r 2 nil]]", "inconclusive"),
            ("read [] -> [[:r 1 7] [:r 2 nil]] ; append 3", "inconclusive"),
            ("read [] -> [[:r 1]]", "inconclusive"),
        ],
    );
}

#[test]
fn causal() {
    expect(
        Invariant::Causal,
        &[
            ("p1 read-init -> 0; p1 write 1; p1 read -> 1; p1 write 2; p1 read -> 2", "valid"),
            ("p1 read -> nil; p1 write 1; p1 read -> 1", "valid"),
            ("p1 write 1; p1 read -> nil", "overwritten value read"),
            ("p1 write 1; p1 read -> 0", "overwritten value read"),
            ("p1 write 1; p1 write 2; p1 read -> 1", "overwritten value read"),
            ("p1 write 1; p1 read -> 3", "phantom value"),
            ("p1 write 1; p1 write 3 !; p1 read -> 3", "aborted read"),
            ("p1 read -> 1; p2 write 1", "read from the future"),
            // Another process may see an old value, for nothing tells it of the new one.
            ("p1 write 1; p1 write 2; p2 read -> 1", "valid"),
            ("p1 write 1; p1 write 2; p2 read -> 2; p2 read -> 1", "overwritten value read"),
            // Writes that know nothing of each other have no order.
            (
                "p1 write 1; p2 write 2; p3 read -> 1; p3 read -> 2; p4 read -> 2; p4 read -> 1",
                "valid",
            ),
            ("p1 write 1; p2 write 2; p3 read -> 1; p3 read -> 2; p3 read -> 1", "valid"),
            (
                "p1 write 1; p2 read -> 1; p2 write 2; p3 read -> 2; p3 read -> 1",
                "overwritten value read",
            ),
            (
                "p1 write 1; p2 read -> 1; p2 write 2; p3 read -> 2; p3 read -> nil",
                "overwritten value read",
            ),
            // Through another register.
            (
                "p1 write [:x 1]; p1 write [:y 1]; p2 read [:y nil] -> [:y 1]; p2 read [:x nil] -> [:x nil]",
                "overwritten value read",
            ),
            (
                "p1 write [:x 1]; p1 write [:y 1]; p2 read [:x nil] -> [:x nil]; p2 read [:y nil] -> [:y 1]",
                "valid",
            ),
            // An unknown write may take effect at any time.
            ("p1 write 1 ?; p2 read -> nil; p2 read -> 1", "valid"),
            ("p1 write 1 ?; p2 read -> 1; p2 read -> nil", "overwritten value read"),
            ("p1 write 1; p2 write 1; p3 read -> 1", "inconclusive"),
            ("p1 write 1; p1 read ?", "inconclusive"),
            ("p1 read -> nil", "inconclusive"),
            ("p1 write 1; p1 cas [1 2]; p1 read -> 2", "inconclusive"),
        ],
    );
}

#[test]
fn causal_reverse() {
    expect(
        Invariant::CausalReverse,
        &[
            ("write 1; write 2; read -> [1 2]", "valid"),
            ("write 1; write 2; 2-9 read -> [1]; read -> [1 2]", "valid"),
            ("write 1; write 2; read -> [2]", "write overtaken"),
            ("write 1; write 2 ?; read -> [2]", "write overtaken"),
            ("write 1 ?; write 2; read -> [2]; read -> [1 2]", "inconclusive"),
            ("0-3 write 1; 1-2 write 2; read -> [2]; write 3; read -> [1 2 3]", "valid"),
            ("write 1; write 2; write 3; read -> #{1 3}", "write overtaken"),
            ("write 1; read -> [1 5]", "phantom element"),
            ("write 1; write 2 !; read -> [1 2]", "aborted read"),
            ("write 1; write 2; read -> []", "inconclusive"),
            ("write 1; read -> [1]", "inconclusive"),
            ("write [:k 1]; write [:k 2]; read [:k nil] -> [:k [2]]", "write overtaken"),
            ("write [:k 1]; write [:j 2]; read [:j nil] -> [:j [2]]", "inconclusive"),
            ("write 1; write 2; delete 1; read -> [2]", "inconclusive"),
        ],
    );
}

#[test]
fn sequential() {
    expect(
        Invariant::Sequential,
        &[
            ("write 1; read 1 -> [1 [\"1_1\" \"1_0\"]]", "valid"),
            ("0-9 write 1; 1-2 read 1 -> [1 [nil \"1_0\"]]", "valid"),
            ("write 1 ?; read 1 -> [1 [nil nil \"1_0\"]]; read 1 -> [1 [nil nil nil]]", "valid"),
            ("write 1; read 1 -> [1 [\"1_1\" nil]]", "writes out of order"),
            ("write 1; read 1 -> [1 [nil \"1_1\" nil]]", "writes out of order"),
            ("write 1; read 1 -> [1 [nil nil]]", "inconclusive"),
            ("write 1; read 1 ?", "inconclusive"),
            ("write 1; read 1 -> 7", "inconclusive"),
            ("write 1; delete 1; read 1 -> [1 [\"1_1\" nil]]", "inconclusive"),
        ],
    );
}

#[test]
fn g2() {
    expect(
        Invariant::G2,
        &[
            ("insert [1 [1 nil]]; insert [1 [nil 2]] !", "valid"),
            ("0-3 insert [1 [1 nil]]; 1-2 insert [1 [nil 2]]", "write skew"),
            ("insert [1 [1 nil]]; insert [1 [nil 2]]", "write skew"),
            ("insert [1 [1 nil]]; insert [1 [nil 2]] ?", "valid"),
            ("insert [1 [1 nil]]; insert [2 [nil 2]]; insert [2 [3 nil]] !", "valid"),
            ("insert [1 [1 nil]] !; insert [1 [nil 2]] !", "inconclusive"),
            ("insert [1 [1 nil]] ?; insert [1 [nil 2]] ?", "inconclusive"),
            ("insert [1 [1 nil]]; insert [2 [nil 2]]", "inconclusive"),
            ("insert 1; insert 1", "inconclusive"),
            ("insert [1 [1 nil]]; delete 1; insert [1 [nil 2]]", "inconclusive"),
        ],
    );
}

#[test]
fn monotonic() {
    expect(
        Invariant::Monotonic,
        &[
            (
                "add -> {:val 1 :sts 10}; add -> {:val 2 :sts 20}; read -> [{:val 1 :sts 10} {:val 2 :sts 20}]",
                "valid",
            ),
            ("read -> [{:val 2 :sts 20} {:val 1 :sts 10}]", "valid"),
            ("read -> [{:val 2 :sts 10} {:val 1 :sts 20}]", "values out of order"),
            (
                "read -> [{:val 1 :sts 10} {:val 5 :sts 20} {:val 2 :sts 30} {:val 6 :sts 40}]",
                "values out of order",
            ),
            // Within one timestamp there is no order.
            ("read -> [{:val 2 :sts 10} {:val 1 :sts 10}]", "valid"),
            ("read -> [{:val 1 :sts 10} {:val 1 :sts 20}]", "duplicated element"),
            (
                "read -> [{:val 1 :sts 14000000000000000000000000N} {:val 2 :sts 14000000000000000000000001N}]",
                "valid",
            ),
            (
                "read -> [{:val 2 :sts 14000000000000000000000000N} {:val 1 :sts 14000000000000000000000001N}]",
                "values out of order",
            ),
            (
                "add -> {:val 3 :sts 30}; read -> [{:val 1 :sts 10} {:val 2 :sts 20}]",
                "lost element",
            ),
            (
                "0-9 add -> {:val 3 :sts 30}; 1-2 read -> [{:val 1 :sts 10} {:val 2 :sts 20}]",
                "valid",
            ),
            ("add ?; read -> [{:val 1 :sts 10} {:val 2 :sts 20}]", "valid"),
            ("read -> [{\"val\" 1 \"sts\" 10} {\"val\" 2 \"sts\" 5}]", "values out of order"),
            ("add [7 nil] -> [7 {:val 1 :sts 1}]; read [7 nil] -> [7 []]", "lost element"),
            ("add -> {:val 1 :sts 10}", "inconclusive"),
            ("read -> []", "inconclusive"),
            ("read -> [{:val 1} {:val 2}]", "inconclusive"),
            ("read -> [1 2]", "inconclusive"),
            ("drop; read -> [{:val 2 :sts 10} {:val 1 :sts 20}]", "inconclusive"),
        ],
    );
}

fn expect_of_controller(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        expect(Invariant::Configurations, &[(&controller(text), expected)]);
    }
}

#[test]
fn configurations_as_they_should_be() {
    for right in [
        "query -1 = 0 | nil nil |; join 1; query -1 = 1 | 1 1 | 1",
        "join 1; join 2; query -1 = 2 | 2 1 | 1 2; query 1 = 1 | 1 1 | 1; query 7 = 2 | 2 1 | 1 2",
        "join 1 2; query -1 = 1 | 1 2 | 1 2; move 0 2; query -1 = 2 | 2 2 | 1 2",
        // Whatever was moved is spread evenly again.
        "join 1 2; query -1 = 1 | 1 2 | 1 2; move 0 2; join 3; query -1 = 3 | 2 1 | 1 2 3",
        "join 1; join 2; leave 1; query -1 = 3 | 2 2 | 2; leave 2; query -1 = 4 | nil nil |",
        "join 1; leave 1; join 1:8; query -1 = 3 | 1 1 | 1:8",
        // More groups than shards.
        "join 1 2 3; query -1 = 1 | 3 1 | 1 2 3; leave 2; query -1 = 2 | 3 1 | 1 3",
        // Nobody knows.
        "join 1; join 2 ?; query -1 = 1 | 1 1 | 1; query -1 = 2 | 2 1 | 1 2",
        "join 1; join 2 ?; query -1 = 1 | 1 1 | 1; query -1 ?; query -1 !",
        "join 1; join 1 !; query -1 = 1 | 1 1 | 1",
        // Beside each other.
        "0-9 join 1; 1-8 join 2; 2-3 query -1 = 1 | 2 2 | 2; 4-5 query -1 = 2 | 1 2 | 1 2",
        "join 1; 5-9 join 2; 6-7 query -1 = 2 | 2 1 | 1 2; 10-11 query 2 = 2 | 2 1 | 1 2",
        "join 1; 5-9 query -1 = 1 | 1 1 | 1; 6-7 join 2; 8-10 query 3 = 2 | 2 1 | 1 2",
        "0-9 query 2 = 0 | nil nil |; 1-2 join 1",
        // Nobody looked afterwards, or between.
        "query -1 = 0 | nil nil |; join 1; join 2; leave 1",
        "join 1; join 2 3; leave 1; move 1 3; query -1 = 4 | 2 3 | 2 3",
        // The servers of a group have no order.
        "join 1:1,2; query -1 = 1 | 1 1 | 1:2,1",
    ] {
        expect_of_controller(&[(right, "valid")]);
    }
    expect_of_controller(&[
        ("query -1 = 0 | nil |", "inconclusive"),
        ("join 1 ?; query -1 = 1 | 1 1 | 1", "inconclusive"),
        ("join 1; query -1 ?", "inconclusive"),
        ("join ; query -1 = 1 | 1 1 | 1", "inconclusive"),
        ("join 1; move x 1 ?; query -1 = 1 | 1 1 | 1", "inconclusive"),
        ("join 1; query x = 1 | 1 1 | 1", "inconclusive"),
        ("join 1; query -1 = x | 1 1 | 1", "inconclusive"),
        ("join 1; query -1 = 1 | [1] 1 | 1", "inconclusive"),
    ]);
    expect(Invariant::Configurations, &[("drop; query {:num 0} -> nil", "inconclusive")]);
}

#[test]
fn configurations_that_are_none_or_change() {
    expect_of_controller(&[
        ("join 1; query 1 = 1 | 1 1 | 1; query 1 = 1 | 1 1 | 1:8", "configuration changed"),
        ("join 1 2; query 1 = 1 | 1 2 | 1 2; query 1 = 1 | 2 1 | 1 2", "configuration changed"),
        ("join 1; query 0 = 0 | nil nil |; query 1 = 1 | 1 | 1", "malformed configuration"),
        ("join 1; query 1 = 1 | 1 2 | 1", "malformed configuration"),
        ("join 1; query 1 = 1 | 1 nil | 1", "malformed configuration"),
        ("join 1; leave 1; query 2 = 2 | 1 nil |", "malformed configuration"),
        ("join 1; query 0 = 0 | 1 1 | 1", "malformed configuration"),
    ]);
}

#[test]
fn steps_between_configurations() {
    expect_of_controller(&[
        ("join 1 2; query 1 = 1 | 1 1 1 | 1 2", "unbalanced"),
        ("join 1 2; query 1 = 1 | 1 1 2 2 | 1 2; leave 1; query 2 = 2 | 2 2 2 2 | 2", "valid"),
        ("join 1; query 1 = 1 | 1 1 1 1 | 1; join 2; query 2 = 2 | 1 2 2 2 | 1 2", "unbalanced"),
        (
            "join 1 2; query 1 = 1 | 1 1 2 2 | 1 2; join 3; query 2 = 2 | 3 2 1 1 | 1 2 3",
            "too many shards moved",
        ),
        // The larger share is for the group that has more.
        (
            "join 1 2; query 1 = 1 | 1 1 2 | 1 2; leave 2; join 3; query 2 = 2 | 1 1 1 | 1; \
             query 3 = 3 | 3 3 1 | 1 3",
            "too many shards moved",
        ),
        (
            "join 1 2; query 1 = 1 | 1 1 2 | 1 2; move 0 2; query 2 = 2 | 2 1 1 | 1 2",
            "too many shards moved",
        ),
        ("join 1; query 1 = 1 | 1 1 | 1; join 2; query 2 = 2 | 2 2 | 2", "impossible change"),
        ("join 1; query 1 = 1 | 1 1 | 1; join 2 ?; query 2 = 2 | 2 2 | 2", "impossible change"),
        ("join 1; query 1 = 1 | 1 1 | 1; join 2 ?; query 2 = 2 | 1 1 | 1:8", "impossible change"),
        ("join 1; query 1 = 1 | 1 1 | 1; join 2 ?; query 2 = 2 | 1 1 | 1", "impossible change"),
    ]);
}

#[test]
fn numbers_of_configurations() {
    expect_of_controller(&[
        ("join 1; join 2; query 2 = 2 | 2 1 | 1 2; query -1 = 1 | 1 1 | 1", "stale configuration"),
        ("join 1; query -1 = 0 | nil nil |", "stale configuration"),
        ("join 1; query 1 = 0 | nil nil |", "stale configuration"),
        (
            "0-9 join 1; 1-2 query -1 = 1 | 1 1 | 1; 3-4 query -1 = 0 | nil nil |; 10-11 query -1 = 1 | 1 1 | 1",
            "stale configuration",
        ),
        ("join 1; query -1 = 2 | 1 1 | 1", "configuration from the future"),
        ("0-5 query -1 = 1 | 1 1 | 1; 6-7 join 1", "configuration from the future"),
        ("join 1; join 2; query 1 = 2 | 2 1 | 1 2", "wrong number"),
    ]);
}

#[test]
fn changes_and_their_configurations() {
    expect_of_controller(&[
        // As many as were acknowledged, but not that one.
        (
            "join 1; query -1 = 1 | 1 1 | 1; join 2; join 3 ?; query -1 = 2 | 1 3 | 1 3",
            "change lost, change without cause",
        ),
        (
            "join 1; query 1 = 1 | 1 1 | 1; 4-8 join 2; 5-6 join 3 ?; query 2 = 2 | 1 3 | 1 3",
            "valid",
        ),
        (
            "join 1; query 1 = 1 | 1 1 | 1; 4-8 join 2; 5-6 join 3 ?; query -1 = 2 | 1 3 | 1 3",
            "change lost",
        ),
        ("join 1; query -1 = 1 | 2 2 | 2", "change lost, change without cause"),
        ("join 1; query 1 = 1 | 2 2 | 2", "change without cause"),
        (
            "join 1; query 1 = 1 | 1 1 | 1; leave 1; query 2 = 2 | nil nil |; join 1; leave 1 !; \
             join 2 ?; query 3 = 3 | 1 1 | 1; query 4 = 4 | nil nil |",
            "change without cause",
        ),
        // It came from a change that had not begun.
        (
            "join 1; 2-9 join 2; 3-4 query -1 = 2 | 1 3 | 1 3; 5-6 join 3 ?; \
             10-11 query 1 = 1 | 1 1 | 1",
            "change without cause",
        ),
        // The first of them came after the second was seen.
        (
            "query -1 = 0 | nil nil |; 2-20 join 1; 3-4 join 2; 5-6 query -1 = 1 | 1 1 | 1; \
             21-22 query 2 = 2 | 1 2 | 1 2",
            "change lost, change without cause",
        ),
    ]);
}

#[test]
fn changes_that_had_to_be_refused() {
    expect_of_controller(&[
        ("query -1 = 0 | nil nil |; join 1; join 1", "change not refused"),
        ("query -1 = 0 | nil nil |; join 1; leave 1 ?; join 1", "valid"),
        ("query -1 = 0 | nil nil |; join 1; leave 2", "change not refused"),
        ("query -1 = 0 | nil nil |; join 1; leave 1; leave 1", "change not refused"),
        ("query -1 = 0 | nil nil |; 2-5 leave 1; 3-9 join 1", "valid"),
        ("query -1 = 0 | nil nil |; join 1; move 0 2", "change not refused"),
        ("query -1 = 0 | nil nil |; join 1; join 2 ?; move 0 2", "valid"),
    ]);
}

#[test]
fn every_checker_has_a_name_of_its_own_and_says_nothing_of_nothing() {
    for invariant in Invariant::ALL {
        assert_eq!(Invariant::by_name(invariant.name()), Some(invariant));
        assert_eq!(invariant.check(&[]).verdict, Verdict::Inconclusive, "{}", invariant.name());
        assert!(!invariant.functions().is_empty() && !invariant.promise().is_empty());
    }
    assert_eq!(Invariant::by_name("bankrupt"), None);
}

#[test]
fn what_is_listed_is_bounded() {
    let read = |n: usize| format!("read -> {{0 {n}}}; ");
    let text: String = (0..500).map(read).collect();
    let result = Invariant::Bank.check(&history(&text));
    assert_eq!(result.violations.len(), 10);
    assert!(result.summary.contains("First of 499 violations"), "{}", result.summary);
}
