//! A node: the protocol that replicates its group, and around it what groups and controllers say to each other.
//!
//! Only a group's leader acts, on what its copy has applied; what it wants is proposed to the log, and takes effect where the log
//! is applied. So a leader that is deposed, or lags, can do no harm: its proposals are refused there.

mod migration;
mod rebalance;
mod transactions;
mod waiting;

use std::{collections::BTreeMap, ops::Range};

use ::node::{Effect, Effects, Protocol, Replicates, Token};
use contract::{Answer, ErrorCode, GroupId, LogEntry, NodeId, Refusal, Request};
use serde_json::{Value, json};

use crate::{
    carried::Carried, command::Command, controller, group::Group, message::Message,
    transaction::TransactionId,
};
use migration::Migration;
use rebalance::Rebalancer;
use transactions::Transactions;
use waiting::Waiting;

/// How often a leader looks whether something must be sent again.
const TICK_MS: u64 = 25;
/// How long a proposal may take until it is made again.
const AGAIN_MS: u64 = 300;
/// Tokens of the node's own proposals; those of clients are below.
const OWN_TOKENS: Token = 1 << 63;

/// Who a node is.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Its id.
    pub node: NodeId,
    /// The shard controllers.
    pub controllers: Vec<NodeId>,
    /// Whether the controllers move shards by themselves.
    pub rebalances: bool,
}

/// The timers of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer<T> {
    /// Of the protocol inside.
    Inner(T),
    /// Time to look what must be sent again.
    Tick,
}

/// What a leader has proposed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Proposal {
    Configure(u64),
    Copy(usize, u64),
    Part(usize, u64, usize),
    Delete(usize, u64),
    Settled(usize, u64),
    Prepare(TransactionId),
    Decide(TransactionId),
    Finish(TransactionId),
    Finished(TransactionId, String),
    Inquire(TransactionId),
    Move(usize, GroupId, u64),
}

/// A controller, or a server of a group.
#[derive(Debug)]
pub struct Node<P> {
    identity: Identity,
    inner: P,
    waiting: Waiting,
    migration: Migration,
    transactions: Transactions,
    rebalancer: Rebalancer,
    /// What was proposed, and when.
    proposed: BTreeMap<Proposal, u64>,
    /// Which proposal an answer is for.
    own: BTreeMap<Token, Proposal>,
    tokens: Token,
}

fn group<P: Replicates<Application = Carried>>(inner: &P) -> Option<&Group> {
    match inner.application() {
        Carried::Group(group) => Some(group),
        Carried::Controller(_) => None,
    }
}

/// [`Node::led`] for those who change the rest of the node meanwhile.
fn led<P: Replicates<Application = Carried>>(inner: &P) -> Option<&Group> {
    group(inner).filter(|_| inner.leads())
}

impl<P: Replicates<Application = Carried>> Node<P> {
    /// A node around this protocol.
    #[must_use]
    pub fn new(identity: Identity, inner: P) -> Self {
        Self {
            identity,
            inner,
            waiting: Waiting::default(),
            migration: Migration::default(),
            transactions: Transactions::default(),
            rebalancer: Rebalancer::default(),
            proposed: BTreeMap::new(),
            own: BTreeMap::new(),
            tokens: OWN_TOKENS,
        }
    }

    /// The protocol inside.
    pub fn inner(&self) -> &P {
        &self.inner
    }

    /// The group's state as this node has applied it, if it is a server of one.
    pub fn group(&self) -> Option<&Group> {
        group(&self.inner)
    }

    /// The group's state, where this node leads the group.
    fn led(&self) -> Option<&Group> {
        led(&self.inner)
    }

    /// One step of the protocol inside, and what follows from it.
    fn step(&mut self, effects: &mut Effects<Self>, handler: impl FnOnce(&mut P, &mut Effects<P>)) {
        let mut inside = Effects::new(effects.now_ms(), effects.random_below(u64::MAX));
        handler(&mut self.inner, &mut inside);
        for effect in inside.into_list() {
            match effect {
                Effect::Persist(record) => effects.persist(record),
                Effect::Rewrite(records) => effects.rewrite(records),
                Effect::Send(to, message) => effects.send(&to, Message::Inner(message)),
                Effect::Reply(token, answer) => self.on_reply(token, answer, effects),
                Effect::SetTimer(timer, after_ms) => {
                    effects.set_timer(Timer::Inner(timer), after_ms);
                }
                Effect::CancelTimer(timer) => effects.cancel_timer(Timer::Inner(timer)),
            }
        }
    }

    /// The protocol inside answers a client, or this node.
    fn on_reply(&mut self, token: Token, answer: Answer, effects: &mut Effects<Self>) {
        match self.own.remove(&token) {
            Some(proposal) => self.on_outcome(proposal, &answer, effects),
            None => self.waiting.on_answer(token, answer, effects),
        }
    }

    /// Puts a command into the group's log, unless that was done a moment ago.
    fn propose(&mut self, proposal: Proposal, command: Command, effects: &mut Effects<Self>) {
        let now_ms = effects.now_ms();
        if self.proposed.get(&proposal).is_some_and(|at_ms| now_ms < at_ms + AGAIN_MS) {
            return;
        }
        self.proposed.insert(proposal.clone(), now_ms);
        self.tokens += 1;
        let token = self.tokens;
        self.own.insert(token, proposal);
        let request = command.into_request(&self.identity.node);
        self.step(effects, |inner, inside| inner.on_request(token, request, inside));
    }

