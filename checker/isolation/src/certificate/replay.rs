//! An order is believed once it was carried out: each read sees what the level says, and nobody is in the wrong place.
//!
//! Shares nothing with the search, so that a mistake there cannot make a history valid.

use rustc_hash::FxHashMap;

use super::level::{Level, Shape};
use crate::history::{History, Micro};
use crate::ids::{NONE, Txn, Version};
use crate::{Order, Outcome};

/// The start or the commit of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) txn: Txn,
    pub(crate) is_commit: bool,
}

/// Why an order does not show that the level is kept: the transaction that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Misfit(pub(crate) Txn);

/// Carries the events out. How many transactions there were.
pub(crate) fn replay(
    history: &History,
    level: Level,
    events: impl Iterator<Item = Event>,
) -> Result<usize, Misfit> {
    let mut replay = Replay::new(history, level);
    for event in events {
        replay.carry_out(event)?;
    }
    match history.committed().find(|&txn| replay.commits[txn as usize] == NONE) {
        Some(missing) => Err(Misfit(missing)),
        None => Ok(replay.committed),
    }
}

/// What a key holds.
#[derive(Clone, Copy)]
struct Held {
    /// Of a register, the version; `NONE` is the initial one.
    version: Version,
    /// Of a list, its length, and whether it is the start of the longest list read.
    len: u32,
    is_prefix: bool,
    /// When it was installed.
    at: u32,
}

struct Replay<'a> {
    history: &'a History,
    level: Level,
    now: u32,
    committed: usize,
    held: Vec<Held>,
    starts: Vec<u32>,
    commits: Vec<u32>,
    /// The last invocation of those that started.
    last_call: Option<u32>,
    /// The same by process.
    last_calls: FxHashMap<u64, u32>,
    own: Vec<(u32, Held)>,
}

impl<'a> Replay<'a> {
    fn new(history: &'a History, level: Level) -> Self {
        let nothing = Held { version: NONE, len: 0, is_prefix: true, at: 0 };
        Self {
            history,
            level,
            now: 0,
            committed: 0,
            held: vec![nothing; history.keys()],
            starts: vec![NONE; history.len()],
            commits: vec![NONE; history.len()],
            last_call: None,
            last_calls: FxHashMap::default(),
            own: Vec::new(),
        }
    }

    fn carry_out(&mut self, Event { txn, is_commit }: Event) -> Result<(), Misfit> {
        self.now += 1;
        let is_right = if is_commit { self.commit(txn) } else { self.start(txn) };
        if is_right { Ok(()) } else { Err(Misfit(txn)) }
    }

    /// Every read sees the snapshot, and what the transaction wrote itself.
    fn start(&mut self, txn: Txn) -> bool {
        if self.history.outcome(txn) == Outcome::Fail || self.starts[txn as usize] != NONE {
            return false;
        }
        self.starts[txn as usize] = self.now;
        let call = self.history.calls[txn as usize];
        let latest = |last: Option<u32>| Some(last.map_or(call, |last| last.max(call)));
        match self.level.order {
            Order::Data => {}
            Order::Process => {
                let process = self.history.header(txn).process;
                let last = latest(self.last_calls.get(&process).copied());
                self.last_calls.extend(last.map(|last| (process, last)));
            }
            Order::Realtime => self.last_call = latest(self.last_call),
        }
        self.own.clear();
        self.history.micros_of(txn).iter().all(|&micro| self.does(micro))
    }

    fn does(&mut self, micro: Micro) -> bool {
        let key = micro.key();
        let own = self.own.iter().position(|(other, _)| *other == key);
        let held = own.map_or(self.held[key as usize], |at| self.own[at].1);
        match micro {
            Micro::Write { version, .. } => {
                let after = self.after(key, held, version);
                match own {
                    Some(at) => self.own[at].1 = after,
                    None => self.own.push((key, after)),
                }
                true
            }
            Micro::Value { version, .. } => {
                held.version == version
                    || held.version == NONE && self.history.names.is_initial(version)
            }
            Micro::Prefix { len, .. } => held.is_prefix && held.len == len,
            Micro::Divergent { .. } => false,
            Micro::Unknown { .. } => true,
        }
    }

    fn after(&self, key: u32, held: Held, version: Version) -> Held {
        let next = self.history.order_of(key).get(held.len as usize);
        Held {
            version,
            len: held.len + 1,
            is_prefix: held.is_prefix && next == Some(&version),
            at: self.now,
        }
    }

