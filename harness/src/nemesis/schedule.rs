//! When each family breaks something, decided from the seed.
//!
//! Intervals alternate. In the first, the third, … families take turns, so that none swallows the chances of another, and
//! one turn is long enough for a store to go on without some of its nodes. In the others each family starts at a random
//! moment, so that faults of different families meet in every way.

use std::time::Duration;

use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};

use super::{Family, plan::PlanInput};

/// The time for one fault of a family; all from the beginning of the main phase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Whose turn it is.
    pub family: Family,
    /// When the fault starts.
    pub at: Duration,
    /// How long it lasts from when it takes hold.
    pub lasts: Duration,
    /// When it must be healed at the latest.
    pub until: Duration,
    /// The nodes to take away; none, where the family may choose what it breaks.
    pub absent: Vec<String>,
}

/// The long turn's part of an interval.
const LONG: f64 = 0.6;

/// The turns of all families; each has one an interval.
pub fn turns(input: &PlanInput<'_>) -> Vec<Turn> {
    let mut rng = ChaCha8Rng::seed_from_u64(input.seed);
    let mut long = LongTurns::new(input, &mut rng);
    let mut turns = Vec::new();
    for number in 0.. {
        let begins = input.interval * number;
        if begins + input.interval > input.time_limit {
            break;
        }
        if number % 2 == 0 {
            turns.extend(one_by_one(input, begins, long.next().as_ref(), &mut rng));
        } else {
            turns.extend(at_random(input, begins, &mut rng));
        }
    }
    turns
}

/// Meant to be active for a quarter to six tenths of the interval, anywhere in it.
fn at_random(input: &PlanInput<'_>, begins: Duration, rng: &mut impl Rng) -> Vec<Turn> {
    let turn = |family: &Family| {
        let start = rng.random_range(0.05..0.6);
        let share = rng.random_range(0.25..(0.95_f64 - start).min(0.6));
        let slot = Slot { begins, length: input.interval };
        slot.turn(*family, start, share, Vec::new())
    };
    input.families.iter().map(turn).collect()
}

/// One after the other in a random order. Before the next turn there is time to start a node again.
fn one_by_one(
    input: &PlanInput<'_>,
    mut begins: Duration,
    long: Option<&(Family, Vec<String>)>,
    rng: &mut impl Rng,
) -> Vec<Turn> {
    let mut order = input.families.to_vec();
    order.shuffle(rng);
    let long_turn = input.interval.mul_f64(LONG);
    let others = u32::try_from(order.len().max(2) - 1).unwrap_or(u32::MAX);
    let short_turn = (input.interval - long_turn) / others;
    let turn = |family: Family| {
        let absent = long.filter(|(it, _)| *it == family).map(|(_, absent)| absent.clone());
        let length = if absent.is_some() { long_turn } else { short_turn };
        let slot = Slot { begins, length };
        begins += length;
        let start = rng.random_range(0.02..0.08);
        let (start, share) = match absent {
            None => (start, rng.random_range(0.5..0.75)),
            Some(_) if input.members.view_service.is_none() => (start, 0.87),
            // Right after another fault the node may be the only one with the state.
            Some(_) => (start + 0.2, 0.7),
        };
        slot.turn(family, start, share, absent.unwrap_or_default())
    };
    order.into_iter().map(turn).collect()
}

/// Who has the long turns. Families that can take nodes away come first: how a store does without some of its nodes
/// shows only after a while. So many as must be dispensable are away each time, others each time, until each node was.
struct LongTurns {
    families: Vec<Family>,
    nodes: Vec<String>,
    /// How many nodes are taken away at once.
    minority: usize,
    count: usize,
}

impl LongTurns {
    fn new(input: &PlanInput<'_>, rng: &mut impl Rng) -> Self {
        let mut nodes = input.members.nodes.to_vec();
        nodes.shuffle(rng);
        let mut minority = input.members.dispensable();
        let takes_away = |family: &&Family| minority > 0 && family.can_take_away();
        let mut families: Vec<Family> = input.families.iter().filter(takes_away).copied().collect();
        if families.is_empty() {
            (families, minority) = (input.families.to_vec(), 0);
        }
        families.shuffle(rng);
        Self { families, nodes, minority, count: 0 }
    }

    /// The family, and the nodes that it is to take away, if it can.
    fn next(&mut self) -> Option<(Family, Vec<String>)> {
        let family = *self.families.get(self.count % self.families.len().max(1))?;
        let first = self.count * self.minority;
        let place = |number: usize| self.nodes[number % self.nodes.len()].clone();
        let mut absent: Vec<String> = (first..first + self.minority).map(place).collect();
        absent.sort();
        self.count += 1;
        Some((family, absent))
    }
}

/// A part of the main phase.
struct Slot {
    begins: Duration,
    length: Duration,
}

