//! Every order of pings, ticks, transfers, answers, restarts of the view service and lost disks, in a small scope.
//!
//! The view service is the real one; the servers keep the rules of their protocol and nothing else. A ping may arrive late,
//! again and again, or never, and its answer may be lost. A server that is down is one that does nothing for a while.

use std::collections::BTreeSet;

use contract::NodeId;
use primary_backup::{View, Views};
use stateright::{Checker, Model, Property};

/// A server is dead after one tick without a ping: which ones are is then up to the order of actions alone.
const DEAD_TICKS: u32 = 1;

/// A few servers and their view service.
struct Scope {
    servers: usize,
    /// No view is above this one.
    views: u64,
    /// So many requests are answered at most.
    requests: u8,
    /// So many disks are lost at most.
    losses: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    service: Views,
    /// The views by number.
    views: Vec<View>,
    servers: Vec<Server>,
    answered: u8,
    lost: u8,
}

/// What a server has on its disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Server {
    /// The view that it has entered.
    view: View,
    /// Whether it is its primary.
    leads: bool,
    /// Whether it has the state with which that view begins.
    has_state: bool,
    /// Whether it has acknowledged it, as its primary.
    acknowledged: bool,
    /// How many of the answered requests it has.
    has: u8,
    /// Not on the disk: the highest number that it ever pinged with.
    once: u64,
    /// Nor this: answers to its pings, each a view and whether that was acknowledged. They may come late and again, but not
    /// to a server that has lost its disk since.
    told: BTreeSet<(u64, bool)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Action {
    /// A ping arrives with what the server pings with now, or did once.
    Ping(usize, u64),
    /// An answer to a ping arrives, perhaps an old one.
    Learn(usize, u64, bool),
    Tick,
    /// The view service comes up again.
    Restart,
    /// The primary gives its backup the state, and acknowledges the view from then on.
    Transfer(usize, usize),
    /// The primary tells the view service that its backup does not answer.
    Complain(usize),
    /// The primary answers a request, with its backup where it must.
    Answer(usize),
    /// A server's disk is lost.
    Lose(usize),
}

fn name(server: usize) -> NodeId {
    format!("n{}", server + 1)
}

fn number(server: &str) -> usize {
    server[1..].parse::<usize>().expect("all are called n and a number") - 1
}

impl State {
    /// The backup of the view in which this server believes to be primary.
    fn backup_of(&self, primary: usize) -> Option<usize> {
        self.servers[primary].view.backup.as_deref().map(number)
    }

    /// A primary that has acknowledged its view needs its backup for each answer. Before, nobody can take its place.
    fn may_answer(&self, server: usize) -> bool {
        let me = &self.servers[server];
        let agrees = |backup: usize| {
            let backup = &self.servers[backup];
            backup.view == me.view && backup.has_state
        };
        me.leads && (!me.acknowledged || self.backup_of(server).is_none_or(agrees))
    }

    /// A disk may be lost that is not the only one with everything.
    fn may_lose(&self, server: usize) -> bool {
        let others = self.servers.iter().enumerate().filter(|(at, _)| *at != server);
        let (service, name) = (&self.service, name(server));
        let can_follow = |at: usize| {
            let view = service.view();
            view.has(&self::name(at)) && self.servers[at].has == self.answered
        };
        !service.view().has(&name)
            || (service.is_acknowledged() && others.map(|(at, _)| at).any(can_follow))
    }

    /// What the service answers now.
    fn tell(&mut self, server: usize) {
        let view = self.service.view();
        self.servers[server].told.insert((view.num, self.service.is_acknowledged()));
        if self.views.len() as u64 <= view.num {
            self.views.push(view.clone());
        }
    }

    /// The rules of `Server::on_view` and `Server::enter`.
    fn learn(&mut self, server: usize, num: u64, acknowledged: bool) {
        let view = self.views[num as usize].clone();
        let (me, name) = (&mut self.servers[server], name(server));
        let leads = view.is_primary(&name);
        let may_lead = num == 1 || (me.has_state && me.view.num + 1 == num);
        if num <= me.view.num || (acknowledged && view.has(&name)) || (leads && !may_lead) {
            return;
        }
        *me = Server {
            leads,
            has_state: leads,
            acknowledged: leads && view.backup.is_none(),
            view,
            has: me.has,
            once: me.once,
            told: std::mem::take(&mut me.told),
        };
        me.told.retain(|(known, _)| *known > num);
        me.once = me.once.max(me.num());
    }
}

