//! What went wrong in plain words, where the record proves it.
//!
//! A checker says that no order of the operations explains their answers. Which of many mistakes it was, the answers of
//! all clients together can tell, with the nodes that gave them.

use contract::{Operation as Asked, Outcome};
use history::words::{cut, seconds};
use history::{Completion, Operation, Violation};

use super::witnesses::Witnesses;

/// So many operations of a violation are looked at.
const LOOKED_AT_MAX: usize = 8;
/// So much is looked through for pieces that are there twice.
const COMPARED_BYTES_MAX: usize = 16 << 20;
/// A shorter piece may be in a value by chance.
const PIECE_BYTES_MIN: usize = 3;

/// An operation of the contract, and its result where it succeeded.
struct Done<'a> {
    operation: &'a Operation,
    asked: Asked,
    answer: Option<Outcome>,
}

/// All operations of a run that may have happened.
pub(super) struct Diagnosis<'a> {
    all: Vec<Done<'a>>,
    witnesses: &'a Witnesses<'a>,
}

impl<'a> Diagnosis<'a> {
    pub(super) fn new(operations: &'a [Operation], witnesses: &'a Witnesses<'a>) -> Self {
        let happened = operations.iter().filter(|o| !matches!(o.completion, Completion::Fail(..)));
        Self { all: happened.filter_map(Done::of).collect(), witnesses }
    }

    /// What the violation shows, as a name and how it was; `None` where the record proves none of these.
    pub(super) fn of(&self, violation: &Violation) -> Option<String> {
        let calls: Vec<u64> = violation.operations.iter().copied().take(LOOKED_AT_MAX).collect();
        let mut proof: Vec<&Done<'a>> =
            self.all.iter().filter(|done| calls.contains(&done.operation.call)).collect();
        proof.retain(|done| done.answer.is_some());
        let pairs = || proof.iter().flat_map(|a| proof.iter().map(move |b| (*a, *b)));
        pairs()
            .find_map(|(write, read)| self.lost(write, read))
            .or_else(|| pairs().find_map(|(a, b)| self.two_nodes(a, b)))
            .or_else(|| proof.iter().find_map(|read| self.applied_twice(read)))
            .or_else(|| pairs().find_map(|(write, read)| self.torn(write, read)))
            .or_else(|| pairs().find_map(|(write, read)| self.stale_elsewhere(write, read)))
    }

