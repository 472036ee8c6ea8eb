//! What would have to be so for the answers to fit. Each hypothesis changes the record in one way and is tried with the
//! checker: the record as it is has no order, the changed one has one.

use std::cell::Cell;
use std::time::Duration;

use contract::{Operation as Asked, Outcome};
use history::words::{counted, who};
use linearizability::{Call, Limits, has_order};

use super::done::Done;
use super::object::{Entry, Object};
use super::store::{Step, Store};
use super::{Diagnosis, node};

/// Configurations that all hypotheses about one violation may visit, and that one may.
const NODES: u64 = 1_000_000;
const NODES_EACH: u64 = 50_000;
/// What one may take at most: the configurations are few, but the values may be long.
const TIME: Duration = Duration::from_secs(2);
const MEMORY_BYTES: u64 = 1 << 28;
/// So many operations are tried one by one.
const SINGLE_MAX: usize = 12;

type Calls = Vec<Call<Step, Outcome>>;

/// The operations on some keys, and what may still be tried.
struct Trials<'d, 'a> {
    object: Object<'d, 'a>,
    /// Operations that prove the violation, the last first.
    proof: Vec<u64>,
    nodes: Cell<u64>,
}

impl<'a> Diagnosis<'a> {
    /// What alone would make the answers fit.
    pub(super) fn hypothesis(&self, proof: &[&Done<'a>]) -> Option<String> {
        let object = Object::around(&self.all, proof)?;
        let proof = proof.iter().rev().map(|done| done.operation.call).collect();
        let trials = Trials { object, proof, nodes: Cell::new(NODES) };
        // Elsewhere the checker asked something else.
        if trials.ask(&trials.record()) != Some(false) {
            return None;
        }
        (trials.key_by_key())
            .or_else(|| trials.in_two_steps())
            .or_else(|| self.carried_out_twice(&trials))
            .or_else(|| trials.without_effect())
    }

    /// An operation that was sent more than once.
    fn carried_out_twice(&self, trials: &Trials<'_, 'a>) -> Option<String> {
        let again = |entry: &&Entry<'_, 'a>| {
            !entry.asked.is_read_only() && self.witnesses.may_have_come_twice(entry.done.operation)
        };
        let sent_again: Vec<&Entry<'_, 'a>> =
            trials.object.entries.iter().filter(again).collect();
        let in_proof = |entry: &&&Entry<'_, 'a>| !trials.is_in_proof(entry);
        let mut sent_again: Vec<&Entry<'_, 'a>> = sent_again;
        sent_again.sort_by_key(|entry| in_proof(&entry));
        let wrong = trials.proof.first()?;
        let wrong = trials.object.entries.iter().find(|entry| entry.done.operation.call == *wrong)?;
        let own = wrong.done.operation.node.as_deref();
        let views = [None, own].map(|view| (view, trials.seen_by(view)));
        for (view, calls) in views {
            if view.is_some() && trials.ask(&calls) != Some(false) {
                continue;
            }
            let twice = sent_again.iter().take(SINGLE_MAX).find(|entry| {
                let mut calls = calls.clone();
                calls.push(entry.again());
                trials.fits(&calls)
            });
            let Some(twice) = twice else { continue };
            let whose = view.map_or("what was answered".to_owned(), |own| format!("what {} answered", node(own)));
            return Some(format!(
                "A retry carried out twice: {whose} about {} fits no order as it is, and fits one if {}, which was sent \
                 more than once, took effect once more{}",
                trials.object.name(),
                who(twice.done.operation),
                view.map_or(String::new(), |_| trials.others_fit(own)),
            ));
        }
        None
    }
}

impl<'d, 'a> Trials<'d, 'a> {
    /// What was read together fits if each key was read at a moment of its own, or what was written together if each was
    /// written at one.
    fn key_by_key(&self) -> Option<String> {
        let reads = |entry: &Entry<'_, 'a>| matches!(entry.asked, Asked::MultiGet { .. });
        let writes = |entry: &Entry<'_, 'a>| matches!(entry.asked, Asked::MultiPut { .. });
        if let Some((one, is_alone)) = self.which(&reads, &Entry::key_by_key) {
            return Some(format!(
                "Torn multi-key read: no moment had all that {} was answered about {}, and each key by itself held it at \
                 some moment meanwhile{}: as if it had read key by key",
                who(one.done.operation),
                self.object.name(),
                others(is_alone, "multigets")
            ));
        }
        let (one, is_alone) = self.which(&writes, &Entry::key_by_key)?;
        Some(format!(
            "Torn multi-key write: the answers about {} fit no order if {} wrote all its keys at one moment, and fit one if \
             each at a moment of its own{}",
            self.object.name(),
            who(one.done.operation),
            others(is_alone, "multiputs")
        ))
    }

