//! What went wrong in plain words, where the record proves it.
//!
//! A checker says that no order of the operations explains their answers. Which of many mistakes it was, the answers of
//! all clients together can tell, with the nodes that gave them.

use contract::{MicroOperation, Operation as Asked, Outcome, puthash};
use history::words::{cut, seconds, who};
use history::{Completion, Operation, Violation};

use super::witnesses::Witnesses;

/// So many operations of a violation are looked at.
const LOOKED_AT_MAX: usize = 8;
/// So much is looked through for pieces that are there twice.
const COMPARED_BYTES_MAX: usize = 16 << 20;
/// A shorter piece may be in a value by chance.
const PIECE_BYTES_MIN: usize = 3;
/// So many values are tried.
const NEAR_MAX: usize = 1000;
/// A write that so many may have replaced before it was missed says nothing.
const REPLACEMENTS_MAX: usize = 32;

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
        (proof.iter().find_map(|append| self.answer_of_another(append)))
            .or_else(|| pairs().find_map(|(write, read)| self.lost(write, read)))
            .or_else(|| pairs().find_map(|(a, b)| self.two_nodes(a, b)))
            .or_else(|| proof.iter().find_map(|read| self.appended_twice(read)))
            .or_else(|| proof.iter().find_map(|read| self.hashed_twice(read)))
            .or_else(|| pairs().find_map(|(write, read)| self.torn(write, read)))
            .or_else(|| proof.iter().find_map(|read| self.torn_in_time(read, &proof)))
            .or_else(|| proof.iter().find_map(|read| self.in_two_places(read)))
            .or_else(|| pairs().find_map(|(refused, read)| self.refused_yet_there(refused, read)))
            .or_else(|| pairs().find_map(|(write, read)| self.stale_elsewhere(write, read)))
    }

    /// Somebody found what was there before the write, and from then on nobody saw it any more, nor what may have replaced
    /// it. Reads may come from nodes that are behind: it takes an operation that built on what it found, or two reads at
    /// the node that had acknowledged the write.
    fn lost(&self, write: &Done<'a>, read: &Done<'a>) -> Option<String> {
        write.wrote().into_iter().find_map(|(key, value)| self.lost_at(key, value, write, read))
    }

    fn lost_at(&self, key: &str, value: &str, write: &Done<'a>, read: &Done<'a>) -> Option<String> {
        let found = self.finds_older(write, read, key)?;
        let is_same =
            |done: &&Done<'a>| is_before(write, done) && done.found_at(key) == Some(found);
        // Perhaps another one that found the same built on it, or asked where the write had been acknowledged.
        let own = write.operation.node.as_deref()?;
        let is_own = |done: &&Done<'a>| done.operation.node.as_deref() == Some(own);
        let missed_by = self.all.iter().filter(is_same).find(|done| done.replaces(key));
        let missed_by =
            missed_by.or_else(|| self.all.iter().filter(is_same).filter(is_own).nth(1))?;
        let from = missed_by.operation.call_ns;
        let mut gone = self.replacements(key, write, missed_by)?;
        gone.push(value);
        if self.all.iter().any(|done| gone.iter().any(|value| done.saw_from(from, key, value))) {
            return None;
        }
        let until = missed_by.operation.return_ns.unwrap_or(from);
        let faults = self.witnesses.destroyed_between((write.operation.call_ns, from));
        let leader = self.witnesses.new_leader_between((write.operation.call_ns, until));
        let leader = leader.map(|leader| format!("{} came to lead", node(leader)));
        let before: Vec<String> = faults.into_iter().chain(leader).collect();
        let when = match &before[..] {
            [] => String::new(),
            before => format!("; before it was missed, {}", before.join(", and ")),
        };
        Some(format!(
            "Acknowledged write lost: {} acknowledged it at {} s{when}",
            node(own),
            ended(write)
        ))
    }

    /// What others may have put in the place of a write before it was missed; `None` where that is not known.
    fn replacements(&self, key: &str, write: &Done<'a>, missed_by: &Done<'a>) -> Option<Vec<&str>> {
        let ends = [write.operation.call, missed_by.operation.call];
        let is_between = |done: &&Done<'a>| {
            !ends.contains(&done.operation.call)
                && !is_before(done, write)
                && done.operation.call_ns < missed_by.operation.call_ns
        };
        let may_replace = self.all.iter().filter(is_between).filter(|done| done.may_replace(key));
        let values = may_replace.take(REPLACEMENTS_MAX + 1).map(|done| done.would_leave(key));
        let values: Vec<&str> = values.collect::<Option<_>>()?;
        (values.len() <= REPLACEMENTS_MAX).then_some(values)
    }

    /// It was answered with a value that does not end with what it appended.
    fn answer_of_another(&self, append: &Done<'a>) -> Option<String> {
        let (piece, answered) = append.appended()?;
        if answered.1.ends_with(piece) {
            return None;
        }
        let is_its = |other: &&Done<'a>| {
            other.appended().is_some_and(|(piece, own)| own == answered && own.1.ends_with(piece))
        };
        let whose = self.all.iter().find(is_its).map_or_else(String::new, |other| {
            format!(" and is the answer to {}", who(other.operation))
        });
        Some(format!(
            "An answer that belongs to another operation: what {} was answered lacks what it appended{whose}",
            who(append.operation)
        ))
    }

    /// Both replaced the same value, at the same time, at different nodes.
    fn two_nodes(&self, a: &Done<'a>, b: &Done<'a>) -> Option<String> {
        let others = b.replaced();
        let both = a.replaced().into_iter().find(|replaced| others.contains(replaced))?;
        let (key, Some(old)) = both else { return None };
        let is_first = a.operation.call < b.operation.call;
        let overlap = b.operation.call_ns < a.operation.return_ns?;
        let (first, second) = (a.operation.node.as_deref()?, b.operation.node.as_deref()?);
        if !is_first || !overlap || first == second {
            return None;
        }
        self.sole_writer(key, old)?;
        let (first, second) = (node(first), node(second));
        Some(format!(
            "Conflicting operations acknowledged at the same time: one through {first}, one through {second}, and each replaced the same value"
        ))
    }

    /// Of all operations one alone appended this piece, and a value holds it twice.
    fn appended_twice(&self, read: &Done<'a>) -> Option<String> {
        let (key, value) = read.whole_value()?;
        let of_key = self.all.iter().filter_map(|done| match &done.asked {
            Asked::Append { key: of, value: piece } if of == key => Some((done, piece)),
            _ => None,
        });
        let of_key = of_key.take(COMPARED_BYTES_MAX / value.len().max(1));
        let is_twice = |(_, piece): &(&Done<'a>, &String)| {
            piece.len() >= PIECE_BYTES_MIN && value.matches(piece.as_str()).count() > 1
        };
        let (append, _) =
            of_key.filter(is_twice).find(|(append, piece)| self.is_sole_author(append, piece))?;
        let process = append.operation.process;
        Some(format!(
            "One operation applied twice: the append of process {process} alone added what is there twice"
        ))
    }

    /// Somebody found what a `puthash` makes of what it had itself made, or the `puthash` itself what it makes of what
    /// others found.
    fn hashed_twice(&self, read: &Done<'a>) -> Option<String> {
        let (key, Some(value)) = *read.found().first()? else { return None };
        let makes_it = |found: &str, piece: &str| puthash(found, piece) == value;
        let is_twice = |done: &&Done<'a>| match (&done.asked, &done.answer) {
            (Asked::PutHash { key: of, value: piece }, Some(Outcome::Previous { previous })) => {
                let is_own = done.operation.call == read.operation.call;
                of == key
                    && if is_own {
                        self.found_near(key, read).any(|found| makes_it(found, piece))
                    } else {
                        makes_it(&puthash(previous, piece), piece)
                    }
            }
            _ => false,
        };
        let hash = self.all.iter().find(is_twice)?;
        let Asked::PutHash { value: piece, .. } = &hash.asked else { return None };
        let is_other = |done: &&Done<'a>| done.operation.call != hash.operation.call;
        let mut others = self.all.iter().filter(is_other);
        let may_be_of_another = |done: &Done<'a>| {
            mentions(&done.operation.arguments, piece)
                || (!done.is_puthash() && done.may_leave(key, value))
        };
        if others.any(may_be_of_another) {
            return None;
        }
        let process = hash.operation.process;
        Some(format!(
            "One operation applied twice: the value is what the puthash of process {process} makes of its own result"
        ))
    }

    /// What others found at the key in the operations before and beside this one.
    fn found_near(&self, key: &str, done: &Done<'a>) -> impl Iterator<Item = &str> {
        let until = done.operation.return_ns.unwrap_or(u64::MAX);
        let before = self.all.iter().rev().filter(move |other| {
            other.operation.call != done.operation.call && other.operation.call_ns < until
        });
        before
            .flat_map(move |other| {
                let left = other.whole_value().map(|(of, value)| (of, Some(value)));
                let at_key = other.found().into_iter().chain(left).filter(|(of, _)| *of == key);
                at_key.filter_map(|(_, found)| found).collect::<Vec<_>>()
            })
            .take(NEAR_MAX)
    }

    /// One value of what was written together was seen, beside one that was there before.
    fn torn(&self, write: &Done<'a>, read: &Done<'a>) -> Option<String> {
        let (written, found) = (write.wrote(), read.found());
        let find = |key: &str| found.iter().find(|(of, _)| *of == key).map(|(_, found)| *found);
        let is_new = |&(key, value): &(&str, &str)| {
            find(key) == Some(Some(value)) && self.sole_writer(key, value).is_some()
        };
        let is_old = |&(key, _): &(&str, &str)| {
            let writer = find(key).flatten().and_then(|old| self.sole_writer(key, old));
            writer.is_some_and(|writer| is_before(writer, write))
        };
        let proven = written.iter().any(is_new) && written.iter().any(is_old);
        proven.then(|| "Torn multi-key read: a part of what was written together, beside what was there before".to_owned())
    }

    /// Of two writes to two keys, one after the other, the later one was seen and the earlier one was not.
    fn torn_in_time(&self, read: &Done<'a>, proof: &[&Done<'a>]) -> Option<String> {
        if !read.asked.is_read_only() || read.found().len() < 2 {
            return None;
        }
        let shows = |write: &Done<'a>| {
            let mut wrote = write.wrote().into_iter();
            wrote.any(|(key, value)| {
                let is_there = read.found_at(key).flatten().is_some_and(|all| all.contains(value));
                is_there && value.len() >= PIECE_BYTES_MIN && self.is_sole_author(write, value)
            })
        };
        let lacks = |write: &Done<'a>| {
            write.wrote().into_iter().any(|(key, _)| {
                let old = read.found_at(key).flatten();
                let writer = old.and_then(|old| self.sole_writer(key, old));
                writer.is_some_and(|writer| is_before(writer, write))
            })
        };
        let pairs =
            proof.iter().flat_map(|first| proof.iter().map(move |second| (*first, *second)));
        let (first, second) = pairs
            .filter(|(first, second)| is_before(first, second))
            .find(|(first, second)| lacks(first) && shows(second))?;
        Some(format!(
            "Torn multi-key read: {} shows what {} wrote, but not what {} had written before",
            who(read.operation),
            who(second.operation),
            who(first.operation)
        ))
    }

    /// A value that was written to one key alone is at two keys at once. A swap moves values and doubles none.
    fn in_two_places(&self, read: &Done<'a>) -> Option<String> {
        let found = read.found();
        let pairs = found.iter().flat_map(|one| found.iter().map(move |other| (one, other)));
        let doubled = pairs.filter(|((key, _), (other, _))| key < other).find_map(
            |((key, value), (other, there))| {
                let value = value.filter(|_| value == there)?;
                self.is_written_once(value).then_some((*key, *other, value))
            },
        );
        let (key, other, value) = doubled?;
        let is_swapped = self.all.iter().any(|done| matches!(done.asked, Asked::Swap { .. }));
        let swap = if is_swapped { "; only a swap moves values, and it doubles none" } else { "" };
        let [key, other, value] = [key, other, value].map(node);
        Some(format!(
            "One value in two places: {} saw \"{value}\" at {key} and at {other}, and it was written to one key, \
             once{swap}",
            who(read.operation)
        ))
    }

    /// Whether one operation alone may have written this text, certainly did, and to one key.
    fn is_written_once(&self, value: &str) -> bool {
        let mut writers = self.all.iter().filter(|done| done.may_write(value));
        let Some(writer) = writers.next() else { return false };
        let keys = writer.wrote().iter().filter(|(_, of)| *of == value).count();
        keys == 1 && writers.next().is_none()
    }

    /// Nobody else may have written what this refused operation was to write, and somebody saw it.
    fn refused_yet_there(&self, refused: &Done<'a>, read: &Done<'a>) -> Option<String> {
        let (Asked::Cas { key, value, .. }, Some(Outcome::Swapped { swapped: false, .. })) =
            (&refused.asked, &refused.answer)
        else {
            return None;
        };
        let found = read.found_at(key).flatten()?;
        let is_there = found.contains(value.as_str()) && value.len() >= PIECE_BYTES_MIN;
        if !is_there || !self.is_sole_author(refused, value) || !is_before(refused, read) {
            return None;
        }
        let (refuser, shower) =
            (refused.operation.node.as_deref()?, read.operation.node.as_deref()?);
        let span = (refused.operation.call_ns, read.operation.call_ns);
        let faults = self.witnesses.destroyed_between(span);
        let between = faults.map_or_else(String::new, |faults| format!("; in between, {faults}"));
        let (refuser, shower) = (node(refuser), node(shower));
        let (refused, shown) = (ended(refused), ended(read));
        Some(format!(
            "Decided twice: {refuser} refused the cas at {refused} s, yet {shower} shows at {shown} s what it would have \
             written{between}"
        ))
    }

    /// Whether no other operation may have written this text.
    fn is_sole_author(&self, write: &Done<'a>, text: &str) -> bool {
        let mut others = self.all.iter().filter(|o| o.operation.call != write.operation.call);
        !others.any(|other| other.may_write(text))
    }

    /// Another node than the one that had acknowledged a write still answered what was there before.
    fn stale_elsewhere(&self, write: &Done<'a>, read: &Done<'a>) -> Option<String> {
        write.wrote().into_iter().find_map(|(key, _)| self.finds_older(write, read, key))?;
        let (wrote, answered) = (write.operation.node.as_deref()?, read.operation.node.as_deref()?);
        if wrote == answered || !read.asked.is_read_only() {
            return None;
        }
        let span = (read.operation.call_ns, read.operation.return_ns?);
        let is_cut = self.witnesses.are_cut_off((wrote, answered), span);
        let cut = if is_cut { ", while the two were cut off from each other" } else { "" };
        let successor = self.witnesses.successor_of(answered, span);
        let (wrote, answered) = (node(wrote), node(answered));
        let faults = self.witnesses.destroyed_between((write.operation.call_ns, span.0));
        let between = faults.filter(|_| !is_cut);
        let between = between.map_or_else(String::new, |faults| format!("; in between, {faults}"));
        let (who, since) = match successor {
            Some((leader, since_ns)) => {
                let (leader, since) = (node(leader), seconds(since_ns, 3));
                let since =
                    format!("; {answered} had led before {leader} came to lead at {since} s");
                ("an old leader", since)
            }
            None => ("another node", String::new()),
        };
        Some(format!(
            "Stale read at {who}: {wrote} had acknowledged the newer write, {answered} answered without it{cut}{since}{between}"
        ))
    }

    /// It began after the write had ended, and found a value whose only writer had ended before the write began, or
    /// nothing: no operation takes a key away but a swap.
    fn finds_older<'r>(
        &self,
        write: &Done<'a>,
        read: &'r Done<'a>,
        key: &str,
    ) -> Option<Option<&'r str>> {
        let found = read.found_at(key)?;
        if !is_before(write, read) {
            return None;
        }
        let is_older = match found {
            Some(found) => is_before(self.sole_writer(key, found)?, write),
            None => !self.all.iter().any(|done| done.may_leave(key, "")),
        };
        is_older.then_some(found)
    }

    /// The only one that can have left this value at the key.
    fn sole_writer(&self, key: &str, value: &str) -> Option<&Done<'a>> {
        let mut writers = self.all.iter().filter(|done| done.may_leave(key, value));
        writers.next().filter(|_| writers.next().is_none())
    }
}

