//! The scripts of the courses: MIT 6.824 lab 2 part A, DSLabs lab 2 part 1, Columbia's view service.

use contract::{View, view::Ping};

use super::script::{Heard, Round, Script};

/// A script waits so many rounds for a view, and then ends: a right service needs half of that at most.
const WAIT_ROUNDS: usize = 30;
/// So many rounds are longer than a service may leave anything undone that is due.
const LONG: usize = 16;

/// A script of the courses.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    /// Its name.
    pub name: &'static str,
    /// What happens and what must follow, in one sentence.
    pub about: &'static str,
    /// Who must be primary and backup at its end.
    goal: Goal,
    steps: &'static [&'static [Step]],
}

/// Who is primary and backup.
#[derive(Clone, Copy, Debug)]
enum Goal {
    /// These; `""`: nobody.
    Are(&'static str, &'static str),
    /// Somebody else than this server is primary. Where two fall silent at once, each service sees another one do so first.
    NotPrimary(&'static str),
}

/// Who pings, and with which number.
type Pings = &'static [(&'static str, With)];

/// A part of a script.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// For so many rounds.
    For(usize, Pings),
    /// The same, half an interval later than in other rounds: between the moments at which the others fall due.
    Between(usize, Pings),
    /// Round by round, until these are primary and backup.
    Until(Goal, Pings),
    /// Round by round, until this server is primary.
    UntilPrimary(&'static str, Pings),
    /// Somebody asks for the view.
    Look,
}

/// The number that a server pings with.
#[derive(Clone, Copy, Debug)]
enum With {
    /// That of the view it was told: as primary it acknowledges.
    Heard,
    /// 1, that of the first view: it has not taken up another one yet.
    One,
    /// 0: it has started anew.
    Zero,
}

use Step::{Between, For, Look, Until, UntilPrimary};
use With::{Heard as H, One, Zero};

const fn goal(primary: &'static str, backup: &'static str) -> Goal {
    Goal::Are(primary, backup)
}

const FIRST_PRIMARY: &[Step] = &[Look, Until(goal("n1", ""), &[("n1", Zero)])];
const ACKNOWLEDGED: &[Step] = &[For(1, &[("n1", H)])];
/// n1 is primary and n2 backup, and both know it.
const BOTH: &[Step] =
    &[Until(goal("n1", "n2"), &[("n1", H), ("n2", H)]), For(2, &[("n1", H), ("n2", H)])];
const WITH_IDLE: &[Step] = &[For(2, &[("n1", H), ("n2", H), ("n3", H)])];
const TAKEN_OVER: &[Step] = &[Until(goal("n2", ""), &[("n2", H)])];
/// n2 pings in every other round.
const SLOW: &[Step] = &[For(1, &[("n1", H)]), For(1, &[("n1", H), ("n2", H)])];

