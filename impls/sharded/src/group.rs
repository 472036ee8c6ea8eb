//! A replica group as an application: the shards that are here, those on their way, and the transactions under way.
//!
//! Everything is decided where commands are applied, in the order of the group's log: who owns a key, which keys are locked, what
//! a transaction comes to. A leader only proposes.

mod migration;
mod transactions;

use std::collections::{BTreeMap, BTreeSet};

use contract::{
    Answer, Configuration, ErrorCode, GroupId, Operation, Outcome, Refusal, Request, shard_of,
};
use kv::{Clients, Store};
use node::Application;
use serde::{Deserialize, Serialize};

use crate::{
    command::Command,
    message::Origin,
    pairs,
    transaction::{Prepare, TransactionId},
    wait::Wait,
};
use migration::Copied;
pub use migration::{Arriving, Incoming, Kept, Part};
pub use transactions::Coordinated;
use transactions::Over;

/// The state of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    id: GroupId,
    /// The configuration that it follows. It takes one after the other and leaves none out.
    configuration: Configuration,
    /// The keys of all shards that are here.
    store: Store,
    /// What the clients of each shard that is here got.
    clients: BTreeMap<usize, Clients>,
    /// Shards that are owned and not here yet.
    arriving: BTreeMap<usize, Arriving>,
    /// What has come already of shards that this group will own in the next configuration.
    ahead: BTreeMap<usize, Incoming>,
    /// Copies for the next owners of shards that are served here, by shard and the next configuration.
    #[serde(with = "pairs")]
    copies: BTreeMap<(usize, u64), Copied>,
    /// Shards that other groups own now, by shard and the configuration in which they were lost. They never change.
    #[serde(with = "pairs")]
    kept: BTreeMap<(usize, u64), Kept>,
    /// Shards that came, whose last owners may still keep them.
    #[serde(with = "pairs")]
    unsettled: BTreeMap<(usize, u64), Origin>,
    /// Who has locked which key.
    locks: BTreeMap<String, TransactionId>,
    /// Transactions of other groups for which keys are locked here.
    #[serde(with = "pairs")]
    prepared: BTreeMap<TransactionId, Prepare>,
    /// Transactions of this group that some participant has not finished.
    #[serde(with = "pairs")]
    coordinated: BTreeMap<TransactionId, Coordinated>,
    /// How many attempts of transactions have begun here.
    attempts: u64,
    /// Attempts of other groups that are over here.
    over: BTreeMap<GroupId, Over>,
}

