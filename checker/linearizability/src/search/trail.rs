//! Paths that have their beginnings in common.

use super::configuration::NONE;
use super::order::Taken;

/// The last step of a path, or [`NONE`] for the empty one.
pub(super) type End = u32;

/// The steps of many paths, each kept once.
#[derive(Default)]
pub(super) struct Trail {
    links: Vec<Link>,
    /// How many were left the last time when some were forgotten.
    kept: usize,
}

#[derive(Clone, Copy)]
struct Link {
    taken: Taken,
    before: End,
}

impl Trail {
    /// The path to `end`, longer by these steps.
    pub(super) fn extend(&mut self, end: End, steps: &[Taken]) -> End {
        steps.iter().fold(end, |before, &taken| {
            self.links.push(Link { taken, before });
            self.links.len() as u32 - 1
        })
    }

    /// All steps of a path.
    pub(super) fn path(&self, end: End) -> Vec<Taken> {
        let link = |end: End| self.links.get(end as usize);
        let mut path: Vec<Taken> =
            std::iter::successors(link(end), |l| link(l.before)).map(|link| link.taken).collect();
        path.reverse();
        path
    }

    /// Is it twice as long as when it was last shortened?
    pub(super) fn is_long(&self) -> bool {
        self.links.len() >= 2 * self.kept.max(1 << 12)
    }

    /// Forgets all steps but those of the paths to these ends.
    pub(super) fn shorten<'e>(&mut self, ends: impl Iterator<Item = &'e mut End>) {
        let mut ends: Vec<&mut End> = ends.collect();
        let mut place = vec![NONE; self.links.len()];
        for end in &ends {
            let mut at = **end as usize;
            while at < place.len() && place[at] == NONE {
                place[at] = 0;
                at = self.links[at].before as usize;
            }
        }
        self.kept = 0;
        for at in 0..place.len() {
            if place[at] == NONE {
                continue;
            }
            let Link { taken, before } = self.links[at];
            let before = place.get(before as usize).copied().unwrap_or(NONE);
            self.links[self.kept] = Link { taken, before };
            place[at] = self.kept as u32;
            self.kept += 1;
        }
        self.links.truncate(self.kept);
        for end in &mut ends {
            **end = place.get(**end as usize).copied().unwrap_or(NONE);
        }
    }

    /// How much memory it takes, with what it takes to forget some.
    pub(super) fn bytes(&self) -> u64 {
        (self.links.capacity() * (size_of::<Link>() + size_of::<End>())) as u64
    }
}
