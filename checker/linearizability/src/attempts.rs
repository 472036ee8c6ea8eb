//! A portfolio of searches, for a history that only a search decides.
//!
//! Depth first is quick where many orders exist, breadth first where none does, and sometimes a window of the history
//! shows that none does. Which is quickest is not known in advance, and one may take forever where another takes a
//! moment. So all of them run side by side with a small budget, and go on with a larger one. Which of them decides does
//! not depend on the number of threads, and so the report does not, either.
//!
//! What each wins, as a row of `cargo run --example hard` without it tells: depth first, `kv 1000/50 right` (11 times as
//! many configurations); breadth first, `register 10000/25 lost write` (undecided); the windows, `register 10000/50 lost
//! write`, seed 2 (6 times); to look for an impossible operation, and to do so before the race, `cas 1000/50 phantom` (22
//! times).

mod attempt;

use std::sync::Arc;

use attempt::{Attempt, Kind};

use crate::answer::{Answer, Evidence};
use crate::limits::{Budget, Explained, Stop};
use crate::parallel::{Cancelled, race};
use crate::problem::{self, Item, Prepared};
use crate::refute::{self, Space};
use crate::search::{Running, Strategy, start};
use crate::{CallOf, Model, Statistics, certificate};

/// A history that needs a search, made ready for all attempts.
pub(crate) struct Portfolio<'a, M: Model> {
    model: &'a M,
    calls: &'a [CallOf<M>],
    items: Vec<Item<'a, M>>,
    prepared: Arc<Prepared<'a, M>>,
    phase: Phase,
    /// What the first phase may visit.
    first_nodes: Option<u64>,
    /// Where an object has not too many states.
    space: Option<Space<M>>,
    attempts: Vec<Attempt<'a>>,
    /// How far any attempt came, and the operation where it stood.
    explained: Explained,
    stuck: Option<usize>,
}

/// Which searches run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nearly every history is decided by a little of depth first.
    First,
    /// All attempts.
    Race,
    /// None had enough memory beside the others: one after the other gets all of it.
    Alone(Strategy),
}

/// What the states may take of the memory: one part of so many. Each window begins with two copies of them.
const SPACE_DIVISOR: u64 = 8 * (1 + 2 * refute::SIZES.len() as u64);

impl<'a, M: Model> Portfolio<'a, M> {
    pub(crate) fn new(model: &'a M, calls: &'a [CallOf<M>]) -> Self {
        let items = problem::items::<M>(calls);
        Self {
            model,
            calls,
            prepared: Arc::new(Prepared::new(model, &items)),
            items,
            phase: Phase::First,
            first_nodes: None,
            space: None,
            attempts: Vec::new(),
            explained: Explained::default(),
            stuck: None,
        }
    }

    /// Goes on within this budget, and replays what was found. What was visited before counts.
    pub(crate) fn decide(&mut self, budget: &Budget<'_>, statistics: &mut Statistics) -> Answer {
        let first_nodes = *self.first_nodes.get_or_insert(budget.nodes);
        let budget = match self.phase {
            Phase::First => &Budget { nodes: first_nodes, ..*budget },
            Phase::Race | Phase::Alone(_) => budget,
        };
        self.prepare(budget);
        let answer = self.race(budget, statistics);
        let Answer::Stopped(stop, explained) = answer else { return answer };
        if matches!(stop, Stop::Time | Stop::Cancelled) {
            return answer;
        }
        let next = match self.phase {
            Phase::First => {
                if let Some(impossible) = self.impossible(budget) {
                    statistics.attempt = Some("an impossible operation");
                    return Answer::Violation(Evidence::Suspects(vec![impossible as usize]));
                }
                Some(Phase::Race).filter(|_| matches!(stop, Stop::Nodes | Stop::Memory))
            }
            Phase::Race | Phase::Alone(_) if self.attempts.iter().any(Attempt::is_active) => {
                Some(self.phase)
            }
            Phase::Race => Some(Phase::Alone(Strategy::Depth)),
            Phase::Alone(Strategy::Depth) => Some(Phase::Alone(Strategy::Breadth)),
            Phase::Alone(Strategy::Breadth) => None,
        };
        let Some(next) = next else { return answer };
        self.enter(next);
        Answer::Stopped(Stop::Nodes, explained)
    }

    /// Forgets all that it would go on with.
    pub(crate) fn forget(&mut self) {
        self.attempts.clear();
        self.space = None;
    }

    /// What there was not memory enough for is tried once more.
    pub(crate) fn begin_again(&mut self) {
        self.phase = Phase::First;
        self.forget();
    }

    /// There is more memory than before.
    pub(crate) fn gets_more_memory(&mut self) {
        if matches!(self.phase, Phase::Alone(_)) {
            self.begin_again();
        }
    }

    /// What no state allows.
    fn impossible(&mut self, budget: &Budget<'_>) -> Option<u32> {
        self.find_space(budget);
        self.space.as_ref()?.impossible(&self.items)
    }

    fn find_space(&mut self, budget: &Budget<'_>) {
        let memory_bytes = budget.memory_bytes / SPACE_DIVISOR;
        self.space = Space::of(self.model, &self.items, memory_bytes);
    }

