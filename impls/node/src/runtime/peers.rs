//! Messages to other nodes: one POST each, over a small pool of connections to each peer.

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use contract::{Launch, NodeId};
use http_client::{Connection, Full, Request, connection::Failure, header};
use tokio::{sync::Notify, task::JoinSet, time::timeout};

use crate::clock::{LAMPORT, Stamp, VECTOR};

/// Messages under way to one peer at a time, each on a connection of its own.
const IN_FLIGHT_MAX: usize = 8;
/// Messages that wait for one peer; the oldest go first, since protocols repeat what still matters.
const QUEUE_MAX: usize = 1024;
/// How long one message may take, from connecting to the end of its answer. After that its connection is closed, so
/// that a late answer is not taken for the next message's.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Messages that waited for longer are dropped: after a partition the peer needs news, not a backlog of heartbeats.
const AGE_MAX: Duration = Duration::from_secs(1);
/// The pause after a failure: doubled from the shortest to the longest.
const BACKOFF_MIN: Duration = Duration::from_millis(10);
const BACKOFF_MAX: Duration = Duration::from_millis(50);
/// The longest answer that is read; its content does not matter.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The queues to every peer.
pub(super) struct Peers(BTreeMap<NodeId, Arc<Queue>>);

/// What the headers of a message say about it, for traces and for its receiver's clocks.
pub(super) struct Label {
    kind: &'static str,
    term: Option<u64>,
    lamport: Option<u64>,
    vector: Option<String>,
}

struct Outgoing {
    label: Label,
    body: Bytes,
    queued: Instant,
}

/// What waits for one peer.
#[derive(Default)]
struct Queue {
    waiting: Mutex<VecDeque<Outgoing>>,
    filled: Notify,
}

impl Peers {
    /// Starts the workers of every peer; they end with the set.
    pub(super) fn start(launch: &Launch) -> (Self, JoinSet<()>) {
        let mut workers = JoinSet::new();
        let mut queues = BTreeMap::new();
        for (peer, address) in launch.peers.iter().filter(|(peer, _)| **peer != launch.node) {
            let queue = Arc::new(Queue::default());
            for _ in 0..IN_FLIGHT_MAX {
                workers.spawn(work(peer.clone(), *address, Arc::clone(&queue)));
            }
            queues.insert(peer.clone(), queue);
        }
        (Self(queues), workers)
    }

    /// Sends a message, some time, perhaps. Never blocks.
    pub(super) fn send(&self, to: &NodeId, label: Label, body: Bytes) {
        match self.0.get(to) {
            Some(queue) => queue.push(Outgoing { label, body, queued: Instant::now() }),
            None => {
                let kind = label.kind;
                tracing::warn!(%to, kind, "a message to a node that DS_PEERS does not name");
            }
        }
    }
}

impl Label {
    /// `stamp`: the clocks at the sending, however often and late the message then travels.
    pub(super) fn new(kind: &'static str, term: Option<u64>, stamp: &Stamp) -> Self {
        Self { kind, term, lamport: stamp.lamport, vector: stamp.vector_header() }
    }
}

impl Queue {
    fn push(&self, message: Outgoing) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= QUEUE_MAX {
            waiting.pop_front();
        }
        waiting.push_back(message);
        drop(waiting);
        self.filled.notify_one();
    }

    async fn pop(&self) -> Outgoing {
        loop {
            match self.try_pop() {
                Some(message) => return message,
                None => self.filled.notified().await,
            }
        }
    }

    fn try_pop(&self) -> Option<Outgoing> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while waiting.front().is_some_and(|message| message.queued.elapsed() > AGE_MAX) {
            waiting.pop_front();
        }
        let message = waiting.pop_front();
        if !waiting.is_empty() {
            // A notification may have been merged with another one: pass it on.
            self.filled.notify_one();
        }
        message
    }
}

