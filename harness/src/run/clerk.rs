//! A clerk: a closed loop that turns one operation into attempts and the attempts into one outcome.
//!
//! The rules of the record live here: the invocation is recorded before the first byte of the first attempt, the
//! completion after the last byte of the answer; `fail` only where every attempt was definite.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use contract::{ErrorCode, NodeId, Operation, Outcome, Request};
use history::EventKind;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::Value;
use tokio::{task::JoinSet, time::Instant};

use super::{
    connection::{Attempt, Connections},
    stream::Stream,
};

/// How long a clerk waits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For one attempt.
    pub attempt: Duration,
    /// For one operation, all attempts together.
    pub operation: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        // Shorter than most faults last, so that runs hold operations whose outcome nobody knows.
        Self { attempt: Duration::from_millis(500), operation: Duration::from_secs(2) }
    }
}

/// What all clerks of a run share.
#[derive(Debug)]
pub struct Shared {
    /// Where operations are recorded.
    pub stream: Arc<Stream>,
    /// The nodes, in order.
    pub nodes: Vec<NodeId>,
    /// Where clients reach each node.
    pub addresses: HashMap<NodeId, SocketAddr>,
    /// How many clerks there are: a process number is never used by two of them.
    pub clerks: u64,
    /// How long they wait.
    pub patience: Patience,
    /// The client faults.
    pub misuse: Misuse,
    /// Answers that broke the contract.
    pub protocol_errors: ProtocolErrors,
    /// How many operations succeeded.
    pub successes: AtomicU64,
    /// The node that answered last: who leads, where the store does not tell.
    pub last_answer: Mutex<Option<NodeId>>,
}

/// The client faults: replies lost and requests sent twice, while switched on.
#[derive(Debug, Default)]
pub struct Misuse {
    /// Whether they are on.
    pub on: AtomicBool,
    /// How many replies were lost and copies sent so far.
    pub count: AtomicU64,
}

/// Counts answers that broke the contract, with an example of each kind that came first.
#[derive(Debug, Default)]
pub struct ProtocolErrors(Mutex<BTreeMap<String, u64>>);

impl ProtocolErrors {
    /// At most this many different examples are kept.
    const EXAMPLES_MAX: usize = 5;
    /// And so much of each.
    const REASON_CHARS_MAX: usize = 200;

    /// What a store sends is hostile: bounded and escaped before anyone sees it.
    fn record(&self, reason: &str) {
        let reason: String =
            reason.chars().take(Self::REASON_CHARS_MAX).flat_map(char::escape_debug).collect();
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let full = map.len() >= Self::EXAMPLES_MAX && !map.contains_key(&reason);
        *map.entry(if full { "other".to_owned() } else { reason }).or_default() += 1;
    }

    /// How many in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    /// How many of each.
    #[must_use]
    pub fn examples(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Performed {
    /// With this outcome.
    Ok(Outcome),
    /// Certainly not executed.
    Fail,
    /// Nobody knows.
    Info,
}

impl Performed {
    /// The outcome, where there is one.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match self {
            Self::Ok(outcome) => Some(outcome),
            Self::Fail | Self::Info => None,
        }
    }
}

/// One closed-loop client.
#[derive(Debug)]
pub struct Clerk {
    shared: Arc<Shared>,
    connections: Connections,
    copies: JoinSet<()>,
    rng: ChaCha8Rng,
    process: u64,
    seq: u64,
    /// The node it keeps coming back to: a deposed leader is only caught by those who still ask it.
    home: usize,
    favourite: usize,
}

/// One operation on its way.
struct Journey {
    node: usize,
    /// Whether some attempt may have been, or may yet be, executed.
    uncertain: bool,
    /// Attempts without an answer that could be used.
    failures: usize,
    deadline: Instant,
    reason: String,
}

enum Step {
    Done(Performed),
    Again,
    Stop,
}

#[cfg(test)]
#[path = "clerk_tests.rs"]
mod tests;

/// The chances of the client faults, per answer and per request.
const LOSE_REPLY: f64 = 0.15;
const SEND_COPY: f64 = 0.15;
const COPY_DELAY_MS_MAX: u64 = 400;

