//! The shapes of partitions, as sets of directed links to cut.

use std::collections::BTreeSet;

use rand::{Rng, RngExt, seq::SliceRandom};

/// A directed link between two nodes.
pub(crate) type Link = (String, String);

/// Which links a partition cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Two groups as equal as can be.
    Halves,
    /// One node alone.
    One,
    /// A random majority against the rest.
    MajorityMinority,
    /// Every node sees a majority, no two nodes the same one (from 5 nodes on).
    MajoritiesRing,
    /// Two groups that only one node can see both of.
    Bridge,
    /// Whoever leads, alone.
    IsolateLeader,
    /// One node is heard by nobody but hears all, or the other way round.
    OneWay,
    /// What somebody chose; no plan has it.
    Chosen,
}

impl Shape {
    /// The name in `faults.jsonl`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Halves => "halves",
            Self::One => "one",
            Self::MajorityMinority => "majority-minority",
            Self::MajoritiesRing => "majorities-ring",
            Self::Bridge => "bridge",
            Self::IsolateLeader => "isolate-leader",
            Self::OneWay => "one-way",
            Self::Chosen => "chosen",
        }
    }

    /// The shapes that mean something among `nodes` nodes.
    pub(super) fn among(nodes: usize) -> Vec<Self> {
        match nodes {
            0 | 1 => Vec::new(),
            2 => vec![Self::One, Self::IsolateLeader, Self::OneWay],
            3 | 4 => vec![
                Self::One,
                Self::MajorityMinority,
                Self::Bridge,
                Self::IsolateLeader,
                Self::OneWay,
            ],
            _ => vec![
                Self::Halves,
                Self::One,
                Self::MajorityMinority,
                Self::MajoritiesRing,
                Self::Bridge,
                Self::IsolateLeader,
                Self::OneWay,
            ],
        }
    }

    /// The links to cut. `IsolateLeader` depends on who leads: see [`around`].
    pub(super) fn links(self, nodes: &[String], rng: &mut impl Rng) -> Vec<Link> {
        let mut order = nodes.to_vec();
        order.shuffle(rng);
        let count = order.len();
        match self {
            Self::Halves => between(&order[..count / 2], &order[count / 2..]),
            Self::One | Self::IsolateLeader => between(&order[..1], &order[1..]),
            Self::MajorityMinority => {
                let minority = rng.random_range(1..=((count - 1) / 2).max(1));
                between(&order[..minority], &order[minority..])
            }
            Self::MajoritiesRing => ring(&order),
            Self::Bridge => {
                let half = (count - 1) / 2;
                between(&order[1..=half], &order[half + 1..])
            }
            Self::OneWay => {
                let out = order[1..].iter().map(|other| (order[0].clone(), other.clone()));
                if rng.random_bool(0.5) {
                    out.collect()
                } else {
                    out.map(|(a, b)| (b, a)).collect()
                }
            }
            Self::Chosen => Vec::new(),
        }
    }
}

/// Every link between a node and the others, both ways.
pub(super) fn around<'a>(node: &str, nodes: impl Iterator<Item = &'a String>) -> Vec<Link> {
    let others: Vec<String> = nodes.filter(|other| *other != node).cloned().collect();
    between(&[node.to_owned()], &others)
}

/// Every link between the two groups, both ways.
pub(crate) fn between(left: &[String], right: &[String]) -> Vec<Link> {
    let pairs = left.iter().flat_map(|a| right.iter().map(move |b| (a.clone(), b.clone())));
    let both: BTreeSet<Link> = pairs.flat_map(|(a, b)| [(b.clone(), a.clone()), (a, b)]).collect();
    both.into_iter().collect()
}

/// Each node keeps only its nearest neighbours on a ring: just enough for a majority with itself.
fn ring(order: &[String]) -> Vec<Link> {
    let count = order.len();
    let reach = (count / 2).div_ceil(2);
    let far = |i: usize, j: usize| {
        let distance = i.abs_diff(j);
        distance.min(count - distance) > reach
    };
    let pairs = (0..count).flat_map(|i| (0..count).map(move |j| (i, j)));
    pairs
        .filter(|&(i, j)| i != j && far(i, j))
        .map(|(i, j)| (order[i].clone(), order[j].clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    use super::*;

    fn ids(count: usize) -> Vec<String> {
        (1..=count).map(|n| format!("n{n}")).collect()
    }

    /// The nodes that `node` can exchange messages with, itself included.
    fn sees(node: &String, nodes: &[String], cut: &[Link]) -> BTreeSet<String> {
        let open = |a: &String, b: &String| a == b || !cut.contains(&(a.clone(), b.clone()));
        nodes.iter().filter(|other| open(node, other) && open(other, node)).cloned().collect()
    }

    #[test]
    fn in_a_majorities_ring_every_node_sees_a_majority_and_no_two_the_same() {
        for count in [5, 7] {
            let nodes = ids(count);
            let cut = Shape::MajoritiesRing.links(&nodes, &mut ChaCha8Rng::seed_from_u64(1));
            let views: BTreeSet<_> = nodes.iter().map(|node| sees(node, &nodes, &cut)).collect();
            assert_eq!(views.len(), count);
            assert!(views.iter().all(|view| view.len() > count / 2), "{views:?}");
        }
    }

    #[test]
    fn a_bridge_leaves_exactly_one_node_that_sees_everyone() {
        for count in [3, 4, 5, 7] {
            let nodes = ids(count);
            for seed in 0..20 {
                let cut = Shape::Bridge.links(&nodes, &mut ChaCha8Rng::seed_from_u64(seed));
                let whole =
                    nodes.iter().filter(|node| sees(node, &nodes, &cut).len() == count).count();
                assert_eq!(whole, 1, "{count} nodes, seed {seed}");
            }
        }
    }

    #[test]
    fn every_shape_cuts_something_and_only_between_different_nodes() {
        for count in 2..=7 {
            let nodes = ids(count);
            for shape in Shape::among(count) {
                for seed in 0..20 {
                    let cut = shape.links(&nodes, &mut ChaCha8Rng::seed_from_u64(seed));
                    assert!(!cut.is_empty(), "{shape:?} among {count}");
                    assert!(
                        cut.iter().all(|(a, b)| a != b && nodes.contains(a) && nodes.contains(b))
                    );
                    let both = cut.iter().all(|(a, b)| cut.contains(&(b.clone(), a.clone())));
                    assert_eq!(both, shape != Shape::OneWay, "{shape:?}");
                }
            }
        }
    }
}