    /// Somebody found what was there before the write, and from then on nobody saw it any more, in no answer and no
    /// condition of the record, though no other operation may have replaced it. Reads may come from nodes that are behind:
    /// it takes an operation that built on what it found, or two reads at the node that had acknowledged the write.
    fn lost(&self, write: &Done<'a>, read: &Done<'a>) -> Option<String> {
        let (key, value) = write.wrote()?;
        self.finds_older(write, read, key)?;
        let from = read.operation.call_ns;
        let is_later = |done: &&Done<'a>| {
            let is_unfinished = !done.operation.completion.is_known();
            let is_other = done.operation.call != write.operation.call;
            is_other && (is_unfinished || done.operation.return_ns.is_none_or(|end| end >= from))
        };
        let may_have_replaced_it = |done: &&Done<'a>| {
            let is_between = !is_before(done, write) && done.operation.call_ns < from;
            let is_other =
                ![write.operation.call, read.operation.call].contains(&done.operation.call);
            is_other && is_between && done.may_replace(key)
        };
        if self.all.iter().filter(is_later).any(|done| done.mentions(value))
            || self.all.iter().any(|done| may_have_replaced_it(&done))
        {
            return None;
        }
        let own = write.operation.node.as_deref()?;
        let finds_it_there = |done: &&Done<'a>| {
            done.operation.node.as_deref() == Some(own)
                && done.found() == read.found()
                && is_before(write, done)
        };
        let own_reads = self.all.iter().filter(finds_it_there).take(2).count();
        if read.replaced().is_none() && own_reads < 2 {
            return None;
        }
        let between = (write.operation.call_ns, read.operation.call_ns);
        let faults = self.witnesses.destroyed_between(between);
        let when =
            faults.map_or_else(String::new, |faults| format!("; before it was missed, {faults}"));
        Some(format!(
            "Acknowledged write lost: {} acknowledged it at {} s{when}",
            node(own),
            ended(write)
        ))
    }

    /// Both replaced the same value, at the same time, at different nodes.
    fn two_nodes(&self, a: &Done<'a>, b: &Done<'a>) -> Option<String> {
        let (key, Some(old)) = a.replaced()? else { return None };
        let is_same = b.replaced()? == (key, Some(old)) && a.operation.call < b.operation.call;
        let overlap = b.operation.call_ns < a.operation.return_ns?;
        let (first, second) = (a.operation.node.as_deref()?, b.operation.node.as_deref()?);
        if !is_same || !overlap || first == second {
            return None;
        }
        self.sole_writer(key, old)?;
        let (first, second) = (node(first), node(second));
        Some(format!(
            "Conflicting operations acknowledged at the same time: one through {first}, one through {second}, and each replaced the same value"
        ))
    }

    /// Of all operations one alone appended this piece, and a value holds it twice.
    fn applied_twice(&self, read: &Done<'a>) -> Option<String> {
        let (key, value) = read.whole_value()?;
        let of_key = self.all.iter().filter_map(|done| match &done.asked {
            Asked::Append { key: of, value: piece } if of == key => Some((done, piece)),
            _ => None,
        });
        let of_key = of_key.take(COMPARED_BYTES_MAX / value.len().max(1));
        let is_twice = |(_, piece): &(&Done<'a>, &String)| {
            piece.len() >= PIECE_BYTES_MIN && value.matches(piece.as_str()).count() > 1
        };
        let (append, _) = of_key.filter(is_twice).find(|(append, piece)| {
            let others = self.all.iter().filter(|o| o.operation.call != append.operation.call);
            let mut others = others.filter(|other| !other.asked.is_read_only());
            !others.any(|other| mentions(&other.operation.arguments, piece))
        })?;
        let process = append.operation.process;
        Some(format!(
            "One operation applied twice: what the append of process {process} added, and no other operation, is there twice"
        ))
    }

    /// One value of what was written together was seen, beside one that was there before.
    fn torn(&self, write: &Done<'a>, read: &Done<'a>) -> Option<String> {
        let (Asked::MultiPut { values }, Asked::MultiGet { .. }) = (&write.asked, &read.asked)
        else {
            return None;
        };
        let Some(Outcome::Values { values: seen }) = &read.answer else { return None };
        let is_new = |(key, value): (&String, &String)| {
            seen.get(key).is_some_and(|seen| seen.as_ref() == Some(value))
                && self.sole_writer(key, value).is_some()
        };
        let is_old = |(key, _): (&String, &String)| {
            let old = seen.get(key).and_then(|seen| seen.as_ref());
            let writer = old.and_then(|old| self.sole_writer(key, old));
            writer.is_some_and(|writer| is_before(writer, write))
        };
        let proven = values.iter().any(is_new) && values.iter().any(is_old);
        proven.then(|| "Torn multi-key read: a part of what was written together, beside what was there before".to_owned())
    }

    /// Another node than the one that had acknowledged a write still answered what was there before.
    fn stale_elsewhere(&self, write: &Done<'a>, read: &Done<'a>) -> Option<String> {
        let (key, _) = write.wrote()?;
        self.finds_older(write, read, key)?;
        let (wrote, answered) = (write.operation.node.as_deref()?, read.operation.node.as_deref()?);
        if wrote == answered || !matches!(read.asked, Asked::Get { .. }) {
            return None;
        }
        let span = (read.operation.call_ns, read.operation.return_ns?);
        let is_cut = self.witnesses.are_cut_off((wrote, answered), span);
        let cut = if is_cut { ", while the two were cut off from each other" } else { "" };
        let successor = self.witnesses.successor_of(answered, span.0);
        let (wrote, answered) = (node(wrote), node(answered));
        let (who, since) = match successor {
            Some((leader, since_ns)) => {
                let (leader, since) = (node(leader), seconds(since_ns, 3));
                let since =
                    format!("; {answered} had led until {leader} came to lead at {since} s");
                ("an old leader", since)
            }
            None => ("another node", String::new()),
        };
        Some(format!(
            "Stale read at {who}: {wrote} had acknowledged the newer write, {answered} answered without it{cut}{since}"
        ))
    }

    /// It began after the write had ended, and found a value whose only writer had ended before the write began, or
    /// nothing: no operation takes a key away but a swap.
    fn finds_older(&self, write: &Done<'a>, read: &Done<'a>, key: &str) -> Option<()> {
        let (of, found) = read.found()?;
        if of != key || !is_before(write, read) {
            return None;
        }
        let is_older = match found {
            Some(found) => is_before(self.sole_writer(key, found)?, write),
            None => !self.all.iter().any(|done| done.may_leave(key, "")),
        };
        is_older.then_some(())
    }

    /// The only one that can have left this value at the key.
    fn sole_writer(&self, key: &str, value: &str) -> Option<&Done<'a>> {
        let mut writers = self.all.iter().filter(|done| done.may_leave(key, value));
        writers.next().filter(|_| writers.next().is_none())
    }
}

