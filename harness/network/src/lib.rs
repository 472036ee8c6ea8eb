//! A proxy for each directed link between nodes, with a gate and message faults.
//!
//! Every node gets its own view of the others: for each link (from, to) one address, behind which a proxy
//! carries the bytes, verbatim, to the real address. A port stands for both ends of its link, so links can be cut one by one and
//! in one direction. The proxy follows HTTP/1.1 only to know where messages begin and end (`framing`); what is not
//! HTTP/1.1 is carried all the same, with gates, and late where messages would be late or lost.
//!
//! ```text
//! n1 ──▶ port (n1, n2) ──▶ listener ──▶ connection ──▶ n2
//!                             gate        requests  ▶ gate (n1, n2), message faults
//!                                         responses ◀ gate (n2, n1)
//! ```
//! This crate knows nothing of processes, workloads or verdicts: it does what it is asked and counts what took hold.

mod body;
mod budget;
mod connection;
mod counters;
mod duplicate;
mod end;
mod exchange;
mod faults;
mod framing;
mod gate;
mod link;
mod listener;
mod pump;
mod reorder;
mod requests;
mod responses;
mod trace;
mod trigger;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::task::JoinSet;

pub use counters::LinkCounters;
pub use end::{End, Sockets};
pub use faults::{Delay, MessageFaults};
pub use gate::Gate;
pub use link::LinkSpec;
pub use trace::{Trace, TraceSummary, Unseen};
pub use trigger::{Armed, Boundary, Caught, Trigger};

use budget::Budget;
use connection::Passages;
use gate::Gatekeeper;
use link::Link;
use listener::Port;
use trigger::Triggers;

/// All links, open for traffic until [`Network::close`].
pub struct Network {
    links: Vec<(SocketAddr, Arc<Link>)>,
    /// By direction of the bytes. When these go, everything else ends.
    gates: BTreeMap<(String, String), Gatekeeper>,
    listeners: JoinSet<()>,
    trace: Option<Trace>,
    triggers: Arc<Triggers>,
}

impl Network {
    /// Listens at the downstream end of each link. `seed` decides the message faults.
    pub async fn open(
        links: Vec<LinkSpec>,
        seed: u64,
        trace: Option<Trace>,
    ) -> io::Result<Network> {
        let budget = Budget::new();
        let mut network = Network {
            links: Vec::with_capacity(links.len()),
            gates: BTreeMap::new(),
            listeners: JoinSet::new(),
            trace,
            triggers: Arc::default(),
        };
        for spec in links {
            network.add(spec, seed, &budget)?;
        }
        Ok(network)
    }

    fn add(&mut self, spec: LinkSpec, seed: u64, budget: &Arc<Budget>) -> io::Result<()> {
        let (from, to) = (spec.from.clone(), spec.to.clone());
        if self.links(&from, &to).any(|(_, link)| link.port == spec.port) {
            let problem = format!("the link {from}>{to} is given twice");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
        }
        let open = |e: io::Error| {
            io::Error::new(e.kind(), format!("cannot open a port for the link {from}>{to}: {e}"))
        };
        let port = Port::reserve(&spec.downstream).map_err(open)?;
        let listener = port.listen().map_err(open)?;
        let passages = Passages {
            requests: self.gate(&from, &to).passage(),
            responses: self.gate(&to, &from).passage(),
        };
        let recorder = self.trace.as_ref().map(Trace::recorder);
        let triggers = Arc::clone(&self.triggers);
        let link = Arc::new(Link::new(spec, seed, recorder, Arc::clone(budget), triggers));
        self.links.push((port.address(), Arc::clone(&link)));
        self.listeners.spawn(listener::run(link, port, listener, passages));
        Ok(())
    }

    fn gate(&mut self, from: &str, to: &str) -> &Gatekeeper {
        self.gates.entry((from.to_owned(), to.to_owned())).or_insert_with(Gatekeeper::new)
    }

    /// One for each port of `to`; at least one, or what is to happen to them has no effect.
    fn links_to_disturb(&self, from: &str, to: &str) -> impl Iterator<Item = &Arc<Link>> {
        if self.links(from, to).next().is_none() {
            tracing::warn!(from, to, "no such link: the message faults have no effect");
        }
        self.links(from, to).map(|(_, link)| link)
    }

