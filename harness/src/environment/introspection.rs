//! Asks the nodes of a store with the capability `log` what they act as, what they promised, and what they know to be chosen.
//! Straight, so that no fault keeps them from answering, and little at a time, so that it costs them next to nothing.

mod pace;

use std::{collections::BTreeMap, net::SocketAddr, ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use contract::{
    LogAnswer, NodeId,
    log::{ANSWER_BYTES_MAX, ENTRIES_MAX},
};
use http_client::{Client, HttpError, StatusCode};
use record::{IntrospectionRecord, Said, introspection::bounded_value};
use serde_json::Value;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::stream::Stream;
pub use pace::Pace;

/// From one question for a node's log to the next, at least.
const LOG_PAUSE: Duration = Duration::from_millis(400);
/// So many slots are asked for again each time: it shows where a value is overwritten soon after it was said.
const AGAIN_SLOTS: u64 = 200;
/// So many slots of each node are asked for at the end.
const LAST_SLOTS: u64 = 10_000;
/// How long a node may take to answer.
const LIMIT: Duration = Duration::from_millis(300);

/// How long a node that is to be killed may take to say what it promised: it must not live much longer than was meant.
const LAST_WORDS_LIMIT: Duration = Duration::from_millis(15);

/// A node that is down for longer is asked no more often than others.
const DOWN_MAX: Duration = Duration::from_secs(3);

/// The nodes that are asked.
pub type Addresses = Vec<(NodeId, SocketAddr)>;

/// Asks each node over and over, until it is aborted. Puts what they say into the record.
pub async fn watch(nodes: Addresses, stream: Arc<Stream>, pace: Arc<Pace>) {
    let mut interviews = JoinSet::new();
    for (node, address) in nodes {
        let mut interview = Interview::new(node, address, Arc::clone(&stream));
        let pace = Arc::clone(&pace);
        interviews.spawn(async move { interview.go_on(&pace).await });
    }
    interviews.join_all().await;
}

/// Asks each node for the last slots that it still has. Puts what they say into the record.
pub async fn ask_for_last_slots(nodes: Addresses, stream: Arc<Stream>) {
    let mut interviews = JoinSet::new();
    for (node, address) in nodes {
        let mut interview = Interview::new(node, address, Arc::clone(&stream));
        interviews.spawn(async move { interview.last_slots().await });
    }
    interviews.join_all().await;
}

/// Asks a node that is to be killed what it acts as and what it promised. Puts that into the record.
pub async fn ask_for_last_words(node: NodeId, address: SocketAddr, stream: Arc<Stream>) {
    let mut interview = Interview::new(node, address, stream);
    // It may stand still: then it says nothing.
    let _ = timeout(LAST_WORDS_LIMIT, interview.status()).await;
}

/// One node, and what it has said so far.
struct Interview {
    node: NodeId,
    address: SocketAddr,
    client: Client,
    stream: Arc<Stream>,
    /// Whether it answered when it was asked last.
    answers: bool,
    /// Since when nobody listens there.
    down_since: Option<Instant>,
    /// What it acted as last.
    acts_as: Option<Said>,
    /// The last term of which it said that it led in it.
    led: Option<u64>,
    /// What it last said that it promised.
    promised: Option<Said>,
    /// What it last said that could not be used.
    unusable: Option<Said>,
    /// The first slot that it was not asked for yet.
    next_slot: u64,
    /// What it said last of the slots before.
    said: BTreeMap<u64, String>,
}

/// What a node answered, and when.
struct Answer {
    body: Bytes,
    asked_ns: u64,
    answered_ns: u64,
}

impl Interview {
    fn new(node: NodeId, address: SocketAddr, stream: Arc<Stream>) -> Self {
        Self {
            node,
            address,
            // A connection for each question: what the faults do to others cannot matter.
            client: http_client::client(LIMIT, 0),
            stream,
            answers: false,
            down_since: None,
            acts_as: None,
            led: None,
            promised: None,
            unusable: None,
            next_slot: 0,
            said: BTreeMap::new(),
        }
    }

    async fn go_on(&mut self, pace: &Pace) {
        let mut log_due = Instant::now();
        let mut kills = pace.kills();
        loop {
            if kills != pace.kills() {
                // Its last words were heard by somebody else: what it says when it is back is news, even if it is what was said
                // before them.
                kills = pace.kills();
                self.promised = None;
            }
            let (answered, acted_as) = (self.answers, self.acts_as.clone());
            let commit = self.status().await;
            let came_back = self.answers && !answered;
            if came_back || self.acts_as != acted_as {
                pace.hurry();
            }
            if let Some(commit) = commit
                && log_due <= Instant::now()
            {
                self.log(self.due(commit)).await;
                log_due = Instant::now() + LOG_PAUSE;
            }
            let is_down = self.down_since.is_some_and(|since| since.elapsed() < DOWN_MAX);
            pace.rest(is_down).await;
        }
    }

    /// The slots to ask for, where all up to `commit` are chosen.
    fn due(&self, commit: u64) -> Range<u64> {
        let end = commit.saturating_add(1);
        let again = end.saturating_sub(AGAIN_SLOTS);
        let first = end.saturating_sub(ENTRIES_MAX as u64);
        again.min(self.next_slot).max(first)..end
    }

    async fn last_slots(&mut self) {
        let Some(commit) = self.status().await else { return };
        let end = commit.saturating_add(1);
        let mut slots = end.saturating_sub(LAST_SLOTS)..end;
        for _ in 0..LAST_SLOTS.div_ceil(ENTRIES_MAX as u64) {
            match self.log(slots.clone()).await {
                Some(last) if last + 1 < end => slots.start = last + 1,
                _ => return,
            }
        }
    }

    /// Asks what it acts as; gives the last slot that it knows to be chosen, if it says so.
    async fn status(&mut self) -> Option<u64> {
        let answer = self.ask("/v1/status").await;
        self.answers = answer.is_some();
        let answer = answer?;
        let Ok(status) = serde_json::from_slice::<Value>(&answer.body) else {
            self.complain(&answer, "GET /v1/status: no JSON");
            return None;
        };
        let acts_as =
            Said::status(status["role"].as_str().unwrap_or_default(), status["term"].as_u64());
        if self.acts_as.as_ref() != Some(&acts_as) {
            self.record(&answer, acts_as.clone());
            self.acts_as = Some(acts_as);
        }
        // It may have led between two questions.
        let led = status["led"].as_u64();
        if led.is_some() && self.led != led {
            self.record(&answer, Said::status("leader", led));
            self.led = led;
        }
        if let Some(term) = status["promised"].as_u64() {
            self.promises(&answer, term, &status);
        }
        status["commit"].as_u64()
    }

    fn promises(&mut self, answer: &Answer, term: u64, status: &Value) {
        let voted = match status.get("voted") {
            None => None,
            Some(Value::Null) => Some(""),
            Some(Value::String(node)) => Some(node.as_str()),
            Some(_) => {
                self.complain(answer, "GET /v1/status: `voted` is no id");
                None
            }
        };
        let promised = Said::promised(term, voted);
        if self.promised.as_ref() != Some(&promised) {
            self.record(answer, promised.clone());
            self.promised = Some(promised);
        }
    }

    /// Asks what it knows to be chosen in these slots; gives the last one of which it says something.
    async fn log(&mut self, slots: Range<u64>) -> Option<u64> {
        let Range { start: from, end: to } = slots;
        let answer = self.ask(&format!("/v1/log?from={from}&to={to}")).await?;
        let Ok(LogAnswer { entries }) = serde_json::from_slice(&answer.body) else {
            self.complain(&answer, "GET /v1/log: not as the contract says");
            return None;
        };
        let asked = entries.into_iter().filter(|entry| slots.contains(&entry.slot));
        let entries = asked.take(ENTRIES_MAX).map(|entry| (entry.slot, bounded_value(entry.value)));
        let entries: Vec<(u64, String)> = entries.collect();
        self.next_slot = to;
        let last = entries.iter().map(|(slot, _)| *slot).max();
        let (again, news): (Vec<_>, Vec<_>) =
            entries.into_iter().partition(|(slot, value)| self.said.get(slot) == Some(value));
        self.said = again.into_iter().chain(news.iter().cloned()).collect();
        if !news.is_empty() {
            self.record(&answer, Said::Log { from, to, entries: news });
        }
        last
    }

    /// `None` of a node that is down, slow or not ready.
    async fn ask(&mut self, path: &str) -> Option<Answer> {
        let asked_ns = self.stream.now_ns();
        let answer = self.get(path).await;
        let answered_ns = self.stream.now_ns();
        let is_down = matches!(
            answer,
            Err(HttpError::Closed | HttpError::NotConnected(_) | HttpError::Other(_))
        );
        self.down_since = is_down.then(|| self.down_since.unwrap_or_else(Instant::now));
        let with = |body| Answer { body, asked_ns, answered_ns };
        let problem = match answer {
            Ok((StatusCode::OK, body)) => return Some(with(body)),
            Ok((StatusCode::SERVICE_UNAVAILABLE, _)) => return None,
            Ok((status, _)) => format!("status {}", status.as_u16()),
            Err(error @ (HttpError::NotHttp(_) | HttpError::TooLong(_))) => error.to_string(),
            Err(
                HttpError::TimedOut
                | HttpError::Closed
                | HttpError::NotConnected(_)
                | HttpError::Other(_),
            ) => return None,
        };
        let endpoint = path.split('?').next().unwrap_or_default();
        self.complain(&with(Bytes::new()), &format!("GET {endpoint}: {problem}"));
        None
    }

    async fn get(&self, path: &str) -> Result<(StatusCode, Bytes), HttpError> {
        let request = self.client.get(format!("http://{}{path}", self.address));
        let response = http_client::send(request).await?;
        Ok((response.status(), http_client::read(response, ANSWER_BYTES_MAX).await?))
    }

    fn complain(&mut self, answer: &Answer, complaint: &str) {
        let unusable = Said::unusable(complaint);
        if self.unusable.as_ref() != Some(&unusable) {
            self.record(answer, unusable.clone());
            self.unusable = Some(unusable);
        }
    }

    fn record(&self, answer: &Answer, said: Said) {
        let Answer { asked_ns, answered_ns, .. } = *answer;
        let node = self.node.clone();
        self.stream.introspection(IntrospectionRecord { node, asked_ns, answered_ns, said });
    }
}

#[cfg(test)]
mod tests;
