//! A level that is an order of events holds where such an order was found and carried out.

mod closure;
mod instance;
mod level;
mod mend;
mod part;
mod proof;
mod replay;
mod schedule;
mod solve;
mod waits;
mod words;

use serde::Serialize;

use crate::budget::Budget;
use crate::history::History;
use crate::ids::Txn;
use crate::lists::Orders;
use crate::writers::Writers;
use crate::{Consistency, Datatype, Order};

use instance::Instance;
use level::{LEVELS, Level, Shape};
use mend::{Mended, mend};
use part::Part;
pub(crate) use proof::Refutation;
use replay::{Event, replay};
use schedule::{Guess, schedule, schedule_unforced};
use solve::{Solved, solve};
pub(crate) use words::DerivedReasons;

/// Why a level is known to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// The strongest level that it shows.
    pub level: Consistency,
    /// How many transactions are in the order: those that committed, and those in doubt of which somebody saw something.
    pub transactions: usize,
}

impl Certificate {
    /// `a serial order of all 12 transactions was found and replayed`.
    #[must_use]
    pub fn words(&self) -> String {
        let level = LEVELS.into_iter().find(|level| level.model == self.level);
        let (shape, order) =
            level.map_or((Shape::Serial, Order::Data), |level| (level.shape, level.order));
        let kept = match order {
            Order::Data => "",
            Order::Process => ", with each process's transactions in their order,",
            Order::Realtime => ", in line with real time,",
        };
        let what = match shape {
            Shape::Serial => "a serial order of all",
            Shape::Snapshot => "an order of the starts and commits of all",
        };
        format!("{what} {} transactions{kept} was found and replayed", self.transactions)
    }
}

/// What is known of the levels.
#[derive(Debug, Default)]
pub(crate) struct Certificates {
    pub(crate) found: Vec<Certificate>,
    /// Those for which there is no order, and why.
    pub(crate) refuted: Vec<(Level, Refutation)>,
    /// Those for which none was found within the limits.
    pub(crate) unknown: Vec<Level>,
}

impl Certificates {
    /// Of a history without anomalies that break all of the levels; `is_broken` by others that were found.
    pub(crate) fn new(
        history: &History,
        writers: &Writers,
        orders: Option<&Orders>,
        is_broken: impl Fn(Consistency) -> bool,
        budget: &mut Budget<'_>,
    ) -> Self {
        let asked = budget.options().consistency;
        let is_asked = |level: &Level| asked.implies(level.model) && !is_broken(asked);
        let open = LEVELS.into_iter().filter(|level| !is_broken(level.model));
        let (open, others): (Vec<Level>, Vec<Level>) =
            open.partition(|level| history.len() <= SMALL || is_asked(level));
        let mut certificates = Self::default();
        if history.datatype == Datatype::Register {
            certificates.unknown = others;
        }
        if open.is_empty() {
            return certificates;
        }
        let bytes = Instance::bytes(history);
        if writers.ambiguous.is_some() || !budget.goes_on() || !budget.hold(bytes) {
            certificates.unknown.extend(open);
            return certificates;
        }
        let instance = Instance::new(history, writers, orders);
        for level in open {
            certificates.decide(&instance, level, budget);
        }
        budget.give_back(bytes);
        certificates.keep_weakest();
        certificates
    }

    /// The order that shows the strongest level of all, where that is asked for and the first try finds one: then there
    /// are no cycles to look for. `None` says nothing, and counts for nothing.
    pub(crate) fn at_once(
        history: &History,
        writers: &Writers,
        orders: Option<&Orders>,
        budget: &mut Budget<'_>,
    ) -> Option<Self> {
        let [strongest, ..] = LEVELS;
        let bytes = Instance::bytes(history);
        let is_asked = budget.options().consistency == strongest.model;
        if !is_asked || writers.ambiguous.is_some() || !budget.goes_on() || !budget.has_room(bytes)
        {
            return None;
        }
        let mut trial = budget.trial(TRIAL_STEPS * history.len());
        trial.hold(bytes);
        let instance = Instance::new(history, writers, orders);
        let txns = schedule_unforced(&instance, strongest.order, &mut trial)?;
        let transactions = replay(history, strongest, serial(&txns)).ok()?;
        let found = vec![Certificate { level: strongest.model, transactions }];
        Some(Self { found, ..Self::default() })
    }

    fn decide(&mut self, instance: &Instance<'_>, level: Level, budget: &mut Budget<'_>) {
        if self.found.iter().any(|found| found.level.implies(level.model)) {
            return;
        }
        match certify(instance, level, budget) {
            Answer::Found(transactions) => {
                self.found.push(Certificate { level: level.model, transactions });
            }
            Answer::Refuted(refutation) => self.refuted.push((level, refutation)),
            Answer::Unknown => self.unknown.push(level),
        }
    }

    /// The one that shows the model, if one does.
    pub(crate) fn of(&self, model: Consistency) -> Option<&Certificate> {
        self.found.iter().find(|found| found.level.implies(model))
    }

