//! Every order of messages, every loss, every repetition and every crash, in a small scope.
//!
//! A message that was sent stays on its way for ever: it may arrive at any time, any number of times, or never. So an
//! acceptor that is down is one to whom nothing arrives yet, for what it knows is durable; and a proposer that crashes is
//! one that begins again in a higher ballot. Of the promises that reach a proposer only the first majority counts: one
//! action hands it any majority there is.

use std::collections::{BTreeMap, BTreeSet};

use contract::NodeId;
use single_decree::{Acceptor, Ballot, Choice, Proposer, Vote};
use stateright::{Checker, Model, Property};

/// Duelling proposers, each of which would like another value.
struct Duel {
    acceptors: usize,
    /// In how many ballots each proposer may begin at most.
    ballots: Vec<u64>,
    /// No ballot is above this round.
    rounds: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct State {
    acceptors: Vec<Acceptor<NodeId>>,
    prepare: BTreeSet<Ballot>,
    promise: BTreeSet<Promised>,
    accept: BTreeSet<Vote<NodeId>>,
    accepted: BTreeSet<(Ballot, NodeId)>,
}

/// A promise on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Promised {
    ballot: Ballot,
    by: NodeId,
    vote: Option<Vote<NodeId>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Action {
    /// A proposer begins phase 1, perhaps after a crash.
    Begin(Ballot),
    /// A `Prepare` arrives.
    Prepare(usize, Ballot),
    /// A majority of promises arrives, the last one last.
    Propose(Ballot, Vec<Promised>),
    /// An `Accept` arrives.
    Accept(usize, Vote<NodeId>),
}

fn proposer(number: usize) -> NodeId {
    format!("p{number}")
}

impl State {
    /// The values that a majority has voted for in one ballot.
    fn chosen(&self, majority: usize) -> BTreeSet<&NodeId> {
        let mut voters: BTreeMap<&Ballot, usize> = BTreeMap::new();
        for (ballot, _) in &self.accepted {
            *voters.entry(ballot).or_default() += 1;
        }
        let is_chosen = |ballot| voters.get(ballot).is_some_and(|count| *count >= majority);
        let chosen = self.accept.iter().filter(|vote| is_chosen(&vote.ballot));
        chosen.map(|vote| &vote.value).collect()
    }

    /// A promise is of no use once its proposer has proposed in that ballot, or begun anew: without it there are fewer
    /// states, and none that matters is lost.
    fn forget_useless_promises(&mut self) {
        let mut promise = std::mem::take(&mut self.promise);
        promise.retain(|Promised { ballot, .. }| {
            self.ballots_of(&ballot.node).last() == Some(ballot)
                && self.accept.iter().all(|vote| vote.ballot != *ballot)
        });
        self.promise = promise;
    }

    fn ballots_of(&self, proposer: &NodeId) -> impl Iterator<Item = &Ballot> {
        self.prepare.iter().filter(move |ballot| ballot.node == *proposer)
    }
}

impl Duel {
    fn majority(&self) -> usize {
        self.acceptors / 2 + 1
    }

    /// Every majority of promises of different acceptors. Two are one for three acceptors.
    fn majorities(&self, state: &State, ballot: &Ballot) -> Vec<Vec<Promised>> {
        assert_eq!(self.majority(), 2);
        let promised: Vec<&Promised> =
            state.promise.iter().filter(|promised| promised.ballot == *ballot).collect();
        let pairs = promised.iter().flat_map(|one| promised.iter().map(move |two| (*one, *two)));
        pairs
            .filter(|(one, two)| one.by != two.by)
            .map(|(one, two)| vec![one.clone(), two.clone()])
            .collect()
    }
}

impl Model for Duel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let acceptors = vec![Acceptor::default(); self.acceptors];
        vec![State { acceptors, ..State::default() }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (number, most) in self.ballots.iter().enumerate() {
            let node = proposer(number);
            let last = state.ballots_of(&node).map(|ballot| ballot.round).max().unwrap_or(0);
            if (state.ballots_of(&node).count() as u64) < *most {
                let ballot = |round| Ballot { round, node: node.clone() };
                actions.extend((last + 1..=self.rounds).map(|round| Action::Begin(ballot(round))));
            }
            // Whoever has begun anew has forgotten its earlier ballots.
            let Some(ballot) = state.ballots_of(&node).last() else { continue };
            if !state.accept.iter().any(|vote| vote.ballot == *ballot) {
                let majorities = self.majorities(state, ballot).into_iter();
                actions.extend(majorities.map(|some| Action::Propose(ballot.clone(), some)));
            }
        }
        for to in 0..self.acceptors {
            let prepare = state.prepare.iter().cloned();
            actions.extend(prepare.map(|ballot| Action::Prepare(to, ballot)));
            let accept = state.accept.iter().cloned();
            actions.extend(accept.map(|vote| Action::Accept(to, vote)));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Begin(ballot) => {
                state.prepare.insert(ballot);
            }
            Action::Prepare(to, ballot) => {
                state.acceptors[to].prepare(&ballot).ok()?;
                let vote = state.acceptors[to].vote().cloned();
                state.promise.insert(Promised { ballot, by: format!("a{to}"), vote });
            }
            Action::Propose(ballot, promises) => {
                let mut proposes = Proposer::new(ballot.clone(), self.majority());
                let choices = promises.into_iter().map(|it| proposes.on_promise(&it.by, it.vote));
                let value = match choices.last()?? {
                    Choice::Free => ballot.node.clone(),
                    Choice::Bound(value) => value,
                };
                state.accept.insert(Vote { ballot, value });
            }
            Action::Accept(to, vote) => {
                let ballot = vote.ballot.clone();
                state.acceptors[to].accept(vote).ok()?;
                state.accepted.insert((ballot, format!("a{to}")));
            }
        }
        state.forget_useless_promises();
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn is_chosen(duel: &Duel, state: &State, number: usize) -> bool {
            state.chosen(duel.majority()).contains(&proposer(number))
        }
        vec![
            // "Paxos Made Simple" §1: only a single value is chosen.
            Property::always("at most one value is chosen", |duel: &Self, state: &State| {
                state.chosen(duel.majority()).len() <= 1
            }),
            Property::sometimes("the first proposer's value is chosen", |duel, state| {
                is_chosen(duel, state, 0)
            }),
            Property::sometimes("the second proposer's value is chosen", |duel, state| {
                is_chosen(duel, state, 1)
            }),
            Property::sometimes("a proposer is bound to another's value", |_, state: &State| {
                state.accept.iter().any(|vote| vote.value != vote.ballot.node)
            }),
        ]
    }
}

/// Visits every state: how many there are.
fn search(ballots: &[u64], rounds: u64) -> usize {
    let duel = Duel { acceptors: 3, ballots: ballots.to_vec(), rounds };
    let checker = duel.checker().threads(2).spawn_dfs().join();
    checker.assert_properties();
    println!("{} states, all of them", checker.unique_state_count());
    checker.unique_state_count()
}

#[test]
fn two_proposers_never_choose_two_values() {
    assert!(search(&[1, 1], 2) > 1_000);
}

#[test]
fn proposers_that_begin_again_choose_no_second_value() {
    assert!(search(&[2, 2], 2) > 10_000);
}

#[test]
fn three_proposers_never_choose_two_values() {
    assert!(search(&[1, 1, 1], 2) > 10_000);
}
