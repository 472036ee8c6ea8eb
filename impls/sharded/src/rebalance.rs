//! Which shard should go where, so that no group has much more to do than the others. Rates in, at most one move out: no clock and
//! no state, so that all of it can be tested.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Configuration, GroupId};
use serde::Serialize;
use shard_controller::Controller;

/// Requests a second of each shard that each group owns.
pub type Rates = BTreeMap<GroupId, BTreeMap<usize, f64>>;

/// When a move is worth it.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The skew that is put up with: the load of the hottest group, divided by the mean load of a group.
    pub skew_max: f64,
    /// How much a move must lower the load of the hottest group, as a part of the mean. Without it, rates that waver around the
    /// threshold would move shards to and fro.
    pub gain_min: f64,
    /// Below so many requests a second in all, nothing is moved.
    pub total_min_per_s: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { skew_max: 1.25, gain_min: 0.1, total_min_per_s: 10.0 }
    }
}

/// A shard that should have another owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Move {
    /// The shard.
    pub shard: usize,
    /// Its owner, the hottest group.
    pub from: GroupId,
    /// Who should own it.
    pub to: GroupId,
}

/// What the rates come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Assessment {
    /// Requests a second in all.
    pub total_per_s: f64,
    /// The load of the hottest group, divided by the mean; 0 without any load.
    pub skew: f64,
    /// The move, or why there is none.
    pub proposal: Result<Move, String>,
}

impl Policy {
    /// Which move, if any, brings the load of the hottest group nearest to the mean, and does not make its next owner the hotter of the
    /// two. Shards that are pinned stay.
    #[must_use]
    pub fn assess(&self, rates: &Rates, pinned: &BTreeSet<usize>) -> Assessment {
        let loads = loads(rates);
        let total_per_s: f64 = loads.values().sum();
        let mean = total_per_s / f64::from(u32::try_from(loads.len()).unwrap_or(u32::MAX));
        let hottest = loads.iter().max_by(|(_, one), (_, other)| one.total_cmp(other));
        let Some((hottest, most)) = hottest.filter(|_| total_per_s > 0.0) else {
            let proposal = Err("nothing is asked of any group".to_owned());
            return Assessment { total_per_s, skew: 0.0, proposal };
        };
        let skew = most / mean;
        let proposal = if total_per_s < self.total_min_per_s {
            Err(format!("{total_per_s:.1} requests a second are below {:.1}", self.total_min_per_s))
        } else if skew <= self.skew_max {
            Err(format!("skew {skew:.2} is not above {:.2}", self.skew_max))
        } else {
            let limit = most - self.gain_min * mean;
            best(rates, &loads, hottest, pinned, limit).ok_or_else(|| {
                let percent = self.gain_min * 100.0;
                format!(
                    "skew {skew:.2} is above {:.2}, but no shard that may leave {hottest} takes {percent:.0} % of the mean away from \
                     it and leaves its next owner below it",
                    self.skew_max
                )
            })
        };
        Assessment { total_per_s, skew, proposal }
    }
}

/// What each group has to do, in requests a second.
#[must_use]
pub fn loads(rates: &Rates) -> BTreeMap<&GroupId, f64> {
    rates.iter().map(|(group, shards)| (group, shards.values().sum())).collect()
}

/// The best of the moves that leave the hottest group with no more than `limit`. Of equal ones that of the smallest shard.
fn best(
    rates: &Rates,
    loads: &BTreeMap<&GroupId, f64>,
    hottest: &GroupId,
    pinned: &BTreeSet<usize>,
    limit: f64,
) -> Option<Move> {
    let (to, least) = loads.iter().min_by(|(_, one), (_, other)| one.total_cmp(other))?;
    let most = loads.get(hottest)?;
    let shards = rates.get(hottest)?.iter().filter(|(shard, _)| !pinned.contains(shard));
    let left = shards.map(|(shard, rate)| (*shard, most - rate, least + rate));
    let helps = left.filter(|(_, from, to)| to <= from && *from <= limit);
    let (shard, ..) = helps.min_by(|(_, one, _), (_, other, _)| one.total_cmp(other))?;
    Some(Move { shard, from: hottest.clone(), to: (*to).clone() })
}

/// Shards that somebody moved since groups came or went last: they stay where they were put until groups do so again. `own` are the
/// moves of the rebalancer itself.
#[must_use]
pub fn pinned(controller: &Controller, own: &BTreeSet<(usize, GroupId)>) -> BTreeSet<usize> {
    let mut later = controller.latest();
    let (mut moved, mut pinned) = (BTreeSet::new(), BTreeSet::new());
    while let Some(earlier) = before(controller, later) {
        if earlier.groups != later.groups {
            break;
        }
        let owners = later.shards.iter().zip(&earlier.shards).enumerate();
        for (shard, (owner, _)) in owners.filter(|(_, (now, then))| now != then) {
            let is_own = owner.as_ref().is_some_and(|owner| own.contains(&(shard, owner.clone())));
            if moved.insert(shard) && !is_own {
                pinned.insert(shard);
            }
        }
        later = earlier;
    }
    pinned
}

fn before<'a>(
    controller: &'a Controller,
    configuration: &Configuration,
) -> Option<&'a Configuration> {
    let num = i64::try_from(configuration.num.checked_sub(1)?).ok()?;
    Some(controller.configuration(num))
}

#[cfg(test)]
mod tests;