impl Clerk {
    /// The clerk with this number, from 0; `seed` decides its choices.
    #[must_use]
    pub fn new(shared: Arc<Shared>, number: u64, seed: u64) -> Self {
        let home = usize::try_from(number).unwrap_or(0) % shared.nodes.len();
        Self {
            connections: Connections::new(shared.addresses.clone()),
            copies: JoinSet::new(),
            rng: ChaCha8Rng::seed_from_u64(seed ^ number.wrapping_mul(0xA076_1D64_78BD_642F)),
            process: number,
            seq: 0,
            home,
            favourite: home,
            shared,
        }
    }

    /// Makes `node` the one that is asked first.
    pub fn move_home(&mut self, node: usize) {
        self.home = node;
        self.favourite = node;
    }

    /// Waits for the copies still on their way: afterwards this clerk changes nothing any more.
    pub async fn retire(mut self) {
        while self.copies.join_next().await.is_some() {}
    }

    /// Carries out one operation and records it.
    pub async fn perform(&mut self, operation: &Operation) -> Performed {
        self.perform_within(operation, self.shared.patience.operation).await
    }

    /// The same with another limit for all attempts together.
    pub async fn perform_within(&mut self, operation: &Operation, limit: Duration) -> Performed {
        self.seq += 1;
        let request =
            Request { client: format!("c{}", self.process), seq: self.seq, op: operation.clone() };
        let body = Bytes::from(serde_json::to_vec(&request).expect("a request is plain data"));
        let node = if self.rng.random_bool(0.5) { self.home } else { self.favourite };
        let mut journey = Journey {
            node,
            uncertain: false,
            failures: 0,
            deadline: Instant::now() + limit,
            reason: String::new(),
        };
        self.record(EventKind::Invoke, operation, operation.arguments(), None, node);
        let performed = loop {
            if Instant::now() >= journey.deadline {
                break self.give_up(operation, &journey);
            }
            match self.attempt(operation, &body, &mut journey).await {
                Step::Done(performed) => break performed,
                Step::Again => {}
                Step::Stop => break self.give_up(operation, &journey),
            }
        };
        self.record_end(operation, &performed, &journey);
        performed
    }

    async fn attempt(
        &mut self,
        operation: &Operation,
        body: &Bytes,
        journey: &mut Journey,
    ) -> Step {
        let shared = Arc::clone(&self.shared);
        let node = &shared.nodes[journey.node];
        let misused = shared.misuse.on.load(Ordering::Relaxed);
        if misused && !operation.is_read_only() && self.rng.random_bool(SEND_COPY) {
            journey.uncertain = true;
            self.send_copy(operation, body);
        }
        let left = journey.deadline.saturating_duration_since(Instant::now());
        let attempt =
            self.connections.ask(node, operation, body, shared.patience.attempt.min(left)).await;
        match attempt {
            Attempt::Answered(_) if misused && self.rng.random_bool(LOSE_REPLY) => {
                shared.misuse.count.fetch_add(1, Ordering::Relaxed);
                journey.uncertain = true;
                journey.reason = "the reply was lost".to_owned();
                Step::Again
            }
            Attempt::Answered(outcome) => {
                self.favourite = journey.node;
                shared.successes.fetch_add(1, Ordering::Relaxed);
                *shared.last_answer.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some(node.clone());
                Step::Done(Performed::Ok(outcome))
            }
            Attempt::Refused(refusal) => {
                self.refused(operation, refusal.code, refusal.hint.as_ref(), journey).await
            }
            Attempt::NotSent(reason) => {
                journey.reason = reason;
                self.turn_to_next(journey).await;
                Step::Again
            }
            Attempt::Uncertain(reason) => {
                journey.uncertain = true;
                journey.reason = reason;
                self.turn_to_next(journey).await;
                Step::Again
            }
            Attempt::Garbled(reason) => {
                shared.protocol_errors.record(&reason);
                journey.uncertain = true;
                journey.reason = reason;
                Step::Stop
            }
        }
    }

