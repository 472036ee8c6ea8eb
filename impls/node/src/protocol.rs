//! The interface between a protocol and whatever drives it.

use std::{fmt::Debug, hash::Hash, ops::Range};

use contract::{Answer, ErrorCode, LogEntry, NodeId, Refusal, Request};
use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::Application;

/// Names one client request that waits for its answer on this node, in this life of the process.
pub type Token = u64;

/// A replication protocol as a pure state machine.
///
/// The driver calls one handler at a time and then carries out the collected effects **in this order**:
/// every [`Effect::Persist`] and [`Effect::Rewrite`] of the batch is made durable first; only then do the batch's
/// sends and replies leave. A message to oneself is a send like any other, so it arrives after what was persisted
/// before it is durable.
pub trait Protocol: Sized + Send + 'static {
    /// What nodes of this protocol say to each other.
    type Message: Clone + Debug + Send + Serialize + DeserializeOwned + 'static;
    /// One entry of the write-ahead log.
    type Record: Clone + Debug + Send + Serialize + DeserializeOwned + 'static;
    /// Names a timer; setting a timer again replaces it.
    type Timer: Clone + Debug + Eq + Hash + Ord + Send + 'static;

    /// The node came up; whatever its earlier life persisted has already been handed to its constructor.
    fn on_start(&mut self, effects: &mut Effects<Self>);

    /// A message arrived: perhaps late, twice, or out of order.
    fn on_message(&mut self, from: &NodeId, message: Self::Message, effects: &mut Effects<Self>);

    /// A timer fired.
    fn on_timer(&mut self, timer: Self::Timer, effects: &mut Effects<Self>);

    /// A client asks; answer now or later with [`Effects::reply`], or never (the client gives up by itself).
    fn on_request(&mut self, token: Token, request: Request, effects: &mut Effects<Self>);

    /// The requests that it answers besides those that every node does: method and path.
    const CALLS: &'static [(&'static str, &'static str)] = &[];

    /// One of [`Self::CALLS`] came, with the JSON in its body, `null` where that is empty. The result is answered at once,
    /// as `{"ok":…}`, or the refusal as `{"error":…}`: once everything persisted so far is durable.
    ///
    /// # Errors
    /// The refusal.
    fn on_call(
        &mut self,
        path: &str,
        _body: Value,
        _effects: &mut Effects<Self>,
    ) -> Result<Value, Refusal> {
        Err(Refusal::new(ErrorCode::Unsupported, format!("this node does not answer {path}")))
    }

    /// Whether the node believes that it can serve: `GET /readyz`.
    fn is_ready(&self) -> bool;

    /// The answer of `GET /v1/status`: role, term, leader, commit, applied, log and snapshot size… It leaves once everything persisted
    /// so far is durable.
    fn status(&self) -> Value;

    /// The entries in these slots that this node knows to be chosen, in the order of their slots: `GET /v1/log`. `None`: the
    /// protocol shows no log. Only as many are taken as fit into an answer.
    fn chosen(&self, _slots: Range<u64>) -> Option<Box<dyn Iterator<Item = LogEntry> + '_>> {
        None
    }

    /// The kind of a message, in the protocol's own terms (`Prepare`, `Accept`…), for traces.
    fn message_kind(message: &Self::Message) -> &'static str;

    /// The term, view or ballot round that a message speaks of, for traces; `None` where it speaks of none.
    fn message_term(_message: &Self::Message) -> Option<u64> {
        None
    }
}

/// A protocol that replicates an application, for those who build something around it.
pub trait Replicates: Protocol {
    /// What it replicates.
    type Application: Application<Command = Request, Output = Answer>;

    /// This node's copy: what it has applied.
    fn application(&self) -> &Self::Application;

    /// Whether this node leads, as far as it knows.
    fn leads(&self) -> bool;
}

/// One thing a protocol wants done.
#[derive(Clone, Debug)]
pub enum Effect<P: Protocol> {
    /// Appends a record to the write-ahead log.
    Persist(P::Record),
    /// Replaces the whole log by these records, atomically: compaction.
    Rewrite(Vec<P::Record>),
    /// Sends a message; it may be lost, doubled, delayed or overtaken.
    Send(NodeId, P::Message),
    /// Answers a client's request.
    Reply(Token, Answer),
    /// Sets (or resets) a timer.
    SetTimer(P::Timer, u64),
    /// Removes a timer.
    CancelTimer(P::Timer),
}

/// Collects the effects of one step and carries what the step may know from outside: the time and a random number.
#[derive(Debug)]
pub struct Effects<P: Protocol> {
    now_ms: u64,
    entropy: u64,
    list: Vec<Effect<P>>,
}

impl<P: Protocol> Effects<P> {
    /// An empty collection. `now_ms` is monotonic within one life of a node and means nothing across nodes;
    /// `entropy` seeds this step's randomness.
    #[must_use]
    pub fn new(now_ms: u64, entropy: u64) -> Self {
        Self { now_ms, entropy, list: Vec::new() }
    }

    /// The driver's monotonic clock in milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// A number in `0..bound` (`bound` > 0), from the driver's random source.
    pub fn random_below(&mut self, bound: u64) -> u64 {
        let mut random = ChaCha8Rng::seed_from_u64(self.entropy);
        self.entropy = random.next_u64();
        random.random_range(0..bound)
    }

    /// Appends a record to the write-ahead log.
    pub fn persist(&mut self, record: P::Record) {
        self.list.push(Effect::Persist(record));
    }

    /// Replaces the whole log, atomically.
    pub fn rewrite(&mut self, records: Vec<P::Record>) {
        self.list.push(Effect::Rewrite(records));
    }

    /// Sends a message, once everything persisted so far is durable.
    pub fn send(&mut self, to: &NodeId, message: P::Message) {
        self.list.push(Effect::Send(to.clone(), message));
    }

    /// Answers a request, once everything persisted so far is durable.
    pub fn reply(&mut self, token: Token, answer: Answer) {
        self.list.push(Effect::Reply(token, answer));
    }

    /// Sets or resets a timer.
    pub fn set_timer(&mut self, timer: P::Timer, after_ms: u64) {
        self.list.push(Effect::SetTimer(timer, after_ms));
    }

    /// Removes a timer.
    pub fn cancel_timer(&mut self, timer: P::Timer) {
        self.list.push(Effect::CancelTimer(timer));
    }

    /// What the step wanted, in order.
    #[must_use]
    pub fn into_list(self) -> Vec<Effect<P>> {
        self.list
    }
}
