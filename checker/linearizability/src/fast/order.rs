//! The order of a history whose blocks fit.

use super::Register;
use super::blocks::Blocks;
use super::clusters::{Clusters, NONE};
use super::step::{INITIAL, Step};
use super::times::{BEFORE, NEVER};

/// Blocks by their first return or last call, whichever is earlier; in each, clusters in the order of the chain; in
/// each, the write before the reads. `None` where a refused operation has no place in this order.
pub(super) fn of(
    register: &Register<'_>,
    clusters: &Clusters,
    mut blocks: Blocks,
) -> Option<Vec<u32>> {
    blocks.0.sort_unstable_by_key(|block| (block.first_return.min(block.last_call), block.root));
    let reads = Reads::of(register, clusters);
    let mut order = Vec::with_capacity(register.steps.len());
    for value in blocks.0.iter().flat_map(|block| clusters.chain(block.root)) {
        let writer = clusters.all[value as usize].writer;
        order.extend((writer != NONE).then_some(writer));
        order.extend(reads.of_value(value));
    }
    if clusters.refused.is_empty() { Some(order) } else { with_refused(register, clusters, &order) }
}

/// Reads by value.
struct Reads {
    start: Vec<u32>,
    reads: Vec<u32>,
}

impl Reads {
    fn of(register: &Register<'_>, clusters: &Clusters) -> Self {
        let returned = |op: u32| register.times.returns[op as usize] != NEVER;
        let all = || {
            register.happened().filter_map(|(op, step)| match step {
                Step::Read(value) if returned(op) => Some((op, value as usize)),
                _ => None,
            })
        };
        let mut start = vec![0; clusters.all.len() + 2];
        all().for_each(|(_, value)| start[value + 2] += 1);
        for i in 1..start.len() {
            start[i] += start[i - 1];
        }
        let mut reads = vec![0; *start.last().unwrap_or(&0) as usize];
        let mut last = BEFORE;
        let mut is_sorted = true;
        for (op, value) in all() {
            let call = register.times.calls[op as usize];
            is_sorted &= std::mem::replace(&mut last, call) <= call;
            reads[start[value + 1] as usize] = op;
            start[value + 1] += 1;
        }
        let mut reads = Self { start, reads };
        if !is_sorted {
            reads.sort(register);
        }
        reads
    }

    /// In order of invocation, for a record that is not.
    fn sort(&mut self, register: &Register<'_>) {
        for ends in self.start.windows(2) {
            let of_value = &mut self.reads[ends[0] as usize..ends[1] as usize];
            of_value.sort_unstable_by_key(|&op| register.times.calls[op as usize]);
        }
    }

    fn of_value(&self, value: u32) -> &[u32] {
        &self.reads[self.start[value as usize] as usize..self.start[value as usize + 1] as usize]
    }
}

/// Refused operations go where another value is than the one that would have let them through: each as early as
/// those allow that returned before it was called.
fn with_refused(register: &Register<'_>, clusters: &Clusters, order: &[u32]) -> Option<Vec<u32>> {
    let gaps = Gaps::of(register, order);
    let returns = |op: &u32| register.times.returns[*op as usize];
    let mut refused = clusters.refused.clone();
    refused.sort_unstable_by_key(returns);
    // For each one placed: its return, and the last gap taken up to there.
    let mut placed: Vec<(u32, u32)> = Vec::new();
    let mut places = Vec::with_capacity(refused.len());
    for &op in &refused {
        let Step::Refused(value) = register.steps[op as usize] else { continue };
        let before = placed.partition_point(|&(ret, _)| ret < register.times.calls[op as usize]);
        let earliest = if before > 0 { placed[before - 1].1 } else { 0 };
        let gap = gaps.first_without(value, earliest.max(gaps.from(register, op)))?;
        if gap > gaps.until(register, op) {
            return None;
        }
        places.push((gap, op));
        placed.push((returns(&op), gap.max(placed.last().map_or(0, |last| last.1))));
    }
    // Those of one gap stay in order of return.
    places.sort_by_key(|&(gap, _)| gap);
    let mut all = Vec::with_capacity(order.len() + places.len());
    let mut next = places.into_iter().peekable();
    for (gap, &op) in (0..).zip(order) {
        while let Some((_, refused)) = next.next_if(|&(place, _)| place <= gap) {
            all.push(refused);
        }
        all.push(op);
    }
    all.extend(next.map(|(_, refused)| refused));
    Some(all)
}

/// The places before, between and behind the operations of an order.
struct Gaps {
    /// By time: the first gap after everything that returned up to then.
    from: Vec<u32>,
    /// By time: the last gap before anything called from then on.
    until: Vec<u32>,
    /// The value at each gap, and the next gap with another.
    values: Vec<(u32, u32)>,
}

impl Gaps {
    fn of(register: &Register<'_>, order: &[u32]) -> Self {
        let (times, last) = (&register.times, order.len() as u32);
        let mut from = vec![0; times.end as usize + 1];
        let mut until = vec![last; times.end as usize + 1];
        let mut values = Vec::with_capacity(order.len() + 1);
        values.push((INITIAL, last + 1));
        for (place, &op) in (0..).zip(order) {
            let (call, ret) = (times.calls[op as usize], times.returns[op as usize]);
            if ret != NEVER {
                from[ret as usize] = from[ret as usize].max(place + 1);
            }
            until[call as usize] = until[call as usize].min(place);
            let now = values[place as usize].0;
            values.push((register.steps[op as usize].leaves().unwrap_or(now), last + 1));
        }
        for time in 1..from.len() {
            from[time] = from[time].max(from[time - 1]);
        }
        for time in (1..until.len()).rev() {
            until[time - 1] = until[time - 1].min(until[time]);
        }
        for gap in (1..values.len()).rev() {
            let (value, next) = values[gap];
            values[gap - 1].1 = if values[gap - 1].0 == value { next } else { gap as u32 };
        }
        Self { from, until, values }
    }

    fn from(&self, register: &Register<'_>, op: u32) -> u32 {
        self.from[register.times.calls[op as usize] as usize]
    }

    fn until(&self, register: &Register<'_>, op: u32) -> u32 {
        self.until[register.times.returns[op as usize] as usize]
    }

    /// The first gap from here on without this value.
    fn first_without(&self, value: u32, gap: u32) -> Option<u32> {
        let (there, next) = *self.values.get(gap as usize)?;
        let gap = if there == value { next } else { gap };
        ((gap as usize) < self.values.len()).then_some(gap)
    }
}
