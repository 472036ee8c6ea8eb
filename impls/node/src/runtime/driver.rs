//! The driver: the thread on which the protocol runs, one step at a time.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    ops::Range,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use contract::{Answer, Launch, LogAnswer, NodeId, Refusal, Request};
use rand::{Rng, SeedableRng, rngs::ChaCha8Rng};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    RuntimeError, log,
    peers::{Label, Peers},
};
use crate::{
    Effect, Effects, Protocol, Token,
    clock::{DurableClocks, Stamp},
    wal::Wal,
};

/// The most inputs that share one write: enough to spread the cost of an fsync, few enough for timers to be on time.
const BATCH_MAX: usize = 256;
/// How many requests come in between two sweeps for clients that have given up.
const SWEEP_EVERY: u64 = 1024;
/// Wakes the thread now and then where no timer is set.
const IDLE: Duration = Duration::from_secs(60);

/// What reaches a protocol from outside.
pub(super) enum Input<P: Protocol> {
    Message(NodeId, P::Message, Stamp),
    Request(Request, oneshot::Sender<Answer>),
    Call(Call, oneshot::Sender<CallResult>),
    Inspect(oneshot::Sender<Inspection>),
    /// What was chosen in these slots; `None`: the protocol does not say.
    Chosen(Range<u64>, oneshot::Sender<Option<LogAnswer>>),
    Stop,
}

/// One of [`Protocol::CALLS`].
pub(super) struct Call {
    pub(super) path: &'static str,
    pub(super) body: Value,
}

/// What came of it.
pub(super) type CallResult = Result<Value, Refusal>;

/// What the protocol says of itself.
pub(super) struct Inspection {
    pub(super) ready: bool,
    pub(super) status: Value,
}

/// A message between nodes, as it travels.
#[derive(Serialize)]
struct Envelope<'a, M> {
    from: &'a NodeId,
    message: &'a M,
}

/// Drives a protocol: takes what came in, makes what it persists durable, then lets out what depends on it.
pub(super) struct Driver<P: Protocol> {
    node: NodeId,
    protocol: P,
    wal: Wal<P::Record>,
    clocks: DurableClocks,
    peers: Peers,
    timers: BTreeMap<P::Timer, Instant>,
    clients: HashMap<Token, oneshot::Sender<Answer>>,
    tokens: Token,
    /// Messages of the node to itself.
    own: VecDeque<P::Message>,
    started: Instant,
    random: ChaCha8Rng,
}

/// What one batch of steps wants done.
struct Batch<P: Protocol> {
    /// Whether `records` replace the log, rather than follow it.
    rewritten: bool,
    records: Vec<P::Record>,
    outbound: Vec<Outbound<P>>,
}

enum Outbound<P: Protocol> {
    /// To the node itself.
    Own(P::Message),
    Message(NodeId, P::Message, Stamp),
    Answer(Token, Answer),
    Called(oneshot::Sender<CallResult>, CallResult),
    Inspected(oneshot::Sender<Inspection>, Inspection),
    Chosen(oneshot::Sender<Option<LogAnswer>>, Option<LogAnswer>),
}

impl<P: Protocol> Driver<P> {
    pub(super) fn new(
        launch: &Launch,
        protocol: P,
        wal: Wal<P::Record>,
        clocks: DurableClocks,
        peers: Peers,
    ) -> Self {
        Self {
            node: launch.node.clone(),
            protocol,
            wal,
            clocks,
            peers,
            timers: BTreeMap::new(),
            clients: HashMap::new(),
            tokens: 0,
            own: VecDeque::new(),
            started: Instant::now(),
            // The standard library's keys are random in each process.
            random: ChaCha8Rng::seed_from_u64(RandomState::new().hash_one(&launch.node)),
        }
    }

    /// Runs until [`Input::Stop`], or until the disk fails.
    pub(super) fn run(mut self, inputs: &Receiver<Input<P>>) -> Result<(), RuntimeError> {
        let mut batch = Batch::new();
        self.step(&mut batch, P::on_start);
        self.commit(batch)?;
        loop {
            let mut batch = Batch::new();
            let stopped = self.take_inputs(inputs, &mut batch);
            // After the inputs: a node that was suspended must not call an election over a heartbeat that waits.
            self.fire_timers(&mut batch);
            self.commit(batch)?;
            if stopped {
                return Ok(());
            }
        }
    }

    /// Handles what waits, at most [`BATCH_MAX`] of it; waits for something where nothing does. Whether to stop.
    fn take_inputs(&mut self, inputs: &Receiver<Input<P>>, batch: &mut Batch<P>) -> bool {
        let own = std::mem::take(&mut self.own);
        let mut wait = if own.is_empty() { self.until_next_timer() } else { Duration::ZERO };
        for message in own {
            let node = self.node.clone();
            self.step(batch, |protocol, effects| protocol.on_message(&node, message, effects));
        }
        for _ in 0..BATCH_MAX {
            match inputs.recv_timeout(wait) {
                Ok(Input::Stop) | Err(RecvTimeoutError::Disconnected) => return true,
                Ok(input) => self.handle(input, batch),
                Err(RecvTimeoutError::Timeout) => break,
            }
            wait = Duration::ZERO;
        }
        false
    }

