//! Links between nodes: what becomes of a message.

use std::collections::BTreeSet;

use super::Dice;

/// How badly the network behaves. Client links behave alike, but are never cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkOptions {
    /// Messages lost, of a thousand.
    pub loss_per_mille: u32,
    /// Messages delivered twice, of a thousand.
    pub duplicate_per_mille: u32,
    /// Slow messages, of a thousand: they take up to `slow_us_max`, and many others overtake them.
    pub slow_per_mille: u32,
    /// The shortest delay.
    pub delay_us_min: u64,
    /// The longest delay of a message that is not slow; messages overtake each other within this span.
    pub delay_us_max: u64,
    /// The longest delay of all.
    pub slow_us_max: u64,
}

impl NetworkOptions {
    /// Nothing is lost or doubled; delays of 0.2 to 2 ms.
    pub const RELIABLE: Self = Self {
        loss_per_mille: 0,
        duplicate_per_mille: 0,
        slow_per_mille: 0,
        delay_us_min: 200,
        delay_us_max: 2_000,
        slow_us_max: 2_000,
    };

    /// The usual network of a simulation: a little of everything goes wrong.
    pub const UNRELIABLE: Self = Self {
        loss_per_mille: 20,
        duplicate_per_mille: 20,
        slow_per_mille: 20,
        delay_us_min: 200,
        delay_us_max: 5_000,
        slow_us_max: 200_000,
    };

    /// A very bad network: a fifth of everything is lost, a tenth doubled, a tenth very late.
    pub const LOSSY: Self = Self {
        loss_per_mille: 200,
        duplicate_per_mille: 100,
        slow_per_mille: 100,
        delay_us_min: 200,
        delay_us_max: 20_000,
        slow_us_max: 1_000_000,
    };
}

impl Default for NetworkOptions {
    fn default() -> Self {
        Self::UNRELIABLE
    }
}

/// The links: how they behave, and which are cut. Nodes are numbers here.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) options: NetworkOptions,
    cut: BTreeSet<(usize, usize)>,
}

impl Network {
    pub(super) fn new(options: NetworkOptions) -> Self {
        Self { options, cut: BTreeSet::new() }
    }

    pub(super) fn cut(&mut self, from: usize, to: usize) {
        self.cut.insert((from, to));
    }

    pub(super) fn heal(&mut self) {
        self.cut.clear();
    }

    pub(super) fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cut.contains(&(from, to))
    }

    /// The delays of the copies of one message that arrive: none, one or two.
    pub(super) fn delays_us(&self, dice: &mut Dice) -> Vec<u64> {
        let options = &self.options;
        if dice.chance(options.loss_per_mille) {
            return Vec::new();
        }
        let copies = if dice.chance(options.duplicate_per_mille) { 2 } else { 1 };
        (0..copies)
            .map(|_| {
                let slow = dice.chance(options.slow_per_mille);
                let longest = if slow { options.slow_us_max } else { options.delay_us_max };
                dice.between(options.delay_us_min, longest)
            })
            .collect()
    }
}
