//! The client: whom it asks, and how often.

use std::{collections::VecDeque, time::Duration};

use contract::{ErrorCode, NodeId, Operation, Outcome, Refusal, Request};
use tokio::time::{Instant, sleep};

use crate::{
    Failure, Servers,
    attempt::{Attempt, attempt},
};

/// So long one node may take to answer, before another one is asked.
const ATTEMPT: Duration = Duration::from_millis(1_000);
/// After all nodes were asked in vain: an election takes its time. Also the least that an attempt is given.
const REST: Duration = Duration::from_millis(20);

/// A client of a store. One operation is under way at a time.
#[derive(Debug)]
pub struct Client {
    name: String,
    seq: u64,
    queries: u64,
    servers: Servers,
    patience: Duration,
    http: http_client::Client,
}

/// How far an operation is.
struct Progress {
    begun: Instant,
    deadline: Instant,
    /// Whether an attempt was made of which nobody knows what came of it.
    may_have_happened: bool,
    /// What came of the last attempt.
    reason: String,
}

/// What follows an attempt.
enum Then {
    /// The next node of this round.
    AskNext,
    /// A new round, among those who own the key now.
    AskNewOwner,
    End(Result<Outcome, Failure>),
}

impl Client {
    /// A client of this name, which nobody else has or had. It tries for so long to get an operation done.
    #[must_use]
    pub fn new(name: impl Into<String>, servers: Servers, patience: Duration) -> Self {
        let http = http_client::client(ATTEMPT, 1);
        Self { name: name.into(), seq: 0, queries: 0, servers, patience, http }
    }

    /// Carries out any operation of the contract, exactly once. If the future is dropped before it ends, nobody knows whether the
    /// operation happened.
    ///
    /// # Errors
    /// Says whether it happened, or that nobody knows.
    pub async fn ask(&mut self, operation: Operation) -> Result<Outcome, Failure> {
        self.seq += 1;
        let request = Request { client: self.name.clone(), seq: self.seq, op: operation };
        let mut progress = Progress::begin(self.patience);
        if self.servers.needs_configuration(&request.op) {
            self.learn(&progress).await;
        }
        // Each is asked once in a round, so that two who take each other for the leader do not keep the client busy.
        let mut to_ask = VecDeque::from(self.servers.of(&request.op));
        while !progress.is_over() {
            let Some(node) = to_ask.pop_front() else {
                sleep(REST).await;
                to_ask = self.servers.of(&request.op).into();
                continue;
            };
            match self.ask_node(&node, &request, &mut to_ask, &mut progress).await {
                Then::AskNext => {}
                Then::AskNewOwner => to_ask = self.servers.of(&request.op).into(),
                Then::End(ended) => return ended,
            }
        }
        Err(progress.failure(&request.op))
    }

    /// The group that owns a key, as far as this client knows; `None` where nothing is sharded.
    #[must_use]
    pub fn owner_of(&self, key: &str) -> Option<&str> {
        self.servers.owner_of(key)
    }

    async fn ask_node(
        &mut self,
        node: &NodeId,
        request: &Request,
        to_ask: &mut VecDeque<NodeId>,
        progress: &mut Progress,
    ) -> Then {
        match self.attempt(node, request, progress).await {
            Attempt::Done(outcome) => {
                self.servers.answered(&request.op, node);
                return Then::End(Ok(outcome));
            }
            Attempt::Refused(refusal) => {
                return self.refused(node, request, refusal, to_ask, progress).await;
            }
            Attempt::NotSent(reason) => progress.reason = format!("{node}: {reason}"),
            Attempt::Uncertain(reason) => {
                progress.may_have_happened = true;
                progress.reason = format!("{node}: {reason}");
            }
        }
        Then::AskNext
    }

    async fn refused(
        &mut self,
        node: &NodeId,
        request: &Request,
        refusal: Refusal,
        to_ask: &mut VecDeque<NodeId>,
        progress: &mut Progress,
    ) -> Then {
        progress.may_have_happened |= !refusal.code.is_definite();
        progress.reason = format!("{node}: {} {}", refusal.code.name(), refusal.message);
        match refusal.code {
            ErrorCode::WrongGroup if self.learn(progress).await => return Then::AskNewOwner,
            ErrorCode::NotLeader | ErrorCode::WrongGroup | ErrorCode::NotReady => {
                let hinted = to_ask.iter().position(|node| refusal.hint.as_ref() == Some(node));
                if let Some(place) = hinted {
                    to_ask.swap(0, place);
                }
            }
            ErrorCode::Timeout | ErrorCode::Internal => {}
            // Of an earlier attempt nobody knows, or the refusal itself does not say that nothing happened.
            _ if progress.may_have_happened && !request.op.is_read_only() => {
                return Then::End(Err(progress.failure(&request.op)));
            }
            _ => return Then::End(Err(Failure::Refused(refusal))),
        }
        Then::AskNext
    }

    async fn attempt(&self, node: &NodeId, request: &Request, progress: &Progress) -> Attempt {
        match self.servers.address(node) {
            Some(address) => {
                attempt(&self.http, address, request, ATTEMPT.min(progress.left())).await
            }
            None => Attempt::NotSent("its address is not known".to_owned()),
        }
    }

    /// Asks the controllers who owns what; whether that has changed. Where none answers, the client goes on with what it knows.
    async fn learn(&mut self, progress: &Progress) -> bool {
        if !self.servers.is_sharded() {
            return false;
        }
        let op = Operation::Query { num: -1 };
        for node in self.servers.of(&op) {
            // A client of its own, whose numbers go up, too: what was answered before is old.
            self.queries += 1;
            let client = format!("{}/query", self.name);
            let request = Request { client, seq: self.queries, op: op.clone() };
            let answer = self.attempt(&node, &request, progress).await;
            if let Attempt::Done(Outcome::Configuration(latest)) = answer {
                self.servers.answered(&op, &node);
                return self.servers.learn(latest);
            }
        }
        false
    }
}

impl Progress {
    fn begin(patience: Duration) -> Self {
        let begun = Instant::now();
        Self {
            begun,
            deadline: begun + patience,
            may_have_happened: false,
            reason: "nobody was asked".to_owned(),
        }
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Whether there is no time left in which somebody could answer: an attempt would only put the outcome in doubt.
    fn is_over(&self) -> bool {
        self.left() <= REST
    }

    /// What is known of an operation that nobody answered. A read changes nothing, whatever came of it.
    fn failure(&self, operation: &Operation) -> Failure {
        let (waited, reason) = (self.begun.elapsed(), self.reason.clone());
        match self.may_have_happened && !operation.is_read_only() {
            true => Failure::Unknown { waited, reason },
            false => Failure::Unavailable { waited, reason },
        }
    }
}
