//! Which events come before which, as rows of bits that are kept closed under what follows.

/// For each event the set of those after it.
#[derive(Debug)]
pub(crate) struct Closure {
    words: usize,
    after: Vec<u64>,
    /// Where a word was changed, and what it was.
    changes: Vec<(usize, u64)>,
}

/// A state to go back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(usize);

impl Closure {
    /// What follows from these arcs, without a circle, of events in this order.
    pub(crate) fn of(next: &[Vec<usize>], order: &[usize]) -> Self {
        let words = next.len().div_ceil(64);
        let after = vec![0; next.len() * words];
        let mut closure = Self { words, after, changes: Vec::new() };
        for &event in order.iter().rev() {
            for &to in &next[event] {
                for word in 0..words {
                    closure.after[event * words + word] |= closure.after[to * words + word];
                }
                closure.after[event * words + to / 64] |= 1 << (to % 64);
            }
        }
        closure
    }

    /// What one of so many events takes.
    pub(crate) fn bytes(events: usize) -> usize {
        events * events.div_ceil(64) * size_of::<u64>()
    }

    pub(crate) fn events(&self) -> usize {
        self.after.len().checked_div(self.words).unwrap_or(0)
    }

    fn row(&self, event: usize) -> &[u64] {
        &self.after[event * self.words..(event + 1) * self.words]
    }

    /// Whether the one is known to come before the other.
    pub(crate) fn has(&self, first: usize, second: usize) -> bool {
        self.after[first * self.words + second / 64] >> (second % 64) & 1 == 1
    }

    /// The one comes before the other, and so does all before the one before all after the other. How many rows that
    /// changed.
    pub(crate) fn add(&mut self, first: usize, second: usize) -> usize {
        if self.has(first, second) {
            return 0;
        }
        let mut later = self.row(second).to_vec();
        later[second / 64] |= 1 << (second % 64);
        let mut changed = 0;
        for event in 0..self.events() {
            if event == first || self.has(event, first) {
                self.unite(event, &later);
                changed += 1;
            }
        }
        changed
    }

    fn unite(&mut self, event: usize, later: &[u64]) {
        for (word, later) in later.iter().enumerate() {
            let at = event * self.words + word;
            let before = self.after[at];
            if before | later != before {
                self.changes.push((at, before));
                self.after[at] |= later;
            }
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.changes.len())
    }

    /// All that was added since is forgotten.
    pub(crate) fn back_to(&mut self, Mark(mark): Mark) {
        for (at, before) in self.changes.drain(mark..).rev() {
            self.after[at] = before;
        }
    }

    /// Nobody will go back behind this.
    pub(crate) fn settle(&mut self) {
        self.changes.clear();
    }

    /// The events in an order that is in line with all that is known, if that is no circle.
    pub(crate) fn order(&self) -> Vec<usize> {
        let count =
            |event: usize| self.row(event).iter().map(|word| word.count_ones()).sum::<u32>();
        let mut order: Vec<usize> = (0..self.events()).collect();
        // Whoever comes before another comes before all that the other does.
        order.sort_by_key(|&event| std::cmp::Reverse(count(event)));
        order
    }
}
