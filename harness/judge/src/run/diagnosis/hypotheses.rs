//! What would have to be so for the answers to fit. Each hypothesis changes the record in one way and is tried with the
//! checker: the record as it is has no order, the changed one has one.

use std::cell::Cell;
use std::time::Duration;

use contract::Outcome;
use history::words::who;
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
    /// Operations that prove the violation.
    proof: Vec<u64>,
    nodes: Cell<u64>,
}

impl<'a> Diagnosis<'a> {
    /// What alone would make the answers fit.
    pub(super) fn hypothesis(&self, proof: &[&Done<'a>]) -> Option<String> {
        let trials = self.trials(proof)?;
        (trials.unguarded())
            .or_else(|| trials.key_by_key())
            .or_else(|| trials.in_two_steps())
            .or_else(|| self.again_or_never(&trials))
    }

    /// Operations that read first and wrote later, if that makes the answers fit.
    pub(super) fn in_two_steps(&self, proof: &[&Done<'a>]) -> Option<String> {
        self.trials(proof)?.in_two_steps()
    }

    /// `None` where the answers about the keys of the proof fit, or where nobody can tell.
    fn trials<'d>(&'d self, proof: &[&'d Done<'a>]) -> Option<Trials<'d, 'a>> {
        let object = Object::around(&self.all, proof)?;
        let proof = proof.iter().map(|done| done.operation.call).collect();
        let trials = Trials { object, proof, nodes: Cell::new(NODES) };
        (trials.ask(&trials.record()) == Some(false)).then_some(trials)
    }

    /// An operation that was sent more than once took effect again, or one write had none.
    fn again_or_never(&self, trials: &Trials<'_, 'a>) -> Option<String> {
        let is_again = |entry: &&Entry<'_, 'a>| {
            !entry.asked.is_read_only() && self.witnesses.may_have_come_twice(entry.done.operation)
        };
        let mut again: Vec<&Entry<'_, 'a>> =
            trials.object.entries.iter().filter(is_again).collect();
        again.sort_by_key(|entry| !trials.is_in_proof(entry));
        let fits_again = |entry: &&&Entry<'_, 'a>| {
            let once_more = [entry.again()];
            trials.fits(&trials.record().into_iter().chain(once_more).collect())
        };
        let mut twice = again.iter().take(SINGLE_MAX).filter(fits_again);
        let (one, other) = (twice.next(), twice.next());
        let lost = trials.without_one();
        if one.is_none() && lost.is_none() && again.len() > 1 {
            let all = trials.record().into_iter().chain(again.iter().map(|entry| entry.again()));
            return trials.fits(&all.collect()).then(|| {
                format!(
                    "Retries carried out twice: the answers about {} fit no order if each operation took effect once, and fit \
                     one if some of the {} that were sent more than once took effect again later",
                    trials.object.name(),
                    again.len()
                )
            });
        }
        let answers = format!("the answers about {} fit no order", trials.object.name());
        match (one, lost) {
            (Some(one), None) => {
                let which = if other.is_some() { ", or another one like it" } else { "" };
                Some(format!(
                    "A retry carried out twice: {answers} if each operation took effect once, and fit one if {}, which was \
                     sent more than once{which}, took effect again later",
                    who(one.done.operation)
                ))
            }
            (None, Some(lost)) => Some(format!(
                "An acknowledged write left no trace: {answers} with {}, which {} acknowledged, and fit one without it",
                who(lost.done.operation),
                lost.done.operation.node.as_deref().map_or_else(String::new, node)
            )),
            (Some(one), Some(lost)) => Some(format!(
                "An acknowledged write undone: {answers} as it is, and fit one if {}, which {} acknowledged, is left out, or \
                 if {}, which was sent more than once, took effect again later",
                who(lost.done.operation),
                lost.done.operation.node.as_deref().map_or_else(String::new, node),
                who(one.done.operation)
            )),
            (None, None) => None,
        }
    }
}

impl<'d, 'a> Trials<'d, 'a> {
    /// What was read together fits if each key was read at a moment of its own, or what was written together if each was
    /// written at one.
    fn key_by_key(&self) -> Option<String> {
        let reads = |entry: &Entry<'_, 'a>| entry.asked.is_read_only();
        let writes = |entry: &Entry<'_, 'a>| entry.writes_several();
        let one = |kind| Some(self.which(kind, &Entry::key_by_key)?.0.map(|one| one.done));
        let keys = self.object.name();
        match (one(&reads), one(&writes)) {
            (Some(Some(read)), None) => Some(format!(
                "Torn multi-key read: no moment had all that {} was answered about {keys}, and each key by itself held it at \
                 some moment meanwhile: as if it had read key by key",
                who(read.operation)
            )),
            (None, Some(Some(write))) => Some(format!(
                "Torn multi-key write: the answers about {keys} fit no order if {} wrote all its keys at one moment, and fit \
                 one if each at a moment of its own",
                who(write.operation)
            )),
            (Some(read), Some(write)) => {
                let [read, write] = [(read, "a read"), (write, "a write")]
                    .map(|(one, any)| one.map_or_else(|| any.to_owned(), |one| who(one.operation)));
                Some(format!(
                    "Torn multi-key operation: the answers about {keys} fit no order if each is one step, and fit one if the \
                     reads, such as {read}, went key by key, and as well if the writes, such as {write}, did"
                ))
            }
            (None | Some(None), None) | (None, Some(None)) => None,
        }
    }

