//! A clerk: a closed loop that turns one operation into attempts and the attempts into one outcome.
//!
//! The rules of the record live here: the invocation is recorded before the first byte of the first attempt, the
//! completion after the last byte of the answer; `fail` only where every attempt was definite.

use std::{ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use contract::{ErrorCode, Operation, Outcome, Refusal, Request};
use history::EventKind;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use serde_json::Value;
use tokio::{sync::watch, task::JoinSet};

use super::{
    Patience, Shared,
    attempts::{Attempts, Next, Performed},
    connection::{AttemptResult, Connections},
    repeats::Sent,
    trail::{Span, Trail},
};

/// One closed-loop client.
#[derive(Debug)]
pub struct Clerk {
    shared: Arc<Shared>,
    connections: Connections,
    copies: JoinSet<()>,
    /// Changes once, when it retires.
    retired: watch::Sender<()>,
    rng: ChaCha8Rng,
    process: u64,
    seq: u64,
    /// The node it keeps coming back to: a deposed leader is only caught by those who still ask it.
    home: usize,
    favourite: usize,
    patience: Patience,
    /// Whether it may take a late refusal for the outcome.
    trusting: bool,
    /// The last write that succeeded.
    last_write: Option<Sent>,
    /// How often it asked who owns what.
    routed: u64,
}

/// Whether the operation ends with this: with its result, or with what a shard controller remembers as its refusal.
fn ends(operation: &Operation, result: &AttemptResult) -> bool {
    match result {
        AttemptResult::Answered(_) => true,
        AttemptResult::Refused(refusal) => refuses_change(operation, refusal.code),
        _ => false,
    }
}

/// Whether a shard controller says with this that the change can't be made.
fn refuses_change(operation: &Operation, code: ErrorCode) -> bool {
    operation.is_of_controllers()
        && matches!(
            code,
            ErrorCode::Exists | ErrorCode::UnknownGroup | ErrorCode::NoChange | ErrorCode::BadShard
        )
}

#[cfg(test)]
#[path = "clerk_tests.rs"]
mod tests;

/// The chances of the client faults, per answer and per request.
const LOSE_REPLY: f64 = 0.15;
const SEND_COPY: f64 = 0.15;
/// The chance that a trusting client takes a refusal for the outcome, where it is the first answer and came late.
const TAKE_NO: f64 = 0.5;
/// So late.
const LATE: Duration = Duration::from_millis(20);
/// A copy may meet the request on its way, come soon after it, or when others lead, in milliseconds.
const COPY_DELAYS_MS: [Range<u64>; 3] = [0..5, 5..400, 400..3000];
/// So many times as long as the others a patient client goes on with an operation.
const PATIENCE: u32 = 2;

impl Clerk {
    /// The clerk with this number, from 0; `seed` decides its choices.
    #[must_use]
    pub fn new(shared: Arc<Shared>, number: u64, seed: u64) -> Self {
        let home = usize::try_from(number).unwrap_or(0) % shared.routing.servers().len();
        Self {
            connections: Connections::new(shared.addresses.clone()),
            copies: JoinSet::new(),
            retired: watch::Sender::new(()),
            rng: ChaCha8Rng::seed_from_u64(seed ^ number.wrapping_mul(0xA076_1D64_78BD_642F)),
            process: number,
            seq: 0,
            home,
            favourite: home,
            patience: shared.patience,
            trusting: false,
            last_write: None,
            routed: 0,
            shared,
        }
    }

    /// The same, but it waits for each answer as long as the others go on with an operation, and goes on longer: what a
    /// node answers late is lost on the others.
    #[must_use]
    pub fn patient(mut self) -> Self {
        let operation = self.shared.patience.operation;
        self.patience = Patience { attempt: operation, operation: operation * PATIENCE };
        self
    }

    /// The same, but it may take a refusal for the outcome where others would go on: whoever knew of a request for a while and
    /// then refuses it for certain must be right.
    #[must_use]
    pub fn trusting(mut self) -> Self {
        self.trusting = true;
        self
    }

    /// How long it should rest after an operation.
    #[must_use]
    pub fn rest(&self) -> Duration {
        self.shared.rest()
    }

    /// Makes `node` the one that is asked first.
    pub fn move_home(&mut self, node: usize) {
        self.home = node;
        self.favourite = node;
    }

    /// Waits for the copies that are on their way, and sends no more: afterwards this clerk changes nothing any more.
    pub async fn retire(mut self) {
        self.retired.send_replace(());
        while self.copies.join_next().await.is_some() {}
        if let Some(write) = self.last_write.take() {
            self.shared.last_writes.add(write);
        }
    }

    /// Carries out one operation and records it.
    pub async fn perform(&mut self, operation: &Operation) -> Performed {
        self.perform_within(operation, self.patience).await
    }

    /// The same with other limits.
    pub async fn perform_within(&mut self, operation: &Operation, patience: Patience) -> Performed {
        let node = if self.rng.random_bool(0.5) { self.home } else { self.favourite };
        let places = self.shared.routing.of(operation);
        let node = if places.contains(&node) { node } else { self.rng.random_range(places) };
        self.carry_out(operation, Attempts::new(node, patience)).await
    }

    /// Carries out one operation in a single attempt: asks only `node`, whatever it answers, and records that.
    pub async fn perform_at(&mut self, operation: &Operation, node: usize) -> Performed {
        self.carry_out(operation, Attempts::pinned(node, self.shared.patience)).await
    }

    async fn carry_out(&mut self, operation: &Operation, mut attempts: Attempts) -> Performed {
        self.seq += 1;
        let request =
            Request { client: format!("c{}", self.process), seq: self.seq, op: operation.clone() };
        let body = Bytes::from(serde_json::to_vec(&request).expect("a request is plain data"));
        let (arguments, node) = (operation.arguments(), attempts.node);
        let invoked = self.record(EventKind::Invoke, operation, arguments, None, node);
        let mut trail = Trail::new(invoked, self.process);
        let performed = loop {
            match self.attempt(operation, &body, &mut attempts, &mut trail).await {
                Next::Done(performed) => break performed,
                Next::Again if !attempts.are_over() => {}
                Next::Again | Next::GiveUp => break attempts.give_up(operation),
            }
        };
        if matches!(performed, Performed::Ok(_)) && !operation.is_read_only() {
            let (process, operation) = (self.process, operation.clone());
            self.last_write = Some(Sent { invoked, process, operation, body });
        }
        self.record_end(operation, &performed, &attempts);
        self.shared.stream.attempts(trail.into_records());
        performed
    }

    async fn attempt(
        &mut self,
        operation: &Operation,
        body: &Bytes,
        attempts: &mut Attempts,
        trail: &mut Trail,
    ) -> Next {
        let shared = Arc::clone(&self.shared);
        let node = &shared.nodes[attempts.node];
        let faults_on = shared.faults.are_on();
        let may_copy = shared.exactly_once && !operation.is_read_only();
        if faults_on && may_copy && self.rng.random_bool(SEND_COPY) {
            attempts.may_take_effect();
            trail.copy_sent();
            self.send_copy(operation, body, trail.operation);
        }
        let sent_ns = shared.stream.now_ns();
        let result = self.connections.ask(node, operation, body, attempts.limit()).await;
        let lost = ends(operation, &result) && faults_on && self.rng.random_bool(LOSE_REPLY);
        let span = Span { sent_ns, ended_ns: shared.stream.now_ns() };
        trail.add(node, span, &result, lost);
        match result {
            _ if lost => {
                shared.faults.count_one();
                attempts.may_take_effect();
                attempts.reason = "the reply was lost".to_owned();
                if !self.may_repeat(operation) {
                    return Next::GiveUp;
                }
                // Another node may not know yet, or not any more, that the request was executed.
                if self.rng.random_bool(0.5) {
                    attempts.turn_to_next(&shared.routing.of(operation));
                }
                Next::Again
            }
            AttemptResult::Answered(outcome) => {
                self.favourite = attempts.node;
                shared.succeeded_at(node, !operation.is_read_only());
                Next::Done(Performed::Ok(outcome))
            }
            AttemptResult::Refused(refusal) => {
                let waited = Duration::from_nanos(span.ended_ns - span.sent_ns);
                self.refused(operation, &refusal, attempts, waited).await
            }
            AttemptResult::NotSent(reason) => {
                attempts.reason = reason;
                self.turn_to_next(operation, attempts).await;
                Next::Again
            }
            AttemptResult::Uncertain(reason) => {
                attempts.may_take_effect();
                attempts.reason = reason;
                self.after_doubt(operation, attempts).await
            }
            AttemptResult::Garbled(reason) => {
                shared.protocol_errors.record(&format!("{node}: {reason}"));
                attempts.may_take_effect();
                attempts.reason = reason;
                Next::GiveUp
            }
        }
    }

    async fn refused(
        &mut self,
        operation: &Operation,
        refusal: &Refusal,
        attempts: &mut Attempts,
        waited: Duration,
    ) -> Next {
        let code = refusal.code;
        code.name().clone_into(&mut attempts.reason);
        if !code.is_definite() {
            attempts.may_take_effect();
        }
        match code {
            ErrorCode::NotLeader | ErrorCode::WrongGroup | ErrorCode::NotReady => {
                if self.takes_no(attempts, waited) {
                    return Next::GiveUp;
                }
                if code == ErrorCode::WrongGroup && self.shared.routing.is_sharded() {
                    self.ask_for_configuration(attempts.limit()).await;
                }
                let nodes = self.shared.nodes.len();
                let hinted = refusal.hint.as_ref().and_then(|id| self.shared.place(id));
                if !attempts.follow_hint(hinted, nodes) {
                    self.turn_to_next(operation, attempts).await;
                }
                Next::Again
            }
            ErrorCode::Aborted => Next::GiveUp,
            _ if refuses_change(operation, code) => Next::GiveUp,
            ErrorCode::BadRequest
            | ErrorCode::NotFound
            | ErrorCode::Unsupported
            | ErrorCode::StaleSeq
            | ErrorCode::Exists
            | ErrorCode::UnknownGroup
            | ErrorCode::NoChange
            | ErrorCode::BadShard => {
                // The request was right, so the store misunderstands the contract, and may be mistaken about having done nothing.
                attempts.may_take_effect();
                let (f, name) = (operation.name(), code.name());
                let node = &self.shared.nodes[attempts.node];
                self.shared.protocol_errors.record(&format!("{node}: `{f}` refused as `{name}`"));
                Next::GiveUp
            }
            ErrorCode::Timeout | ErrorCode::Internal => self.after_doubt(operation, attempts).await,
        }
    }

    fn takes_no(&mut self, attempts: &Attempts, waited: Duration) -> bool {
        self.trusting && attempts.are_new() && waited >= LATE && self.rng.random_bool(TAKE_NO)
    }

    /// What follows an attempt that may have been executed.
    async fn after_doubt(&mut self, operation: &Operation, attempts: &mut Attempts) -> Next {
        if !self.may_repeat(operation) {
            return Next::GiveUp;
        }
        self.turn_to_next(operation, attempts).await;
        Next::Again
    }

    /// Asks the shard controllers, one after the other, who owns what now; where none answers, clients go on with what they know.
    async fn ask_for_configuration(&mut self, limit: Duration) {
        let shared = Arc::clone(&self.shared);
        let operation = Operation::Query { num: -1 };
        let controllers = shared.routing.controllers();
        let first = self.rng.random_range(controllers.clone());
        for place in (first..controllers.end).chain(controllers.start..first) {
            let node = &shared.nodes[place];
            // A client of its own, which counts like any other.
            self.routed += 1;
            let (client, op) = (format!("r{}", self.process), operation.clone());
            let request = Request { client, seq: self.routed, op };
            let body = Bytes::from(serde_json::to_vec(&request).expect("a request is plain data"));
            match self.connections.ask(node, &operation, &body, limit / 3).await {
                AttemptResult::Answered(Outcome::Configuration(configuration)) => {
                    return shared.routing.learn(configuration);
                }
                AttemptResult::Garbled(reason) => {
                    shared.protocol_errors.record(&format!("{node}: {reason}"));
                }
                AttemptResult::Refused(refusal) if !refusal.code.is_definite() => {
                    let code = refusal.code.name();
                    shared.protocol_errors.record(&format!("{node}: `query` refused as `{code}`"));
                }
                _ => {}
            }
        }
    }

    /// Whether a request may be sent again that may have been executed: not a write that the store may execute twice.
    fn may_repeat(&self, operation: &Operation) -> bool {
        self.shared.exactly_once || operation.is_read_only()
    }

    /// The next node; after a whole round in vain a short rest, so that an election or a restart is not a storm.
    async fn turn_to_next(&mut self, operation: &Operation, attempts: &mut Attempts) {
        if attempts.turn_to_next(&self.shared.routing.of(operation)) {
            let rest = Duration::from_millis(self.rng.random_range(10..40));
            tokio::time::sleep(rest).await;
        }
    }

    /// The same request again on a connection of its own, some time later, to any node; its answer is ignored.
    fn send_copy(&mut self, operation: &Operation, body: &Bytes, invoked: u64) {
        let node = self.shared.nodes[self.rng.random_range(0..self.shared.nodes.len())].clone();
        let range_ms = &COPY_DELAYS_MS[self.rng.random_range(0..COPY_DELAYS_MS.len())];
        let delay = Duration::from_millis(self.rng.random_range(range_ms.clone()));
        let (shared, process) = (Arc::clone(&self.shared), self.process);
        let mut connections = Connections::new(shared.addresses.clone());
        let sent = Sent { invoked, process, operation: operation.clone(), body: body.clone() };
        let mut retired = self.retired.subscribe();
        self.copies.spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                _ = retired.changed() => return,
            }
            let received = sent.copy_to(&node, &mut connections, &shared).await;
            // To a dead node it is as if it had not been sent.
            if matches!(received, AttemptResult::Answered(_) | AttemptResult::Refused(_)) {
                shared.faults.count_one();
            }
        });
        while self.copies.try_join_next().is_some() {}
    }

    fn record_end(&mut self, operation: &Operation, performed: &Performed, attempts: &Attempts) {
        let reason = Some(attempts.reason.clone()).filter(|reason| !reason.is_empty());
        match performed {
            Performed::Ok(outcome) => {
                let value = serde_json::to_value(outcome).unwrap_or(Value::Null);
                self.record(EventKind::Ok, operation, value, None, attempts.node);
            }
            Performed::Fail => {
                self.record(EventKind::Fail, operation, Value::Null, reason, attempts.node);
            }
            Performed::Info => {
                self.record(EventKind::Info, operation, Value::Null, reason, attempts.node);
                self.begin_new_process();
            }
        }
    }

    /// After `info` the operation stays open for ever: the clerk goes on under a new number and on new connections.
    fn begin_new_process(&mut self) {
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
    ) -> u64 {
        let node = Some(self.shared.nodes[node].as_str());
        self.shared.stream.operation(self.process, kind, operation.name(), value, error, node)
    }
}
