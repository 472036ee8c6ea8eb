//! Time to pixels.

use crate::axis::seconds;

use super::{LEFT, RIGHT, WIDTH};

/// The order of two events is the proof, so it must be seen however close they are.
const SEGMENT_WIDTH_MIN: f64 = 10.0;
/// A long stretch in which nothing begins or ends is shown as a break this wide.
const BREAK_WIDTH: f64 = 72.0;
/// Stretches this much longer than the usual one, and this share of all shorter ones, are long.
const BREAK_FACTOR: f64 = 8.0;
const BREAK_SHARE: f64 = 0.2;

/// Time to pixels: linear between the operations' ends, with long empty stretches cut short.
pub struct Scale {
    /// Moments and where they are drawn.
    pub stops: Vec<(u64, f64)>,
    /// The stretches cut short, by the position of their first stop.
    pub breaks: Vec<usize>,
    /// Pixels a second where nothing is cut.
    pub density: f64,
}

impl Scale {
    /// A scale on which each of these moments can be told from its neighbours.
    pub fn new(mut moments: Vec<u64>) -> Self {
        moments.sort_unstable();
        moments.dedup();
        let start = moments.first().copied().unwrap_or(0);
        if moments.len() < 2 {
            moments = vec![start, start.saturating_add(1_000_000)];
        }
        let gaps: Vec<f64> = moments.windows(2).map(|pair| seconds(pair[1] - pair[0])).collect();
        let mut sorted = gaps.clone();
        sorted.sort_by(f64::total_cmp);
        let usual = sorted[(sorted.len() - 1) / 2];
        // Each against those no longer than itself: two long stretches must not hide each other.
        let mut up_to = 0.0;
        let long = sorted.iter().copied().find(|gap| {
            up_to += gap;
            gaps.len() > 1 && *gap > BREAK_FACTOR * usual && *gap > BREAK_SHARE * up_to
        });
        let is_long = |gap: f64| long.is_some_and(|long| gap >= long);
        let breaks: Vec<usize> =
            (0..gaps.len()).filter(|&position| is_long(gaps[position])).collect();

        let (segments, broken) = (gaps.len() as f64, breaks.len() as f64);
        // Room on the right for operations that stay open.
        let room = WIDTH - LEFT - RIGHT - 50.0 - broken * BREAK_WIDTH;
        let least = SEGMENT_WIDTH_MIN.min(0.5 * room / segments);
        let shown: f64 = gaps.iter().filter(|gap| !is_long(**gap)).sum();
        let density = (room - least * (segments - broken)) / shown.max(1e-9);
        let mut x = LEFT + 10.0;
        let mut stops = vec![(moments[0], x)];
        for (position, gap) in gaps.iter().enumerate() {
            x += if is_long(*gap) { BREAK_WIDTH } else { least + gap * density };
            stops.push((moments[position + 1], x));
        }
        Self { stops, breaks, density }
    }

    /// Where a moment is drawn.
    pub fn x(&self, ns: u64) -> f64 {
        let after = self.stops.partition_point(|(at, _)| *at <= ns);
        match (after.checked_sub(1).map(|before| self.stops[before]), self.stops.get(after)) {
            (Some((from, left)), Some(&(to, right))) => {
                left + (right - left) * seconds(ns - from) / seconds(to - from)
            }
            (None, Some((_, left))) => left - 10.0,
            (Some((_, right)), None) if ns > self.end_ns() => right + 40.0,
            (Some((_, right)), None) => right,
            (None, None) => LEFT,
        }
    }

    /// The first moment.
    pub fn start_ns(&self) -> u64 {
        self.stops.first().map_or(0, |(at, _)| *at)
    }

    /// The last moment.
    pub fn end_ns(&self) -> u64 {
        self.stops.last().map_or(0, |(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_never_shown_backwards() {
        let cases: [&[u64]; 5] = [
            &[],
            &[5],
            &[0, 1, 2, 1_000_000_000, 1_000_000_001],
            &[0, u64::MAX],
            &[10, 20, 30, 40, 10_000, 20_000],
        ];
        for moments in cases {
            let scale = Scale::new(moments.to_vec());
            let xs: Vec<f64> = moments.iter().map(|at| scale.x(*at)).collect();
            assert!(xs.windows(2).all(|pair| pair[0] < pair[1]), "{moments:?} {xs:?}");
            assert!(xs.iter().all(|x| (LEFT..=WIDTH).contains(x)), "{moments:?} {xs:?}");
        }
    }

    #[test]
    fn order_is_visible_however_close() {
        let scale = Scale::new(vec![0, 1, 5_000_000_000, 10_000_000_000]);
        assert!(scale.x(1) - scale.x(0) >= SEGMENT_WIDTH_MIN);
    }

    #[test]
    fn only_an_extraordinary_gap_is_cut() {
        let ms = 1_000_000;
        assert!(Scale::new(vec![0, ms, 3 * ms, 5 * ms, 9 * ms]).breaks.is_empty());
        assert_eq!(Scale::new(vec![0, ms, 2 * ms, 9_000 * ms, 9_001 * ms]).breaks, [2]);
    }
}
