//! The client.

use std::{collections::BTreeMap, time::Duration};

use contract::{Answer, ErrorCode, NodeId, Operation, Outcome, Refusal, Request};
use http_client::HttpError;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::{Failure, Servers};

/// So long one node may take to answer, before another one is asked.
const ATTEMPT: Duration = Duration::from_millis(1_000);
/// After all nodes were asked in vain: an election takes its time.
const REST: Duration = Duration::from_millis(20);
/// No answer is longer.
const ANSWER_BYTES_MAX: usize = 16 << 20;

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

/// What came of one attempt.
enum Attempt {
    Done(Outcome),
    Refused(Refusal),
    /// It was not sent, or nobody knows what came of it.
    Unanswered {
        may_have_happened: bool,
        reason: String,
    },
}

impl Client {
    /// A client of this name, which nobody else has or had. It tries for so long to get an operation done.
    #[must_use]
    pub fn new(name: impl Into<String>, servers: Servers, patience: Duration) -> Self {
        let http = http_client::client(ATTEMPT.min(patience), 1);
        Self { name: name.into(), seq: 0, queries: 0, servers, patience, http }
    }

    /// Carries out any operation of the contract, exactly once.
    ///
    /// # Errors
    /// Says whether it happened, or that nobody knows.
    pub async fn ask(&mut self, operation: Operation) -> Result<Outcome, Failure> {
        self.seq += 1;
        let request = Request { client: self.name.clone(), seq: self.seq, op: operation };
        self.carry_out(&request).await
    }

    /// The group that owns a key, as far as this client knows; `None` where nothing is sharded.
    #[must_use]
    pub fn owner_of(&self, key: &str) -> Option<&str> {
        self.servers.owner_of(key)
    }

    async fn carry_out(&mut self, request: &Request) -> Result<Outcome, Failure> {
        let begun = Instant::now();
        let mut may_have_happened = false;
        let mut reason = "there is nobody to ask".to_owned();
        let mut to_ask: Vec<NodeId> = Vec::new();
        if self.servers.needs_configuration(&request.op) {
            self.learn().await;
        }
        while begun.elapsed() < self.patience {
            if to_ask.is_empty() {
                to_ask = self.servers.of(&request.op);
            }
            if to_ask.is_empty() {
                break;
            }
            let node = to_ask.remove(0);
            match self.attempt(&node, request).await {
                Attempt::Done(outcome) => {
                    self.servers.answered(&request.op, &node);
                    return Ok(outcome);
                }
                Attempt::Refused(refusal) => {
                    reason = format!("{node}: {} {}", refusal.code.name(), refusal.message);
                    match refusal.code {
                        ErrorCode::NotLeader | ErrorCode::NotReady => {}
                        ErrorCode::Timeout | ErrorCode::Internal => may_have_happened = true,
                        ErrorCode::WrongGroup => {
                            self.learn().await;
                            to_ask = self.servers.of(&request.op);
                        }
                        // An earlier attempt may have been carried out.
                        _ if may_have_happened => break,
                        _ => return Err(Failure::Refused(refusal)),
                    }
                    ask_next(&mut to_ask, &node, refusal.hint);
                }
                Attempt::Unanswered { may_have_happened: may_have, reason: why } => {
                    may_have_happened |= may_have;
                    reason = format!("{node}: {why}");
                }
            }
            if to_ask.is_empty() {
                sleep(REST).await;
            }
        }
        let waited = begun.elapsed();
        Err(match may_have_happened && !request.op.is_read_only() {
            true => Failure::Unknown { waited, reason },
            false => Failure::Unavailable { waited, reason },
        })
    }

