//! Configurations that were visited, and what they make superfluous.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::configuration::Configuration;
use crate::mask::Mask;
use crate::table::Table;

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

/// How often each optional group was used, for those that were, by group.
pub(super) type Used = Box<[(u32, u32)]>;

/// The memory of the search.
pub(super) struct Memo<const W: usize> {
    seen: FxHashMap<Place<W>, Seen<W>>,
    uses: Table<Used>,
    extra_bytes: u64,
}

impl<const W: usize> Memo<W> {
    pub(super) fn new() -> Self {
        let mut uses = Table::new();
        uses.number(Used::default(), |_| 0);
        Self { seen: FxHashMap::default(), uses, extra_bytes: 0 }
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
    pub(super) fn is_new(&mut self, now: &Configuration<W>, strict: Mask<W>) -> bool {
        let place = Place::of(now, strict);
        let entry = Entry { due: now.due, taken: now.taken, used: now.used };
        let Some(seen) = self.seen.get_mut(&place) else {
            self.seen.insert(place, Seen::One(entry));
            return true;
        };
        let uses = &self.uses;
        let better = |a: &Entry<W>, b: &Entry<W>| {
            a.due.is_subset(b.due)
                && a.taken.is_subset(b.taken)
                && (a.used == b.used || is_subset(uses.get(a.used), uses.get(b.used)))
        };
        match seen {
            Seen::One(other) if better(other, &entry) => return false,
            Seen::One(other) if better(&entry, other) => *other = entry,
            Seen::One(other) => {
                *seen = Seen::Many(vec![*other, entry]);
                self.extra_bytes += 2 * size_of::<Entry<W>>() as u64 + 16;
            }
            Seen::Many(others) => {
                if others.iter().any(|other| better(other, &entry)) {
                    return false;
                }
                others.retain(|other| !better(&entry, other));
                let before = others.capacity();
                others.push(entry);
                self.extra_bytes += ((others.capacity() - before) * size_of::<Entry<W>>()) as u64;
            }
        }
        true
    }

    /// Would the next configuration make it grow?
    pub(super) fn is_full(&self) -> bool {
        self.seen.len() == self.seen.capacity()
    }

    /// Forgets all that are at earlier events than this.
    pub(super) fn forget_before(&mut self, event: u32) {
        let mut extra_bytes = 0;
        self.seen.retain(|place, seen| {
            if let Seen::Many(entries) = seen
                && place.blocked >= event
            {
                extra_bytes += (entries.capacity() * size_of::<Entry<W>>()) as u64;
            }
            place.blocked >= event
        });
        self.extra_bytes = extra_bytes;
    }

    /// How often the group was used.
    pub(super) fn count(&self, used: u32, group: u32) -> u32 {
        count(self.uses.get(used), group)
    }

    /// How often all of them were used.
    pub(super) fn total(&self, used: u32) -> u32 {
        self.uses.get(used).iter().map(|&(_, times)| times).sum()
    }

    /// The same, and one more of this group.
    pub(super) fn use_one(&mut self, used: u32, group: u32) -> u32 {
        let mut used = self.uses.get(used).to_vec();
        match used.binary_search_by_key(&group, |&(g, _)| g) {
            Ok(found) => used[found].1 += 1,
            Err(place) => used.insert(place, (group, 1)),
        }
        self.uses.number(used.into_boxed_slice(), |used| size_of_val(&**used))
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> u64 {
        self.seen.capacity() as u64 * Self::ENTRY + self.extra_bytes + self.uses.bytes()
    }

    /// What it takes in addition for as long as it grows, where the next configuration makes it grow.
    pub(super) fn growth_bytes(&self) -> Option<u64> {
        self.is_full().then(|| 2 * self.seen.capacity() as u64 * Self::ENTRY)
    }

    /// The bytes of an entry, with the room that the table keeps free.
    const ENTRY: u64 = (size_of::<(Place<W>, Seen<W>)>() as u64 + 1) * 8 / 7;
}

fn count(used: &Rc<Used>, group: u32) -> u32 {
    used.binary_search_by_key(&group, |&(g, _)| g).map_or(0, |found| used[found].1)
}

/// Does the first use no group more often than the second?
fn is_subset(a: &Rc<Used>, b: &Rc<Used>) -> bool {
    a.iter().all(|&(group, times)| times <= count(b, group))
}
