use super::super::witnesses::tests::{fault, get, operation, put, violation};
use super::*;
use contract::puthash;
use record::{FaultRecord, LeaderChange};
use serde_json::json;

fn at(node: &str, operation: Operation) -> Operation {
    Operation { node: Some(node.to_owned()), ..operation }
}

fn append(at: u64, value: &str, whole: &str) -> Operation {
    operation(at, "append", json!({ "key": "x", "value": value }), json!({ "value": whole }))
}

fn cas(at: u64, expect: &str, value: &str) -> Operation {
    let arguments = json!({ "key": "x", "expect": expect, "value": value });
    operation(at, "cas", arguments, json!({ "swapped": true }))
}

/// What is said of a violation that all of these prove, hypotheses aside.
fn of(operations: &[Operation], faults: &[FaultRecord]) -> Option<String> {
    let witnesses = Witnesses::new(3, operations, faults);
    let calls: Vec<u64> = operations.iter().map(|operation| operation.call).collect();
    let diagnosis = Diagnosis::new(Consistency::StrictSerializable, operations, &witnesses);
    diagnosis.shown_by(&diagnosis.proof(&violation("stale read", &calls)))
}

#[track_caller]
fn says(operations: &[Operation], faults: &[FaultRecord], start: &str) {
    let said = of(operations, faults).unwrap_or_else(|| "nothing".to_owned());
    assert!(said.starts_with(start), "{said}");
}

#[test]
fn a_write_is_lost_where_its_own_node_has_what_was_before_and_nobody_ever_saw_it() {
    let kill = fault(0, ("kill", "kill-one"), &["n1"], (6000, 7000));
    let lost = [put(1, "x", "aaa"), put(5, "x", "bbb"), append(9, "ccc", "aaaccc")];
    assert_eq!(
        of(&lost, &kill).unwrap(),
        "Acknowledged write lost: n1 acknowledged it at 5.500 s; before it was missed, n1 (a minority) was killed (6.000–7.000 s)"
    );
    says(&lost, &[], "Acknowledged write lost: n1 acknowledged it at 5.500 s");
    let own_reads =
        [put(1, "x", "aaa"), put(5, "x", "bbb"), get(9, "x", "aaa"), get(10, "x", "aaa")];
    // The node may be behind, having handed the write on.
    assert_eq!(of(&own_reads, &[]), None);
    // Seen before, and gone since; and a key that is not there any more.
    let seen_before = [lost.to_vec(), vec![get(7, "x", "bbb")]].concat();
    says(&seen_before, &kill, "Acknowledged write lost");
    says(&[append(5, "bbb", "bbb"), append(9, "ccc", "ccc")], &[], "Acknowledged write lost");
    let hash = json!({ "key": "x", "value": "h" });
    let hashed = operation(2, "puthash", hash, json!({ "previous": "" }));
    says(
        &[append(5, "bbb", "bbb"), append(9, "ccc", "ccc"), hashed],
        &[],
        "Acknowledged write lost",
    );
    // Near misses: other nodes are only behind; another write may have replaced it; somebody saw it later; it was not acknowledged; the older value may
    // have been written again; the reader began before the write had ended.
    let behind = [put(1, "x", "aaa"), put(5, "x", "bbb"), at("n2", get(9, "x", "aaa"))];
    says(&behind, &[], "Stale read at another node");
    let at_two = [behind.to_vec(), vec![at("n3", get(10, "x", "aaa"))]].concat();
    says(&at_two, &[], "Stale read at another node");
    let replaced = [own_reads.to_vec(), vec![put(7, "x", "ddd"), get(12, "x", "ddd")]].concat();
    assert_eq!(of(&replaced, &[]), None);
    let seen = [lost.to_vec(), vec![get(12, "x", "bbb")]].concat();
    assert_eq!(of(&seen, &kill), None);
    let mut unknown = lost.to_vec();
    unknown[1].completion = Completion::Info(None);
    assert_eq!(of(&unknown, &kill), None);
    let again = Operation { completion: Completion::Info(None), ..put(7, "x", "aaa") };
    assert_eq!(of(&[lost.to_vec(), vec![again]].concat(), &kill), None);
    let swap = operation(7, "swap", json!({ "a": "x", "b": "y" }), json!({}));
    let taken_away = [append(5, "bbb", "bbb"), swap, append(9, "ccc", "ccc")];
    assert_eq!(of(&taken_away, &[]), None);
    assert_eq!(of(&[put(1, "x", "aaa"), put(5, "x", "bbb"), get(9, "x", "aaa")], &[]), None);
    let mut overlapping = lost.to_vec();
    overlapping[1].return_ns = Some(u64::MAX);
    assert_eq!(of(&overlapping, &kill), None);
}