impl Slot {
    /// `start` and `share` are parts of the slot's length.
    fn turn(&self, family: Family, start: f64, share: f64, absent: Vec<String>) -> Turn {
        let Self { begins, length } = *self;
        let (at, lasts) = (begins + length.mul_f64(start), length.mul_f64(share));
        let (at, lasts) = (whole_ms(at), whole_ms(lasts));
        Turn { family, at, lasts, until: begins + length, absent }
    }
}

fn whole_ms(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::nemesis::{Families, fault::Members};

    const INTERVAL: Duration = Duration::from_secs(5);

    fn turns_of(seed: u64, nodes: usize, families: &str) -> Vec<Turn> {
        turns_with(None, seed, nodes, families)
    }

    fn turns_with(
        view_service: Option<&String>,
        seed: u64,
        nodes: usize,
        families: &str,
    ) -> Vec<Turn> {
        let nodes: Vec<String> = (1..=nodes).map(|n| format!("n{n}")).collect();
        turns(&PlanInput {
            seed,
            families: &families.parse::<Families>().unwrap().0,
            members: Members {
                nodes: &nodes,
                view_service,
                can_restart: true,
                can_restart_all: true,
                exactly_once: true,
            },
            interval: INTERVAL,
            time_limit: Duration::from_secs(30),
        })
    }

    #[test]
    fn in_every_other_interval_families_take_turns() {
        let is_in_turns = |turn: &&Turn| (turn.at.as_secs() / INTERVAL.as_secs()).is_multiple_of(2);
        for seed in 0..50 {
            for families in ["partition,kill,pause", "partition,kill,pause,network,client", "kill"]
            {
                let turns = turns_of(seed, 3, families);
                let mut one_by_one: Vec<&Turn> = turns.iter().filter(is_in_turns).collect();
                one_by_one.sort_by_key(|turn| turn.at);
                assert_eq!(one_by_one.len(), 3 * families.split(',').count());
                for pair in one_by_one.windows(2) {
                    assert!(pair[0].until <= pair[1].at, "{families}, seed {seed}: {pair:?}");
                }
            }
        }
    }

    /// A single server behind three fronts was once called a valid replicated store: none of its nodes was ever away
    /// alone for long.
    #[test]
    fn each_node_is_once_away_for_two_seconds_and_each_family_once_takes_some_away() {
        for seed in 0..50 {
            for (nodes, families) in [
                (3, "partition,kill,pause"),
                (5, "partition,kill,pause,network,client"),
                (7, "kill,client"),
                (4, "pause,partition"),
                (3, "partition"),
            ] {
                let turns = turns_of(seed, nodes, families);
                let long: Vec<&Turn> =
                    turns.iter().filter(|turn| !turn.absent.is_empty()).collect();
                assert!(long.iter().all(|turn| turn.lasts > Duration::from_millis(2500)));
                assert!(long.iter().all(|turn| 2 * turn.absent.len() < nodes));
                let away: BTreeSet<&String> = long.iter().flat_map(|turn| &turn.absent).collect();
                // Of four nodes one is a minority, and three turns are long.
                assert_eq!(away.len(), nodes.min(3 * ((nodes - 1) / 2)), "{families}: {long:?}");
                let own: BTreeSet<Family> = long.iter().map(|turn| turn.family).collect();
                let can = families.split(',').filter(|name| !["network", "client"].contains(name));
                assert_eq!(own.len(), can.count(), "{families}: {long:?}");
            }
        }
    }

    #[test]
    fn with_a_view_service_one_node_is_away_at_a_time_after_some_time_of_peace() {
        let view_service = "v1".to_owned();
        for seed in 0..50 {
            for nodes in [2, 3, 5] {
                let families = "partition,kill,pause,network,client";
                let mut turns = turns_with(Some(&view_service), seed, nodes, families);
                turns.sort_by_key(|turn| turn.at);
                let long = turns.iter().filter(|turn| !turn.absent.is_empty());
                assert_eq!(long.clone().count(), 3);
                for turn in long {
                    assert_eq!(turn.absent.len(), 1);
                    assert!(turn.lasts > Duration::from_secs(2));
                    assert!(turn.at + turn.lasts < turn.until);
                    let before = turns.iter().filter(|other| other.at < turn.at);
                    let peace = before.map(|other| other.at + other.lasts).max();
                    assert!(turn.at > peace.unwrap_or_default() + Duration::from_millis(600));
                }
            }
        }
    }

    #[test]
    fn where_no_node_can_be_taken_away_a_turn_is_long_all_the_same() {
        for (nodes, families) in [(1, "kill,client"), (2, "pause"), (3, "network,client")] {
            let turns = turns_of(1, nodes, families);
            assert!(turns.iter().all(|turn| turn.absent.is_empty()));
            let long = turns.iter().filter(|turn| turn.lasts > Duration::from_millis(2500));
            assert!(long.count() >= 3, "{families}: {turns:?}");
        }
    }
}
