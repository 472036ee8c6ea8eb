//! Two segment trees.

/// For each point, how many intervals cover it; finds points that none covers any more.
pub(crate) struct Coverage {
    /// The tree as an array: node `i` has the children `2i` and `2i + 1`. The least count below it, without what
    /// its ancestors add.
    least: Vec<u32>,
    /// What is added to everything below it.
    added: Vec<u32>,
    size: usize,
}

/// The count of a point that has been reported; out of reach for any real one.
const REPORTED: u32 = u32::MAX / 4;

impl Coverage {
    /// With these counts.
    pub(crate) fn new(counts: &[u32]) -> Self {
        let size = counts.len().next_power_of_two();
        let mut least = vec![REPORTED; 2 * size];
        least[size..size + counts.len()].copy_from_slice(counts);
        for node in (1..size).rev() {
            least[node] = least[2 * node].min(least[2 * node + 1]);
        }
        Self { least, added: vec![0; 2 * size], size }
    }

    /// Takes an interval away: points from `from` to `to - 1` are covered once less. Reports, in order, the points
    /// among them that are covered no more, each only once ever.
    pub(crate) fn uncover(&mut self, from: u32, to: u32, report: &mut impl FnMut(u32)) {
        self.visit(1, 0, self.size, (from as usize, to as usize), report);
    }

    fn visit(
        &mut self,
        node: usize,
        start: usize,
        end: usize,
        (from, to): (usize, usize),
        report: &mut impl FnMut(u32),
    ) {
        if to <= start || end <= from {
            return;
        }
        if from <= start && end <= to && self.least[node] > 1 {
            self.subtract(node);
            return;
        }
        if end - start == 1 {
            self.least[node] = REPORTED;
            report(start as u32);
            return;
        }
        self.push_down(node);
        let middle = start.midpoint(end);
        self.visit(2 * node, start, middle, (from, to), report);
        self.visit(2 * node + 1, middle, end, (from, to), report);
        self.least[node] = self.least[2 * node].min(self.least[2 * node + 1]);
    }

    /// A reported point stays out of reach: fewer intervals are taken away than [`REPORTED`].
    fn subtract(&mut self, node: usize) {
        self.least[node] -= 1;
        self.added[node] += 1;
    }

    fn push_down(&mut self, node: usize) {
        let subtracted = std::mem::take(&mut self.added[node]);
        for child in [2 * node, 2 * node + 1] {
            self.least[child] -= subtracted;
            self.added[child] += subtracted;
        }
    }
}

/// Intervals from which those that contain a point are taken out.
pub(crate) struct Stabbing {
    /// In order of their starts: start and name.
    intervals: Vec<(u32, u32)>,
    /// The tree as an array: the latest end below each node; 0 for what has been taken.
    latest: Vec<u32>,
    size: usize,
}

impl Stabbing {
    /// Of intervals (first point, point after the last, name).
    pub(crate) fn new(mut intervals: Vec<(u32, u32, u32)>) -> Self {
        intervals.sort_unstable();
        let size = intervals.len().next_power_of_two();
        let mut latest = vec![0; 2 * size];
        for (leaf, &(_, end, _)) in intervals.iter().enumerate() {
            latest[size + leaf] = end;
        }
        for node in (1..size).rev() {
            latest[node] = latest[2 * node].max(latest[2 * node + 1]);
        }
        let intervals = intervals.into_iter().map(|(start, _, name)| (start, name)).collect();
        Self { intervals, latest, size }
    }

    /// Takes out those that contain the point.
    pub(crate) fn take(&mut self, point: u32, mut taken: impl FnMut(u32)) {
        let begun = self.intervals.partition_point(|&(start, _)| start <= point);
        self.visit(1, 0, self.size, begun, point, &mut taken);
    }

    fn visit(
        &mut self,
        node: usize,
        start: usize,
        end: usize,
        begun: usize,
        point: u32,
        taken: &mut impl FnMut(u32),
    ) {
        if start >= begun || self.latest[node] <= point {
            return;
        }
        if end - start == 1 {
            self.latest[node] = 0;
            taken(self.intervals[start].1);
            return;
        }
        let middle = start.midpoint(end);
        self.visit(2 * node, start, middle, begun, point, taken);
        self.visit(2 * node + 1, middle, end, begun, point, taken);
        self.latest[node] = self.latest[2 * node].max(self.latest[2 * node + 1]);
    }
}

/// Points that disappear one by one; finds the next one left on either side.
pub(crate) struct Neighbours {
    below: Vec<u32>,
    above: Vec<u32>,
}

impl Neighbours {
    /// All points up to `last`.
    pub(crate) fn new(last: u32) -> Self {
        // Shifted by one: 0 and the end stand for "none".
        let all: Vec<u32> = (0..last + 3).collect();
        Self { below: all.clone(), above: all }
    }

    /// Takes a point away.
    pub(crate) fn remove(&mut self, point: u32) {
        self.below[point as usize + 1] = point;
        self.above[point as usize + 1] = point + 2;
    }

    /// The last point left that is not after this one.
    pub(crate) fn last_until(&mut self, point: u32) -> Option<u32> {
        find(&mut self.below, point + 1).checked_sub(1)
    }

    /// The first point left that is not before this one.
    pub(crate) fn first_from(&mut self, point: u32) -> u32 {
        find(&mut self.above, point + 1) - 1
    }
}

/// Union-find with path halving.
fn find(parent: &mut [u32], mut at: u32) -> u32 {
    while parent[at as usize] != at {
        let next = parent[parent[at as usize] as usize];
        parent[at as usize] = next;
        at = next;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_reports_each_point_once_when_nothing_covers_it() {
        let mut coverage = Coverage::new(&[1, 2, 2, 1, 1]);
        let mut seen = Vec::new();
        coverage.uncover(0, 3, &mut |point| seen.push(point));
        assert_eq!(seen, [0]);
        coverage.uncover(1, 5, &mut |point| seen.push(point));
        assert_eq!(seen, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn stabbing_takes_each_interval_once() {
        let mut intervals = Stabbing::new(vec![(0, 4, 7), (3, 5, 8), (4, 9, 9)]);
        let mut taken = |point| {
            let mut all = Vec::new();
            intervals.take(point, |name| all.push(name));
            all
        };
        assert_eq!(taken(3), [7, 8]);
        assert_eq!(taken(3), [] as [u32; 0]);
        assert_eq!(taken(9), [] as [u32; 0]);
        assert_eq!(taken(8), [9]);
        Stabbing::new(Vec::new()).take(0, |_| panic!("there is none"));
    }

    #[test]
    fn neighbours_skip_what_is_gone() {
        let mut points = Neighbours::new(4);
        [1, 2, 0].into_iter().for_each(|point| points.remove(point));
        assert_eq!((points.last_until(2), points.first_from(0)), (None, 3));
        assert_eq!((points.last_until(4), points.first_from(4)), (Some(4), 4));
    }
}