    async fn refused(
        &mut self,
        operation: &Operation,
        code: ErrorCode,
        hint: Option<&NodeId>,
        journey: &mut Journey,
    ) -> Step {
        journey.reason = code.name().to_owned();
        match code {
            ErrorCode::NotLeader | ErrorCode::WrongGroup | ErrorCode::NotReady => {
                let hinted =
                    hint.and_then(|id| self.shared.nodes.iter().position(|node| node == id));
                match hinted {
                    Some(node)
                        if node != journey.node && journey.failures < self.shared.nodes.len() =>
                    {
                        journey.failures += 1;
                        journey.node = node;
                    }
                    _ => self.turn_to_next(journey).await,
                }
                Step::Again
            }
            ErrorCode::Aborted => Step::Stop,
            ErrorCode::BadRequest | ErrorCode::Unsupported | ErrorCode::StaleSeq => {
                // The request was right, so the store misunderstands the contract; and a store that is wrong about
                // this may be wrong about having done nothing.
                self.shared.protocol_errors.record(&format!(
                    "`{}` refused as `{}`",
                    operation.name(),
                    code.name()
                ));
                journey.uncertain = true;
                Step::Stop
            }
            ErrorCode::Timeout | ErrorCode::Internal => {
                journey.uncertain = true;
                self.turn_to_next(journey).await;
                Step::Again
            }
        }
    }

    /// The next node; after a whole round in vain a short rest, so that an election or a restart is not a storm.
    async fn turn_to_next(&mut self, journey: &mut Journey) {
        journey.failures += 1;
        journey.node = (journey.node + 1) % self.shared.nodes.len();
        if journey.failures >= self.shared.nodes.len() {
            let rest = Duration::from_millis(self.rng.random_range(10..40));
            tokio::time::sleep(rest).await;
        }
    }

    /// The same request again on a connection of its own, some time later, to any node; its answer is ignored.
    fn send_copy(&mut self, operation: &Operation, body: &Bytes) {
        let node = self.shared.nodes[self.rng.random_range(0..self.shared.nodes.len())].clone();
        let delay = Duration::from_millis(self.rng.random_range(0..COPY_DELAY_MS_MAX));
        let mut connections = Connections::new(self.shared.addresses.clone());
        let (operation, body, limit) =
            (operation.clone(), body.clone(), self.shared.patience.attempt);
        self.shared.misuse.count.fetch_add(1, Ordering::Relaxed);
        self.copies.spawn(async move {
            tokio::time::sleep(delay).await;
            connections.ask(&node, &operation, &body, limit).await;
        });
        while self.copies.try_join_next().is_some() {}
    }

    fn give_up(&self, operation: &Operation, journey: &Journey) -> Performed {
        if journey.uncertain && !operation.is_read_only() {
            Performed::Info
        } else {
            Performed::Fail
        }
    }

    fn record_end(&mut self, operation: &Operation, performed: &Performed, journey: &Journey) {
        let reason = Some(journey.reason.clone()).filter(|reason| !reason.is_empty());
        match performed {
            Performed::Ok(outcome) => {
                let value = serde_json::to_value(outcome).unwrap_or(Value::Null);
                self.record(EventKind::Ok, operation, value, None, journey.node);
            }
            Performed::Fail => {
                self.record(EventKind::Fail, operation, Value::Null, reason, journey.node);
            }
            Performed::Info => {
                self.record(EventKind::Info, operation, Value::Null, reason, journey.node);
                self.become_someone_else();
            }
        }
    }

    /// After `info` the operation stays open for ever: the clerk goes on under a new number and on new connections.
    fn become_someone_else(&mut self) {
        self.process += self.shared.clerks;
        self.seq = 0;
        self.connections.close();
    }

    fn record(
        &self,
        kind: EventKind,
        operation: &Operation,
        value: Value,
        error: Option<String>,
        node: usize,
    ) {
        let node = Some(self.shared.nodes[node].as_str());
        self.shared.stream.operation(self.process, kind, operation.name(), value, error, node);
    }
}
