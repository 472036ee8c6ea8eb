//! All states in which a right service can be, along the record of a script.

use std::collections::{BTreeMap, BTreeSet};

use contract::View;

use super::{
    record::{End, Played},
    rules::{Now, State},
    times::Times,
    why::{Broken, Case},
};

/// More possibilities than this are not followed.
const POSSIBILITIES_MAX: usize = 20_000;

/// What came of a script.
pub(super) enum Outcome {
    /// Every answer was allowed.
    Right,
    /// An answer was not.
    Wrong(Broken),
    /// There were too many possibilities.
    Undecided,
}

/// One possibility: a state, and what has become of the requests that are under way.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Possibility {
    pub(super) state: State,
    /// By place among the script's requests: it has arrived, and perhaps its answer is on its way.
    arrived: BTreeMap<usize, Option<View>>,
}

/// Follows the script to its end, or to the first answer that no right service gives.
pub(super) fn follow(script: &Played) -> Outcome {
    let times = Times::of(script);
    let mut latest = 0;
    let mut under_way: BTreeSet<usize> = BTreeSet::new();
    let mut possible = BTreeSet::from([Possibility::default()]);
    for (at, moment) in times.moments().iter().enumerate() {
        if moment.is_call {
            under_way.insert(moment.act);
        } else if let Some(End { view, .. }) = &script.acts[moment.act].end {
            let answers =
                |one: &Possibility| one.arrived.get(&moment.act) == Some(&Some(view.clone()));
            let before = std::mem::take(&mut possible);
            possible = before.iter().filter(|one| answers(one)).cloned().collect();
            if possible.is_empty() {
                // What nobody was told yet may never have been.
                let (known, others): (Vec<&State>, Vec<&State>) =
                    before.iter().map(|one| &one.state).partition(|state| state.view.num <= latest);
                let states = if known.is_empty() { others } else { known };
                // Between the moment before and this one it was last possible to answer so.
                let case = Case { times: &times, moment: at - 1, act: moment.act, states };
                return Outcome::Wrong(case.explain(view));
            }
            under_way.remove(&moment.act);
            possible = possible.into_iter().map(|one| one.without(moment.act)).collect();
            latest = view.num.max(latest);
        }
        match grown(possible, &under_way, &times, at) {
            Some(grown) => possible = grown,
            None => return Outcome::Undecided,
        }
    }
    Outcome::Right
}

/// With everything that can happen between this moment and the next; `None`: that is too much.
fn grown(
    possible: BTreeSet<Possibility>,
    under_way: &BTreeSet<usize>,
    times: &Times<'_>,
    moment: usize,
) -> Option<BTreeSet<Possibility>> {
    let mut open: Vec<Possibility> = possible.iter().cloned().collect();
    let mut known = possible;
    while let Some(one) = open.pop() {
        for next in one.next(under_way, times, moment) {
            if known.insert(next.clone()) {
                open.push(next);
            }
        }
        if known.len() > POSSIBILITIES_MAX {
            return None;
        }
    }
    Some(known)
}

impl Possibility {
    fn without(mut self, act: usize) -> Self {
        self.arrived.remove(&act);
        self
    }

    /// Everything that can happen next: the view changes, a request arrives, an answer leaves.
    fn next(&self, under_way: &BTreeSet<usize>, times: &Times<'_>, moment: usize) -> Vec<Self> {
        let acts = times.acts();
        let arrived: BTreeMap<&str, usize> = self
            .arrived
            .keys()
            .filter_map(|act| Some((acts[*act].ping.as_ref()?.node.as_str(), *act)))
            .collect();
        let now = Now { times, moment, arrived: &arrived };
        let changed = self.state.next(&now).into_iter().map(|view| {
            let state = State::changed(view);
            Self { state, arrived: self.arrived.clone() }
        });
        let mut next: Vec<Self> = changed.collect();
        if self.state.due(&now).is_some() {
            // Nothing else may happen before that.
            return next;
        }
        for act in under_way {
            let mut one = self.clone();
            match self.arrived.get(act) {
                Some(Some(_)) => continue,
                Some(None) => {
                    one.arrived.insert(*act, Some(self.state.view.clone()));
                }
                None => {
                    if let Some(ping) = &acts[*act].ping {
                        one.state.take(ping, *act);
                    }
                    one.arrived.insert(*act, None);
                }
            }
            next.push(one);
        }
        next
    }
}
