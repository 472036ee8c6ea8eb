//! Configurations that were visited, and what they make superfluous.

use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

use super::configuration::Configuration;
use super::uses::Uses;
use crate::mask::Mask;

/// What two configurations must have in common for one to be as good as the other.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place<const W: usize> {
    blocked: u32,
    /// Whether the closing operation there must be taken, in the lowest bit.
    state: u64,
    /// Operations that are due and no read or blind write: each gives and takes at once.
    strict: Mask<W>,
}

impl<const W: usize> Place<W> {
    fn of(now: &Configuration<W>, strict: Mask<W>) -> Self {
        let state = u64::from(now.state) << 1 | u64::from(now.committed);
        Self { blocked: now.blocked, state, strict }
    }
}

/// The rest of it: less of each is better.
#[derive(Clone, Copy)]
struct Entry<const W: usize> {
    due: Mask<W>,
    taken: Mask<W>,
    used: u32,
}

/// Configurations at one place, none better than another.
enum Seen<const W: usize> {
    One(Entry<W>),
    Many(Vec<Entry<W>>),
}

/// The memory of the search.
pub(super) struct Memo<const W: usize> {
    seen: HashMap<Place<W>, Seen<W>, FxBuildHasher>,
    extra_bytes: u64,
}

impl<const W: usize> Memo<W> {
    pub(super) fn new() -> Self {
        Self { seen: HashMap::default(), extra_bytes: 0 }
    }

    /// Was it noted, and nothing as good after it?
    pub(super) fn has(&self, now: &Configuration<W>, strict: Mask<W>) -> bool {
        let is_it = |entry: &Entry<W>| {
            entry.due == now.due && entry.taken == now.taken && entry.used == now.used
        };
        match self.seen.get(&Place::of(now, strict)) {
            None => false,
            Some(Seen::One(entry)) => is_it(entry),
            Some(Seen::Many(entries)) => entries.iter().any(is_it),
        }
    }

    /// Notes a configuration; false where one was here before from which everything is possible that is from this.
    ///
    /// One that owes less, has taken less and used less at the same place in the same state can follow every
    /// continuation of the other step by step: what the other takes is there to be taken, and what it owes is
    /// discharged on the way.
    pub(super) fn is_new(&mut self, uses: &Uses, now: &Configuration<W>, strict: Mask<W>) -> bool {
        let place = Place::of(now, strict);
        let entry = Entry { due: now.due, taken: now.taken, used: now.used };
        let Some(seen) = self.seen.get_mut(&place) else {
            self.seen.insert(place, Seen::One(entry));
            return true;
        };
        let better = |a: &Entry<W>, b: &Entry<W>| {
            a.due.is_subset(b.due) && a.taken.is_subset(b.taken) && uses.is_subset(a.used, b.used)
        };
        match seen {
            Seen::One(other) if better(other, &entry) => return false,
            Seen::One(other) if better(&entry, other) => *other = entry,
            Seen::One(other) => {
                let entries = vec![*other, entry];
                self.extra_bytes += Self::list_bytes(&entries);
                *seen = Seen::Many(entries);
            }
            Seen::Many(others) => {
                if others.iter().any(|other| better(other, &entry)) {
                    return false;
                }
                others.retain(|other| !better(&entry, other));
                self.extra_bytes -= Self::list_bytes(others);
                others.push(entry);
                self.extra_bytes += Self::list_bytes(others);
            }
        }
        true
    }

    /// Would one more make it grow?
    pub(super) fn is_full(&self) -> bool {
        self.seen.len() == self.seen.capacity()
    }

    /// How many places are at this event or later.
    pub(super) fn places_from(&self, event: u32) -> usize {
        self.seen.keys().filter(|place| place.blocked >= event).count()
    }

    /// Forgets what is at earlier events than this, and makes room for so many places: into a new table, for what is
    /// only taken out of a table leaves gaps there.
    pub(super) fn forget_before(&mut self, event: u32, room: usize) {
        let kept = HashMap::with_capacity_and_hasher(room, FxBuildHasher);
        self.extra_bytes = 0;
        for (place, seen) in std::mem::replace(&mut self.seen, kept) {
            if place.blocked < event {
                continue;
            }
            if let Seen::Many(entries) = &seen {
                self.extra_bytes += Self::list_bytes(entries);
            }
            self.seen.insert(place, seen);
        }
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> u64 {
        self.seen.allocation_size() as u64 + self.extra_bytes
    }

    /// What it takes in addition for as long as it grows.
    pub(super) fn growth_bytes(&self) -> u64 {
        2 * self.seen.allocation_size() as u64
    }

    /// The most that a table takes with room for so many places.
    pub(super) fn bytes_for(room: usize) -> u64 {
        // It keeps an eighth free, and has a power of two.
        (16 * room.div_ceil(7) * (size_of::<(Place<W>, Seen<W>)>() + 1)) as u64
    }

    fn list_bytes(entries: &Vec<Entry<W>>) -> u64 {
        (entries.capacity() * size_of::<Entry<W>>()) as u64 + 16
    }
}