/// Carries messages to a peer, one at a time. A message that fails is lost: the protocol repeats what matters.
async fn work(peer: NodeId, address: SocketAddr, queue: Arc<Queue>) {
    let mut connection: Option<Connection> = None;
    let mut backoff = BACKOFF_MIN;
    loop {
        let message = queue.pop().await;
        let kind = message.label.kind;
        match timeout(TIMEOUT, deliver(connection.take(), &peer, address, message)).await {
            Ok(Ok(reusable)) => {
                connection = Some(reusable);
                backoff = BACKOFF_MIN;
                continue;
            }
            Ok(Err(error)) => tracing::debug!(%peer, kind, error, "a message was lost"),
            Err(_) => tracing::debug!(%peer, kind, "a message was not answered in time"),
        }
        tokio::time::sleep(backoff).await;
        backoff = (backoff * 2).min(BACKOFF_MAX);
    }
}

/// Sends one message and reads the answer to its end; gives back the connection for the next one.
async fn deliver(
    open: Option<Connection>,
    peer: &NodeId,
    address: SocketAddr,
    message: Outgoing,
) -> Result<Connection, Failure> {
    let mut connection = match reusable(open).await {
        Some(connection) => connection,
        None => Connection::open(address).await?,
    };
    let Label { kind, term, lamport, vector } = message.label;
    let mut request = Request::post("/v1/peer")
        .header(header::HOST, peer)
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-ds-type", kind);
    for (name, number) in [("x-ds-term", term), (LAMPORT, lamport)] {
        if let Some(number) = number {
            request = request.header(name, number);
        }
    }
    if let Some(vector) = vector {
        request = request.header(VECTOR, vector);
    }
    let request = request.body(Full::new(message.body))?;
    let (status, _) = connection.exchange(request, ANSWER_BYTES_MAX).await?;
    if !status.is_success() {
        // The peer got it and did not take it, as when its queue is full: lost like any other.
        tracing::debug!(%peer, kind, %status, "a message was refused");
    }
    Ok(connection)
}

/// The connection, if the peer has not closed it since the last message.
async fn reusable(open: Option<Connection>) -> Option<Connection> {
    let mut connection = open?;
    connection.is_ready().await.then_some(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outgoing(number: usize, queued: Instant) -> Outgoing {
        let label = Label::new("Number", None, &Stamp::default());
        Outgoing { label, body: number.to_string().into(), queued }
    }

    fn push(queue: &Queue, number: usize) {
        queue.push(outgoing(number, Instant::now()));
    }

    #[test]
    fn what_waited_too_long_is_dropped() {
        let queue = Queue::default();
        let long_ago = Instant::now().checked_sub(2 * AGE_MAX).unwrap();
        queue.push(outgoing(1, long_ago));
        queue.push(outgoing(2, long_ago));
        assert!(queue.try_pop().is_none());
        queue.push(outgoing(3, long_ago));
        push(&queue, 4);
        assert_eq!(queue.try_pop().unwrap().body, "4");
    }

    #[test]
    fn a_full_queue_drops_the_oldest() {
        let queue = Queue::default();
        for number in 0..QUEUE_MAX + 3 {
            push(&queue, number);
        }
        assert_eq!(queue.try_pop().unwrap().body, "3");
        assert_eq!(queue.waiting.lock().unwrap().len(), QUEUE_MAX - 1);
    }

    #[tokio::test]
    async fn every_message_finds_a_worker() {
        let queue = Arc::new(Queue::default());
        let mut workers = JoinSet::new();
        for _ in 0..IN_FLIGHT_MAX {
            let queue = Arc::clone(&queue);
            workers.spawn(async move { queue.pop().await });
        }
        for number in 0..IN_FLIGHT_MAX {
            push(&queue, number);
        }
        // A message that was left lying would leave a worker waiting for ever.
        let popped = timeout(Duration::from_secs(10), workers.join_all()).await.unwrap();
        assert_eq!(popped.len(), IN_FLIGHT_MAX);
    }
}
