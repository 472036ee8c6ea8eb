//! When the silence of a leader is suspicious: the φ accrual failure detector of Hayashibara, Défago, Yared and
//! Katayama (SRDS 2004).
//!
//! φ(t) = −log₁₀ P(t), where P(t) is how likely the next heartbeat comes later than t after the last one, if the times between
//! them are distributed normally with the mean and the deviation of the latest. φ = 8 means that a suspicion is wrong
//! once in 10⁸ times, as far as the model holds. A follower needs a moment to wake up at, not a level, so the
//! equation is solved for t: φ reaches its threshold a fixed number of deviations past the mean.
//!
//! A suspicion only starts an election. Paxos is safe whoever suspects whom, and when.

use std::collections::VecDeque;

/// How many deviations past the mean a silence reaches φ = 8, in tenths.
const THRESHOLD_TENTHS: u64 = 56;
/// How many intervals are remembered: five seconds of the usual heartbeats. What a bad period teaches is forgotten after that.
const WINDOW: usize = 100;
/// With fewer intervals the rhythm is not known.
const INTERVALS_MIN: usize = 10;

/// What a follower knows of the rhythm in which it hears its leader.
#[derive(Debug)]
pub struct Detector {
    heartbeat_ms: u64,
    /// A silence of this length is suspicious, as long as the rhythm is not known.
    initial_ms: u64,
    intervals_ms: VecDeque<u64>,
    /// Where the next interval begins.
    counted_ms: Option<u64>,
    /// When the leader was last heard of.
    heard_ms: u64,
}

impl Detector {
    /// A detector that expects a sign of life each `heartbeat_ms`, and at first suspects after `initial_ms`. What it hears
    /// makes it twice as quick at most, or half as quick.
    #[must_use]
    pub fn new(heartbeat_ms: u64, initial_ms: u64) -> Self {
        let intervals_ms = VecDeque::with_capacity(WINDOW + 1);
        Self { heartbeat_ms, initial_ms, intervals_ms, counted_ms: None, heard_ms: 0 }
    }

    /// Another node leads, over another link.
    pub fn forget(&mut self) {
        self.intervals_ms.clear();
        self.counted_ms = None;
    }

    /// The leader lives.
    ///
    /// Only what tells of its rhythm is counted as an interval. Signs of life between the heartbeats do not, nor do those that
    /// come in a burst after a pause, or doubled. A silence longer than all patience was an outage rather than the rhythm: it
    /// would blunt the detector for the next one.
    pub fn hear(&mut self, now_ms: u64) {
        self.heard_ms = now_ms;
        let begin_ms = *self.counted_ms.get_or_insert(now_ms);
        let interval_ms = now_ms.saturating_sub(begin_ms);
        if interval_ms < self.heartbeat_ms / 2 {
            return;
        }
        self.counted_ms = Some(now_ms);
        if interval_ms <= 2 * self.initial_ms {
            self.intervals_ms.push_back(interval_ms);
        }
        if self.intervals_ms.len() > WINDOW {
            self.intervals_ms.pop_front();
        }
    }

