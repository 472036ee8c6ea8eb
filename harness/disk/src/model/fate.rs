//! How much of a file's unsynced changes a power failure leaves.

use rand::{RngExt, rngs::ChaCha8Rng};

use super::content::SECTORS;

/// The pieces in which a write reaches the disk.
#[derive(Clone, Copy, Debug)]
pub(super) enum Grain {
    Page,
    Sector,
}

/// One of the ways in which a disk may lag behind memory. [`Fate::Scattered`] alone can draw every state that the rules
/// allow; the other makes likely what disks do most.
#[derive(Debug)]
pub(super) enum Fate {
    /// The first changes are there as a whole, later ones not at all, and of the one between them a part.
    Front { whole: usize, torn: Torn },
    /// Each piece of each change is there with this chance.
    Scattered { grain: Grain, chance: f64 },
}

/// The part of a torn write that is there.
#[derive(Debug)]
pub(super) enum Torn {
    /// So many of its sectors, from the front on.
    Sectors(usize),
    /// Half of its pieces, wherever they lie.
    Pieces(Grain),
}

impl Fate {
    /// For a file with so many pending changes.
    pub(super) fn draw(changes: usize, rng: &mut ChaCha8Rng) -> Self {
        let grain = if rng.random() { Grain::Page } else { Grain::Sector };
        match rng.random_range(0..4) {
            0 => Fate::Front { whole: 0, torn: Torn::Sectors(0) },
            1 => {
                let torn = match rng.random_range(0..3) {
                    0 => Torn::Sectors(0),
                    1 => Torn::Sectors(rng.random_range(1..SECTORS * 2)),
                    _ => Torn::Pieces(grain),
                };
                Fate::Front { whole: rng.random_range(0..=changes), torn }
            }
            _ => Fate::Scattered { grain, chance: rng.random_range(0.1..=0.9) },
        }
    }

    /// Which sectors of the next page of this change are there: a bit for each.
    pub(super) fn sectors(&mut self, change: usize, rng: &mut ChaCha8Rng) -> u8 {
        match self {
            Fate::Front { whole, .. } if change < *whole => u8::MAX,
            Fate::Front { whole, .. } if change > *whole => 0,
            Fate::Front { torn: Torn::Sectors(rest), .. } => {
                let now = SECTORS.min(*rest);
                *rest -= now;
                u8::MAX.checked_shr((SECTORS - now) as u32).unwrap_or(0)
            }
            Fate::Front { torn: Torn::Pieces(grain), .. } => grain.pieces(0.5, rng),
            Fate::Scattered { grain, chance } => grain.pieces(*chance, rng),
        }
    }

    /// Whether the size that this change set is there.
    pub(super) fn metadata(&mut self, change: usize, rng: &mut ChaCha8Rng) -> bool {
        match self {
            Fate::Front { whole, .. } if change != *whole => change < *whole,
            Fate::Front { torn: Torn::Sectors(0), .. } => false,
            Fate::Front { .. } => rng.random(),
            Fate::Scattered { chance, .. } => rng.random_bool(*chance),
        }
    }
}

impl Grain {
    fn pieces(self, chance: f64, rng: &mut ChaCha8Rng) -> u8 {
        match self {
            Grain::Page if rng.random_bool(chance) => u8::MAX,
            Grain::Page => 0,
            Grain::Sector => (0..SECTORS)
                .filter(|_| rng.random_bool(chance))
                .fold(0, |sectors, sector| sectors | 1 << sector),
        }
    }
}