    /// One for each port of `to`.
    fn links(&self, from: &str, to: &str) -> impl Iterator<Item = &(SocketAddr, Arc<Link>)> {
        self.links.iter().filter(move |(_, link)| link.from == from && link.to == to)
    }

    /// Where `from` must dial to reach `to`, of several ports the first.
    pub fn address(&self, from: &str, to: &str) -> Option<SocketAddr> {
        self.links(from, to).next().map(|(address, _)| *address)
    }

    /// Where `from` must dial to reach each port of `to`, where it has several.
    pub fn addresses(&self, from: &str, to: &str) -> BTreeMap<u16, SocketAddr> {
        let links = self.links(from, to);
        links.filter_map(|(address, link)| Some((link.port?, *address))).collect()
    }

    /// Closes the gate for bytes that travel from `from` to `to`: requests on connections that `from` opened, and answers
    /// on connections that `to` opened. The other direction is not touched. It opens once [`Self::open_gate`] was called as
    /// often.
    pub fn close_gate(&self, from: &str, to: &str, gate: Gate) {
        match self.gates.get(&(from.to_owned(), to.to_owned())) {
            Some(keeper) => keeper.close(gate),
            None => tracing::warn!(from, to, ?gate, "no such link: the gate has no effect"),
        }
    }

    /// Opens the gate for bytes that travel from `from` to `to`, where nobody else has closed it, too.
    pub fn open_gate(&self, from: &str, to: &str) {
        if let Some(keeper) = self.gates.get(&(from.to_owned(), to.to_owned())) {
            keeper.open();
        }
    }

    /// Opens every gate, whoever has closed it.
    pub fn open_all_gates(&self) {
        self.gates.values().for_each(Gatekeeper::force_open);
    }

    /// Sets the faults for requests on connections that `from` opened to `to`, from the next message on.
    pub fn set_faults(&self, from: &str, to: &str, faults: MessageFaults) {
        for link in self.links_to_disturb(from, to) {
            link.set_faults(faults);
        }
    }

    /// Sets further faults for requests of these kinds, as [`Self::kinds`] names them, on connections that `from` opened to
    /// `to`; an empty map ends them. Only where there is a trace.
    pub fn set_faults_of_kinds(
        &self,
        from: &str,
        to: &str,
        of_kinds: &BTreeMap<String, MessageFaults>,
    ) {
        for link in self.links_to_disturb(from, to) {
            link.set_faults_of_kinds(of_kinds.clone());
        }
    }

    /// Ends message faults on every link. What is delayed already still arrives late.
    pub fn clear_faults(&self) {
        for (_, link) in &self.links {
            link.set_faults(MessageFaults::default());
            link.set_faults_of_kinds(BTreeMap::new());
        }
    }

    /// Catches the next message of which all this holds; only one whose first byte comes later than this call. What is not
    /// HTTP/1.1 is never caught.
    #[must_use]
    pub fn arm(&self, trigger: Trigger) -> Armed {
        self.triggers.arm(trigger)
    }

    /// How many messages of each kind the links have carried so far, by (from, to). Only where there is a trace.
    pub fn kinds(&self) -> Vec<(String, String, BTreeMap<String, u64>)> {
        let of = |link: &Link| (link.from.clone(), link.to.clone(), link.kinds.snapshot());
        self.links.iter().map(|(_, link)| of(link)).collect()
    }

    /// What happened so far, by (from, to).
    pub fn counters(&self) -> Vec<(String, String, LinkCounters)> {
        self.links
            .iter()
            .map(|(_, link)| (link.from.clone(), link.to.clone(), link.counters.snapshot()))
            .collect()
    }

    /// Resets every connection, ends every task, frees every port and completes the trace.
    pub async fn close(mut self) -> TraceSummary {
        self.gates.clear();
        while let Some(ended) = self.listeners.join_next().await {
            link::report_panic(ended);
        }
        for (_, link) in &self.links {
            link.tasks.end().await;
        }
        let Some(trace) = self.trace.take() else { return TraceSummary::default() };
        let finished = tokio::task::spawn_blocking(|| trace.finish()).await;
        let summary = finished.unwrap_or_else(|error| TraceSummary {
            error: Some(io::Error::other(error)),
            ..TraceSummary::default()
        });
        let unseen = self.links.iter().filter_map(|(_, link)| link.unseen()).collect();
        TraceSummary { unseen, ..summary }
    }
}
