//! The learner: which values are chosen, and the application that they are applied to.
//!
//! "Paxos Made Simple" §3: the servers execute the commands of the slots in order, so all
//! of them go through the same states.

use std::{collections::BTreeMap, sync::Arc};

use contract::{Answer, Request};
use node::Application;

use crate::{
    slot::{Batch, ChosenSlot, Slot},
    snapshot::Snapshot,
};

/// How many slots one answer to a `Fetch` holds at most.
const FETCH_SLOTS_MAX: usize = 64;
/// How many bytes they have together, unless a single one has more: nodes take no message beyond 64 MiB.
const FETCH_BYTES_MAX: u64 = 4 << 20;

/// The chosen slots since the snapshot, and the state they lead to.
#[derive(Debug)]
pub struct Learner<A> {
    application: A,
    /// Every slot up to here is chosen and applied.
    commit: Slot,
    /// The chosen slots after the snapshot: those up to `commit`, kept for laggards, and others that
    /// wait behind a gap.
    chosen: BTreeMap<Slot, Batch>,
    snapshot: Snapshot,
}

impl<A: Application<Command = Request, Output = Answer>> Learner<A> {
    /// A learner that knows nothing yet.
    #[must_use]
    pub fn new(application: A) -> Self {
        Self { application, commit: 0, chosen: BTreeMap::new(), snapshot: Snapshot::default() }
    }

    /// The state machine.
    #[must_use]
    pub fn application(&self) -> &A {
        &self.application
    }

    /// Every slot up to here is chosen and applied.
    #[must_use]
    pub fn commit(&self) -> Slot {
        self.commit
    }

    /// The last snapshot taken or installed; slot 0 where there is none.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The slots from `first` on that are known to be chosen, in order, perhaps with gaps.
    pub fn chosen_from(&self, first: Slot) -> impl Iterator<Item = (Slot, &Batch)> {
        self.chosen.range(first..).map(|(slot, batch)| (*slot, batch))
    }

    /// Whether the slot is known to be chosen.
    #[must_use]
    pub fn is_chosen(&self, slot: Slot) -> bool {
        slot <= self.commit || self.chosen.contains_key(&slot)
    }

    /// The last slot known to be chosen.
    #[must_use]
    pub fn last_chosen(&self) -> Slot {
        self.chosen.keys().next_back().map_or(self.commit, |last| self.commit.max(*last))
    }

    /// What a laggard gets that lacks the slots from `first` on; `None` where they were compacted away.
    #[must_use]
    pub fn fetch(&self, first: Slot) -> Option<Vec<ChosenSlot>> {
        let applied = self.chosen_from(first).take_while(|(slot, _)| *slot <= self.commit);
        let mut bytes = 0;
        let fit = applied.take(FETCH_SLOTS_MAX).take_while(|(_, batch)| {
            let is_first = bytes == 0;
            bytes += node::log_size::encoded_bytes(batch);
            is_first || bytes <= FETCH_BYTES_MAX
        });
        let owned = fit.map(|(slot, batch)| (slot, batch.clone()));
        (first > self.snapshot.slot).then(|| owned.collect())
    }

    /// A value is chosen. Says whether that is news.
    pub fn learn(&mut self, slot: Slot, batch: Batch) -> bool {
        let news = !self.is_chosen(slot);
        if news {
            self.chosen.insert(slot, batch);
        }
        news
    }

    /// Applies the next slot, if it is known: its number and what its requests came to.
    pub fn apply_next(&mut self) -> Option<(Slot, Vec<Answer>)> {
        let next = self.commit + 1;
        let batch = self.chosen.get(&next)?.clone();
        self.commit = next;
        Some((next, batch.iter().map(|request| self.application.apply(request)).collect()))
    }

    /// Compacts everything applied into a snapshot.
    pub fn take_snapshot(&mut self) {
        let state = Arc::new(self.application.snapshot());
        self.keep(Snapshot { slot: self.commit, state });
    }