    /// What took effect fits if its guard, which another one may have overtaken, is not looked at.
    fn unguarded(&self) -> Option<String> {
        let is_overtaken = |entry: &Entry<'_, 'a>| {
            let others = self.object.entries.iter().filter(|other| self.is_in_proof(other));
            let mut others = others.filter(|other| !other.asked.is_read_only());
            others.any(|other| !other.is(entry) && other.overlaps(entry))
        };
        let guarded = |entry: &Entry<'_, 'a>| entry.is_guarded() && is_overtaken(entry);
        let (one, is_alone) = self.which(&guarded, &Entry::unguarded)?;
        let one = one.filter(|_| is_alone)?.done;
        let node = one.operation.node.as_deref().map_or_else(String::new, node);
        let guard =
            if one.asked.name() == "cas" { "what it expects was there" } else { "its guard held" };
        Some(format!(
            "Guard ignored: the answers about {} fit no order in which {}, which {node} acknowledged, was carried out while \
             {guard}, and fit one if that is not looked at",
            self.object.name(),
            who(one.operation)
        ))
    }

    /// What changes a value fits if it read first and wrote later.
    fn in_two_steps(&self) -> Option<String> {
        ["swap", "cas", "append", "puthash", "txn"].into_iter().find_map(|f| {
            let changes =
                |entry: &Entry<'_, 'a>| entry.asked.name() == f && !entry.asked.is_read_only();
            let (one, is_alone) = self.which(&changes, &Entry::in_two_steps)?;
            let Some(one) = one else {
                return Some(format!(
                    "Read first, written later: the answers about {} fit no order if each {f} was one step, and fit one if some \
                     wrote later what they had found before, over what others wrote in between",
                    self.object.name()
                ));
            };
            Some(format!(
                "Read first, written later: the answers about {} fit no order if {} was one step, and fit one if it wrote \
                 later what it had found before, over what others wrote in between{}",
                self.object.name(),
                who(one.done.operation),
                others(is_alone, &format!("{f}s"))
            ))
        })
    }

    /// The acknowledged write of the proof without which the record has an order.
    fn without_one(&self) -> Option<&Entry<'d, 'a>> {
        let acknowledged = |entry: &&Entry<'d, 'a>| {
            !entry.asked.is_read_only() && entry.answer.is_some() && self.is_in_proof(entry)
        };
        let fits_without = |left_out: &&Entry<'d, 'a>| {
            let others = self.object.entries.iter().filter(|entry| !entry.is(left_out));
            self.fits(&others.map(Entry::whole).collect())
        };
        let writes = self.object.entries.iter().rev().filter(acknowledged);
        writes.take(SINGLE_MAX).find(fits_without)
    }

    /// The operation of a kind that must be changed for the record to have an order, and whether that is enough; no
    /// operation where all of the kind must be changed and no single one of the proof is to blame.
    fn which(
        &self,
        is_one: &dyn Fn(&Entry<'d, 'a>) -> bool,
        change: &dyn Fn(&Entry<'d, 'a>) -> Calls,
    ) -> Option<(Option<&Entry<'d, 'a>>, bool)> {
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
        if let Some(one) = proof.iter().find(|one| self.fits(&changed(&|entry| entry.is(one)))) {
            return Some((Some(one), true));
        }
        if proof.is_empty() || !self.fits(&changed(is_one)) {
            return None;
        }
        // As one step it fits nowhere, whatever the others are.
        let is_guilty = |one: &&&Entry<'d, 'a>| {
            self.ask(&changed(&|entry| is_one(entry) && !entry.is(one))) == Some(false)
        };
        Some((proof.iter().find(is_guilty).copied(), false))
    }

    fn is_in_proof(&self, entry: &Entry<'_, 'a>) -> bool {
        self.proof.contains(&entry.done.operation.call)
    }

    fn record(&self) -> Calls {
        self.object.entries.iter().map(Entry::whole).collect()
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