    /// Whether the model asks for an order that was not found, or for what only such an order shows.
    pub(crate) fn is_unknown(&self, model: Consistency) -> bool {
        let item_serializable = model == Consistency::RepeatableRead;
        self.of(model).is_none()
            && self.unknown.iter().any(|level| {
                model.implies(level.model)
                    || item_serializable && level.model == Consistency::Serializable
            })
    }

    /// What refutes a level refutes those that imply it.
    fn keep_weakest(&mut self) {
        let refuted: Vec<Consistency> = self.refuted.iter().map(|(level, _)| level.model).collect();
        let follows = |level: &Level| {
            refuted.iter().any(|&weaker| weaker != level.model && level.model.implies(weaker))
        };
        self.refuted.retain(|(level, _)| !follows(level));
        self.unknown.retain(|level| !follows(level));
    }
}

enum Answer {
    Found(usize),
    Refuted(Refutation),
    Unknown,
}

/// In larger histories no order is looked for at levels that the verdict does not depend on. Of lists the dependencies
/// are known without one.
const SMALL: usize = 20_000;
/// So many steps for each transaction may be in vain before cycles are looked for.
const TRIAL_STEPS: usize = 64;
/// So often an order is mended that became wrong elsewhere.
const ROUNDS: usize = 8;

/// Tries an order, mends it where it is wrong, and at last looks for one from the start.
fn certify(instance: &Instance<'_>, level: Level, budget: &mut Budget<'_>) -> Answer {
    let history = instance.history;
    let Guess { txns, forced } = schedule(instance, level.order, budget);
    if let Ok(transactions) = replay(history, level, serial(&txns)) {
        return Answer::Found(transactions);
    }
    let mut guess = match mend_around(instance, level, &txns, &forced, budget) {
        Ok(events) => match replay(history, level, events.iter().copied()) {
            Ok(transactions) => return Answer::Found(transactions),
            Err(_) => committed(&events),
        },
        Err(answer) => return answer,
    };
    let mut together = Vec::new();
    for _ in 0..ROUNDS {
        let part = Part::new(instance, level, &guess);
        let events = match mend(&part, &mut together, budget) {
            Mended::Order { events, .. } => events,
            Mended::Refuted(refutation) => return Answer::Refuted(refutation),
            Mended::Unknown => return Answer::Unknown,
        };
        if let Ok(transactions) = replay(history, level, events.iter().copied()) {
            return Answer::Found(transactions);
        }
        guess = committed(&events);
    }
    from_the_start(&Part::new(instance, level, &guess), budget)
}

/// Orders everything at once.
fn from_the_start(part: &Part<'_>, budget: &mut Budget<'_>) -> Answer {
    match solve(part, budget) {
        Solved::Order(events) => {
            let events = events.into_iter().flat_map(|event| part.expand(event));
            let replayed = replay(part.instance.history, part.level, events);
            replayed.map_or(Answer::Unknown, Answer::Found)
        }
        Solved::Refuted(refutation) => Answer::Refuted(refutation),
        Solved::Unknown => Answer::Unknown,
    }
}

/// Mends the order around the places where it is known to be wrong, each by itself.
fn mend_around(
    instance: &Instance<'_>,
    level: Level,
    txns: &[Txn],
    places: &[usize],
    budget: &mut Budget<'_>,
) -> Result<Vec<Event>, Answer> {
    /// So many on each side.
    const SIDE: usize = 192;
    let mut events = Vec::with_capacity(2 * txns.len());
    let mut done = 0;
    for same in places.chunk_by(|a, b| a + 2 * SIDE > *b) {
        let (Some(first), Some(last)) = (same.first(), same.last()) else { continue };
        let from = first.saturating_sub(SIDE).max(done);
        let to = (last + SIDE).min(txns.len());
        events.extend(serial(&txns[done..from]));
        done = to;
        let (mut around, mut together) = (txns[from..to].to_vec(), Vec::new());
        let mut mended: Vec<Event> = serial(&around).collect();
        for _ in 0..ROUNDS {
            let part = Part::new(instance, level, &around);
            match mend(&part, &mut together, budget) {
                Mended::Order { events, is_same } => {
                    mended = events;
                    if is_same {
                        break;
                    }
                }
                Mended::Refuted(refutation) => return Err(Answer::Refuted(refutation)),
                Mended::Unknown => break,
            }
            around = committed(&mended);
        }
        events.extend(mended);
    }
    events.extend(serial(&txns[done..]));
    Ok(events)
}

fn committed(events: &[Event]) -> Vec<Txn> {
    events.iter().filter(|event| event.is_commit).map(|event| event.txn).collect()
}

/// One transaction after the other.
fn serial(txns: &[Txn]) -> impl Iterator<Item = Event> + '_ {
    txns.iter().flat_map(|&txn| [false, true].map(|is_commit| Event { txn, is_commit }))
}