    /// Ends what has no place in the next phase.
    fn enter(&mut self, phase: Phase) {
        if phase == self.phase {
            return;
        }
        self.phase = phase;
        let Phase::Alone(strategy) = phase else { return self.attempts.clear() };
        self.space = None;
        self.attempts
            .retain(|attempt| attempt.kind == Kind::Whole(strategy) && attempt.search.is_some());
        self.attempts.iter_mut().for_each(|attempt| attempt.waits_for_memory = false);
    }

    /// Begins what is to be tried and was not.
    fn prepare(&mut self, budget: &Budget<'_>) {
        if self.phase == Phase::Race && self.space.is_none() {
            self.find_space(budget);
        }
        let kinds: Vec<Kind> = match self.phase {
            Phase::First => vec![Kind::Whole(Strategy::Depth)],
            Phase::Alone(strategy) => vec![Kind::Whole(strategy)],
            Phase::Race => {
                let whole = [Strategy::Depth, Strategy::Breadth].map(Kind::Whole);
                whole.into_iter().chain(self.windows()).collect()
            }
        };
        self.attempts.retain(|attempt| kinds.contains(&attempt.kind));
        for (place, kind) in kinds.into_iter().enumerate() {
            if self.attempts.get(place).is_none_or(|attempt| attempt.kind != kind) {
                let search = self.begin(kind);
                let begun = Attempt { kind, search, waits_for_memory: false, nodes: 0 };
                self.attempts.insert(place, begun);
            }
        }
    }

    /// Windows that end where the search got stuck.
    fn windows(&self) -> Vec<Kind> {
        let until = self.stuck.and_then(|stuck| self.calls[stuck].ret);
        let Some(until) = until.filter(|_| self.space.is_some()) else { return Vec::new() };
        let starts = refute::starts(&self.items, until, &refute::SIZES);
        starts.into_iter().map(|from| Kind::Window(from, until)).collect()
    }

    fn begin(&self, kind: Kind) -> Option<Box<dyn Running + 'a>> {
        match kind {
            Kind::Whole(strategy) => {
                Some(start(Arc::clone(&self.prepared), vec![self.model.initial()], strategy))
            }
            Kind::Window(from, until) => {
                let space = self.space.as_ref()?;
                Some(Box::new(space.search(self.model, &self.items, from, until)))
            }
        }
    }

    /// The answer of the first attempt that decides.
    fn race(&mut self, budget: &Budget<'_>, statistics: &mut Statistics) -> Answer {
        let is_alone = self.phase != Phase::Race;
        let active: Vec<_> =
            self.attempts.iter_mut().filter(|attempt| attempt.is_active()).collect();
        let ask = |attempt: &mut Attempt<'a>, race: Cancelled<'_>| {
            let divisor = if is_alone { 1 } else { attempt.kind.memory_divisor() };
            let memory_bytes = budget.memory_bytes / divisor;
            let budget = Budget { memory_bytes, race: Some(race), ..*budget };
            let before = attempt.nodes;
            let found = attempt.go_on(&budget);
            (attempt.kind, attempt.nodes - before, found)
        };
        let answers = race(active, budget.threads, ask, |(kind, _, found)| kind.decides(found));
        let mut stopped: Option<Stop> = None;
        for (kind, nodes, found) in answers {
            if kind.decides(&found) {
                statistics.attempt = Some(kind.name());
            }
            statistics.nodes += nodes;
            statistics.memory_bytes = statistics.memory_bytes.max(found.spent.memory_bytes);
            match (kind, found.answer) {
                (Kind::Whole(_), Ok(Some(order))) => return self.replayed(&order),
                (Kind::Whole(_), Ok(None)) => {
                    let suspects = self.sources(&found.suspects);
                    return Answer::Violation(Evidence::Suspects(suspects));
                }
                (Kind::Window(..), Ok(None)) => {
                    let suspects = self.stuck.into_iter().collect();
                    return Answer::Violation(Evidence::Suspects(suspects));
                }
                (Kind::Window(..), Ok(Some(_))) => {}
                (kind, Err(stop)) => {
                    stopped = Some(stopped.map_or(stop, |first| first.or(stop)));
                    if matches!(kind, Kind::Whole(_)) && found.explained >= self.explained {
                        self.explained = found.explained;
                        self.stuck = self.sources(&found.suspects).first().copied();
                    }
                }
            }
        }
        Answer::Stopped(stopped.unwrap_or(Stop::Nodes), self.explained)
    }

    fn replayed(&self, order: &[u32]) -> Answer {
        if certificate::is_legal(self.model, self.calls, order) {
            return Answer::Valid;
        }
        Answer::Unsound(
            "Internal error: the order that was found does not replay; the model's `step` and its \
             `effects` contradict each other."
                .to_owned(),
        )
    }

    /// The positions of required operations.
    fn sources(&self, required: &[u32]) -> Vec<usize> {
        let all = &self.prepared.problem.required;
        required.iter().map(|&op| all[op as usize].source as usize).collect()
    }
}
