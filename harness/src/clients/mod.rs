//! The clients of a run: clerks that carry out operations as HTTP requests and record what came of them.
//!
//! ```text
//! clerk            one closed-loop client; the rules of the record
//! attempts         the attempts of one operation
//! trail            what is recorded of them
//! connection       HTTP to one node
//! routing          which nodes an operation is for
//! probes           single operations where the faults want them
//! faults           replies lost, requests sent twice
//! repeats          the last write of each client, sent once more at the end
//! protocol_errors  answers that broke the contract
//! servers          the servers of a view service, which the bench plays
//! submitter        one client of MapReduce; the rules of its record
//! outputs          reads what jobs have written
//! waits            … how long it waits for a job
//! ```

pub mod attempts;
pub mod clerk;
pub mod connection;
pub mod faults;
pub mod outputs;
pub mod probes;
pub mod protocol_errors;
pub mod repeats;
pub mod routing;
pub mod servers;
pub mod submitter;
mod trail;
pub mod waits;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use contract::{NodeId, manifest::Timeouts};

use crate::{environment::build::group_id, stream::Stream};
use faults::ClientFaults;
use probes::Probes;
use protocol_errors::ProtocolErrors;
use repeats::LastWrites;
use routing::Routing;

/// How long a clerk waits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For one attempt.
    pub attempt: Duration,
    /// For one operation, all attempts together.
    pub operation: Duration,
}

impl From<&Timeouts> for Patience {
    fn from(timeouts: &Timeouts) -> Self {
        Self { attempt: timeouts.attempt(), operation: timeouts.operation() }
    }
}

/// What all clerks of a run share.
#[derive(Debug)]
pub struct Shared {
    /// Where operations are recorded.
    pub stream: Arc<Stream>,
    /// Whom clients ask, in order.
    pub nodes: Vec<NodeId>,
    /// Which of them for what.
    pub routing: Routing,
    /// Where clients reach each node.
    pub addresses: HashMap<NodeId, SocketAddr>,
    /// How many clerks there are: a process number is never used by two of them.
    pub clerks: u64,
    /// How long they wait.
    pub patience: Patience,
    /// Whether a request that is sent again takes effect once, as the store promises.
    pub exactly_once: bool,
    /// The client faults.
    pub faults: ClientFaults,
    /// Where to read next, at moments that matter.
    pub probes: Probes,
    /// Answers that broke the contract.
    pub protocol_errors: ProtocolErrors,
    /// What is sent once more at the end.
    pub last_writes: LastWrites,
    /// How long clients rest after each operation, in milliseconds.
    rest_ms: AtomicU64,
    /// What each node served.
    served: Vec<Served>,
    last_answer: Mutex<Option<NodeId>>,
}

/// What a node served so far.
#[derive(Debug, Default)]
struct Served {
    operations: AtomicU64,
    writes: AtomicU64,
}

impl Shared {
    /// For `clerks` clerks that have done nothing yet; `addresses` says where each node is reached, `exactly_once` whether
    /// a write may be sent again.
    #[must_use]
    pub fn new(
        stream: Arc<Stream>,
        nodes: Vec<NodeId>,
        addresses: HashMap<NodeId, SocketAddr>,
        clerks: u64,
        patience: Patience,
        exactly_once: bool,
    ) -> Self {
        Self {
            stream,
            served: nodes.iter().map(|_| Served::default()).collect(),
            routing: Routing::alike(nodes.len()),
            nodes,
            addresses,
            clerks,
            patience,
            exactly_once,
            faults: ClientFaults::default(),
            probes: Probes::default(),
            protocol_errors: ProtocolErrors::default(),
            last_writes: LastWrites::default(),
            rest_ms: AtomicU64::new(0),
            last_answer: Mutex::new(None),
        }
    }

    /// The same for a sharded store: these groups, and these controllers. Without groups nothing changes.
    #[must_use]
    pub fn routed(mut self, groups: &[Vec<NodeId>], controllers: &[NodeId]) -> Self {
        if !groups.is_empty() {
            let sizes =
                groups.iter().enumerate().map(|(place, group)| (group_id(place), group.len()));
            let sizes: Vec<_> = sizes.collect();
            self.routing = Routing::sharded(&sizes, controllers.len());
        }
        self
    }

    /// How many operations succeeded.
    #[must_use]
    pub fn successes(&self) -> u64 {
        self.served_where(|_| true).0
    }

    /// How many operations succeeded at these nodes, and how many of them were writes.
    #[must_use]
    pub fn served_by(&self, nodes: &[NodeId]) -> (u64, u64) {
        self.served_where(|node| nodes.contains(node))
    }

    fn served_where(&self, counts: impl Fn(&NodeId) -> bool) -> (u64, u64) {
        let those = self.nodes.iter().zip(&self.served).filter(|(node, _)| counts(node));
        let counts = those.map(|(_, served)| (&served.operations, &served.writes));
        counts.fold((0, 0), |(operations, writes), (more, more_writes)| {
            (
                operations + more.load(Ordering::Relaxed),
                writes + more_writes.load(Ordering::Relaxed),
            )
        })
    }

    /// The node that answered last: who leads, where the store does not say.
    #[must_use]
    pub fn last_answer(&self) -> Option<NodeId> {
        self.last_answer.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The place of a node among those that clients ask.
    #[must_use]
    pub fn place(&self, node: &str) -> Option<usize> {
        self.nodes.iter().position(|own| own == node)
    }

    /// From now on clients rest so long after each operation; 0: not at all.
    pub fn slow_down(&self, rest_ms: u64) {
        self.rest_ms.store(rest_ms, Ordering::Relaxed);
    }

    /// How long clients rest after an operation.
    #[must_use]
    pub fn rest(&self) -> Duration {
        Duration::from_millis(self.rest_ms.load(Ordering::Relaxed))
    }

    /// Has a node read at now.
    pub fn probe(&self, node: &NodeId) {
        // Controllers have nothing to read.
        if let Some(place) = self.place(node).filter(|place| self.routing.servers().contains(place))
        {
            self.probes.at(place);
        }
    }

    /// Has one client write at this node now; it asks no other one.
    pub fn write(&self, node: &NodeId) {
        if let Some(place) = self.place(node).filter(|place| self.routing.servers().contains(place))
        {
            self.probes.write_at(place);
        }
    }

    /// An operation succeeded at this node.
    pub(crate) fn succeeded_at(&self, node: &NodeId, is_write: bool) {
        if let Some(place) = self.place(node) {
            self.served[place].operations.fetch_add(1, Ordering::Relaxed);
            self.served[place].writes.fetch_add(u64::from(is_write), Ordering::Relaxed);
        }
        *self.last_answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(node.clone());
    }
}