#[test]
fn two_nodes_conflict_where_they_replaced_one_value_at_one_time() {
    let second = |operation: Operation| Operation { call_ns: 2_200_000_000, ..operation };
    let both = [put(1, "x", "aaa"), cas(2, "aaa", "b"), at("n2", second(cas(3, "aaa", "c")))];
    says(
        &both,
        &[],
        "Conflicting operations acknowledged at the same time: one through n1, one through n2",
    );
    let same_node = [put(1, "x", "aaa"), cas(2, "aaa", "b"), second(cas(3, "aaa", "c"))];
    let one_after_the_other =
        [put(1, "x", "aaa"), cas(2, "aaa", "b"), at("n2", cas(4, "aaa", "c"))];
    let written_again = [both.to_vec(), vec![put(9, "x", "aaa")]].concat();
    for near_miss in [&same_node[..], &one_after_the_other, &written_again] {
        let said = of(near_miss, &[]).unwrap_or_default();
        assert!(!said.starts_with("Conflicting"), "{said}");
    }
}

#[test]
fn an_operation_was_applied_twice_where_it_alone_appends_what_is_there_twice() {
    let twice = [append(1, "aaa", "aaa"), get(3, "x", "aaaaaa")];
    says(&twice, &[], "One operation applied twice: the append of process 1 alone");
    let two_appends = [append(1, "aaa", "aaa"), append(2, "aaa", "aaa"), get(3, "x", "aaaaaa")];
    let once = [append(1, "aaa", "aaa"), get(3, "x", "aaa")];
    let by_chance = [append(1, "a", "a"), get(3, "x", "aa")];
    for near_miss in [&two_appends[..], &once, &by_chance] {
        assert_eq!(of(near_miss, &[]), None);
    }
}

#[test]
fn an_operation_was_applied_twice_where_a_puthash_was_made_of_its_own_result() {
    let hashed = |at: u64, piece: &str, previous: &str| {
        let arguments = json!({ "key": "x", "value": piece });
        operation(at, "puthash", arguments, json!({ "previous": previous }))
    };
    let once = puthash("", "aaa");
    let twice = puthash(&once, "aaa");
    let start = "One operation applied twice: the value is what the puthash of process 1 makes";
    says(&[hashed(1, "aaa", ""), get(3, "x", &twice)], &[], start);
    says(&[hashed(1, "aaa", ""), hashed(3, "bbb", &twice)], &[], start);
    let written = [hashed(1, "aaa", ""), put(2, "x", &twice), get(3, "x", &twice)];
    let two = [hashed(1, "aaa", ""), hashed(2, "aaa", &once), get(3, "x", &twice)];
    for near_miss in [&[hashed(1, "aaa", ""), get(3, "x", &once)][..], &written, &two] {
        assert_eq!(of(near_miss, &[]), None);
    }
}

