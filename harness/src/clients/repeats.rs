//! Requests that are sent once more. The last write of each client is, at the end of a run: it must not take effect again, however
//! long ago it was, and whatever the store has compacted and restarted since.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use contract::{ErrorCode, NodeId, Operation};
use record::AttemptRecord;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    Shared,
    connection::{AttemptResult, Connections},
    trail::{self, Span},
};

/// From one attempt in vain to the next.
const PAUSE: Duration = Duration::from_millis(20);

/// A request that was sent.
#[derive(Debug)]
pub(super) struct Sent {
    /// The index of its invocation.
    pub(super) invoked: u64,
    pub(super) process: u64,
    pub(super) operation: Operation,
    pub(super) body: Bytes,
}

/// The last writes of the clients that do nothing any more.
#[derive(Debug, Default)]
pub struct LastWrites(Mutex<Vec<Sent>>);

impl LastWrites {
    /// A client has carried out its last operation.
    pub(super) fn add(&self, write: Sent) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(write);
    }

    fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sends them all once more, each until a node that serves has answered; afterwards nothing is on its way. Only to a store that
/// promises `exactly-once`.
pub async fn send_again(shared: &Arc<Shared>) {
    let mut sending = JoinSet::new();
    for write in shared.last_writes.take() {
        let shared = Arc::clone(shared);
        sending.spawn(async move { write.send_again(&shared).await });
    }
    sending.join_all().await;
}

impl Sent {
    /// Sends it once more, to this node, and records that.
    pub(super) async fn copy_to(
        &self,
        node: &NodeId,
        connections: &mut Connections,
        shared: &Shared,
    ) -> AttemptResult {
        let sent_ns = shared.stream.now_ns();
        let limit = shared.patience.attempt;
        let received = connections.ask(node, &self.operation, &self.body, limit).await;
        let span = Span { sent_ns, ended_ns: shared.stream.now_ns() };
        let line = trail::line(self.invoked, self.process, node, span, &received);
        shared.stream.attempts(vec![AttemptRecord { copy: true, ..line }]);
        received
    }

    async fn send_again(&self, shared: &Shared) {
        let mut connections = Connections::new(shared.addresses.clone());
        let deadline = Instant::now() + shared.patience.operation;
        for node in shared.nodes.iter().cycle() {
            let received = self.copy_to(node, &mut connections, shared).await;
            if was_taken(&received) || Instant::now() > deadline {
                return;
            }
            sleep(PAUSE).await;
        }
    }
}

/// Whether a node that serves took the request, whatever it answered.
fn was_taken(received: &AttemptResult) -> bool {
    match received {
        AttemptResult::Answered(_) => true,
        AttemptResult::Refused(refusal) => !matches!(
            refusal.code,
            ErrorCode::NotLeader | ErrorCode::NotReady | ErrorCode::WrongGroup
        ),
        _ => false,
    }
}
