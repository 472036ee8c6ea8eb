//! What went wrong in plain words, where the record proves it.
//!
//! A checker says that no order of the operations explains their answers. Which of many mistakes it was, the answers of
//! all clients together can tell, with the nodes that gave them. Where they do not show it by themselves, hypotheses are
//! tried with the checker: what would have to be so for the answers to fit?

mod done;
mod forks;
mod hypotheses;
mod object;
mod store;
#[cfg(test)]
mod tests;
mod torn;
mod twice;

use contract::{Operation as Asked, Outcome};
use history::words::{self, cut, seconds, who};
use history::{Completion, Operation, Violation};
use isolation::Consistency;

use super::witnesses::Witnesses;
use done::Done;

/// So many operations of a violation are looked at.
const LOOKED_AT_MAX: usize = 8;
/// So much is looked through for pieces that are there twice.
const COMPARED_BYTES_MAX: usize = 16 << 20;
/// A shorter piece may be in a value by chance.
const PIECE_BYTES_MIN: usize = 3;
/// A write that so many may have replaced before it was missed says nothing.
const REPLACEMENTS_MAX: usize = 32;

/// All operations of a run that may have happened.
pub(super) struct Diagnosis<'a> {
    all: Vec<Done<'a>>,
    witnesses: &'a Witnesses<'a>,
    /// Whether what is promised respects the order of time.
    in_time: bool,
}

impl<'a> Diagnosis<'a> {
    /// Of a store that is held to this level.
    pub(super) fn new(
        level: Consistency,
        operations: &'a [Operation],
        witnesses: &'a Witnesses<'a>,
    ) -> Self {
        let happened = operations.iter().filter(|o| !matches!(o.completion, Completion::Fail(..)));
        let all = happened.filter_map(Done::of).collect();
        Self { all, witnesses, in_time: level.implies(Consistency::Linearizable) }
    }

    /// What the violation shows, as a name and how it was; `None` where the record proves none of these.
    pub(super) fn of(&self, violation: &Violation) -> Option<String> {
        let proof = self.proof(violation);
        self.shown_by(&proof).or_else(|| self.hypothesis(&proof).filter(|_| self.in_time))
    }

    /// The operations that prove it and were answered.
    fn proof(&self, violation: &Violation) -> Vec<&Done<'a>> {
        let calls: Vec<u64> = violation.operations.iter().copied().take(LOOKED_AT_MAX).collect();
        let is_one = |done: &&Done<'a>| calls.contains(&done.operation.call);
        self.all.iter().filter(is_one).filter(|done| done.answer.is_some()).collect()
    }

    /// What these answers show by themselves.
    fn shown_by(&self, proof: &[&Done<'a>]) -> Option<String> {
        let pairs = || proof.iter().flat_map(|a| proof.iter().map(move |b| (*a, *b)));
        let of_any_level = (proof.iter().find_map(|append| self.lacks_its_own(append)))
            .or_else(|| proof.iter().find_map(|read| self.appended_twice(read)))
            .or_else(|| proof.iter().find_map(|read| self.hashed_twice(read)))
            .or_else(|| pairs().find_map(|(write, read)| self.torn(write, read)))
            .or_else(|| proof.iter().find_map(|read| self.in_two_places(read, proof)))
            .or_else(|| pairs().find_map(|(refused, read)| self.refused_yet_there(refused, read)))
            .or_else(|| proof.iter().find_map(|shower| self.forked(shower)))
            .or_else(|| proof.iter().find_map(|shower| self.parted(shower)));
        // What is old, or missing, a weaker level may allow.
        if of_any_level.is_some() || !self.in_time {
            return of_any_level;
        }
        (pairs().find_map(|(write, read)| self.lost(write, read)))
            .or_else(|| pairs().find_map(|(a, b)| self.two_nodes(a, b)))
            .or_else(|| proof.iter().find_map(|read| self.torn_in_time(read, proof)))
            .or_else(|| pairs().find_map(|(write, read)| self.stale_elsewhere(write, read)))
    }

    /// Somebody built on what was there before the write, and from then on nobody saw it any more, nor what may have
    /// replaced it. A mere read may come from a node that is behind.
    fn lost(&self, write: &Done<'a>, read: &Done<'a>) -> Option<String> {
        write.wrote().into_iter().find_map(|(key, value)| self.lost_at(key, value, write, read))
    }

    fn lost_at(&self, key: &str, value: &str, write: &Done<'a>, read: &Done<'a>) -> Option<String> {
        let found = self.finds_older(write, read, key)?;
        let is_same =
            |done: &&Done<'a>| is_before(write, done) && done.found_at(key) == Some(found);
        // Perhaps another one that found the same.
        let missed_by = self.all.iter().filter(is_same).find(|done| done.replaces(key))?;
        let own = write.operation.node.as_deref()?;
        let from = missed_by.operation.call_ns;
        let mut gone = self.replacements(key, write, missed_by)?;
        // A transaction may have written more than once.
        gone.extend([value].into_iter().chain(write.would_leave(key)));
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
    fn lacks_its_own(&self, append: &Done<'a>) -> Option<String> {
        let (piece, (_, answered)) = append.appended()?;
        if answered.ends_with(piece) {
            return None;
        }
        let is_its = |other: &&Done<'a>| {
            other
                .appended()
                .is_some_and(|(piece, (_, own))| own == answered && own.ends_with(piece))
        };
        let seen =
            self.all.iter().any(|done| done.shown().iter().any(|(_, all)| all.contains(piece)));
        let seen = if seen { "" } else { ", and nobody ever saw that" };
        let who = who(append.operation);
        Some(match self.all.iter().find(is_its) {
            Some(other) if other.operation.process != append.operation.process => format!(
                "Answered with what another client got, not carried out: the answer to {who} lacks what it appended{seen}; it \
                 is the answer to {}, as if the one request had been taken for the other",
                words::who(other.operation)
            ),
            _ => format!(
                "Acknowledged, not carried out: what {who} was answered lacks what it appended{seen}"
            ),
        })
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
        let is_refused = !read.asked.is_read_only();
        if wrote == answered || is_refused && !read.is_refused() {
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
        let (kind, did) = if is_refused {
            (
                "refusal",
                format!("refused a {}, for it still held the value from before", read.asked.name()),
            )
        } else {
            ("read", "answered without it".to_owned())
        };
        Some(format!(
            "Stale {kind} at {who}: {wrote} had acknowledged the newer write, {answered} {did}{cut}{since}{between}"
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
        let found = read.found_at(key).or_else(|| read.refused_for(key).map(Some))?;
        if !is_before(write, read) {
            return None;
        }
        let is_older = match found {
            Some(found) => {
                let writer = self.sole_writer(key, found)?;
                // Executed once more, it would be newer.
                is_before(writer, write) && !self.witnesses.may_have_come_twice(writer.operation)
            }
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