#[test]
fn transactions_lose_and_tear_and_are_stale_as_single_operations_are() {
    let transaction = |at: u64, guards: serde_json::Value, ops: serde_json::Value, seen| {
        let arguments = json!({ "guards": guards, "ops": ops });
        operation(at, "txn", arguments, json!({ "committed": true, "results": seen }))
    };
    let both = |at: u64, before: Option<&str>, value: &str| {
        let ops = json!([["w", "x", value], ["w", "y", value]]);
        transaction(at, json!({ "x": before, "y": before }), ops, json!([value, value]))
    };
    let reads = |at: u64, x: &str, y: &str| {
        transaction(at, json!({}), json!([["r", "x"], ["r", "y"]]), json!([x, y]))
    };
    let lost = [both(1, None, "aaa"), both(5, Some("aaa"), "bbb"), both(9, Some("aaa"), "ccc")];
    let kill = fault(0, ("kill", "kill-one"), &["n1"], (6000, 7000));
    says(&lost, &kill, "Acknowledged write lost: n1 acknowledged it at 5.500 s; before");
    let seen_later = [lost.to_vec(), vec![reads(12, "bbb", "bbb")]].concat();
    assert_eq!(of(&seen_later, &kill), None);
    let torn = [both(1, None, "aaa"), both(5, Some("aaa"), "bbb"), reads(6, "bbb", "aaa")];
    let overlapping = Operation { call_ns: 5_100_000_000, ..torn[2].clone() };
    says(&[torn[0].clone(), torn[1].clone(), overlapping], &[], "Torn multi-key read");
    let stale = [&torn[..2], &[at("n2", reads(9, "aaa", "aaa"))]].concat();
    says(&stale, &[], "Stale read at another node: n1 had acknowledged");
    let refused = Operation {
        completion: Completion::Ok(5, json!({ "committed": false })),
        ..lost[1].clone()
    };
    assert_eq!(of(&[lost[0].clone(), refused, lost[2].clone()], &kill), None);
}

#[test]
fn a_read_is_torn_where_it_shows_a_later_write_and_not_an_earlier_one() {
    let put_at = |at: u64, key: &str, value: &str| put(at, key, value);
    let reads = |at: u64, x: &str, y: &str| {
        let arguments = json!({ "keys": ["x", "y"] });
        operation(at, "multiget", arguments, json!({ "values": { "x": x, "y": y } }))
    };
    let writes = [
        put_at(1, "x", "aaa"),
        put_at(2, "y", "bbb"),
        put_at(3, "x", "ccc"),
        put_at(5, "y", "ddd"),
    ];
    let overlapping = |read: Operation| Operation { call_ns: 3_100_000_000, ..read };
    let torn = [writes.to_vec(), vec![overlapping(reads(6, "aaa", "ddd"))]].concat();
    says(
        &torn,
        &[],
        "Torn multi-key read: the multiget of process 6 (3.100–6.500 s) shows what the put of process 5 \
         (5.000–5.500 s) wrote, but not what the put of process 3 (3.000–3.500 s) had written before",
    );
    for (x, y) in [("aaa", "bbb"), ("ccc", "bbb"), ("ccc", "ddd")] {
        let whole = [writes.to_vec(), vec![overlapping(reads(6, x, y))]].concat();
        assert_eq!(of(&whole, &[]), None);
    }
}

#[test]
fn an_append_whose_answer_lacks_what_it_appended_got_that_of_another() {
    let others = [append(1, "aaa", "aaa"), append(2, "bbb", "aaa"), get(5, "x", "aaa")];
    says(
        &others,
        &[],
        "Answered with what another client got, not carried out: the answer to the append of process 2 (2.000–2.500 s) lacks \
         what it appended, and nobody ever saw that; it is the answer to the append of process 1 (1.000–1.500 s), as if",
    );
    let mut own_earlier = others.clone();
    own_earlier[1].process = 1;
    says(&own_earlier, &[], "Acknowledged, not carried out: what the append of process 1");
    let own = [append(1, "aaa", "aaa"), append(2, "bbb", "aaabbb"), get(5, "x", "aaa")];
    let said = of(&own, &[]).unwrap_or_default();
    assert!(!said.contains("not carried out"), "{said}");
}