/// Nothing counts as the empty text.
fn some(value: Option<&str>) -> Option<&str> {
    value.filter(|value| !value.is_empty())
}

fn written_by(op: &MicroOperation) -> Option<(&String, &String)> {
    match op {
        MicroOperation::Read(_) => None,
        MicroOperation::Write(key, value) | MicroOperation::Append(key, value) => {
            Some((key, value))
        }
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

    /// Whether it saw this at the key, or something that contains it, and had not ended before that moment.
    fn saw_from(&self, from_ns: u64, key: &str, value: &str) -> bool {
        let is_over = self.operation.return_ns.is_some_and(|end| end < from_ns);
        let mut found =
            self.found().into_iter().chain(self.whole_value().map(|(k, v)| (k, Some(v))));
        !is_over && found.any(|(of, found)| of == key && found.is_some_and(|f| f.contains(value)))
            || !is_over && self.refused_for(key).is_some_and(|found| found.contains(value))
    }

    /// What stood in the way of a `cas`.
    fn refused_for(&self, key: &str) -> Option<&str> {
        match (&self.asked, &self.answer) {
            (Asked::Cas { key: of, .. }, Some(Outcome::Swapped { swapped: false, value })) => {
                value.as_ref()?.as_deref().filter(|_| of == key)
            }
            _ => None,
        }
    }

    /// The value at the key where it took effect; `None` where that depends on what was there.
    fn would_leave(&self, key: &str) -> Option<&str> {
        match &self.asked {
            Asked::Put { key: of, value } | Asked::Cas { key: of, value, .. } if of == key => {
                Some(value)
            }
            Asked::MultiPut { values } => values.get(key).map(String::as_str),
            Asked::Txn { ops, .. } => {
                let written = ops.iter().filter_map(written_by).filter(|(of, _)| *of == key);
                written.last().map(|(_, value)| value.as_str())
            }
            _ => None,
        }
    }

    /// May it have put something else in the place of what was at the key?
    fn may_replace(&self, key: &str) -> bool {
        match (&self.asked, &self.answer) {
            (Asked::Get { .. } | Asked::MultiGet { .. } | Asked::Append { .. }, _)
            | (_, Some(Outcome::Swapped { swapped: false, .. }))
            | (_, Some(Outcome::Committed { committed: false, .. })) => false,
            (Asked::Put { key: of, .. } | Asked::Cas { key: of, .. }, _) => of == key,
            (Asked::Txn { ops, .. }, _) => {
                ops.iter().any(|op| matches!(op, MicroOperation::Write(of, _) if of == key))
            }
            _ => mentions(&self.operation.arguments, key),
        }
    }

    /// What it certainly wrote or added, and where.
    fn wrote(&self) -> Vec<(&str, &str)> {
        let written: Vec<(&String, &String)> = match (&self.asked, &self.answer) {
            (_, None) => Vec::new(),
            (Asked::Put { key, value } | Asked::Append { key, value }, _)
            | (Asked::Cas { key, value, .. }, Some(Outcome::Swapped { swapped: true, .. })) => {
                vec![(key, value)]
            }
            (Asked::MultiPut { values }, _) => values.iter().collect(),
            (Asked::Txn { ops, .. }, Some(Outcome::Committed { committed: true, .. })) => {
                ops.iter().filter_map(written_by).collect()
            }
            _ => Vec::new(),
        };
        let pairs = written.into_iter().map(|(key, value)| (key.as_str(), value.as_str()));
        pairs.filter(|(_, value)| !value.is_empty()).collect()
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

    /// What it appended; at which key, and the value that it was answered.
    fn appended(&self) -> Option<(&str, (&str, &str))> {
        match &self.asked {
            Asked::Append { value, .. } => Some((value, self.whole_value()?)),
            _ => None,
        }
    }

    /// May it have written a text that contains this?
    fn may_write(&self, text: &str) -> bool {
        match &self.asked {
            Asked::Get { .. } | Asked::MultiGet { .. } | Asked::PutHash { .. } => false,
            Asked::Put { value, .. } | Asked::Append { value, .. } | Asked::Cas { value, .. } => {
                value.contains(text)
            }
            Asked::MultiPut { values } => values.values().any(|value| value.contains(text)),
            Asked::Txn { ops, .. } => {
                ops.iter().filter_map(written_by).any(|(_, value)| value.contains(text))
            }
            // It may bring a value from another key, but each of its pieces was once written.
            Asked::Swap { .. } => false,
        }
    }

    fn is_puthash(&self) -> bool {
        matches!(self.asked, Asked::PutHash { .. })
    }

    /// What it replaced, and where; nothing counts as the empty text.
    fn replaced(&self) -> Vec<(&str, Option<&str>)> {
        match (&self.asked, &self.answer) {
            (Asked::Append { key, value }, Some(Outcome::Value { value: Some(new) })) => {
                let old = new.strip_suffix(value.as_str());
                old.map(|old| (key.as_str(), some(Some(old)))).into_iter().collect()
            }
            (Asked::Cas { key, expect, value }, Some(Outcome::Swapped { swapped: true, .. }))
                if expect.as_ref() != Some(value) =>
            {
                vec![(key, some(expect.as_deref()))]
            }
            (Asked::PutHash { key, .. }, Some(Outcome::Previous { previous })) => {
                vec![(key, some(Some(previous)))]
            }
            (Asked::Txn { .. }, _) => {
                let written = self.wrote();
                let is_written = |key: &str| written.iter().any(|(of, _)| *of == key);
                let mut found = self.found_by_transaction();
                found.retain(|(key, _)| is_written(key));
                found
            }
            _ => Vec::new(),
        }
    }

    fn replaces(&self, key: &str) -> bool {
        self.replaced().iter().any(|(of, _)| *of == key)
    }

    /// What it found, and where; nothing counts as the empty text.
    fn found(&self) -> Vec<(&str, Option<&str>)> {
        match (&self.asked, &self.answer) {
            (Asked::Get { key }, Some(Outcome::Value { value })) => {
                vec![(key, some(value.as_deref()))]
            }
            (Asked::MultiGet { .. }, Some(Outcome::Values { values })) => {
                values.iter().map(|(key, value)| (key.as_str(), some(value.as_deref()))).collect()
            }
            (Asked::Txn { .. }, _) => self.found_by_transaction(),
            _ => self.replaced(),
        }
    }

    fn found_at(&self, key: &str) -> Option<Option<&str>> {
        self.found().into_iter().find(|(of, _)| *of == key).map(|(_, found)| found)
    }

    /// What a transaction that committed found before it wrote there itself: by its guards and its reads.
    fn found_by_transaction(&self) -> Vec<(&str, Option<&str>)> {
        let (Asked::Txn { guards, ops }, Some(Outcome::Committed { committed: true, results })) =
            (&self.asked, &self.answer)
        else {
            return Vec::new();
        };
        let mut found: Vec<(&str, Option<&str>)> =
            guards.iter().map(|(key, value)| (key.as_str(), some(value.as_deref()))).collect();
        let mut written: Vec<&str> = Vec::new();
        for (op, result) in ops.iter().zip(results.iter().flatten()) {
            match op {
                MicroOperation::Read(key) if !written.contains(&key.as_str()) => {
                    found.push((key, some(result.as_deref())));
                }
                MicroOperation::Read(_) => {}
                MicroOperation::Write(key, _) | MicroOperation::Append(key, _) => {
                    written.push(key);
                }
            }
        }
        found
    }

    /// May this have been at the key when it had taken effect, and not before? Of what is not known, anything.
    fn may_leave(&self, key: &str, value: &str) -> bool {
        match (&self.asked, &self.answer) {
            (Asked::Get { .. } | Asked::MultiGet { .. }, _) => false,
            (Asked::Put { key: of, value: new }, _) => of == key && new == value,
            (_, Some(Outcome::Swapped { swapped: false, .. }))
            | (_, Some(Outcome::Committed { committed: false, .. })) => false,
            (Asked::Cas { key: of, value: new, .. }, _) => of == key && new == value,
            (Asked::Txn { ops, .. }, _) => ops.iter().any(|op| match op {
                MicroOperation::Read(_) => false,
                MicroOperation::Write(of, new) => of == key && new == value,
                MicroOperation::Append(of, piece) => of == key && value.ends_with(piece.as_str()),
            }),
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
        let witnesses = Witnesses::new(3, operations, faults);
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
            "Acknowledged write lost: n1 acknowledged it at 5.500 s; before it was missed, n1 (a minority) was killed (6.000–7.000 s)"
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
            "An answer that belongs to another operation: what the append of process 2 (2.000–2.500 s) was answered \
             lacks what it appended and is the answer to the append of process 1 (1.000–1.500 s)",
        );
        let own = [append(1, "aaa", "aaa"), append(2, "bbb", "aaabbb"), get(5, "x", "aaa")];
        assert!(!of(&own, &[]).unwrap_or_default().starts_with("An answer"));
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
        let said = |leaders: &[(u64, Option<&str>)], until_s: u64| {
            let change = |&(time_s, node): &(u64, Option<&str>)| LeaderChange {
                time_ns: time_s * 1_000_000_000,
                node: node.map(str::to_owned),
            };
            let leaders = leaders.iter().map(change).collect();
            let witnesses = Witnesses::new(3, &stale, &[]).led_by(leaders, until_s * 1_000_000_000);
            Diagnosis::new(&stale, &witnesses).of(&violation("stale read", &[1, 5, 9])).unwrap()
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
}
