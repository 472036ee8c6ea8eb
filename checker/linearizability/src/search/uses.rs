//! How often optional operations were used, by number.

use crate::table::Table;

/// For each optional group that was used: how often; by group.
type Used = Box<[(u32, u32)]>;

/// All that were met so far. Number 0: nothing was used.
pub(super) struct Uses(Table<Used>);

impl Uses {
    pub(super) fn new() -> Self {
        let table = Table::new();
        table.number(Used::default(), |_| 0);
        Self(table)
    }

    /// How often the group was used.
    pub(super) fn count(&self, used: u32, group: u32) -> u32 {
        count(self.0.get(used), group)
    }

    /// How often all of them were used.
    pub(super) fn total(&self, used: u32) -> u32 {
        self.0.get(used).iter().map(|&(_, times)| times).sum()
    }

    /// The same, and one more of this group.
    pub(super) fn use_one(&self, used: u32, group: u32) -> u32 {
        let mut used = self.0.get(used).to_vec();
        match used.binary_search_by_key(&group, |&(g, _)| g) {
            Ok(found) => used[found].1 += 1,
            Err(place) => used.insert(place, (group, 1)),
        }
        self.0.number(used.into_boxed_slice(), |used| size_of_val(&**used))
    }

    /// Does the first use no group more often than the second?
    pub(super) fn is_subset(&self, a: u32, b: u32) -> bool {
        let b_used = self.0.get(b);
        a == b || self.0.get(a).iter().all(|&(group, times)| times <= count(b_used, group))
    }

    /// About how much memory they take.
    pub(super) fn bytes(&self) -> u64 {
        self.0.bytes()
    }
}

fn count(used: &Used, group: u32) -> u32 {
    used.binary_search_by_key(&group, |&(g, _)| g).map_or(0, |found| used[found].1)
}