#[test]
fn a_value_that_was_written_to_one_key_is_not_at_two() {
    let reads = |x: &str, y: &str| {
        let arguments = json!({ "keys": ["x", "y"] });
        operation(9, "multiget", arguments, json!({ "values": { "x": x, "y": y } }))
    };
    let writes = |x: &str, y: &str| {
        operation(1, "multiput", json!({ "values": { "x": x, "y": y } }), json!({}))
    };
    let swap = operation(3, "swap", json!({ "a": "x", "b": "y" }), json!({}));
    let doubled = [writes("aaa", "bbb"), swap.clone(), reads("aaa", "aaa")];
    says(
        &doubled,
        &[],
        "One value in two places: the multiget of process 9 (9.000–9.500 s) saw \"aaa\" at x and at y, and it \
         was written to one key, once; only a swap moves values",
    );
    let swapped = [writes("aaa", "bbb"), swap.clone(), reads("bbb", "aaa")];
    let written_twice = [writes("aaa", "aaa"), swap, reads("aaa", "aaa")];
    for near_miss in [&swapped, &written_twice] {
        assert_eq!(of(near_miss, &[]), None);
    }
}

#[test]
fn what_was_refused_and_is_there_took_effect() {
    let arguments = json!({ "key": "x", "expect": "aaa", "value": "bbb" });
    let refused = operation(2, "cas", arguments, json!({ "swapped": false }));
    let seen = [refused.clone(), at("n2", get(5, "x", "bbbc"))];
    let kill = fault(0, ("kill", "kill-some"), &["n1", "n3"], (3000, 4000));
    assert_eq!(
        of(&seen, &kill).unwrap(),
        "Decided twice: n1 refused the cas at 2.500 s, yet n2 shows at 5.500 s what it would have written; in \
         between, n1, n3 (a majority) were killed (3.000–4.000 s)"
    );
    let by_another = [refused.clone(), put(3, "x", "bbb"), at("n2", get(5, "x", "bbb"))];
    assert!(!of(&by_another, &kill).unwrap_or_default().starts_with("Decided"));
    assert_eq!(of(&[refused, get(5, "x", "aaa")], &kill), None);
}

#[test]
fn a_read_is_torn_where_it_shows_half_of_a_write() {
    let multi = |at: u64, value: &str| {
        operation(at, "multiput", json!({ "values": { "x": value, "y": value } }), json!({}))
    };
    let read = |x: &str, y: &str| {
        let values = json!({ "values": { "x": x, "y": y } });
        operation(5, "multiget", json!({ "keys": ["x", "y"] }), values)
    };
    says(&[multi(1, "a"), multi(3, "b"), read("b", "a")], &[], "Torn multi-key read");
    assert_eq!(of(&[multi(1, "a"), multi(3, "b"), read("b", "b")], &[]), None);
    assert_eq!(of(&[multi(1, "a"), multi(3, "b"), multi(7, "a"), read("b", "a")], &[]), None);
}

/// A counter's checker calls it a read; it once got no diagnosis at all.
#[test]
fn a_refusal_is_stale_where_another_node_had_acknowledged_what_was_expected() {
    let refused = |at: u64| {
        let arguments = json!({ "key": "x", "expect": "bbb", "value": "ccc" });
        operation(at, "cas", arguments, json!({ "swapped": false, "value": "aaa" }))
    };
    let written = [put(1, "x", "aaa"), put(5, "x", "bbb")];
    let stale = [&written[..], &[at("n2", refused(9))]].concat();
    says(
        &stale,
        &[],
        "Stale refusal at another node: n1 had acknowledged the newer write, n2 refused a cas, for it still held the value \
         from before",
    );
    // The same node; and the older value may have been written again.
    assert_eq!(of(&[&written[..], &[refused(9)]].concat(), &[]), None);
    assert_eq!(of(&[&stale[..], &[put(7, "x", "aaa")]].concat(), &[]), None);
}

/// Of a `puthash` that was answered it is known what it left, so that another one's value is no riddle.
#[test]
fn a_read_of_what_a_puthash_left_is_stale_though_there_were_others() {
    let hash = |at: u64, value: &str, previous: &str| {
        let arguments = json!({ "key": "x", "value": value });
        operation(at, "puthash", arguments, json!({ "previous": previous }))
    };
    let (first, second) = (puthash("", "a"), puthash(&puthash("", "a"), "b"));
    let stale = [
        hash(1, "a", ""),
        hash(2, "b", &first),
        append(5, "ccc", &format!("{second}ccc")),
        at("n2", get(9, "x", &second)),
    ];
    says(&stale, &[], "Stale read at another node");
    let unanswered = Operation { completion: Completion::Info(None), ..hash(3, "c", "") };
    assert_eq!(of(&[&stale[..], &[unanswered]].concat(), &[]), None);
}