fn is_before(first: &Done<'_>, second: &Done<'_>) -> bool {
    let is_known = first.operation.completion.is_known();
    is_known && first.operation.return_ns.is_some_and(|end| end < second.operation.call_ns)
}

fn ended(done: &Done<'_>) -> String {
    seconds(done.operation.return_ns.unwrap_or(done.operation.call_ns), 3)
}

fn node(name: &str) -> String {
    cut(name, 30)
}

/// Does the text stand anywhere in there?
fn mentions(value: &serde_json::Value, text: &str) -> bool {
    match value {
        serde_json::Value::String(found) => found.contains(text),
        serde_json::Value::Array(all) => all.iter().any(|one| mentions(one, text)),
        serde_json::Value::Object(all) => {
            all.iter().any(|(name, one)| name.contains(text) || mentions(one, text))
        }
        _ => false,
    }
}

impl<'a> Done<'a> {
    fn of(operation: &'a Operation) -> Option<Self> {
        let asked = Asked::from_parts(&operation.f, &operation.arguments).ok()?;
        let answer = operation.result().and_then(|result| asked.parse_outcome(result).ok());
        Some(Self { operation, asked, answer })
    }

    fn mentions(&self, text: &str) -> bool {
        let result = self.operation.result();
        mentions(&self.operation.arguments, text) || result.is_some_and(|all| mentions(all, text))
    }

    /// May it have put something else in the place of what was at the key?
    fn may_replace(&self, key: &str) -> bool {
        match (&self.asked, &self.answer) {
            (Asked::Get { .. } | Asked::MultiGet { .. } | Asked::Append { .. }, _)
            | (Asked::Cas { .. }, Some(Outcome::Swapped { swapped: false, .. })) => false,
            (Asked::Put { key: of, .. } | Asked::Cas { key: of, .. }, _) => of == key,
            _ => mentions(&self.operation.arguments, key),
        }
    }

    /// What it certainly wrote or added, and where.
    fn wrote(&self) -> Option<(&str, &str)> {
        let is_swap = matches!(self.answer, Some(Outcome::Swapped { swapped: true, .. }));
        let (key, value) = match &self.asked {
            Asked::Put { key, value } | Asked::Append { key, value } if self.answer.is_some() => {
                Some((key, value))
            }
            Asked::Cas { key, value, .. } if is_swap => Some((key, value)),
            _ => None,
        }?;
        (!value.is_empty()).then_some((key, value))
    }

    /// A value that was answered whole.
    fn whole_value(&self) -> Option<(&str, &str)> {
        match (&self.asked, &self.answer) {
            (Asked::Get { key } | Asked::Append { key, .. }, Some(Outcome::Value { value })) => {
                Some((key, value.as_deref()?))
            }
            _ => None,
        }
    }

    /// What it replaced, and where; nothing counts as the empty text.
    fn replaced(&self) -> Option<(&str, Option<&str>)> {
        let some = |old: &str| !old.is_empty();
        match (&self.asked, &self.answer) {
            (Asked::Append { key, value }, Some(Outcome::Value { value: Some(new) })) => {
                Some((key, Some(new.strip_suffix(value.as_str())?).filter(|old| some(old))))
            }
            (Asked::Cas { key, expect, value }, Some(Outcome::Swapped { swapped: true, .. }))
                if expect.as_ref() != Some(value) =>
            {
                Some((key, expect.as_deref().filter(|old| some(old))))
            }
            _ => None,
        }
    }

    /// What it found, and where; nothing counts as the empty text.
    fn found(&self) -> Option<(&str, Option<&str>)> {
        match (&self.asked, &self.answer) {
            (Asked::Get { key }, Some(Outcome::Value { value })) => {
                Some((key, value.as_deref().filter(|value| !value.is_empty())))
            }
            _ => self.replaced(),
        }
    }