/// All of them, in the order of the courses.
pub const NAMED: [Named; 17] = [
    Named {
        name: "startup-view",
        about: "Nobody has pinged yet: the view is number 0, without primary and backup.",
        goal: goal("", ""),
        steps: &[&[Look, For(4, &[]), Look]],
    },
    Named {
        name: "first-primary",
        about: "The first server that pings becomes primary of view 1.",
        goal: goal("n1", ""),
        steps: &[FIRST_PRIMARY],
    },
    Named {
        name: "first-backup",
        about: "A second server pings: it becomes backup.",
        goal: goal("n1", "n2"),
        steps: &[FIRST_PRIMARY, ACKNOWLEDGED, BOTH],
    },
    Named {
        name: "backup-pings-first",
        about: "A second server pings before the primary has acknowledged view 1: it becomes backup only after that.",
        goal: goal("n1", "n2"),
        steps: &[FIRST_PRIMARY, &[For(LONG, &[("n2", H), ("n1", Zero)])], BOTH],
    },
    Named {
        name: "backup-takes-over",
        about: "The primary falls silent: the backup becomes primary.",
        goal: goal("n2", ""),
        steps: &[FIRST_PRIMARY, ACKNOWLEDGED, BOTH, TAKEN_OVER],
    },
    Named {
        name: "old-primary-becomes-backup",
        about: "The primary falls silent and comes back after the backup has taken over: now it becomes backup.",
        goal: goal("n2", "n1"),
        steps: &[
            FIRST_PRIMARY,
            ACKNOWLEDGED,
            BOTH,
            TAKEN_OVER,
            &[Until(goal("n2", "n1"), &[("n2", H), ("n1", H)])],
        ],
    },
    Named {
        name: "idle-third-becomes-backup",
        about: "The primary falls silent while a third server is idle: the backup becomes primary, the third one backup.",
        goal: goal("n2", "n3"),
        steps: &[
            FIRST_PRIMARY,
            ACKNOWLEDGED,
            BOTH,
            WITH_IDLE,
            &[Until(goal("n2", "n3"), &[("n2", H), ("n3", H)])],
        ],
    },
    Named {
        name: "waits-for-acknowledgement",
        about: "The primary falls silent before it has acknowledged the view, comes back in the old one, and then its backup \
                falls silent: the view changes only when the primary has acknowledged it.",
        goal: goal("n1", ""),
        steps: &[
            FIRST_PRIMARY,
            ACKNOWLEDGED,
            &[
                Until(goal("n1", "n2"), &[("n2", H), ("n1", One)]),
                For(LONG, &[("n2", H)]),
                For(LONG, &[("n1", One)]),
                Until(goal("n1", ""), &[("n1", H)]),
            ],
        ],
    },
    Named {
        name: "dead-backup-removed",
        about: "The backup falls silent: it is removed.",
        goal: goal("n1", ""),
        steps: &[FIRST_PRIMARY, ACKNOWLEDGED, BOTH, &[Until(goal("n1", ""), &[("n1", H)])]],
    },
    Named {
        name: "dead-backup-replaced",
        about: "The backup falls silent while a third server is idle: that one becomes backup.",
        goal: goal("n1", "n3"),
        steps: &[
            FIRST_PRIMARY,
            ACKNOWLEDGED,
            BOTH,
            WITH_IDLE,
            &[Until(goal("n1", "n3"), &[("n1", H), ("n3", H)])],
        ],
    },
    Named {
        name: "uninitialised-not-promoted",
        about: "Primary and backup fall silent, and an idle server pings: it has no data and does not become primary, nor when \
                the backup is back.",
        goal: Goal::NotPrimary("n3"),
        steps: &[
            FIRST_PRIMARY,
            ACKNOWLEDGED,
            BOTH,
            WITH_IDLE,
            &[Between(LONG, &[("n3", H)]), For(LONG, &[("n2", H), ("n3", H)])],
        ],
    },
    Named {
        name: "idle-not-promoted",
        about: "A primary without backup falls silent, and then another server pings: it does not become primary; the first \
                one still is when it comes back.",
        goal: goal("n1", "n2"),
        steps: &[
            FIRST_PRIMARY,
            ACKNOWLEDGED,
            &[
                For(LONG, &[]),
                For(LONG, &[("n2", H)]),
                Until(goal("n1", "n2"), &[("n1", H), ("n2", H)]),
            ],
        ],
    },
    Named {
        name: "dead-idle-not-made-backup",
        about: "An idle server falls silent, and then the backup does: the backup is removed, the idle server not taken.",
        goal: goal("n1", ""),
        steps: &[
            FIRST_PRIMARY,
            ACKNOWLEDGED,
            BOTH,
            WITH_IDLE,
            &[
                For(LONG, &[("n1", H), ("n2", H)]),
                Until(goal("n1", ""), &[("n1", H)]),
                For(LONG, &[("n1", H)]),
            ],
        ],
    },
    Named {
        name: "restarted-primary",
        about: "The primary restarts and pings with 0: it counts as dead, and the backup becomes primary.",
        goal: goal("n2", "n1"),
        steps: &[
            FIRST_PRIMARY,
            ACKNOWLEDGED,
            BOTH,
            &[
                UntilPrimary("n2", &[("n1", Zero), ("n2", H)]),
                Until(goal("n2", "n1"), &[("n2", H), ("n1", H)]),
            ],
        ],
    },
    Named {
        name: "restarted-backup",
        about: "The backup restarts and pings with 0: it counts as dead and is removed, and then taken in again.",
        goal: goal("n1", "n2"),
        steps: &[
            FIRST_PRIMARY,
            ACKNOWLEDGED,
            BOTH,
            &[
                Until(goal("n1", ""), &[("n1", H), ("n2", Zero)]),
                Until(goal("n1", "n2"), &[("n1", H), ("n2", H)]),
            ],
        ],
    },
    Named {
        name: "slow-pings",
        about: "The backup leaves out every other ping: it was never silent for long, and the view stays.",
        goal: goal("n1", "n2"),
        steps: &[FIRST_PRIMARY, ACKNOWLEDGED, BOTH, SLOW, SLOW, SLOW, SLOW, SLOW, SLOW],
    },
    Named {
        name: "consecutive-views-differ",
        about: "Primary, backup and an idle server ping all the time: there is no reason for another view, and the view stays.",
        goal: goal("n1", "n2"),
        steps: &[
            FIRST_PRIMARY,
            ACKNOWLEDGED,
            BOTH,
            &[For(LONG, &[("n1", H), ("n2", H), ("n3", H)]), Look],
        ],
    },
];