    /// How long the leader was silent.
    #[must_use]
    pub fn silence_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.heard_ms)
    }

    /// Whether the silence is suspicious.
    #[must_use]
    pub fn suspects(&self, now_ms: u64) -> bool {
        self.silence_ms(now_ms) >= self.patience_ms()
    }

    /// After how long a silence is suspicious.
    ///
    /// The mean has a floor, since there may be signs of life between the heartbeats that stop when the load does; so has the
    /// deviation: a rhythm without any would make the first lost heartbeat suspicious.
    #[must_use]
    pub fn patience_ms(&self) -> u64 {
        if self.intervals_ms.len() < INTERVALS_MIN {
            return self.initial_ms;
        }
        let count = self.intervals_ms.len() as u64;
        let sum: u64 = self.intervals_ms.iter().sum();
        let squares: u64 = self.intervals_ms.iter().map(|interval| interval * interval).sum();
        let mean = (sum / count).max(self.heartbeat_ms);
        let deviation = ((count * squares - sum * sum).isqrt() / count).max(self.heartbeat_ms / 2);
        (mean + deviation * THRESHOLD_TENTHS / 10).clamp(self.initial_ms / 2, 2 * self.initial_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A detector that heard its leader after each of these intervals, and the time.
    fn after(intervals_ms: impl IntoIterator<Item = u64>) -> (Detector, u64) {
        let mut detector = Detector::new(50, 300);
        let mut now_ms = 1_000_000; // clocks start anywhere
        detector.hear(now_ms);
        for interval_ms in intervals_ms {
            now_ms += interval_ms;
            detector.hear(now_ms);
        }
        (detector, now_ms)
    }

    fn patience_ms(intervals_ms: impl IntoIterator<Item = u64>) -> u64 {
        after(intervals_ms).0.patience_ms()
    }

    #[test]
    fn the_threshold_is_a_phi_of_eight() {
        // The tail of the normal distribution, integrated in small steps.
        let density = |x: f64| (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let from = THRESHOLD_TENTHS as f64 / 10.0;
        let tail: f64 =
            (0..100_000).map(|step| density(from + f64::from(step) * 1e-4) * 1e-4).sum();
        assert!((-tail.log10() - 8.0).abs() < 0.05, "φ = {}", -tail.log10());
    }

    #[test]
    fn a_steady_leader_is_suspected_soon_and_an_unsteady_one_later() {
        assert_eq!(patience_ms([50; 40]), 50 + 25 * 56 / 10);
        let one_in_five_lost = [50, 50, 50, 100].repeat(20);
        assert!((170..250).contains(&patience_ms(one_in_five_lost.clone())));
        let half_lost = [50, 100, 50, 200].repeat(20);
        assert!(patience_ms(half_lost) > patience_ms(one_in_five_lost));
        // More patient than it was at first: such a leader would be deposed by mistake.
        let nearly_all_lost = [50, 350].repeat(20);
        assert!(patience_ms(nearly_all_lost) > 350);
    }

    #[test]
    fn as_long_as_the_rhythm_is_not_known_it_is_as_patient_as_it_was_told() {
        assert_eq!(patience_ms([]), 300);
        assert_eq!(patience_ms([50; INTERVALS_MIN - 1]), 300);
        let (mut detector, _) = after([50; 40]);
        detector.forget();
        assert_eq!(detector.patience_ms(), 300);
    }

    #[test]
    fn no_rhythm_leads_beyond_the_bounds() {
        assert_eq!(patience_ms([50, 590].repeat(40)), 600);
        let mut quick = Detector::new(10, 300);
        (0..400).for_each(|number| quick.hear(number * 10));
        assert_eq!(quick.patience_ms(), 150);
    }

    #[test]
    fn signs_of_life_between_the_heartbeats_do_not_make_it_impatient() {
        assert_eq!(patience_ms([2; 2_000]), patience_ms([50; 40]));
        // Each heartbeat comes twice.
        assert_eq!(patience_ms([1, 49].repeat(40)), patience_ms([50; 40]));
    }

    #[test]
    fn neither_do_they_wipe_out_what_the_heartbeats_taught() {
        let unsteady = [50, 100, 50, 200].repeat(20);
        let then_busy = [unsteady, vec![1; 2 * WINDOW]].concat();
        assert!(patience_ms(then_busy) > patience_ms([50; 40]));
    }

    #[test]
    fn a_pause_with_the_burst_after_it_teaches_nothing() {
        let mut intervals = vec![50; 40];
        intervals.extend([2_000, 0, 0, 0, 1, 0, 0]);
        intervals.extend([50; 5]);
        assert_eq!(patience_ms(intervals), patience_ms([50; 40]));
    }

    #[test]
    fn a_bad_period_is_forgotten() {
        let bad = [50, 250].repeat(30);
        assert_eq!(patience_ms(bad.clone()), 600);
        assert_eq!(patience_ms([bad, vec![50; WINDOW]].concat()), patience_ms([50; 40]));
    }

    #[test]
    fn a_silence_is_suspicious_once_it_is_long_enough() {
        let (detector, now_ms) = after([50; 40]);
        let patience_ms = detector.patience_ms();
        assert!(!detector.suspects(now_ms + patience_ms - 1));
        assert!(detector.suspects(now_ms + patience_ms));
    }
}
