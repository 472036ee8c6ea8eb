//! Some of the transactions, and what is known of the order of their events before anything is guessed.

use rustc_hash::FxHashMap;

use super::instance::{Instance, Slot};
use super::level::{Level, Shape};
use super::replay::Event;
use crate::Order;
use crate::ids::{NONE, Txn};
use crate::links::Dependency;

/// That one event comes before another one, both by number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arc {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) because: Because,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Because {
    /// A transaction starts before it commits.
    Start,
    Time,
    /// It read the version.
    Saw,
    /// It read a version from outside of the part, which the other one must not replace before.
    Outside,
    /// The one version comes before the other one. Which of the facts that were found says so, if data does not.
    Versions {
        pair: Pair,
        dependency: Dependency,
        fact: Option<usize>,
    },
}

/// Two versions of a key, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) earlier: Slot,
    pub(crate) later: Slot,
}

impl Pair {
    pub(crate) fn turned(self) -> Self {
        Self { earlier: self.later, later: self.earlier }
    }
}

pub(crate) struct Part<'a> {
    pub(crate) instance: &'a Instance<'a>,
    pub(crate) level: Level,
    /// In the order that is tried first.
    pub(crate) txns: &'a [Txn],
    numbers: FxHashMap<Txn, usize>,
    /// Their numbers in the order of the invocations.
    by_call: Vec<usize>,
    /// Whether all versions of others that they read are taken to come before their own.
    is_behind: bool,
}

impl<'a> Part<'a> {
    pub(crate) fn new(instance: &'a Instance<'a>, level: Level, txns: &'a [Txn]) -> Self {
        let numbers = txns.iter().enumerate().map(|(number, &txn)| (txn, number)).collect();
        let mut by_call: Vec<usize> = (0..txns.len()).collect();
        by_call.sort_unstable_by_key(|&number| instance.history.calls[txns[number] as usize]);
        Self { instance, level, txns, numbers, by_call, is_behind: false }
    }

    /// The same, behind all versions of others that they read. That it has no order is no proof.
    pub(crate) fn behind_others(mut self) -> Self {
        self.is_behind = true;
        self
    }

