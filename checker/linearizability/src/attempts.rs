//! What a history goes through that only a search decides.
//!
//! Depth first finds an order where there are many, breadth first finds out that there is none, and a part of the
//! history may tell as much as all of it. Nobody knows in advance which is quick, and one may take forever where
//! another takes a moment: so each gets a little, side by side, and then each gets more. Which of them decides does
//! not depend on the number of threads, and so nothing does that is told.

use crate::check::Answer;
use crate::limits::{Budget, Explained, Stop};
use crate::parallel::{Outrun, race};
use crate::problem::{self, Item, Problem};
use crate::refute::{self, Space};
use crate::search::{Found, Way, search_from};
use crate::{CallOf, Model, Statistics, certificate};

/// A history that needs a search, made ready for all attempts.
pub(crate) struct Case<'a, M: Model> {
    model: &'a M,
    calls: &'a [CallOf<M>],
    items: Vec<Item<'a, M>>,
    problem: Problem<'a, M>,
    /// Not until it is needed, and not where an object has too many states.
    space: Option<Space<M>>,
    is_fresh: bool,
    /// How far any attempt came, and the operation where it stood.
    explained: Explained,
    stuck: Option<usize>,
}

/// A way to decide.
#[derive(Clone, Copy)]
enum Attempt {
    Whole(Way),
    /// The events between two times, from any state.
    Window(u64, u64),
}

/// What the states may take of the memory: one part of so many.
const SPACE_DIVISOR: u64 = 8;

impl Attempt {
    /// The same of an attempt; all are there at the same time.
    fn memory_divisor(self) -> u64 {
        match self {
            Self::Whole(Way::Depth) => 2,
            Self::Whole(Way::Breadth) => 4,
            Self::Window(..) => 8 * refute::SIZES.len() as u64,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Whole(Way::Depth) => "depth first",
            Self::Whole(Way::Breadth) => "breadth first",
            Self::Window(..) => "a window",
        }
    }

    fn decides(self, found: &Found) -> bool {
        match self {
            Self::Whole(_) => found.answer.is_ok(),
            // That a window can be explained says nothing about the rest.
            Self::Window(..) => matches!(found.answer, Ok(None)),
        }
    }
}

impl<'a, M: Model> Case<'a, M> {
    pub(crate) fn new(model: &'a M, calls: &'a [CallOf<M>]) -> Self {
        let items = problem::items::<M>(calls);
        Self {
            model,
            calls,
            problem: Problem::new(model, &items),
            items,
            space: None,
            is_fresh: true,
            explained: Explained::default(),
            stuck: None,
        }
    }

    /// Tries everything within this budget, and replays what was found.
    pub(crate) fn decide(
        &mut self,
        budget: &Budget<'_>,
        threads: usize,
        statistics: &mut Statistics,
    ) -> Answer {
        let deep = Attempt::Whole(Way::Depth);
        if !std::mem::replace(&mut self.is_fresh, false) {
            let attempts = [deep].into_iter().chain(self.others()).collect();
            return self.race(attempts, budget, threads, statistics);
        }
        // Nearly every history is decided by the first attempt.
        let stop = match self.race(vec![deep], budget, threads, statistics) {
            Answer::Stopped(stop @ (Stop::Nodes | Stop::Memory | Stop::TooConcurrent(_)), _) => {
                stop
            }
            answer => return answer,
        };
        self.space = Space::of(self.model, &self.items, budget.memory_bytes / SPACE_DIVISOR);
        if let Some(impossible) =
            self.space.as_ref().and_then(|space| space.impossible(&self.items))
        {
            statistics.attempt = Some("an impossible operation");
            return Answer::Illegal { suspects: vec![impossible as usize] };
        }
        match self.race(self.others(), budget, threads, statistics) {
            Answer::Stopped(other, explained) => Answer::Stopped(stop.unless(other), explained),
            answer => answer,
        }
    }