    /// Replaces the state by a snapshot that is further on. Says whether it was.
    ///
    /// # Errors
    /// It is none; nothing has changed then.
    pub fn install(&mut self, snapshot: Snapshot) -> Result<bool, String> {
        if snapshot.slot <= self.commit {
            return Ok(false);
        }
        self.application.restore(&snapshot.state)?;
        self.commit = snapshot.slot;
        self.keep(snapshot);
        Ok(true)
    }

    fn keep(&mut self, snapshot: Snapshot) {
        self.chosen = self.chosen.split_off(&(snapshot.slot + 1));
        self.snapshot = snapshot;
    }
}

#[cfg(test)]
mod tests {
    use contract::{Operation, Outcome};

    use super::*;

    /// Counts what was applied.
    struct Counter(u8);

    impl Application for Counter {
        type Command = Request;
        type Output = Answer;

        fn apply(&mut self, _: &Request) -> Answer {
            self.0 += 1;
            Answer::Ok(Outcome::Done {})
        }

        fn query(&self, _: &Request) -> Option<Answer> {
            None
        }

        fn snapshot(&self) -> Vec<u8> {
            vec![self.0]
        }

        fn restore(&mut self, bytes: &[u8]) -> Result<(), String> {
            let [count] = bytes else { return Err("not one byte".to_owned()) };
            self.0 = *count;
            Ok(())
        }
    }

    fn batch() -> Batch {
        let op = Operation::Get { key: "x".to_owned() };
        Arc::new(vec![Request { client: "c1".to_owned(), seq: 1, op }])
    }

    #[test]
    fn slots_are_applied_in_order_whatever_the_order_they_are_learned_in() {
        let mut learner = Learner::new(Counter(0));
        assert!(learner.learn(2, batch()));
        assert_eq!(learner.apply_next(), None, "slot 1 is missing");
        assert!(learner.learn(1, batch()));
        assert!(!learner.learn(1, batch()), "no news");
        assert_eq!(learner.apply_next().unwrap().0, 1);
        assert_eq!(learner.apply_next().unwrap().0, 2);
        assert_eq!((learner.commit(), learner.application().0), (2, 2));
    }

    #[test]
    fn what_was_compacted_cannot_be_fetched_but_installed() {
        let mut ahead = Learner::new(Counter(0));
        for slot in 1..=3 {
            ahead.learn(slot, batch());
            ahead.apply_next();
        }
        assert_eq!(ahead.fetch(2).unwrap().len(), 2);
        ahead.take_snapshot();
        assert_eq!(ahead.fetch(3), None);
        assert_eq!(ahead.fetch(4), Some(vec![]));

        let mut behind = Learner::new(Counter(0));
        behind.learn(4, batch());
        assert_eq!(behind.install(ahead.snapshot().clone()), Ok(true));
        assert_eq!(behind.install(ahead.snapshot().clone()), Ok(false), "no further on");
        assert_eq!(behind.apply_next().unwrap().0, 4);
        assert_eq!(behind.application().0, 4);
    }

    #[test]
    fn what_is_fetched_at_once_fits_into_a_message() {
        let fetched = |bytes: usize| {
            let op = Operation::Put { key: "x".to_owned(), value: "v".repeat(bytes) };
            let request = Request { client: "c1".to_owned(), seq: 1, op };
            let mut learner = Learner::new(Counter(0));
            for slot in 1..=100 {
                learner.learn(slot, Arc::new(vec![request.clone()]));
                learner.apply_next();
            }
            learner.fetch(1).unwrap().len()
        };
        assert_eq!(fetched(1), FETCH_SLOTS_MAX);
        assert_eq!(fetched(1 << 20), 3);
        assert_eq!(fetched(5 << 20), 1, "one at least: a laggard must get on");
    }

    #[test]
    fn a_broken_snapshot_changes_nothing() {
        let mut learner = Learner::new(Counter(3));
        assert!(learner.install(Snapshot { slot: 9, state: Arc::default() }).is_err());
        assert_eq!((learner.commit(), learner.application().0), (0, 3));
    }
}