#[test]
fn a_stale_read_is_elsewhere_where_another_node_had_acknowledged_the_write() {
    let stale =
        [put(1, "x", "aaa"), put(5, "x", "bbb"), at("n2", get(9, "x", "aaa")), get(11, "x", "bbb")];
    says(
        &stale,
        &[],
        "Stale read at another node: n1 had acknowledged the newer write, n2 answered",
    );
    let both_ways = fault(0, ("partition", "halves"), &["n1>n2", "n2>n1"], (8000, 10_000));
    let while_cut = "while the two were cut off from each other";
    assert!(of(&stale, &both_ways).unwrap().ends_with(while_cut));
    // Near misses: one direction only, not all the time, the same node.
    let one_way = fault(0, ("partition", "one-way"), &["n1>n2"], (8000, 10_000));
    assert!(!of(&stale, &one_way).unwrap().contains(while_cut));
    let healed = fault(0, ("partition", "halves"), &["n1>n2", "n2>n1"], (8000, 9100));
    assert!(!of(&stale, &healed).unwrap().contains(while_cut));
    let same = [put(1, "x", "aaa"), put(5, "x", "bbb"), get(9, "x", "aaa"), get(11, "x", "bbb")];
    assert_eq!(of(&same, &[]), None);
}

#[test]
fn a_stale_read_is_at_an_old_leader_where_another_node_had_come_to_lead() {
    let stale = [put(1, "x", "aaa"), put(5, "x", "bbb"), at("n2", get(9, "x", "aaa"))];
    let said = |leaders: &[(u64, Option<&str>)], until_s: u64| {
        let change = |&(time_s, node): &(u64, Option<&str>)| LeaderChange {
            time_ns: time_s * 1_000_000_000,
            node: node.map(str::to_owned),
        };
        let leaders = leaders.iter().map(change).collect();
        let witnesses = Witnesses::new(3, &stale, &[]).led_by(leaders, until_s * 1_000_000_000);
        Diagnosis::new(Consistency::StrictSerializable, &stale, &witnesses)
            .of(&violation("stale read", &[1, 5, 9]))
            .unwrap()
    };
    let deposed = said(&[(0, Some("n2")), (3, None), (4, Some("n1")), (7, Some("n3"))], 15);
    assert!(deposed.starts_with("Stale read at an old leader: n1 had"), "{deposed}");
    assert!(deposed.ends_with("n2 had led before n3 came to lead at 7.000 s"), "{deposed}");
    let not_asked_any_more = said(&[(0, Some("n2")), (4, Some("n1"))], 10);
    assert!(not_asked_any_more.starts_with("Stale read at another"), "{not_asked_any_more}");
    // Near misses: it leads again, never led, nobody has followed it yet, the next leader may have led already.
    for leaders in [
        &[(0, Some("n2")), (4, Some("n1")), (8, Some("n2"))][..],
        &[(0, Some("n3")), (4, Some("n1"))],
        &[(0, Some("n2")), (4, None), (20, Some("n1"))],
        &[(0, Some("n2")), (4, Some("n1")), (10, Some("n2"))],
    ] {
        let said = said(leaders, 15);
        assert!(said.starts_with("Stale read at another node"), "{said}");
    }
}

/// What is said of a violation that these prove, where the requests behind some came so often.
fn of_proof(operations: &[Operation], proof: &[u64], sent: &[u64]) -> Option<String> {
    let sent = sent.iter().map(|&call| (call, 2)).collect();
    let witnesses = Witnesses::new(3, operations, &[]).sent(sent);
    Diagnosis::new(Consistency::StrictSerializable, operations, &witnesses)
        .of(&violation("impossible result", proof))
}

