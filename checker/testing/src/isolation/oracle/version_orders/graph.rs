//! A dependency graph of at most 32 transactions: each has the set of its successors as a mask.

#[derive(Clone, Default)]
pub(super) struct Graph {
    /// Write and read dependencies, and orders of time.
    depends: [u32; 32],
    /// Anti-dependencies: who overwrote what it read.
    anti: [u32; 32],
}

impl Graph {
    pub(super) fn depend(&mut self, from: usize, to: usize) {
        self.depends[from] |= bit(to) & !bit(from);
    }

    pub(super) fn anti_depend(&mut self, from: usize, to: usize) {
        self.anti[from] |= bit(to) & !bit(from);
    }

    /// Ignoring anti-dependencies.
    pub(super) fn is_acyclic(&self) -> bool {
        is_acyclic(self.depends)
    }

    pub(super) fn is_acyclic_with_anti_dependencies(&self) -> bool {
        is_acyclic(std::array::from_fn(|i| self.depends[i] | self.anti[i]))
    }

    /// G-single.
    pub(super) fn has_cycle_with_one_anti_dependency(&self) -> bool {
        let paths = closure(self.depends);
        (0..32)
            .any(|reader| members(self.anti[reader]).any(|writer| paths[writer] & bit(reader) != 0))
    }

    /// G-nonadjacent, G-single among it: each anti-dependency follows a dependency.
    pub(super) fn has_cycle_without_adjacent_anti_dependencies(&self) -> bool {
        let then_anti = |i: usize| {
            members(self.depends[i]).fold(0, |successors, next| successors | self.anti[next])
        };
        !is_acyclic(std::array::from_fn(|i| self.depends[i] | then_anti(i)))
    }
}

fn bit(i: usize) -> u32 {
    1 << i
}

fn members(mask: u32) -> impl Iterator<Item = usize> {
    (0..32).filter(move |i| mask & bit(*i) != 0)
}

fn is_acyclic(successors: [u32; 32]) -> bool {
    let paths = closure(successors);
    (0..32).all(|i| paths[i] & bit(i) == 0)
}

/// What each can reach in one step or more (Warshall).
fn closure(mut successors: [u32; 32]) -> [u32; 32] {
    for middle in 0..32 {
        for from in 0..32 {
            if successors[from] & bit(middle) != 0 {
                successors[from] |= successors[middle];
            }
        }
    }
    successors
}