    async fn attempt(&self, node: &NodeId, request: &Request) -> Attempt {
        let Some(address) = self.servers.address(node) else {
            let reason = "its address is not known".to_owned();
            return Attempt::Unanswered { may_have_happened: false, reason };
        };
        let unanswered = |error: &HttpError| Attempt::Unanswered {
            may_have_happened: !matches!(error, HttpError::NotConnected(_)),
            reason: error.to_string(),
        };
        let body = serde_json::to_vec(request).expect("a request has a JSON form");
        let asked = self.http.post(format!("http://{address}/v1/op")).body(body);
        let asked = asked.header(http_client::header::CONTENT_TYPE, "application/json");
        let answer = match http_client::send(asked).await {
            Ok(answer) => http_client::read(answer, ANSWER_BYTES_MAX).await,
            Err(error) => return unanswered(&error),
        };
        // Whatever went wrong with the answer, the request was there.
        let answer = answer.map_err(|error| error.to_string());
        match answer.and_then(|body| parsed(&request.op, &body)) {
            Ok(Answer::Ok(outcome)) => Attempt::Done(outcome),
            Ok(Answer::Error(refusal)) => Attempt::Refused(refusal),
            Err(reason) => Attempt::Unanswered { may_have_happened: true, reason },
        }
    }

    /// Asks the controllers who owns what. Where none answers, the client goes on with what it knows.
    async fn learn(&mut self) {
        let op = Operation::Query { num: -1 };
        for node in self.servers.of(&op) {
            // A client of its own, whose numbers go up, too: what was answered before is old.
            self.queries += 1;
            let client = format!("{}/query", self.name);
            let request = Request { client, seq: self.queries, op: op.clone() };
            if let Attempt::Done(Outcome::Configuration(latest)) =
                self.attempt(&node, &request).await
            {
                self.servers.answered(&op, &node);
                return self.servers.learn(latest);
            }
        }
    }

    /// The value of a key, `None` where it has none.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn get(&mut self, key: &str) -> Result<Option<String>, Failure> {
        match self.ask(Operation::Get { key: key.to_owned() }).await? {
            Outcome::Value { value } => Ok(value),
            other => Err(unexpected("get", &other)),
        }
    }

    /// Gives a key a value.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn put(&mut self, key: &str, value: &str) -> Result<(), Failure> {
        self.ask(Operation::Put { key: key.to_owned(), value: value.to_owned() }).await.map(drop)
    }

    /// Adds to the end of a key's value.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn append(&mut self, key: &str, value: &str) -> Result<(), Failure> {
        let operation = Operation::Append { key: key.to_owned(), value: value.to_owned() };
        self.ask(operation).await.map(drop)
    }

    /// The values of several keys at one moment.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn multi_get(
        &mut self,
        keys: &[&str],
    ) -> Result<BTreeMap<String, Option<String>>, Failure> {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        match self.ask(Operation::MultiGet { keys }).await? {
            Outcome::Values { values } => Ok(values),
            other => Err(unexpected("multiget", &other)),
        }
    }

    /// Gives several keys values at one moment.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn multi_put(&mut self, values: BTreeMap<String, String>) -> Result<(), Failure> {
        self.ask(Operation::MultiPut { values }).await.map(drop)
    }

    /// Exchanges the values of two keys.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn swap(&mut self, a: &str, b: &str) -> Result<(), Failure> {
        self.ask(Operation::Swap { a: a.to_owned(), b: b.to_owned() }).await.map(drop)
    }
}

fn parsed(operation: &Operation, body: &[u8]) -> Result<Answer, String> {
    let answer: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if let Some(result) = answer.get("ok") {
        return operation.parse_outcome(result).map(Answer::Ok);
    }
    let refusal = answer.get("error").cloned().unwrap_or_default();
    serde_json::from_value(refusal).map(Answer::Error).map_err(|error| error.to_string())
}

/// The hinted node comes first, unless it is the one that gave the hint.
fn ask_next(to_ask: &mut Vec<NodeId>, from: &NodeId, hint: Option<NodeId>) {
    let Some(hint) = hint.filter(|hint| hint != from) else { return };
    to_ask.retain(|node| *node != hint);
    to_ask.insert(0, hint);
}

fn unexpected(asked: &'static str, answer: &Outcome) -> Failure {
    Failure::Unexpected { asked, answer: format!("{answer:?}") }
}