fn swap(at: u64, a: &str, b: &str) -> Operation {
    operation(at, "swap", json!({ "a": a, "b": b }), json!({}))
}

fn fill(at: u64, values: &serde_json::Value) -> Operation {
    operation(at, "multiput", json!({ "values": values }), json!({}))
}

fn look(at: u64, values: &serde_json::Value) -> Operation {
    let keys: Vec<&String> = values.as_object().unwrap().keys().collect();
    operation(at, "multiget", json!({ "keys": keys }), json!({ "values": values }))
}

/// The one answer begins before the other operation and ends after it.
fn around(operation: Operation, from: u64, to: u64) -> Operation {
    let completion = match operation.completion {
        Completion::Ok(_, result) => Completion::Ok(to, result),
        other => other,
    };
    let (call_ns, return_ns) = (from * 1_000_000_000, Some(to * 1_000_000_000));
    Operation { call: from, completion, call_ns, return_ns, ..operation }
}

/// A learner once kept what stood behind an acknowledged append, and had another one in its place.
#[test]
fn a_write_is_replaced_where_what_followed_it_follows_another_one_now() {
    let replaced = [
        append(1, "a1;", "a1;"),
        append(2, "b1;", "a1;b1;"),
        append(3, "c1;", "a1;b1;c1;"),
        at("n2", append(5, "d1;", "a1;d1;")),
        at("n2", get(7, "x", "a1;d1;c1;")),
    ];
    assert_eq!(
        of_proof(&replaced, &[2, 7], &[]).unwrap(),
        "One write replaced by another: n1 acknowledged the append of process 2 (2.000–2.500 s) of \"b1;\", right behind \
         \"a1;\"; n2 at 5.500 s answered with \"d1;\" of the append of process 5 (5.000–5.500 s), which had begun later, in \
         that place; behind it stands \"c1;\" as before: one place among the operations was given to two of them"
    );
    let says = |operations: &[Operation], proof: &[u64]| of_proof(operations, proof, &[]).unwrap();
    let lost = [&replaced[..2], &replaced[3..4], &[at("n2", get(7, "x", "a1;d1;"))]].concat();
    let said = says(&lost, &[2, 7]);
    assert!(said.starts_with("Acknowledged write lost, another one in its place: n1"), "{said}");
    let left_out = [&replaced[..3], &[at("n2", get(7, "x", "a1;c1;"))]].concat();
    let said = says(&left_out, &[2, 7]);
    assert!(said.starts_with("A write left out: n1 acknowledged"), "{said}");
    let put_before = [&replaced[..2], &[at("n2", append(5, "d1;", "a1;d1;b1;"))]].concat();
    let moved = [&put_before[..2], &[at("n2", append(5, "d1;", "a1;d1;"))]].concat();
    let moved = [moved, vec![at("n2", get(7, "x", "a1;d1;b1;"))]].concat();
    let said = says(&moved, &[2, 7]);
    assert!(said.starts_with("A write put before one that was there already: n1"), "{said}");
    let two_orders = [moved, vec![get(8, "x", "a1;b1;d1;")]].concat();
    let said = says(&two_orders, &[2, 7]);
    assert!(said.starts_with("Carried out in two orders: x has"), "{said}");
    // Near misses: one value goes on from the other, or the key is written otherwise.
    let one_past = [&replaced[..3], &[at("n2", get(7, "x", "a1;"))]].concat();
    let written = [&[put(0, "x", "")], &replaced[..]].concat();
    for near_miss in [one_past, written] {
        let said = of_proof(&near_miss, &[2, 7], &[]).unwrap_or_default();
        assert!(!said.contains("in that place") && !said.starts_with("A write"), "{said}");
    }
}