impl Group {
    /// A group that knows no configuration but the first one.
    #[must_use]
    pub fn new(id: GroupId, shards: usize) -> Self {
        Self {
            id,
            configuration: Configuration::first(shards),
            store: Store::default(),
            clients: BTreeMap::new(),
            arriving: BTreeMap::new(),
            ahead: BTreeMap::new(),
            copies: BTreeMap::new(),
            kept: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            locks: BTreeMap::new(),
            prepared: BTreeMap::new(),
            coordinated: BTreeMap::new(),
            attempts: 0,
            over: BTreeMap::new(),
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &GroupId {
        &self.id
    }

    /// The configuration that it follows.
    #[must_use]
    pub fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The shards that are owned and on their way.
    #[must_use]
    pub fn arriving(&self) -> &BTreeMap<usize, Arriving> {
        &self.arriving
    }

    /// What has come already of shards that this group will own in the next configuration.
    #[must_use]
    pub fn ahead(&self) -> &BTreeMap<usize, Incoming> {
        &self.ahead
    }

    /// What is kept of shards that other groups own now, by shard and the configuration in which they were lost.
    #[must_use]
    pub fn kept(&self) -> &BTreeMap<(usize, u64), Kept> {
        &self.kept
    }

    /// Shards that are here, whose last owners have not said that they keep nothing.
    #[must_use]
    pub fn unsettled(&self) -> &BTreeMap<(usize, u64), Origin> {
        &self.unsettled
    }

    /// Transactions of other groups for which keys are locked here.
    #[must_use]
    pub fn prepared(&self) -> &BTreeMap<TransactionId, Prepare> {
        &self.prepared
    }

    /// Transactions of this group that are not over.
    #[must_use]
    pub fn coordinated(&self) -> &BTreeMap<TransactionId, Coordinated> {
        &self.coordinated
    }

    /// The shards that are served here.
    pub fn served(&self) -> impl Iterator<Item = usize> {
        self.clients.keys().copied()
    }

    /// The answer to a request that was carried out here.
    #[must_use]
    pub fn answer_to(&self, request: &Request) -> Option<Answer> {
        let clients = self.clients.get(&self.home(&request.op)?)?;
        clients.answer(&request.client, request.seq)
    }

    /// Whether the shard is served here that remembers what the client gets.
    #[must_use]
    pub fn has_home_of(&self, request: &Request) -> bool {
        self.home(&request.op).is_some_and(|home| self.clients.contains_key(&home))
    }

    /// Whether the operation is this group's to begin, and needs other groups.
    #[must_use]
    pub fn spans_groups(&self, operation: &Operation) -> bool {
        let keys = operation.keys();
        keys.first().is_some_and(|first| self.is_here(first))
            && !keys.iter().all(|key| self.is_here(key))
    }

    fn shard(&self, key: &str) -> usize {
        shard_of(key, self.configuration.shards.len())
    }

    /// The shard that remembers what the client got: that of the operation's first key.
    fn home(&self, operation: &Operation) -> Option<usize> {
        operation.keys().first().map(|key| self.shard(key))
    }

    fn is_here(&self, key: &str) -> bool {
        self.clients.contains_key(&self.shard(key))
    }

    /// Which of these keys' shards are served here.
    pub fn shards_here<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> BTreeSet<usize> {
        let shards = keys.into_iter().map(|key| self.shard(key));
        shards.filter(|shard| self.clients.contains_key(shard)).collect()
    }

    /// Whether a transaction has locked one of its keys.
    #[must_use]
    pub fn is_locked(&self, operation: &Operation) -> bool {
        !self.locks.is_empty() && operation.keys().iter().any(|key| self.locks.contains_key(*key))
    }

    /// Why this group does not carry out what begins with this key.
    fn not_here(&self, key: &str) -> Refusal {
        match self.configuration.owner(key) {
            Some(owner) if *owner == self.id => {
                Refusal::new(ErrorCode::NotReady, "the shard is on its way here")
            }
            Some(owner) => {
                let servers = self.configuration.groups.get(owner);
                Refusal {
                    hint: servers.and_then(|servers| servers.first()).cloned(),
                    ..Refusal::new(ErrorCode::WrongGroup, format!("{owner} owns that shard"))
                }
            }
            None => Refusal::new(ErrorCode::WrongGroup, "nobody owns that shard"),
        }
    }

    /// What can be said without changing anything: retries of what was carried out, refusals, reads of keys that are here.
    fn answer(&self, request: &Request) -> Option<Answer> {
        let operation = &request.op;
        let keys = operation.keys();
        let Some(first) = keys.first() else { return self.store.query(operation) };
        let Some(clients) = self.clients.get(&self.shard(first)) else {
            return Some(Answer::Error(self.not_here(first)));
        };
        if let Some(answer) = clients.remembered(request) {
            return Some(answer);
        }
        if self.coordinates(request) {
            return Some(Wait::Undecided.answer());
        }
        if self.is_locked(operation) {
            return Some(Wait::Locked.answer());
        }
        if keys.iter().all(|key| self.is_here(key)) {
            return self.store.query(operation);
        }
        None
    }

    fn carry_out(&mut self, request: &Request) -> Answer {
        let keys = request.op.keys();
        let Some(home) = self.home(&request.op) else { return self.store.apply(&request.op) };
        if !keys.iter().all(|key| self.is_here(key)) {
            return self.begin(request);
        }
        let answer = self.store.apply(&request.op);
        self.note_written(keys);
        self.remember(home, request, &answer);
        answer
    }

    /// Remembers the answer, unless the client has gone on: a read over several groups may be decided that late, as a copy of it
    /// begins anew.
    fn remember(&mut self, home: usize, request: &Request, answer: &Answer) {
        if let Some(clients) = self.clients.get_mut(&home)
            && clients.latest(&request.client).is_none_or(|latest| latest <= request.seq)
        {
            clients.insert(request.client.clone(), request.seq, answer.clone());
        }
    }

    fn execute(&mut self, command: Command) -> Answer {
        let done = match command {
            Command::Configure { configuration, origins } => {
                self.configure(configuration, &origins)
            }
            Command::Copy { shard, lost_in } => self.copy(shard, lost_in),
            Command::Part { shard, lost_in, number, part } => {
                self.take_part(shard, lost_in, number, part)
            }
            Command::Delete { shard, lost_in } => {
                self.kept.remove(&(shard, lost_in));
                Ok(())
            }
            Command::Settled { shard, lost_in } => {
                self.unsettled.remove(&(shard, lost_in));
                Ok(())
            }
            Command::Prepare(prepare) => self.prepare(prepare),
            Command::Decide { id, values } => self.decide(&id, values),
            Command::Finish { id, writes } => self.finish(&id, writes),
            Command::Finished { id, group } => self.finished(&id, &group),
            Command::Inquire { id } => self.inquire(&id),
            Command::Move { .. } => Err("a group moves no shards".to_owned()),
        };
        match done {
            Ok(()) => Answer::Ok(Outcome::Done {}),
            Err(reason) => Answer::Error(Refusal::new(ErrorCode::Aborted, reason)),
        }
    }
}

impl Application for Group {
    type Command = Request;
    type Output = Answer;

    fn apply(&mut self, request: &Request) -> Answer {
        if let Operation::Internal { command } = &request.op {
            return match Command::parse(command) {
                Ok(command) => self.execute(command),
                Err(reason) => Answer::Error(Refusal::new(ErrorCode::BadRequest, reason)),
            };
        }
        if let Some(answer) = self.answer(request) {
            return answer;
        }
        self.carry_out(request)
    }

    fn query(&self, request: &Request) -> Option<Answer> {
        match request.op {
            Operation::Internal { .. } => None,
            _ => self.answer(request),
        }
    }

    fn snapshot(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a group has a JSON form")
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), String> {
        *self = serde_json::from_slice(bytes)
            .map_err(|error| format!("this is no snapshot of a group: {error}"))?;
        Ok(())
    }
}
