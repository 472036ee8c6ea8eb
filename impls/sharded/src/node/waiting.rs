//! Clients that wait: for the protocol's answer, for a decision, or for a lock to be free.

use std::collections::{BTreeMap, BTreeSet};

use contract::{Answer, Request};
use node::{Effects, Replicates, Token};

use super::Node;
use crate::{carried::Carried, wait::Wait};

/// After so long a client gets what there is.
const PATIENCE_MS: u64 = 2_000;
/// The longest pause before a lock, or an attempt that failed, is tried again. Random, so that two transactions that stand in
/// each other's way do not meet again.
const PAUSE_MS: u64 = 30;

#[derive(Debug)]
struct Client {
    request: Request,
    since_ms: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The protocol has the request.
    Asked,
    /// The transaction has begun.
    Undecided,
    /// To be asked again, or earlier, once its keys are free.
    Pausing { until_ms: u64, for_locks: bool },
}

/// The clients that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    clients: BTreeMap<Token, Client>,
}

impl Waiting {
    pub(super) fn begin(&mut self, token: Token, request: Request, now_ms: u64) {
        let client = Client { request, since_ms: now_ms, state: State::Asked };
        self.clients.insert(token, client);
    }

    /// The request is handed on later.
    pub(super) fn pause<P: Replicates<Application = Carried>>(
        &mut self,
        token: Token,
        effects: &mut Effects<Node<P>>,
    ) {
        if let Some(client) = self.clients.get_mut(&token) {
            client.state = State::pausing(false, effects);
        }
    }

    /// The protocol's answer goes to the client, unless it only says that something must be waited for.
    pub(super) fn on_answer<P: Replicates<Application = Carried>>(
        &mut self,
        token: Token,
        answer: Answer,
        effects: &mut Effects<Node<P>>,
    ) {
        let now_ms = effects.now_ms();
        let client = self.clients.get_mut(&token);
        let patient = client.filter(|client| now_ms < client.since_ms + PATIENCE_MS);
        match (Wait::of(&answer), patient) {
            (Some(Wait::Undecided), Some(client)) => client.state = State::Undecided,
            (Some(Wait::Locked), Some(client)) => client.state = State::pausing(true, effects),
            _ => {
                self.clients.remove(&token);
                effects.reply(token, answer);
            }
        }
    }

    /// This node does not lead any more: whoever waits for a decision does not learn it here.
    pub(super) fn give_up<P: Replicates<Application = Carried>>(
        &mut self,
        effects: &mut Effects<Node<P>>,
    ) {
        self.clients.retain(|token, client| {
            match client.state {
                State::Asked => return true,
                State::Undecided => effects.reply(*token, Wait::Undecided.answer()),
                State::Pausing { .. } => effects.reply(*token, Wait::Locked.answer()),
            }
            false
        });
    }
}

impl State {
    fn pausing<P: Replicates<Application = Carried>>(
        for_locks: bool,
        effects: &mut Effects<Node<P>>,
    ) -> Self {
        let until_ms = effects.now_ms() + 1 + effects.random_below(PAUSE_MS);
        Self::Pausing { until_ms, for_locks }
    }
}

impl<P: Replicates<Application = Carried>> Node<P> {
    /// Answers whose transactions are decided, and tries again what could not be done before.
    pub(super) fn answer_waiting(&mut self, effects: &mut Effects<Self>) {
        let now_ms = effects.now_ms();
        let Carried::Group(group) = self.inner.application() else { return };
        let mut again = Vec::new();
        // Of those that wait for the same key one goes on, the one that came first.
        let mut taken: BTreeSet<String> = BTreeSet::new();
        self.waiting.clients.retain(|token, client| {
            let is_late = now_ms >= client.since_ms + PATIENCE_MS;
            match client.state {
                State::Asked => return true,
                State::Undecided => match group.answer_to(&client.request) {
                    Some(answer) => effects.reply(*token, answer),
                    None if group.coordinates(&client.request) => {
                        if is_late {
                            effects.reply(*token, Wait::Undecided.answer());
                        }
                        return !is_late;
                    }
                    // The shard that would remember the answer is not here any more.
                    None if !group.has_home_of(&client.request) => {
                        effects.reply(*token, Wait::Undecided.answer());
                    }
                    None => {
                        // That attempt was aborted.
                        client.state = State::pausing(false, effects);
                        return true;
                    }
                },
                State::Pausing { .. } if is_late => effects.reply(*token, Wait::Locked.answer()),
                State::Pausing { until_ms, for_locks } => {
                    let keys = client.request.op.keys();
                    let is_free = || {
                        let is_taken = keys.iter().any(|key| taken.contains(*key));
                        for_locks && !is_taken && !group.is_locked(&client.request.op)
                    };
                    if now_ms >= until_ms || is_free() {
                        taken.extend(keys.iter().map(|key| (*key).to_owned()));
                        again.push((*token, client.request.clone()));
                        client.state = State::Asked;
                    }
                    return true;
                }
            }
            false
        });
        for (token, request) in again {
            self.ask(token, request, effects);
        }
    }

    /// Hands a client's request to the protocol. One that would begin a transaction over groups waits, where the group is about to
    /// leave its configuration: it could not leave it with locks.
    pub(super) fn ask(&mut self, token: Token, request: Request, effects: &mut Effects<Self>) {
        let now_ms = effects.now_ms();
        let begins = self.led().is_some_and(|group| {
            group.spans_groups(&request.op) && self.migration.is_draining(group, now_ms)
        });
        if begins {
            self.waiting.pause(token, effects);
        } else {
            self.step(effects, |inner, inside| inner.on_request(token, request, inside));
        }
    }
}