impl State {
    fn transfer(&mut self, from: usize, to: usize) {
        if self.servers[from].view != self.servers[to].view {
            return;
        }
        self.servers[to].has = self.servers[from].has;
        self.servers[to].has_state = true;
        let primary = &mut self.servers[from];
        primary.acknowledged = true;
        primary.once = primary.once.max(primary.num());
    }

    fn answer(&mut self, server: usize) {
        self.answered += 1;
        self.servers[server].has += 1;
        let backup = self.backup_of(server).filter(|_| self.servers[server].acknowledged);
        if let Some(backup) = backup {
            self.servers[backup].has += 1;
        }
    }
}

impl Server {
    /// What it pings with.
    fn num(&self) -> u64 {
        self.view.num - u64::from(self.leads && !self.acknowledged)
    }
}

impl Model for Scope {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let view = View::default();
        vec![State {
            service: Views::new(view.clone(), false, DEAD_TICKS),
            views: vec![view],
            servers: vec![Server::default(); self.servers],
            answered: 0,
            lost: 0,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        actions.extend([Action::Tick, Action::Restart]);
        for (at, server) in state.servers.iter().enumerate() {
            actions.extend((0..=server.once).map(|num| Action::Ping(at, num)));
            let told = server.told.iter().filter(|(num, _)| *num > server.view.num);
            actions.extend(told.map(|(num, acknowledged)| Action::Learn(at, *num, *acknowledged)));
            if server.leads {
                let backup = state.backup_of(at).filter(|_| !server.acknowledged);
                actions.extend(backup.map(|backup| Action::Transfer(at, backup)));
                actions.push(Action::Complain(at));
            }
            if state.may_answer(at) && state.answered < self.requests {
                actions.push(Action::Answer(at));
            }
            if state.lost < self.losses && state.may_lose(at) {
                actions.push(Action::Lose(at));
            }
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Ping(at, num) => {
                state.service.ping(&name(at), num);
                state.tell(at);
            }
            Action::Learn(at, num, acknowledged) => state.learn(at, num, acknowledged),
            Action::Tick => state.service.tick(),
            Action::Restart => {
                let (view, acknowledged) =
                    (state.service.view().clone(), state.service.is_acknowledged());
                state.service = Views::new(view, acknowledged, DEAD_TICKS);
            }
            Action::Transfer(from, to) => state.transfer(from, to),
            Action::Complain(at) => {
                let num = state.servers[at].num();
                state.service.backup_is_silent(&name(at), num);
            }
            Action::Answer(at) => state.answer(at),
            Action::Lose(at) => {
                let once = state.servers[at].once;
                state.servers[at] = Server { once, ..Server::default() };
                state.lost += 1;
            }
        }
        (state != *last).then_some(state)
    }

    fn within_boundary(&self, state: &State) -> bool {
        state.service.view().num <= self.views
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always("whoever answers has all that was answered", |_, state: &State| {
                answerers(state).all(|server| server.has == state.answered)
            }),
            Property::always("no two servers may answer at once", |_, state: &State| {
                answerers(state).count() <= 1
            }),
        ];
        // That takes a third view.
        if self.views > 2 {
            properties.push(Property::sometimes(
                "a backup that took over answers",
                |scope: &Self, state: &State| {
                    let has_taken_over = |server: &Server| server.view.num > 2;
                    state.answered == scope.requests && answerers(state).any(has_taken_over)
                },
            ));
            properties.push(Property::sometimes(
                "a server that lost its disk is backup again",
                |_, state: &State| {
                    let backup = state.service.view().backup.as_deref().map(number);
                    state.lost > 0 && backup.is_some_and(|at| state.servers[at].once > 0)
                },
            ));
        }
        properties
    }
}

fn answerers(state: &State) -> impl Iterator<Item = &Server> {
    state
        .servers
        .iter()
        .enumerate()
        .filter(|(at, _)| state.may_answer(*at))
        .map(|(_, server)| server)
}

/// Visits every state: how many there are.
fn search(scope: Scope) -> usize {
    let checker = scope.checker().threads(2).spawn_dfs().join();
    checker.assert_properties();
    println!("{} states, all of them", checker.unique_state_count());
    checker.unique_state_count()
}

#[test]
fn two_servers_lose_no_answer() {
    assert!(search(Scope { servers: 2, views: 5, requests: 2, losses: 1 }) > 10_000);
}

#[test]
fn an_idle_third_server_changes_nothing() {
    assert!(search(Scope { servers: 3, views: 2, requests: 1, losses: 1 }) > 10_000);
}

#[test]
#[ignore = "takes minutes: 14,147,240 states"]
fn three_servers_lose_no_answer() {
    assert!(search(Scope { servers: 3, views: 3, requests: 1, losses: 1 }) > 10_000_000);
}