impl Named {
    /// The script, to be played.
    #[must_use]
    pub fn play(&self) -> Box<dyn Script> {
        let steps = self.steps.iter().copied().flatten().copied().collect();
        Box::new(Steps { steps, at: 0, rounds: 0 })
    }

    /// Whether the script has come to its end where this is the last view: on a busy machine servers may seem to fall silent
    /// that should not.
    #[must_use]
    pub fn has_come_to_its_end(&self, latest: &View) -> bool {
        self.goal.is(latest)
    }
}

impl Goal {
    fn is(&self, view: &View) -> bool {
        let named = |server: &Option<String>| server.clone().unwrap_or_default();
        let (now_primary, now_backup) = (named(&view.primary), named(&view.backup));
        match self {
            Self::Are(primary, backup) => now_primary == *primary && now_backup == *backup,
            Self::NotPrimary(server) => !now_primary.is_empty() && now_primary != *server,
        }
    }
}

/// Steps that are played.
struct Steps {
    steps: Vec<Step>,
    at: usize,
    /// How many rounds of the current step there were.
    rounds: usize,
}

impl Script for Steps {
    fn next(&mut self, heard: &Heard) -> Option<Round> {
        loop {
            let step = self.steps.get(self.at)?;
            let (is_done, waits, pings): (bool, bool, Pings) = match step {
                Look => (self.rounds > 0, false, &[]),
                For(rounds, pings) | Between(rounds, pings) => {
                    (self.rounds >= *rounds, false, pings)
                }
                Until(goal, pings) => (goal.is(&heard.latest), true, pings),
                UntilPrimary(server, pings) => {
                    (heard.latest.primary.as_deref() == Some(*server), true, pings)
                }
            };
            if is_done {
                (self.at, self.rounds) = (self.at + 1, 0);
                continue;
            }
            if waits && self.rounds >= WAIT_ROUNDS {
                return None;
            }
            self.rounds += 1;
            let pings = pings.iter().map(|(server, with)| with.ping(server, heard)).collect();
            return Some(Round {
                pings,
                at_once: false,
                is_between: matches!(step, Between(..)),
                looks: matches!(step, Look),
            });
        }
    }
}

impl With {
    fn ping(self, server: &str, heard: &Heard) -> Ping {
        let Ping { node, view } = heard.ping(server);
        let view = match self {
            H => view,
            One => 1,
            Zero => 0,
        };
        Ping { node, view }
    }
}