    /// What changes a value fits if it read first and wrote later.
    fn in_two_steps(&self) -> Option<String> {
        ["swap", "cas", "append", "puthash", "txn"].into_iter().find_map(|f| {
            let changes =
                |entry: &Entry<'_, 'a>| entry.asked.name() == f && !entry.asked.is_read_only();
            let (one, is_alone) = self.which(&changes, &Entry::in_two_steps)?;
            Some(format!(
                "Read first, written later: the answers about {} fit no order if {} was one step, and fit one if it wrote \
                 what it had read some time before, over what others had written meanwhile{}",
                self.object.name(),
                who(one.done.operation),
                others(is_alone, &format!("{f}s"))
            ))
        })
    }

    /// What was acknowledged never took effect.
    fn without_effect(&self) -> Option<String> {
        let acknowledged = |entry: &&Entry<'_, 'a>| {
            !entry.asked.is_read_only() && entry.answer.is_some() && self.is_in_proof(entry)
        };
        let without = |left_out: &Entry<'_, 'a>| -> Calls {
            let others = self.object.entries.iter().filter(|entry| !entry.is(left_out));
            others.map(Entry::whole).collect()
        };
        let writes = self.object.entries.iter().rev().filter(acknowledged).take(SINGLE_MAX);
        let lost = writes.into_iter().find(|entry| self.fits(&without(entry)))?;
        let own = lost.done.operation.node.as_deref().map_or_else(String::new, node);
        Some(format!(
            "Acknowledged, not carried out: the answers about {} fit no order with {}, which {own} acknowledged, and fit one \
             without it",
            self.object.name(),
            who(lost.done.operation)
        ))
    }

    /// The operation of a kind that must be changed for the record to have an order: alone, or with all of its kind.
    fn which(
        &self,
        is_one: &dyn Fn(&Entry<'d, 'a>) -> bool,
        change: &dyn Fn(&Entry<'d, 'a>) -> Calls,
    ) -> Option<(&Entry<'d, 'a>, bool)> {
        let all: Vec<&Entry<'d, 'a>> =
            self.object.entries.iter().filter(|entry| is_one(entry)).collect();
        let mut proof: Vec<&Entry<'d, 'a>> =
            all.iter().copied().filter(|entry| self.is_in_proof(entry)).collect();
        proof.reverse();
        proof.truncate(SINGLE_MAX);
        let changed = |which: &dyn Fn(&Entry<'d, 'a>) -> bool| -> Calls {
            let of = |entry: &Entry<'d, 'a>| {
                if which(entry) { change(entry) } else { vec![entry.whole()] }
            };
            self.object.entries.iter().flat_map(of).collect()
        };
        if let Some(one) =
            proof.iter().find(|one| self.fits(&changed(&|entry| entry.is(one))))
        {
            return Some((one, true));
        }
        if proof.is_empty() || !self.fits(&changed(is_one)) {
            return None;
        }
        // As one step it fits nowhere, whatever the others are.
        let is_guilty = |one: &&&Entry<'d, 'a>| {
            self.ask(&changed(&|entry| is_one(entry) && !entry.is(one))) == Some(false)
        };
        proof.iter().find(is_guilty).map(|one| (*one, false))
    }

    fn is_in_proof(&self, entry: &Entry<'_, 'a>) -> bool {
        self.proof.contains(&entry.done.operation.call)
    }

    fn record(&self) -> Calls {
        self.object.entries.iter().map(Entry::whole).collect()
    }

    /// The record with the answers of this node only; everybody's where none is named.
    fn seen_by(&self, view: Option<&str>) -> Calls {
        let entries = self.object.entries.iter();
        let of = |entry: &Entry<'d, 'a>| {
            let is_its = view.is_none() || entry.done.operation.node.as_deref() == view;
            let call = entry.whole();
            if is_its { call } else { Call { output: None, ..call } }
        };
        entries.map(of).collect()
    }

    /// Whether what the others answered has an order.
    fn others_fit(&self, own: Option<&str>) -> String {
        let without = |entry: &Entry<'d, 'a>| {
            let is_own = entry.done.operation.node.as_deref() == own;
            let call = entry.whole();
            if is_own { Call { output: None, ..call } } else { call }
        };
        let calls: Calls = self.object.entries.iter().map(without).collect();
        if self.fits(&calls) {
            "; what the other nodes answered fits as it is".to_owned()
        } else {
            String::new()
        }
    }

    fn fits(&self, calls: &Calls) -> bool {
        self.ask(calls) == Some(true)
    }

    fn ask(&self, calls: &Calls) -> Option<bool> {
        let limits = Limits { memory_bytes: MEMORY_BYTES, ..Limits::within(TIME) };
        let given = self.nodes.get().min(NODES_EACH);
        let mut left = given;
        let answer = has_order(&Store, calls, &mut left, &limits);
        self.nodes.set(self.nodes.get() - (given - left));
        answer
    }
}

fn others(is_alone: bool, kind: &str) -> String {
    if is_alone { String::new() } else { format!(" (and so for other {kind})") }
}
