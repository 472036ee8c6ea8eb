//! Items in places, one in each: as many as can be.

use std::collections::VecDeque;
use std::ops::Range;

/// How many places may be looked at in all; with so many changes in doubt at once, nothing is certain anyway.
const LOOKS: usize = 200_000_000;

/// Items in places. Each item may be in some ranges of places.
///
/// Augmenting paths, found in breadth. A place is looked at once in each search, as the ranges are walked over what was
/// not looked at yet, and never again after a search that failed: nothing that it reached can become free.
pub(super) struct Matching {
    ranges: Vec<[Range<usize>; 2]>,
    /// Where each item is.
    place: Vec<Option<usize>>,
    /// Who is in each place.
    item: Vec<Option<usize>>,
    /// Each place itself, or one nearer to the next that was not looked at.
    next: Vec<usize>,
    /// From which item each place was looked at last.
    from: Vec<usize>,
    /// The places whose `next` is to be restored.
    touched: Vec<usize>,
    is_closed: Vec<bool>,
    looks: usize,
}

impl Matching {
    pub(super) fn new(ranges: Vec<[Range<usize>; 2]>, places: usize) -> Self {
        Self {
            place: vec![None; ranges.len()],
            ranges,
            item: vec![None; places],
            next: (0..=places).collect(),
            from: vec![0; places],
            touched: Vec::new(),
            is_closed: vec![false; places],
            looks: 0,
        }
    }

    /// No item may be in this place.
    pub(super) fn close(&mut self, place: usize) {
        self.is_closed[place] = true;
        self.next[place] = place + 1;
    }

    pub(super) fn has_place(&self, item: usize) -> bool {
        self.place[item].is_some()
    }

    pub(super) fn is_free(&self, place: usize) -> bool {
        self.item[place].is_none()
    }

    /// Whether more was looked at than is allowed: nothing is placed any more.
    pub(super) fn is_too_much(&self) -> bool {
        self.looks > LOOKS
    }

    /// Finds a place for the item; others may have to move, but none goes without.
    pub(super) fn add(&mut self, item: usize) {
        if self.is_too_much() {
            return;
        }
        let mut looked_at: Vec<usize> = Vec::new();
        let mut queue = VecDeque::from([item]);
        while let Some(one) = queue.pop_front() {
            for range in self.ranges[one].clone() {
                let mut place = self.unseen_from(range.start);
                while place < range.end {
                    self.next[place] = place + 1;
                    self.touched.push(place);
                    self.from[place] = one;
                    looked_at.push(place);
                    self.looks += 1;
                    match self.item[place] {
                        Some(other) => queue.push_back(other),
                        None => return self.shift(place),
                    }
                    place = self.unseen_from(place + 1);
                }
            }
        }
        for place in looked_at {
            self.is_closed[place] = true;
        }
        self.touched.clear();
    }

    /// Moves everybody on the way to this place.
    fn shift(&mut self, place: usize) {
        let mut place = Some(place);
        while let Some(to) = place {
            let item = self.from[to];
            self.item[to] = Some(item);
            place = self.place[item].replace(to);
        }
        for place in self.touched.drain(..) {
            self.next[place] = if self.is_closed[place] { place + 1 } else { place };
        }
    }

    /// The first place from this one on that was not looked at, or the number of places.
    fn unseen_from(&mut self, start: usize) -> usize {
        let mut end = start;
        while self.next[end] != end {
            end = self.next[end];
        }
        let mut at = start;
        while self.next[at] != at {
            let next = std::mem::replace(&mut self.next[at], end);
            self.touched.push(at);
            at = next;
        }
        end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The most items that can have places, by trying all ways.
    fn most(ranges: &[[Range<usize>; 2]], taken: &mut Vec<usize>) -> usize {
        let Some((first, rest)) = ranges.split_first() else { return 0 };
        let mut best = most(rest, taken);
        for place in first.iter().cloned().flatten() {
            if !taken.contains(&place) {
                taken.push(place);
                best = best.max(1 + most(rest, taken));
                taken.pop();
            }
        }
        best
    }

    #[test]
    fn as_many_have_places_as_can_and_nobody_loses_one() {
        let mut state = 1_usize;
        let mut number = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        for _ in 0..3000 {
            let (items, places) = (1 + number(5), 1 + number(5));
            let mut range = |from: usize, to: usize| {
                let (one, other) = (from + number(to - from + 1), from + number(to - from + 1));
                one.min(other)..one.max(other)
            };
            let half = places / 2;
            let ranges: Vec<_> =
                (0..items).map(|_| [range(0, half), range(half, places)]).collect();
            let mut matching = Matching::new(ranges.clone(), places);
            for item in 0..items {
                let had: Vec<usize> = (0..item).filter(|&item| matching.has_place(item)).collect();
                let free: Vec<usize> =
                    (0..places).filter(|&place| !matching.is_free(place)).collect();
                matching.add(item);
                assert!(had.into_iter().all(|item| matching.has_place(item)));
                assert!(free.into_iter().all(|place| !matching.is_free(place)));
            }
            let placed = (0..items).filter(|&item| matching.has_place(item)).count();
            assert_eq!(placed, most(&ranges, &mut Vec::new()), "{ranges:?}");
            for (item, place) in matching.place.iter().enumerate() {
                let Some(place) = place else { continue };
                assert_eq!(matching.item[*place], Some(item));
                assert!(ranges[item].iter().any(|range| range.contains(place)), "{ranges:?}");
            }
        }
    }

    #[test]
    fn nobody_is_in_a_closed_place() {
        let mut matching = Matching::new(vec![[0..2, 2..2], [0..2, 2..2]], 2);
        matching.close(0);
        matching.add(0);
        matching.add(1);
        assert_eq!((matching.place, matching.item), (vec![Some(1), None], vec![None, Some(0)]));
    }
}