    /// What came of a proposal, where it was applied.
    fn on_outcome(&mut self, proposal: Proposal, answer: &Answer, effects: &mut Effects<Self>) {
        let is_done = match answer {
            Answer::Ok(_) => true,
            Answer::Error(Refusal { code: ErrorCode::Aborted, .. }) => false,
            // It was not applied, or nobody knows.
            Answer::Error(_) => return,
        };
        self.proposed.remove(&proposal);
        match proposal {
            Proposal::Copy(..) | Proposal::Configure(_) if is_done => self.answer_pulls(effects),
            Proposal::Prepare(id) => {
                self.count_prepared(&id, effects);
                self.send_vote(&id, effects);
            }
            Proposal::Finish(id) if is_done => self.send_finished(&id, effects),
            Proposal::Inquire(id) if is_done => self.send_abort(&id, effects),
            Proposal::Move(shard, group, _) if is_done => self.rebalancer.moved(shard, group),
            _ => {}
        }
    }

    /// Whatever a leader has to do now.
    fn act(&mut self, effects: &mut Effects<Self>) {
        if !self.inner.leads() {
            return self.rest(effects);
        }
        if self.led().is_none() {
            return self.rebalance(effects);
        }
        self.follow_configurations(effects);
        self.fetch_shards(effects);
        self.settle_shards(effects);
        self.coordinate(effects);
        self.ask_coordinators(effects);
        self.answer_waiting(effects);
        self.report_load(effects);
    }

    /// A node that does not lead keeps nothing of what it did when it led.
    fn rest(&mut self, effects: &mut Effects<Self>) {
        self.proposed.clear();
        self.own.clear();
        self.migration = Migration::default();
        self.transactions = Transactions::default();
        self.rebalancer.rest();
        self.waiting.give_up(effects);
    }

    fn broadcast(servers: &[NodeId], message: &Message<P::Message>, effects: &mut Effects<Self>) {
        for server in servers {
            effects.send(server, message.clone());
        }
    }
}

impl<P: Replicates<Application = Carried>> Protocol for Node<P> {
    type Message = Message<P::Message>;
    type Record = P::Record;
    type Timer = Timer<P::Timer>;

    fn on_start(&mut self, effects: &mut Effects<Self>) {
        self.step(effects, P::on_start);
        effects.set_timer(Timer::Tick, TICK_MS);
    }

    fn on_message(&mut self, from: &NodeId, message: Self::Message, effects: &mut Effects<Self>) {
        match message {
            Message::Inner(message) => {
                self.step(effects, |inner, inside| inner.on_message(from, message, inside));
            }
            Message::Query { num } => controller::on_query(&self.inner, from, num, effects),
            Message::Configuration { configuration, origins } => {
                self.on_configuration(configuration, origins, effects.now_ms());
            }
            Message::Pull { shard, lost_in, number } => {
                self.on_pull(from, (shard, lost_in), number, effects);
            }
            Message::Part { shard, lost_in, number, part } => {
                self.on_part(from, (shard, lost_in), number, part, effects);
            }
            Message::Copied { shard, lost_in } => self.on_copied(shard, lost_in),
            Message::Ready { group, num } => self.on_ready(group, num, effects.now_ms()),
            Message::Installed { shard, lost_in } => {
                self.on_installed(from, shard, lost_in, effects);
            }
            Message::Deleted { shard, lost_in } => self.on_deleted(shard, lost_in, effects),
            Message::Prepare(prepare) => self.on_prepare(prepare, effects),
            Message::Vote { id, group, values } => self.on_vote(from, id, group, values, effects),
            Message::Decision { id, writes } => self.on_decision(from, id, writes, effects),
            Message::Finished { id, group } => self.on_finished(id, group, effects),
            Message::Load { group, configuration, rates } => {
                self.on_load(group, configuration, rates, effects);
            }
        }
        self.act(effects);
    }

    fn on_timer(&mut self, timer: Self::Timer, effects: &mut Effects<Self>) {
        match timer {
            Timer::Inner(timer) => {
                self.step(effects, |inner, inside| inner.on_timer(timer, inside));
            }
            Timer::Tick => effects.set_timer(Timer::Tick, TICK_MS),
        }
        self.act(effects);
    }

    fn on_request(&mut self, token: Token, request: Request, effects: &mut Effects<Self>) {
        if let Some(refusal) = controller::misdirected(&self.inner, &self.identity, &request) {
            return effects.reply(token, Answer::Error(refusal));
        }
        self.count_load(request.op.keys(), effects);
        self.waiting.begin(token, request.clone(), effects.now_ms());
        self.ask(token, request, effects);
        self.act(effects);
    }

    fn is_ready(&self) -> bool {
        self.inner.is_ready()
    }

    fn status(&self) -> Value {
        let mut status = self.inner.status();
        if let (Value::Object(fields), Some(group)) = (&mut status, self.group()) {
            fields.insert("group".to_owned(), json!(group.id()));
            fields.insert("config".to_owned(), json!(group.configuration().num));
            fields.insert("shards".to_owned(), json!(group.served().collect::<Vec<_>>()));
            if self.inner.leads() {
                fields.insert("rates".to_owned(), json!(self.rates()));
            }
        }
        if let (Value::Object(fields), Some(found)) = (&mut status, self.rebalancer.explanation()) {
            fields.insert("rebalancer".to_owned(), found.clone());
        }
        status
    }

    fn chosen(&self, slots: Range<u64>) -> Option<Box<dyn Iterator<Item = LogEntry> + '_>> {
        self.inner.chosen(slots)
    }

    fn message_kind(message: &Self::Message) -> &'static str {
        message.kind(P::message_kind)
    }

    fn message_term(message: &Self::Message) -> Option<u64> {
        match message {
            Message::Inner(message) => P::message_term(message),
            _ => None,
        }
    }
}
