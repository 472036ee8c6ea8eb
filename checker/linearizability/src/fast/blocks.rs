//! Chains of clusters, and whether they fit one after another.

use super::clusters::{Cluster, Clusters, NONE};
use super::step::{INITIAL, Step};
use super::times::{BEFORE, NEVER};
use super::{Finding, Register};

/// A chain as one.
#[derive(Clone, Copy)]
pub(super) struct Block {
    /// Its first value.
    pub(super) root: u32,
    /// The least return in it, and whose.
    pub(super) first_return: u32,
    first_returner: u32,
    /// The greatest call in it, and whose.
    pub(super) last_call: u32,
    last_caller: u32,
}

/// Every chain.
pub(super) struct Blocks(pub(super) Vec<Block>);

impl Blocks {
    /// Fails where a chain contradicts itself.
    pub(super) fn of(register: &Register<'_>, clusters: &Clusters) -> Result<Self, Finding> {
        let (mut blocks, mut chain, mut seen) = (Vec::new(), Vec::new(), 0);
        for (root, cluster) in (0..).zip(&clusters.all) {
            let builds_on = |writer: u32| register.steps[writer as usize].saw().is_some();
            if !cluster.active || (cluster.writer != NONE && builds_on(cluster.writer)) {
                continue;
            }
            chain.clear();
            chain.extend(clusters.chain(root));
            seen += chain.len();
            blocks.push(fold(register, clusters, &chain)?);
        }
        if seen < clusters.active {
            return Err(clusters.circle(register));
        }
        Ok(Self(blocks))
    }

    /// Two blocks that must precede each other.
    pub(super) fn find_conflict(
        &self,
        register: &Register<'_>,
        clusters: &Clusters,
    ) -> Result<(), Finding> {
        let conflict =
            |a: &Block, b: &Block| a.first_return < b.last_call && b.first_return < a.last_call;
        // By first return: of the blocks up to there the one with the last call.
        let mut latest = vec![NONE; register.times.end as usize + 1];
        let block = |number: u32| &self.0[number as usize];
        for (number, b) in (0..).zip(&self.0).filter(|(_, b)| b.first_return != NEVER) {
            let place = &mut latest[b.first_return as usize];
            if *place != NONE && conflict(block(*place), b) {
                return Err(explain(register, clusters, block(*place), b));
            }
            if *place == NONE || block(*place).last_call < b.last_call {
                *place = number;
            }
        }
        let mut best = NONE;
        for place in &mut latest {
            if *place == NONE || (best != NONE && block(best).last_call >= block(*place).last_call)
            {
                *place = best;
            } else {
                best = *place;
            }
        }
        // The relation is symmetric: it is enough to ask of each block about those that returned before it.
        for b in &self.0 {
            let before = b.first_return.min(b.last_call).min(register.times.end);
            if before == BEFORE {
                continue;
            }
            let number = latest[before as usize - 1];
            if number != NONE && conflict(block(number), b) {
                return Err(explain(register, clusters, block(number), b));
            }
        }
        Ok(())
    }
}

impl Clusters {
    /// The values from this one on, each built on the one before.
    pub(super) fn chain(&self, root: u32) -> impl Iterator<Item = u32> {
        let next = |&value: &u32| Some(self.all[value as usize].next).filter(|&next| next != NONE);
        std::iter::successors(Some(root), next)
    }

    /// Some chain has no beginning.
    fn circle(&self, register: &Register<'_>) -> Finding {
        let rooted = |writer: u32| {
            let mut value = register.steps[writer as usize].saw();
            for _ in 0..=self.active {
                let Some(now) = value else { return true };
                let writer = self.all[now as usize].writer;
                if writer == NONE {
                    return true;
                }
                value = register.steps[writer as usize].saw();
            }
            false
        };
        let active = self.all.iter().filter(|cluster| cluster.active && cluster.writer != NONE);
        let mut writers = active.map(|cluster| cluster.writer);
        Finding::Circle { one: writers.find(|&writer| !rooted(writer)).unwrap_or_default() }
    }
}

