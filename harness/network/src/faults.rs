//! Message faults: what happens to single requests and answers while the connection stays up.

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How likely each fault is for a message. The faults are drawn independently; a dropped request has no other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MessageFaults {
    /// The request never arrives: executed 0 times.
    pub drop_request: f64,
    /// The request arrives, its answer does not: executed once, and the sender cannot know.
    pub drop_response: f64,
    /// The request arrives twice, the second time over another connection.
    pub duplicate: f64,
    /// In half of those cases the second time is late, by up to so many milliseconds; else at once.
    pub duplicate_late_ms_max: u64,
    /// The request arrives after one that was sent later on the same link.
    pub reorder: f64,
    /// The request arrives late.
    pub delay: Option<Delay>,
}

/// A random delay, uniform over milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    /// How likely a message is delayed.
    pub probability: f64,
    /// The shortest delay.
    pub min_ms: u64,
    /// The longest delay, inclusive.
    pub max_ms: u64,
}

impl MessageFaults {
    /// The unreliable network of MIT 6.5840's `labrpc`: every request late by less than 27 ms, a tenth of the
    /// requests and a tenth of the answers lost.
    pub fn mit() -> Self {
        Self {
            drop_request: 0.1,
            drop_response: 0.1,
            delay: Some(Delay { probability: 1.0, min_ms: 0, max_ms: 26 }),
            ..Self::default()
        }
    }

    /// The unreliable network of DSLabs: every message, request or answer, is lost with probability 0.2.
    pub fn dslabs() -> Self {
        Self { drop_request: 0.2, drop_response: 0.2, ..Self::default() }
    }

    /// Whether any message can be touched.
    pub fn is_active(&self) -> bool {
        let delay = self.delay.map_or(0.0, |delay| delay.probability);
        [self.drop_request, self.drop_response, self.duplicate, self.reorder, delay]
            .iter()
            .any(|&probability| probability > 0.0)
    }
}

/// What the dice say about one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Roll {
    pub drop_request: bool,
    pub drop_response: bool,
    /// After how long.
    pub duplicate: Option<Duration>,
    pub reorder: bool,
    pub delay: Option<Duration>,
}

impl Roll {
    /// Whatever either of them says.
    pub fn and(self, other: Self) -> Self {
        Self {
            drop_request: self.drop_request || other.drop_request,
            drop_response: self.drop_response || other.drop_response,
            duplicate: self.duplicate.max(other.duplicate),
            reorder: self.reorder || other.reorder,
            delay: self.delay.max(other.delay),
        }
    }
}

/// The random decisions of one link: the n-th one depends only on the seed, the link and n.
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64, from: &str, to: &str) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..16].copy_from_slice(&fnv1a(from).to_le_bytes());
        bytes[16..24].copy_from_slice(&fnv1a(to).to_le_bytes());
        Self(ChaCha8Rng::from_seed(bytes))
    }

    pub fn roll(&mut self, faults: &MessageFaults) -> Roll {
        // Always the same number of draws, so that a change of one probability leaves the other faults where they were.
        let drop_request = self.hits(faults.drop_request);
        let drop_response = self.hits(faults.drop_response);
        let duplicate = self.hits(faults.duplicate);
        let reorder = self.hits(faults.reorder);
        let delayed = self.hits(faults.delay.map_or(0.0, |delay| delay.probability));
        let share: f64 = self.0.random();
        let delay = faults.delay.filter(|_| delayed).map(|delay| delay.at(share));
        let share = (2.0 * self.0.random::<f64>() - 1.0).max(0.0);
        let late = Duration::from_millis(faults.duplicate_late_ms_max).mul_f64(share);
        let duplicate = duplicate.then_some(late);
        Roll { drop_request, drop_response, duplicate, reorder, delay }
    }

    /// A probability that is not a number never hits.
    fn hits(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }
}

impl Delay {
    /// `share` of the way from the shortest to the longest delay.
    fn at(self, share: f64) -> Duration {
        let shortest = Duration::from_millis(self.min_ms);
        let longest = Duration::from_millis(self.max_ms);
        shortest + longest.saturating_sub(shortest).mul_f64(share)
    }
}

fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rolls(seed: u64, from: &str, faults: &MessageFaults) -> Vec<Roll> {
        let mut dice = Dice::new(seed, from, "n2");
        (0..1000).map(|_| dice.roll(faults)).collect()
    }

    #[test]
    fn the_same_seed_and_link_decide_alike() {
        let faults = MessageFaults::mit();
        assert_eq!(rolls(7, "n1", &faults), rolls(7, "n1", &faults));
        assert_ne!(rolls(7, "n1", &faults), rolls(8, "n1", &faults));
        assert_ne!(rolls(7, "n1", &faults), rolls(7, "n3", &faults));
    }

    #[test]
    fn one_probability_leaves_the_other_decisions_alone() {
        let some = MessageFaults { drop_response: 0.3, ..MessageFaults::default() };
        let more = MessageFaults { drop_request: 0.5, reorder: 0.5, ..some };
        let responses = |faults| -> Vec<bool> {
            rolls(7, "n1", faults).iter().map(|roll| roll.drop_response).collect()
        };
        assert_eq!(responses(&some), responses(&more));
    }

    #[test]
    fn rates_are_about_what_was_asked() {
        let rolls = rolls(1, "n1", &MessageFaults::mit());
        let dropped = rolls.iter().filter(|roll| roll.drop_request).count();
        assert!((60..140).contains(&dropped), "{dropped} of 1000");
        assert!(rolls.iter().all(|roll| roll.delay.is_some_and(|d| d.as_millis() < 27)));
    }

    #[test]
    fn half_of_the_copies_are_late() {
        let faults = MessageFaults {
            duplicate: 1.0,
            duplicate_late_ms_max: 1000,
            ..MessageFaults::default()
        };
        let rolls = rolls(1, "n1", &faults);
        let late = |from_ms, to_ms| {
            let is_so = |late: &Duration| (from_ms..to_ms).contains(&late.as_millis());
            rolls.iter().filter_map(|roll| roll.duplicate).filter(is_so).count()
        };
        assert!((420..580).contains(&late(0, 1)), "{}", late(0, 1));
        assert!((190..310).contains(&late(500, 1000)), "{}", late(500, 1000));
        assert_eq!(late(0, 1000), 1000);
    }

    #[test]
    fn nonsense_probabilities_do_no_harm() {
        let faults = MessageFaults {
            drop_request: f64::NAN,
            drop_response: -1.0,
            duplicate: f64::INFINITY,
            duplicate_late_ms_max: u64::MAX,
            reorder: 0.0,
            delay: Some(Delay { probability: 2.0, min_ms: u64::MAX, max_ms: 0 }),
        };
        assert!(rolls(1, "n1", &faults).iter().all(|roll| {
            !roll.drop_request
                && !roll.drop_response
                && roll.duplicate.is_some()
                && roll.delay.is_some()
        }));
    }
}