    /// All attempts but the first; the windows end where the search got stuck.
    fn others(&self) -> Vec<Attempt> {
        let until = self.stuck.and_then(|stuck| self.calls[stuck].ret);
        let until = until.filter(|_| self.space.is_some());
        let windows = until.into_iter().flat_map(|until| {
            let starts = refute::starts(&self.items, until, &refute::SIZES);
            starts.into_iter().map(move |from| Attempt::Window(from, until))
        });
        std::iter::once(Attempt::Whole(Way::Breadth)).chain(windows).collect()
    }

    /// The answer of the first of these that decides.
    fn race(
        &mut self,
        attempts: Vec<Attempt>,
        budget: &Budget<'_>,
        threads: usize,
        statistics: &mut Statistics,
    ) -> Answer {
        let is_alone = attempts.len() == 1;
        let ask = |attempt: Attempt, outrun: Outrun<'_>| {
            let divisor = if is_alone { 1 } else { attempt.memory_divisor() };
            let memory_bytes = budget.memory_bytes / divisor;
            let budget = Budget { memory_bytes, outrun: Some(outrun), ..*budget };
            (attempt, self.attempt(attempt, &budget))
        };
        let answers = race(attempts, threads, ask, |(attempt, found)| attempt.decides(found));
        let mut stopped: Option<Stop> = None;
        for (attempt, found) in answers {
            if attempt.decides(&found) {
                statistics.attempt = Some(attempt.name());
            }
            statistics.nodes += found.nodes;
            statistics.memory_bytes = statistics.memory_bytes.max(found.memory_bytes);
            match (attempt, found.answer) {
                (Attempt::Whole(_), Ok(Some(order))) => return self.replayed(&order),
                (Attempt::Whole(_), Ok(None)) => {
                    return Answer::Illegal { suspects: self.sources(&found.suspects) };
                }
                (Attempt::Window(..), Ok(None)) => {
                    return Answer::Illegal { suspects: self.stuck.into_iter().collect() };
                }
                (Attempt::Window(..), Ok(Some(_))) => {}
                (attempt, Err(stop)) => {
                    stopped = Some(stopped.map_or(stop, |first| first.unless(stop)));
                    if matches!(attempt, Attempt::Whole(_)) && found.explained >= self.explained {
                        self.explained = found.explained;
                        self.stuck = self.sources(&found.suspects).first().copied();
                    }
                }
            }
        }
        Answer::Stopped(stopped.unwrap_or(Stop::Nodes), self.explained)
    }

    fn attempt(&self, attempt: Attempt, budget: &Budget<'_>) -> Found {
        let from_initial = |way, budget: &Budget<'_>| {
            search_from(&self.problem, vec![self.model.initial()], way, budget)
        };
        let half = Budget { nodes: budget.nodes / 2, ..*budget };
        match (attempt, &self.space) {
            (Attempt::Window(from, until), Some(space)) => {
                space.search(self.model, &self.items, from, until, &half)
            }
            (Attempt::Whole(Way::Depth), _) => from_initial(Way::Depth, budget),
            (Attempt::Whole(Way::Breadth) | Attempt::Window(..), _) => {
                from_initial(Way::Breadth, &half)
            }
        }
    }

    fn replayed(&self, order: &[u32]) -> Answer {
        if certificate::is_legal(self.model, self.calls, order) {
            return Answer::Valid;
        }
        Answer::Unsound(
            "Internal error: the order that was found does not replay; the model's steps or its hints contradict \
             each other."
                .to_owned(),
        )
    }

    /// The positions of required operations.
    fn sources(&self, required: &[u32]) -> Vec<usize> {
        required.iter().map(|&op| self.problem.required[op as usize].source as usize).collect()
    }
}

/// For tests with histories that the first attempt decides: is there an order that replays, by the second?
#[doc(hidden)]
pub fn is_explained_breadth_first<M: Model>(model: &M, calls: &[CallOf<M>]) -> bool {
    let case = Case::new(model, calls);
    let found = case.attempt(Attempt::Whole(Way::Breadth), &Budget::unlimited());
    matches!(found.answer, Ok(Some(order)) if certificate::is_legal(model, calls, &order))
}