    fn handle(&mut self, input: Input<P>, batch: &mut Batch<P>) {
        match input {
            Input::Message(from, message, stamp) => {
                self.clocks.receive(&stamp);
                self.step(batch, |protocol, effects| protocol.on_message(&from, message, effects));
            }
            Input::Request(request, client) => {
                self.tokens += 1;
                let token = self.tokens;
                if token.is_multiple_of(SWEEP_EVERY) {
                    self.clients.retain(|_, client| !client.is_closed());
                }
                self.clients.insert(token, client);
                self.step(batch, |protocol, effects| protocol.on_request(token, request, effects));
            }
            Input::Call(Call { path, body }, caller) => {
                let result =
                    self.step(batch, |protocol, effects| protocol.on_call(path, body, effects));
                batch.outbound.push(Outbound::Called(caller, result));
            }
            // What a node says of itself must outlive a crash, as what it says to others.
            Input::Inspect(client) => {
                batch.outbound.push(Outbound::Inspected(client, self.inspect()));
            }
            Input::Chosen(slots, client) => {
                let chosen = self.protocol.chosen(slots).map(log::answer);
                batch.outbound.push(Outbound::Chosen(client, chosen));
            }
            Input::Stop => {}
        }
    }

    fn fire_timers(&mut self, batch: &mut Batch<P>) {
        let now = Instant::now();
        // One at a time, since a timer's step may cancel or reset another.
        for _ in 0..BATCH_MAX {
            let due = self.timers.iter().filter(|(_, at)| **at <= now).min_by_key(|(_, at)| **at);
            let Some(timer) = due.map(|(timer, _)| timer.clone()) else { break };
            self.timers.remove(&timer);
            self.step(batch, |protocol, effects| protocol.on_timer(timer, effects));
        }
    }

    fn until_next_timer(&self) -> Duration {
        let next = self.timers.values().min();
        next.map_or(IDLE, |at| at.saturating_duration_since(Instant::now()))
    }

    fn step<T>(
        &mut self,
        batch: &mut Batch<P>,
        handler: impl FnOnce(&mut P, &mut Effects<P>) -> T,
    ) -> T {
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut effects = Effects::new(now_ms, self.random.next_u64());
        let result = handler(&mut self.protocol, &mut effects);
        for effect in effects.into_list() {
            self.collect(effect, batch);
        }
        result
    }

    fn collect(&mut self, effect: Effect<P>, batch: &mut Batch<P>) {
        match effect {
            Effect::Persist(record) => batch.records.push(record),
            Effect::Rewrite(records) => {
                // It replaces what the batch appended before it, too.
                batch.rewritten = true;
                batch.records = records;
            }
            Effect::Send(to, message) if to == self.node => {
                batch.outbound.push(Outbound::Own(message));
            }
            Effect::Send(to, message) => {
                batch.outbound.push(Outbound::Message(to, message, self.clocks.send()));
            }
            Effect::Reply(token, answer) => batch.outbound.push(Outbound::Answer(token, answer)),
            Effect::SetTimer(timer, after_ms) => {
                self.timers.insert(timer, Instant::now() + Duration::from_millis(after_ms));
            }
            Effect::CancelTimer(timer) => {
                self.timers.remove(&timer);
            }
        }
    }

    /// Group commit: one write and one fsync for the batch, then everything that waited for them.
    fn commit(&mut self, batch: Batch<P>) -> Result<(), RuntimeError> {
        if batch.leaves_something() {
            // Before the log: where the disk makes this wait, the log would have to wait, too.
            self.clocks.keep().map_err(RuntimeError::clock)?;
        }
        if batch.rewritten {
            self.wal.rewrite(&batch.records)?;
        } else if !batch.records.is_empty() {
            self.wal.append(&batch.records)?;
        }
        for effect in batch.outbound {
            match effect {
                Outbound::Own(message) => self.own.push_back(message),
                Outbound::Message(to, message, stamp) => self.send(&to, &message, &stamp),
                Outbound::Answer(token, answer) => {
                    if let Some(client) = self.clients.remove(&token) {
                        // Fails where the client has given up, which is fine.
                        let _ = client.send(answer);
                    }
                }
                // The same.
                Outbound::Called(caller, result) => {
                    let _ = caller.send(result);
                }
                Outbound::Inspected(caller, inspection) => {
                    let _ = caller.send(inspection);
                }
                Outbound::Chosen(caller, chosen) => {
                    let _ = caller.send(chosen);
                }
            }
        }
        Ok(())
    }

    fn send(&self, to: &NodeId, message: &P::Message, stamp: &Stamp) {
        let kind = P::message_kind(message);
        match serde_json::to_vec(&Envelope { from: &self.node, message }) {
            Ok(body) => {
                let label = Label::new(kind, P::message_term(message), stamp);
                self.peers.send(to, label, Bytes::from(body));
            }
            Err(error) => tracing::error!(%to, kind, %error, "a message cannot be serialised"),
        }
    }

    fn inspect(&self) -> Inspection {
        let mut status = self.protocol.status();
        if let Value::Object(fields) = &mut status {
            fields.entry("log_bytes").or_insert_with(|| self.wal.bytes().into());
        }
        Inspection { ready: self.protocol.is_ready(), status }
    }
}

impl<P: Protocol> Batch<P> {
    fn new() -> Self {
        Self { rewritten: false, records: Vec::new(), outbound: Vec::new() }
    }

    /// Whether a later life, or another node, can learn of it. The clocks need not remember anything else.
    fn leaves_something(&self) -> bool {
        let is_message = |effect: &Outbound<P>| matches!(effect, Outbound::Message(..));
        self.rewritten || !self.records.is_empty() || self.outbound.iter().any(is_message)
    }
}