    /// Nobody installed a version of the same keys since the start, and nobody who comes later has started.
    fn commit(&mut self, txn: Txn) -> bool {
        let start = self.starts[txn as usize];
        if start == NONE || self.commits[txn as usize] != NONE {
            return false;
        }
        if self.level.shape == Shape::Serial && start + 1 != self.now {
            return false;
        }
        self.commits[txn as usize] = self.now;
        self.committed += 1;
        for position in self.history.span(txn) {
            let Micro::Write { key, version } = self.history.micros[position] else { continue };
            let held = self.held[key as usize];
            if held.at > start && held.at != self.now {
                return false;
            }
            self.held[key as usize] = self.after(key, held, version);
        }
        let last = match self.level.order {
            Order::Data => None,
            Order::Process => self.last_calls.get(&self.history.header(txn).process).copied(),
            Order::Realtime => self.last_call,
        };
        last.is_none_or(|last| self.history.returns[txn as usize] > last)
    }
}

#[cfg(test)]
mod tests {
    use super::super::level::LEVELS;
    use super::*;
    use crate::{Consistency, notation};

    /// Whether an order of starts and commits, as `s0 c0 s1 c1`, shows that the history keeps the level.
    fn shows(text: &str, level: Consistency, order: &str) -> bool {
        let (datatype, transactions) = notation::parse(text).expect("a history");
        let history = History::from_transactions(datatype, &transactions).unwrap();
        let level = LEVELS.into_iter().find(|known| known.model == level).expect("such a level");
        let events = order.split_whitespace().map(|word| Event {
            txn: word[1..].parse().expect("a number"),
            is_commit: word.starts_with('c'),
        });
        replay(&history, level, events).is_ok()
    }

    const STRICT: Consistency = Consistency::StrictSerializable;
    const SERIALIZABLE: Consistency = Consistency::Serializable;
    const SNAPSHOT: Consistency = Consistency::SnapshotIsolation;

    #[test]
    fn a_read_sees_the_last_write_before_it() {
        assert!(shows("wx1 / rx1", SERIALIZABLE, "s0 c0 s1 c1"));
        assert!(!shows("wx1 / rx1", SERIALIZABLE, "s1 c1 s0 c0"));
        assert!(!shows("wx1 / wx2 / rx1", SERIALIZABLE, "s0 c0 s1 c1 s2 c2"));
        assert!(shows("ax1 / ax2 / rx21", SERIALIZABLE, "s1 c1 s0 c0 s2 c2"));
        assert!(!shows("ax1 / ax2 / rx21", SERIALIZABLE, "s0 c0 s1 c1 s2 c2"));
        assert!(!shows("wx1 rx2 / wx2", SERIALIZABLE, "s1 c1 s0 c0"));
    }

    #[test]
    fn everybody_is_there_once_and_nobody_who_failed() {
        assert!(!shows("wx1 / rx_", SERIALIZABLE, "s1 c1"));
        assert!(!shows("wx1 / rx_", SERIALIZABLE, "s1 c1 s0 c0 s1 c1"));
        assert!(!shows("wx1 / rx_", SERIALIZABLE, "s1 c1 c0"));
        assert!(!shows("wx1 ! / rx_", SERIALIZABLE, "s1 c1 s0 c0"));
        assert!(shows("wx1 ? / rx_", SERIALIZABLE, "s1 c1"));
        assert!(shows("wx1 ? / rx1", SERIALIZABLE, "s0 c0 s1 c1"));
    }

    #[test]
    fn time_is_kept_where_the_level_respects_it() {
        let later = "[wx1] / [ ]     [rx_]".replace("[ ]", "");
        assert!(shows(&later, SERIALIZABLE, "s1 c1 s0 c0"));
        assert!(!shows(&later, STRICT, "s1 c1 s0 c0"));
        let session = Consistency::StrongSessionSerializable;
        assert!(shows(&later, session, "s1 c1 s0 c0"));
        assert!(!shows("[wx1] [rx_]", session, "s1 c1 s0 c0"));
    }

    #[test]
    fn of_two_that_overlap_one_may_write_a_key() {
        assert!(shows("rx_ wy1 / ry_ wx1", SNAPSHOT, "s0 s1 c0 c1"));
        assert!(!shows("rx_ wy1 / ry_ wx1", SERIALIZABLE, "s0 s1 c0 c1"));
        assert!(!shows("rx_ wx1 / rx_ wx2", SNAPSHOT, "s0 s1 c0 c1"));
        assert!(!shows("rx_ wy1 / ry_ wx1", SNAPSHOT, "s0 c0 s1 c1"));
    }
}