/// Nodes that applied their log in different orders once told of a value that nobody had written.
#[test]
fn copies_differ_where_one_append_stands_behind_two_values() {
    let copies = [
        put(1, "x", "aaa;"),
        append(2, "bbb;", "aaa;bbb;"),
        put(3, "x", "ccc;"),
        at("n3", get(5, "x", "ccc;bbb;")),
    ];
    assert_eq!(
        of_proof(&copies, &[5], &[]).unwrap(),
        "Copies of x that differ: n1 carried out the append of process 2 (2.000–2.500 s) of \"bbb;\" behind \"aaa;\", and n3 \
         shows it behind \"ccc;\": as if they had not carried out the same operations in the same order"
    );
    // Sent twice, it may have been carried out twice.
    let said = of_proof(&copies, &[5], &[2]).unwrap_or_default();
    assert!(!said.starts_with("Copies"), "{said}");
    let same = [&copies[..2], &[at("n3", get(5, "x", "aaa;bbb;"))]].concat();
    assert_eq!(of_proof(&same, &[5], &[]), None);
}

/// A snapshot without the table of answered requests once applied a retry again.
#[test]
fn a_retry_was_carried_out_twice_where_that_alone_makes_the_answers_fit() {
    let doubled = [
        fill(1, &json!({ "x": "a", "y": "b", "z": "c" })),
        swap(2, "x", "y"),
        look(3, &json!({ "x": "b", "y": "a", "z": "c" })),
        swap(4, "y", "z"),
        look(5, &json!({ "x": "b", "y": "c", "z": "a" })),
        look(7, &json!({ "x": "c", "y": "b", "z": "a" })),
    ];
    assert_eq!(
        of_proof(&doubled, &[5, 7], &[2]).unwrap(),
        "A retry carried out twice: the answers about x, y, z fit no order if each operation took effect once, and fit one if \
         the swap of process 2 (2.000–2.500 s), which was sent more than once, took effect again later"
    );
    // It was sent once; the other one was sent twice and explains nothing; all is well.
    for sent in [&[][..], &[4]] {
        let said = of_proof(&doubled, &[5, 7], sent).unwrap_or_default();
        assert!(!said.contains("twice"), "{said}");
    }
    assert_eq!(of_proof(&doubled[..5], &[5], &[2]), None);
    // What came back may also be what a lost write had replaced.
    let ambiguous = [put(1, "k", "aaa"), put(3, "k", "bbb"), cas_refused(5, "aaa")];
    let said = of_proof(&ambiguous, &[1, 3, 5], &[1]).unwrap();
    assert!(said.starts_with("An acknowledged write undone: the answers about k"), "{said}");
}

fn cas_refused(at: u64, value: &str) -> Operation {
    let arguments = json!({ "key": "k", "expect": "zzz", "value": "new" });
    operation(at, "cas", arguments, json!({ "swapped": false, "value": value }))
}

#[test]
fn an_acknowledged_write_left_no_trace_where_the_answers_fit_without_it() {
    let lost = [
        fill(1, &json!({ "x": "a", "y": "b" })),
        swap(2, "x", "y"),
        look(3, &json!({ "x": "a", "y": "b" })),
    ];
    assert_eq!(
        of_proof(&lost, &[1, 2, 3], &[]).unwrap(),
        "An acknowledged write left no trace: the answers about x, y fit no order with the swap of process 2 \
         (2.000–2.500 s), which n1 acknowledged, and fit one without it"
    );
    let all_well = [&lost[..2], &[look(3, &json!({ "x": "b", "y": "a" }))]].concat();
    assert_eq!(of_proof(&all_well, &[1, 2, 3], &[]), None);
}