/// A chain as a block, unless something in it returned before something that stands earlier was called.
fn fold(register: &Register<'_>, clusters: &Clusters, chain: &[u32]) -> Result<Block, Finding> {
    let root = chain.first().copied().unwrap_or(INITIAL);
    let mut block = Block {
        root,
        first_return: NEVER,
        first_returner: NONE,
        last_call: BEFORE,
        last_caller: NONE,
    };
    for (place, &value) in chain.iter().enumerate().rev() {
        let cluster = &clusters.all[value as usize];
        if block.first_return < cluster.last_call {
            return Err(misplaced(
                register,
                clusters,
                cluster,
                block.first_returner,
                &chain[place + 1..],
            ));
        }
        if cluster.first_return < block.first_return {
            (block.first_return, block.first_returner) =
                (cluster.first_return, cluster.first_returner);
        }
        if cluster.last_call > block.last_call {
            (block.last_call, block.last_caller) = (cluster.last_call, cluster.last_caller);
        }
    }
    Ok(block)
}

/// `early` had finished with a later value of the chain before the last of this cluster began.
fn misplaced(
    register: &Register<'_>,
    clusters: &Clusters,
    cluster: &Cluster,
    early: u32,
    later: &[u32],
) -> Finding {
    let late = cluster.last_caller;
    if late != cluster.writer {
        let is_in = |value| clusters.all[value as usize].writer == cluster.writer;
        let late = first_to_see(register, early, is_in).unwrap_or(late);
        let again = |&value: &u32| clusters.all[value as usize].last_call > cluster.last_call;
        // What others saw and a mere read did not may be there still.
        let builds = register.steps[late as usize].leaves().is_some();
        let is_lost = builds || is_unseen(clusters, later);
        return Finding::Behind { early, late, lost: is_lost && !later.iter().any(again) };
    }
    let appends = |op: u32| matches!(register.steps[op as usize], Step::Append { .. });
    if appends(early) && appends(late) {
        Finding::Overtaken { early, late }
    } else {
        Finding::Future { reader: early, writer: late }
    }
}

/// Whether these values are a single one, which nobody but its writer saw.
fn is_unseen(clusters: &Clusters, values: &[u32]) -> bool {
    matches!(values, &[value] if {
        let Cluster { writer, first_returner, last_caller, .. } = clusters.all[value as usize];
        first_returner == writer && last_caller == writer
    })
}

/// Why these two cannot stand one after the other.
fn explain(register: &Register<'_>, clusters: &Clusters, a: &Block, b: &Block) -> Finding {
    let last_writer = |block: &Block| {
        let writers = clusters.chain(block.root).map(|value| clusters.all[value as usize].writer);
        writers
            .filter(|&writer| writer != NONE)
            .max_by_key(|&writer| register.times.calls[writer as usize])
    };
    // A write that began after the other block was there settles which came first.
    let settled = |old: &Block, new: &Block| {
        let after = |&op: &u32| old.first_return < register.times.calls[op as usize];
        let writes = |&op: &u32| op != NONE && register.steps[op as usize].leaves().is_some();
        let seen = Some(new.first_returner).filter(writes);
        let writer = seen.filter(after).or_else(|| last_writer(new).filter(after))?;
        let chain: Vec<u32> = clusters.chain(old.root).collect();
        let stale = first_to_see(register, new.first_returner, |value| chain.contains(&value));
        let stale = stale.unwrap_or(old.last_caller);
        let is_update = register.steps[stale as usize].leaves().is_some();
        let lost = is_update && is_never_seen(register, new);
        Some(Finding::Stale {
            before: old.first_returner,
            writer,
            after: new.first_returner,
            stale,
            lost,
        })
    };
    settled(a, b).or_else(|| settled(b, a)).unwrap_or(Finding::FlipFlop {
        first: a.first_returner,
        second: b.last_caller,
        third: b.first_returner,
        fourth: a.last_caller,
    })
}

/// The first to be called, after this one had returned, that saw one of these values.
fn first_to_see(register: &Register<'_>, early: u32, is_one: impl Fn(u32) -> bool) -> Option<u32> {
    let times = &register.times;
    let ended = times.returns[early as usize];
    let is_late = |&(op, step): &(u32, Step)| {
        let has_returned = times.returns[op as usize] != NEVER;
        has_returned && times.calls[op as usize] > ended && step.saw().is_some_and(&is_one)
    };
    let late = register.happened().filter(is_late).map(|(op, _)| op);
    late.min_by_key(|&op| times.calls[op as usize])
}

/// A single write that nobody saw.
fn is_never_seen(register: &Register<'_>, block: &Block) -> bool {
    block.root != INITIAL && register.happened().all(|(_, step)| step.saw() != Some(block.root))
}
