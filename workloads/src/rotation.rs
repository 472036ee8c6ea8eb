//! Fresh objects all the time, so that each sees a bounded number of operations however long the run.

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use contract::manifest::Capability;

/// Numbered objects, a few at a time: clients move on to the next ones by their own count of operations.
#[derive(Clone)]
pub(crate) struct Rotation {
    /// Objects that a client uses at a time.
    objects: u64,
    /// How many operations it spends on them.
    operations: u64,
    /// How many generations of objects the clients have opened.
    generations: Arc<AtomicU64>,
}

impl Rotation {
    /// So many objects at a time, for so many operations of a client; neither may be 0.
    pub(crate) fn new(objects: u64, operations: u64) -> Self {
        Self { objects, operations, generations: Arc::default() }
    }

    /// The same for a store with these capabilities. Without `exactly-once` far more operations stay in doubt, and an object
    /// with many of them takes too long to judge: so clients spend fewer on it, `if_doubtful`.
    pub(crate) fn for_store(
        objects: u64,
        operations: u64,
        if_doubtful: u64,
        manifest_caps: &[Capability],
    ) -> Self {
        let exactly_once = manifest_caps.contains(&Capability::ExactlyOnce);
        Self::new(objects, if exactly_once { operations } else { if_doubtful })
    }

    /// The objects for a client's operation with this number; those before them were used earlier.
    pub(crate) fn at(&self, step: u64) -> Range<u64> {
        let generation = step / self.operations;
        self.generations.fetch_max(generation + 1, Ordering::Relaxed);
        generation * self.objects..(generation + 1) * self.objects
    }

    /// The way of one client, from the first objects on.
    pub(crate) fn turns(&self) -> Turns {
        Turns { rotation: self.clone(), step: 0 }
    }

    /// At most `most` of the objects in use so far: the latest two generations, and a few of all times.
    pub(crate) fn sampled(&self, most: u64) -> BTreeSet<u64> {
        let opened = self.generations.load(Ordering::Relaxed) * self.objects;
        let latest = opened.saturating_sub(2 * self.objects);
        let old = most.saturating_sub(2 * self.objects);
        let sampled = (0..old).map(|at| at * latest / old);
        sampled.chain(latest..opened).filter(|object| *object < opened).collect()
    }
}

/// One client's operations, counted.
pub(crate) struct Turns {
    rotation: Rotation,
    step: u64,
}

impl Turns {
    /// The objects for its next operation, and how many it has spent on them already.
    pub(crate) fn next(&mut self) -> (Range<u64>, u64) {
        let (objects, spent) = (self.rotation.at(self.step), self.step % self.rotation.operations);
        self.step += 1;
        (objects, spent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_change_with_the_count_of_operations_and_samples_cover_old_and_new_ones() {
        let rotation = Rotation::new(3, 10);
        assert!(rotation.sampled(20).is_empty());
        assert_eq!((rotation.at(0), rotation.at(9), rotation.at(10)), (0..3, 0..3, 3..6));
        assert_eq!(rotation.sampled(20), (0..6).collect());
        let doubtful = Rotation::for_store(3, 10, 4, &[]);
        assert_eq!((doubtful.at(3), doubtful.at(4)), (0..3, 3..6));
        let remembers = Rotation::for_store(3, 10, 4, &[Capability::ExactlyOnce]);
        assert_eq!((remembers.at(9), remembers.at(10)), (0..3, 3..6));
        rotation.at(9999);
        let sampled = rotation.sampled(20);
        assert!(sampled.len() == 20 && sampled.contains(&0) && sampled.contains(&2999));
    }
}