    /// Those outside whose versions these transactions read.
    pub(crate) fn sources(&self) -> impl Iterator<Item = Txn> + '_ {
        let reads = self.txns.iter().flat_map(|&txn| self.instance.reads(txn));
        let writers = reads.map(|&slot| self.instance.writer(slot));
        writers.filter(|&writer| writer != NONE && self.number(writer).is_none())
    }

    /// How many events a transaction has.
    fn stride(&self) -> usize {
        match self.level.shape {
            Shape::Serial => 1,
            Shape::Snapshot => 2,
        }
    }

    pub(crate) fn events(&self) -> usize {
        self.stride() * self.txns.len()
    }

    pub(crate) fn start(&self, number: usize) -> usize {
        self.stride() * number
    }

    pub(crate) fn commit(&self, number: usize) -> usize {
        self.stride() * (number + 1) - 1
    }

    /// The number of the transaction whose event it is.
    pub(crate) fn number_of(&self, event: usize) -> usize {
        event / self.stride()
    }

    /// Whose event it is.
    pub(crate) fn txn(&self, event: usize) -> Txn {
        self.txns[event / self.stride()]
    }

    pub(crate) fn number(&self, txn: Txn) -> Option<usize> {
        self.numbers.get(&txn).copied()
    }

    /// The starts and commits that an event stands for.
    pub(crate) fn expand(&self, event: usize) -> impl Iterator<Item = Event> {
        let txn = self.txn(event);
        let commits: &[bool] = match self.level.shape {
            Shape::Serial => &[false, true],
            Shape::Snapshot if event.is_multiple_of(2) => &[false],
            Shape::Snapshot => &[true],
        };
        commits.iter().map(move |&is_commit| Event { txn, is_commit })
    }

    /// Whether time puts one transaction before another, in the order that the level respects.
    pub(crate) fn precedes(&self, first: usize, second: usize) -> bool {
        let history = self.instance.history;
        let [first, second] = [first, second].map(|number| self.txns[number]);
        let returned = history.returns[first as usize] < history.calls[second as usize];
        let process = |txn: Txn| history.header(txn).process;
        match self.level.order {
            Order::Data => false,
            Order::Process => returned && process(first) == process(second),
            Order::Realtime => returned,
        }
    }

    /// Those that time puts after the transaction, but for those that it puts after one of these.
    pub(crate) fn next_in_time(&self, number: usize) -> Vec<usize> {
        let history = self.instance.history;
        let call = |number: usize| history.calls[self.txns[number] as usize];
        let ret = |number: usize| history.returns[self.txns[number] as usize];
        let mut next = Vec::new();
        if self.level.order == Order::Data {
            return next;
        }
        let mut first = NONE;
        let later = self.by_call.partition_point(|&other| call(other) < ret(number));
        for &other in &self.by_call[later..] {
            if call(other) > first {
                break;
            }
            if self.precedes(number, other) {
                next.push(other);
                first = first.min(ret(other));
            }
        }
        next
    }

    /// The arcs that the order of two versions means: the writers follow each other, and the later one also those who
    /// read the earlier version.
    pub(crate) fn arcs(&self, pair: Pair, fact: Option<usize>) -> impl Iterator<Item = Arc> + '_ {
        let because = move |dependency| Because::Versions { pair, dependency, fact };
        let later = self.number(self.instance.writer(pair.later));
        let earlier = self.number(self.instance.writer(pair.earlier));
        let ww = earlier.zip(later).map(|(earlier, later)| Arc {
            from: self.commit(earlier),
            to: self.start(later),
            because: because(Dependency::Ww),
        });
        let readers = self.instance.readers(pair.earlier).iter();
        let readers = readers.filter_map(|&reader| self.number(reader));
        let rw = readers.filter_map(move |reader| {
            let later = later.filter(|&later| later != reader)?;
            let (from, to) = (self.start(reader), self.commit(later));
            Some(Arc { from, to, because: because(Dependency::Rw) })
        });
        ww.into_iter().chain(rw)
    }

    /// What is known without a guess, but for time.
    pub(crate) fn known(&self) -> Vec<Arc> {
        let mut arcs = Vec::new();
        let instance = self.instance;
        for (number, &txn) in self.txns.iter().enumerate() {
            let (start, commit) = (self.start(number), self.commit(number));
            if start != commit {
                arcs.push(Arc { from: start, to: commit, because: Because::Start });
            }
            for &slot in instance.reads(txn) {
                let writer = self.number(instance.writer(slot));
                arcs.extend(writer.map(|writer| Arc {
                    from: self.commit(writer),
                    to: start,
                    because: Because::Saw,
                }));
            }
        }
        for &txn in self.txns {
            for later in instance.writes(txn) {
                self.add_known(later, &mut arcs);
            }
        }
        if self.is_behind {
            self.add_outside(&mut arcs);
        }
        arcs
    }

    fn add_outside(&self, arcs: &mut Vec<Arc>) {
        let instance = self.instance;
        let mut written: FxHashMap<u32, Vec<Txn>> = FxHashMap::default();
        for &txn in self.txns {
            for slot in instance.writes(txn) {
                written.entry(instance.key(slot)).or_default().push(txn);
            }
        }
        for (number, &txn) in self.txns.iter().enumerate() {
            let reads = instance.reads(txn).iter();
            let outside = reads.filter(|&&slot| self.number(instance.writer(slot)).is_none());
            for &slot in outside {
                let writers = written.get(&instance.key(slot)).into_iter().flatten();
                let others = writers.filter_map(|&writer| self.number(writer));
                arcs.extend(others.filter(|&other| other != number).map(|other| Arc {
                    from: self.start(number),
                    to: self.commit(other),
                    because: Because::Outside,
                }));
            }
        }
    }

    fn add_known(&self, later: Slot, arcs: &mut Vec<Arc>) {
        let before = self.instance.before(later);
        let initial = self.instance.initial(self.instance.key(later));
        if self.instance.is_list() {
            let pair = Pair { earlier: before, later };
            arcs.extend(self.arcs(pair, None).filter(|_| before != NONE));
            return;
        }
        // That a transaction follows the writer of what it read and replaced is known already.
        let is_rw =
            |arc: &Arc| matches!(arc.because, Because::Versions { dependency: Dependency::Rw, .. });
        let others = [initial, before].into_iter().skip(usize::from(before == initial));
        for earlier in others.filter(|&earlier| earlier != NONE) {
            arcs.extend(self.arcs(Pair { earlier, later }, None).filter(is_rw));
        }
    }

    /// Pairs of versions of which neither order is known from the start.
    pub(crate) fn open_pairs(&self) -> Vec<Pair> {
        let mut slots: Vec<Slot> =
            self.txns.iter().flat_map(|&txn| self.instance.writes(txn)).collect();
        let number = |slot: Slot| self.number(self.instance.writer(slot));
        slots.sort_by_key(|&slot| (self.instance.key(slot), number(slot)));
        let mut pairs = Vec::new();
        for same in slots.chunk_by(|&a, &b| self.instance.key(a) == self.instance.key(b)) {
            for (at, &earlier) in same.iter().enumerate() {
                pairs.extend(same[at + 1..].iter().map(|&later| Pair { earlier, later }));
            }
        }
        pairs
    }
}
