//! How a store behaved under load and faults: figures that decide nothing.

use std::collections::BTreeMap;

use history::words::counted;
use serde::{Deserialize, Serialize};

/// How the store behaved, as far as the record shows it. None of these figures decides a verdict. Times count in the main
/// phase; `None`: there was nothing to measure.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Behaviour {
    /// Each time that the leader was killed, paused or cut off, while enough of the others were up and connected: from the
    /// last write that it had acknowledged until a write succeeded that was called after the fault had taken hold, and
    /// that no node acknowledged which was away. Once the fault is healed, any node may.
    pub fail_over_ms: Option<Times>,
    /// How many of these faults were healed before another node served: a pause may be shorter than an election time-out.
    pub fail_over_healed_before: u64,
    /// From when a fault was healed until a write succeeded that was called afterwards; of each fault that took hold.
    pub recovery_ms: Option<Times>,
    /// The longest time in which no operation succeeded.
    pub longest_outage: Option<Stretch>,
    /// The successful operation that took longest, with all its requests.
    pub longest_wait: Option<Stretch>,
    /// For how long shards were not served while they went from one group to another: from the last answer of the one, or from
    /// when somebody asked after that, to the first answer of the other.
    #[serde(default)]
    pub shards_paused_ms: Option<Times>,
    /// Of each of these moves: the successful operation on a shard that stayed which took longest meanwhile.
    #[serde(default)]
    pub beside_moves_ms: Option<Times>,
    /// What the nodes sent each other.
    pub traffic: Option<Traffic>,
    /// In how many orders messages reached the nodes.
    #[serde(default)]
    pub orders: Option<Orders>,
    /// `DS_SNAPSHOT_BYTES`: a log that grows beyond it is to be compacted; `None`: none is.
    pub snapshot_limit_bytes: Option<u64>,
    /// What each node occupied.
    pub nodes: BTreeMap<String, Occupied>,
}

/// How long something took, each time that it happened.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// How often it happened.
    pub count: u64,
    /// How often of these the record shows no end of it. These took longer than all others.
    pub never: u64,
    /// Half of them took no longer, the upper one of two in the middle; `None`: it is one without an end.
    pub median: Option<f64>,
    /// The longest; `None`: it is one without an end.
    pub max: Option<f64>,
}

impl Times {
    /// Of times in nanoseconds, as milliseconds; `None` among them is a time without an end. `None` of none.
    #[must_use]
    pub fn of(mut times_ns: Vec<Option<u64>>) -> Option<Self> {
        times_ns.sort_unstable_by_key(|ns| ns.map_or((true, 0), |ns| (false, ns)));
        let max = *times_ns.last()?;
        let median = times_ns[times_ns.len() / 2];
        let never = times_ns.iter().filter(|ns| ns.is_none()).count();
        let ms = |ns: Option<u64>| ns.map(|ns| ns as f64 / 1e6);
        Some(Self {
            count: times_ns.len() as u64,
            never: never as u64,
            median: ms(median),
            max: ms(max),
        })
    }

    /// `median 412 ms, at most 903 ms (7 times)`, with another noun for `time`.
    #[must_use]
    pub fn words(&self, noun: &str) -> String {
        let Self { count, never, median, max } = *self;
        let of = counted(usize::try_from(count).unwrap_or(usize::MAX), noun);
        let median = median.map(|ms| format!("median {}", shown(ms)));
        match (median, max) {
            (_, Some(max)) if count == 1 => format!("{} ({of})", shown(max)),
            (Some(median), Some(max)) => format!("{median}, at most {} ({of})", shown(max)),
            (median, _) => {
                let endless = format!("{never} of {of} not within the record");
                median.into_iter().chain([endless]).collect::<Vec<_>>().join("; ")
            }
        }
    }
}

/// `0.4 ms`, `412 ms`, `1.25 s`.
fn shown(ms: f64) -> String {
    match ms {
        _ if ms < 10.0 => format!("{ms:.1} ms"),
        _ if ms < 1e3 => format!("{ms:.0} ms"),
        _ => format!("{:.2} s", ms / 1e3),
    }
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stretch {
    /// When it began, since the start of the run.
    pub from_ms: f64,
    /// How long it was.
    pub lasted_ms: f64,
}

impl Stretch {
    /// From one moment to another.
    #[must_use]
    pub fn between((from_ns, to_ns): (u64, u64)) -> Self {
        let ms = |ns: u64| ns as f64 / 1e6;
        Self { from_ms: ms(from_ns), lasted_ms: ms(to_ns.saturating_sub(from_ns)) }
    }
}

/// The requests that passed from node to node in the main phase, heartbeats included, by the number of operations that
/// succeeded meanwhile. Answers are not counted, nor what the bench dropped or doubled.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Traffic {
    /// Requests.
    pub messages_per_operation: f64,
    /// Their bytes, heads included.
    pub bytes_per_operation: f64,
    /// Counted to this moment since the start of the run, where the trace ends before the main phase does.
    pub until_ms: Option<f64>,
}

/// The orders in which messages reached the nodes: three messages in a row at a node, told apart by their kinds and by whether
/// the network had done something to them. As far as the trace goes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Orders {
    /// How many different ones.
    pub different: u64,
    /// How many of them had been seen by the end of each tenth of the main phase.
    pub by_tenth: Vec<u64>,
    /// How likely the next message would have shown a new one (Good, Biometrika 1953); from 0 to 1.
    pub next_is_new: f64,
}

/// What a node occupied; `None`: nobody could see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occupied {
    /// All files in its data folder.
    pub data_bytes: Option<Extent>,
    /// Its log, as it says itself.
    pub log_bytes: Option<Extent>,
    /// The memory of its processes.
    pub memory_bytes: Option<Extent>,
}

/// How large something was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// At most, whenever the bench looked.
    pub most: u64,
    /// When it looked last: at the end one key has been overwritten, and what is not needed can be gone.
    pub end: u64,
}

impl Extent {
    /// Takes in what was seen next.
    #[must_use]
    pub fn then(before: Option<Self>, seen: u64) -> Self {
        Self { most: before.map_or(seen, |before| before.most.max(seen)), end: seen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn what_never_ended_took_longer_than_all_that_did() {
        let of = |times: &[Option<u64>]| Times::of(times.to_vec());
        let times = |count, never, median, max| Some(Times { count, never, median, max });
        assert_eq!(of(&[]), None);
        let [one, two, nine] = [MS, 2 * MS, 9 * MS].map(Some);
        assert_eq!(of(&[nine, one, two]), times(3, 0, Some(2.0), Some(9.0)));
        assert_eq!(of(&[two, one]), times(2, 0, Some(2.0), Some(2.0)));
        assert_eq!(of(&[None, one, two]), times(3, 1, Some(2.0), None));
        assert_eq!(of(&[one, None]), times(2, 1, None, None));
    }

    #[test]
    fn times_are_told_with_how_often_it_happened() {
        let told = |times_ns: &[Option<u64>]| Times::of(times_ns.to_vec()).unwrap().words("time");
        let [short, long] = [Some(412 * MS), Some(1_250 * MS)];
        assert_eq!(told(&[long]), "1.25 s (1 time)");
        assert_eq!(told(&[short, long, Some(3 * MS)]), "median 412 ms, at most 1.25 s (3 times)");
        let once = "median 412 ms; 1 of 3 times not within the record";
        assert_eq!(told(&[None, short, Some(3 * MS)]), once);
        assert_eq!(told(&[None, None]), "2 of 2 times not within the record");
    }
}