    /// May this have been at the key when it had taken effect, and not before? Of what is not known, anything.
    fn may_leave(&self, key: &str, value: &str) -> bool {
        match (&self.asked, &self.answer) {
            (Asked::Get { .. } | Asked::MultiGet { .. }, _) => false,
            (Asked::Put { key: of, value: new }, _) => of == key && new == value,
            (Asked::Cas { .. }, Some(Outcome::Swapped { swapped: false, .. })) => false,
            (Asked::Cas { key: of, value: new, .. }, _) => of == key && new == value,
            (Asked::MultiPut { values }, _) => values.get(key).is_some_and(|new| new == value),
            (Asked::Append { key: of, .. }, Some(Outcome::Value { value: Some(new) })) => {
                of == key && new == value
            }
            (Asked::Append { key: of, value: piece }, _) => {
                of == key && value.ends_with(piece.as_str())
            }
            (Asked::PutHash { key: of, .. }, _) => of == key && value.parse::<u32>().is_ok(),
            _ => mentions(&self.operation.arguments, key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::witnesses::tests::{fault, get, operation, put, violation};
    use super::*;
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

    /// What is said of a violation that all of these prove.
    fn of(operations: &[Operation], faults: &[FaultRecord]) -> Option<String> {
        let witnesses = Witnesses::new(operations, faults);
        let calls: Vec<u64> = operations.iter().map(|operation| operation.call).collect();
        Diagnosis::new(operations, &witnesses).of(&violation("stale read", &calls))
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
            "Acknowledged write lost: n1 acknowledged it at 5.500 s; before it was missed, n1 was killed (6.000–7.000 s)"
        );
        says(&lost, &[], "Acknowledged write lost: n1 acknowledged it at 5.500 s");
        let own_reads =
            [put(1, "x", "aaa"), put(5, "x", "bbb"), get(9, "x", "aaa"), get(10, "x", "aaa")];
        says(&own_reads, &[], "Acknowledged write lost");
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
        says(&twice, &[], "One operation applied twice: what the append of process 1 added");
        let two_appends = [append(1, "aaa", "aaa"), append(2, "aaa", "aaa"), get(3, "x", "aaaaaa")];
        let once = [append(1, "aaa", "aaa"), get(3, "x", "aaa")];
        let by_chance = [append(1, "a", "a"), get(3, "x", "aa")];
        for near_miss in [&two_appends[..], &once, &by_chance] {
            assert_eq!(of(near_miss, &[]), None);
        }
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

    #[test]
    fn a_stale_read_is_elsewhere_where_another_node_had_acknowledged_the_write() {
        let stale = [
            put(1, "x", "aaa"),
            put(5, "x", "bbb"),
            at("n2", get(9, "x", "aaa")),
            get(11, "x", "bbb"),
        ];
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
        let same =
            [put(1, "x", "aaa"), put(5, "x", "bbb"), get(9, "x", "aaa"), get(11, "x", "bbb")];
        assert_eq!(of(&same, &[]), None);
    }

    #[test]
    fn a_stale_read_is_at_an_old_leader_where_another_node_had_come_to_lead() {
        let stale = [put(1, "x", "aaa"), put(5, "x", "bbb"), at("n2", get(9, "x", "aaa"))];
        let said = |leaders: &[(u64, Option<&str>)]| {
            let change = |&(time_s, node): &(u64, Option<&str>)| LeaderChange {
                time_ns: time_s * 1_000_000_000,
                node: node.map(str::to_owned),
            };
            let leaders = leaders.iter().map(change).collect();
            let witnesses = Witnesses::new(&stale, &[]).led_by(leaders);
            Diagnosis::new(&stale, &witnesses).of(&violation("stale read", &[1, 5, 9])).unwrap()
        };
        let deposed = said(&[(0, Some("n2")), (3, None), (4, Some("n1")), (7, Some("n3"))]);
        assert!(deposed.starts_with("Stale read at an old leader: n1 had"), "{deposed}");
        assert!(deposed.ends_with("n2 had led until n1 came to lead at 4.000 s"), "{deposed}");
        // Near misses: it leads again, never led, nobody has followed it yet.
        for leaders in [
            &[(0, Some("n2")), (4, Some("n1")), (8, Some("n2"))][..],
            &[(0, Some("n3")), (4, Some("n1"))],
            &[(0, Some("n2")), (4, None), (10, Some("n1"))],
        ] {
            let said = said(leaders);
            assert!(said.starts_with("Stale read at another node"), "{said}");
        }
    }
}
