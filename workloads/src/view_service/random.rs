//! Random scripts: servers that ping, fall silent, restart, come back, and acknowledge late.

use contract::view::Ping;

use super::{
    SERVERS,
    script::{Heard, Round, Script},
};
use crate::seeded::Seeded;

/// So many rounds has a script.
const ROUNDS: u64 = 120;
/// A server pings with 0 for at most so many rounds: where it is the only one with the state, nothing else ever happens.
const RESTARTED_ROUNDS: u64 = 30;
/// In so many of a hundred rounds something new happens, once all servers ping again.
const NEWS_PERCENT: u64 = 25;
/// In so many of a hundred rounds the pings are sent at once.
const AT_ONCE_PERCENT: u64 = 40;
/// In so many of a hundred rounds they are sent half an interval late.
const BETWEEN_PERCENT: u64 = 10;
/// In so many of a hundred rounds somebody asks for the view.
const LOOK_PERCENT: u64 = 10;

/// The script with this number, from 0: deterministic by the seed and what the servers are told.
#[must_use]
pub fn random(seed: u64, number: u32) -> Box<dyn Script> {
    let servers = SERVERS.map(|name| Server { name, mood: Mood::Pings, rounds: 0 });
    Box::new(Random { choices: Seeded::new(seed, number), servers, rounds: 0 })
}

/// Servers and what they do at random.
struct Random {
    choices: Seeded,
    servers: [Server; 3],
    rounds: u64,
}

struct Server {
    name: &'static str,
    mood: Mood,
    /// For so many more rounds.
    rounds: u64,
}

/// What a server does at the moment.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    /// It pings with the view it was told.
    Pings,
    /// It pings with the view before.
    IsLate,
    /// It does not ping, and goes on afterwards.
    IsSilent,
    /// It does not ping, and restarts afterwards.
    IsDown,
    /// It pings with 0, until it is told a view without it.
    Restarted,
}

impl Script for Random {
    fn next(&mut self, heard: &Heard) -> Option<Round> {
        self.rounds += 1;
        if self.rounds > ROUNDS {
            return None;
        }
        for server in &mut self.servers {
            server.go_on(heard);
        }
        let all_ping = self.servers.iter().all(|server| server.mood == Mood::Pings);
        if all_ping && self.choices.chance(NEWS_PERCENT) {
            self.break_something();
        }
        // Each server's own clock: the order differs from round to round.
        let first = usize::try_from(self.choices.below(3)).unwrap_or(0);
        let pings = (0..3).filter_map(|place| self.servers[(first + place) % 3].ping(heard));
        Some(Round {
            pings: pings.collect(),
            at_once: self.choices.chance(AT_ONCE_PERCENT),
            is_between: self.choices.chance(BETWEEN_PERCENT),
            looks: self.choices.chance(LOOK_PERCENT),
        })
    }
}

impl Random {
    /// One server or two have something happen to them.
    fn break_something(&mut self) {
        let (one, other) = self.choices.pair_below(3);
        let both = self.choices.chance(30);
        for number in [Some(one), Some(other).filter(|_| both)].into_iter().flatten() {
            let (mood, rounds) = match self.choices.below(10) {
                0..4 => (Mood::IsSilent, 14 + self.choices.below(10)),
                4..5 => (Mood::IsSilent, 1 + self.choices.below(6)),
                5..7 => (Mood::IsDown, 1 + self.choices.below(16)),
                7..8 => (Mood::Restarted, RESTARTED_ROUNDS),
                _ => (Mood::IsLate, 4 + self.choices.below(14)),
            };
            let server = &mut self.servers[usize::try_from(number).unwrap_or(0)];
            (server.mood, server.rounds) = (mood, rounds);
        }
    }
}

impl Server {
    /// What it does in the next round.
    fn go_on(&mut self, heard: &Heard) {
        self.rounds = self.rounds.saturating_sub(1);
        let view = heard.view_of(self.name);
        let is_in = [&view.primary, &view.backup].into_iter().flatten().any(|id| id == self.name);
        (self.mood, self.rounds) = match (self.mood, self.rounds) {
            (Mood::IsDown, 0) => (Mood::Restarted, RESTARTED_ROUNDS),
            (Mood::Restarted, _) if !is_in => (Mood::Pings, 0),
            (_, 0) => (Mood::Pings, 0),
            unchanged => unchanged,
        };
    }

    fn ping(&self, heard: &Heard) -> Option<Ping> {
        let Ping { node, view } = heard.ping(self.name);
        let view = match self.mood {
            Mood::IsSilent | Mood::IsDown => return None,
            Mood::Pings => view,
            // Not 0: it has not restarted.
            Mood::IsLate => view.saturating_sub(1).max(1).min(view),
            Mood::Restarted => 0,
        };
        Some(Ping { node, view })
    }
}