/// A leader that served a `multiget` as one read after another once showed a cycle without a reason.
#[test]
fn a_read_is_torn_where_each_key_fits_at_a_moment_of_its_own() {
    let transaction = |at: u64, x: &str, y: &str| {
        let ops = json!([["append", "x", "p;"], ["append", "y", "p;"]]);
        let results = json!({ "committed": true, "results": [x, y] });
        operation(at, "txn", json!({ "guards": {}, "ops": ops }), results)
    };
    let torn =
        [transaction(3, "p;", "p;"), around(look(9, &json!({ "x": null, "y": "p;" })), 2, 5)];
    assert_eq!(
        of_proof(&torn, &[2, 3], &[]).unwrap(),
        "Torn multi-key operation: the answers about x, y fit no order if each is one step, and fit one if the reads, such as \
         the multiget of process 9 (2.000–5.000 s), went key by key, and as well if the writes, such as the txn of process 3 \
         (3.000–3.500 s), did"
    );
    let appends = |at: u64, key: &str| {
        operation(at, "append", json!({ "key": key, "value": "p;" }), json!({ "value": "p;" }))
    };
    let read = around(look(9, &json!({ "x": null, "y": "p;" })), 2, 5);
    let alone = [appends(3, "x"), appends(4, "y"), read];
    assert_eq!(
        of_proof(&alone, &[2, 3, 4], &[]).unwrap(),
        "Torn multi-key read: no moment had all that the multiget of process 9 (2.000–5.000 s) was answered about x, y, and \
         each key by itself held it at some moment meanwhile: as if it had read key by key"
    );
    // It began later, so that not even one key fits; or it saw both.
    for (read, from) in [(json!({ "x": null, "y": "p;" }), 6), (json!({ "x": "p;", "y": "p;" }), 2)]
    {
        let whole = [torn[0].clone(), around(look(9, &read), from, 8)];
        let said = of_proof(&whole, &[from, 3], &[]).unwrap_or_default();
        assert!(!said.starts_with("Torn"), "{said}");
    }
}

/// A leader once made a swap into writes of the values that it saw when the request came.
#[test]
fn a_swap_read_first_and_wrote_later_where_that_makes_the_answers_fit() {
    let stale = [
        fill(1, &json!({ "x": "aaa", "y": "bbb", "z": "ccc" })),
        around(swap(2, "x", "y"), 2, 6),
        swap(4, "y", "z"),
        look(7, &json!({ "x": "bbb", "y": "aaa", "z": "bbb" })),
    ];
    assert_eq!(
        of_proof(&stale, &[1, 2, 4, 7], &[]).unwrap(),
        "One value in two places: the multiget of process 7 (7.000–7.500 s) saw \"bbb\" at x and at z, and it was written to \
         one key, once; only a swap moves values, and it doubles none. Read first, written later: the answers about x, y, z \
         fit no order if the swap of process 2 (2.000–6.000 s) was one step, and fit one if it wrote later what it had found \
         before, over what others wrote in between"
    );
    // One after the other, they cannot have been mixed up so.
    let apart = [stale[0].clone(), swap(2, "x", "y"), stale[2].clone(), stale[3].clone()];
    let said = of_proof(&apart, &[1, 2, 4, 7], &[]).unwrap();
    assert!(!said.contains("Read first"), "{said}");
}

/// A leader once looked at the guards of a transaction when the request came, not when it was carried out.
#[test]
fn a_guard_did_not_hold_where_the_answers_fit_without_it() {
    let guarded = |at: u64, value: &str| {
        let arguments = json!({ "guards": { "k": "old" }, "ops": [["w", "k", value], ["r", "j"]] });
        operation(at, "txn", arguments, json!({ "committed": true, "results": [value, null] }))
    };
    let race = [
        put(1, "k", "old"),
        around(guarded(3, "one"), 3, 6),
        around(guarded(4, "two"), 4, 7),
        get(9, "k", "two"),
    ];
    assert_eq!(
        of_proof(&race, &[3, 4], &[]).unwrap(),
        "Guard ignored: the answers about j, k fit no order in which the txn of process 4 (4.000–7.000 s), which n1 \
         acknowledged, was carried out while its guard held, and fit one if that is not looked at"
    );
    // One after the other, the first may have been lost.
    let apart = [race[0].clone(), guarded(3, "one"), guarded(5, "two"), race[3].clone()];
    let said = of_proof(&apart, &[3, 5], &[]).unwrap();
    assert!(!said.contains("uard"), "{said}");
    let mut refused = race.clone();
    refused[1].completion = Completion::Ok(6, json!({ "committed": false }));
    assert_eq!(of_proof(&refused, &[3, 4], &[]), None);
}
