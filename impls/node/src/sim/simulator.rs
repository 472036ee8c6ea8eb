//! The simulated cluster: nodes with disks, links, and one queue of events in virtual time.

mod node;
mod queue;
mod steps;
mod trace;
mod view;

use contract::{Answer, NodeId, Request};

pub use trace::{TraceLine, operation_text, outcome_text};
pub use view::View;

use super::{Dice, NetworkOptions, network::Network};
use crate::Protocol;
use node::{Input, Node};
use queue::{Event, Queue};
use trace::{Arrow, Trace};

/// Names one submission of a request, whatever becomes of it.
pub type Ticket = u64;

type Make<P> = Box<dyn Fn(&NodeId, Vec<<P as Protocol>::Record>) -> P>;
type Invariant<P> = Box<dyn FnMut(&View<'_, P>) -> Result<(), String>>;

/// What one event was, as far as the outside is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// Something between or within the nodes.
    Inside,
    /// A node's answer reached its client; duplicates are possible.
    Answered(Ticket, NodeId, Answer),
    /// An alarm that [`Simulator::alarm`] set.
    Alarm(u64),
}

/// Nodes that run a protocol, in virtual time.
///
/// **Disk.** A batch of steps that persisted something becomes durable a little later; meanwhile the node is busy
/// and its inputs wait (group commit). A crash in between keeps a random prefix of the batch's writes, and nothing
/// that the batch wanted to send or answer ever leaves. A rewrite is all or nothing. (The real log keeps a batch whole
/// or not at all: the simulated disk may do more than that, never less.)
/// **Crash.** The protocol's state, its timers, its inputs and the tokens of waiting clients are gone; a restart
/// builds a new protocol from the durable records, each of which went through its serialised form.
/// **Network.** See [`NetworkOptions`]; nothing is sent or delivered over a cut link. A message to oneself is not
/// lost, unless the node crashes first.
pub struct Simulator<P: Protocol> {
    queue: Queue<P>,
    names: Vec<NodeId>,
    nodes: Vec<Node<P>>,
    network: Network,
    dice: Dice,
    make: Make<P>,
    invariant: Option<Invariant<P>>,
    violation: Option<String>,
    tickets: u64,
    serialize_messages: bool,
    trace: Trace,
}

impl<P: Protocol> Simulator<P> {
    /// A cluster of `names`, each made by `make` from what it persisted (at first: nothing). The reliable network
    /// is the default.
    pub fn new(
        seed: u64,
        names: &[NodeId],
        make: impl Fn(&NodeId, Vec<P::Record>) -> P + 'static,
    ) -> Self {
        let mut simulator = Self {
            queue: Queue::new(),
            names: names.to_vec(),
            nodes: names.iter().map(|_| Node::new()).collect(),
            network: Network::new(NetworkOptions::RELIABLE),
            dice: Dice::new(seed, 0),
            make: Box::new(make),
            invariant: None,
            violation: None,
            tickets: 0,
            serialize_messages: false,
            trace: Trace::default(),
        };
        for node in 0..names.len() {
            simulator.boot(node);
        }
        simulator
    }

    /// Calls `invariant` after each step of a node; its first error ends the simulation.
    pub fn check_each_step(
        &mut self,
        invariant: impl FnMut(&View<'_, P>) -> Result<(), String> + 'static,
    ) {
        self.invariant = Some(Box::new(invariant));
    }

    /// Sends every message through its serialised form, as the real network does; slower.
    pub fn serialize_messages(&mut self) {
        self.serialize_messages = true;
    }

    /// Keeps a line of text for each event from now on, for people and for comparing runs.
    pub fn keep_trace(&mut self) {
        self.trace.lines = Some(Vec::new());
    }

    /// The lines kept since [`Simulator::keep_trace`].
    #[must_use]
    pub fn trace(&self) -> &[TraceLine] {
        self.trace.lines.as_deref().unwrap_or_default()
    }

    /// Virtual time in microseconds.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.queue.now_us()
    }

    /// The nodes' ids.
    #[must_use]
    pub fn names(&self) -> &[NodeId] {
        &self.names
    }

    /// The protocol of a node, while it is up.
    #[must_use]
    pub fn protocol(&self, node: &str) -> Option<&P> {
        self.nodes[self.number(node)].protocol.as_ref()
    }

    /// What `node` would come back with.
    #[must_use]
    pub fn durable(&self, node: &str) -> &[P::Record] {
        &self.nodes[self.number(node)].durable
    }

    /// The first broken invariant, or what a protocol panicked with.
    #[must_use]
    pub fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    /// Sends a client's request to a node over the client's link.
    pub fn submit(&mut self, node: &str, request: &Request) -> Ticket {
        let to = self.number(node);
        self.tickets += 1;
        let ticket = self.tickets;
        self.trace.submitted(ticket, request);
        let delays_us = self.network.delays_us(&mut self.dice);
        if delays_us.is_empty() {
            self.note_request(to, request, &Arrow::Lost);
        }
        for delay_us in delays_us {
            self.queue.schedule(delay_us, Event::Request { to, ticket, request: request.clone() });
        }
        ticket
    }

    /// Makes [`Simulator::step`] return [`Happening::Alarm`] with this name, `after_us` from now.
    pub fn alarm(&mut self, after_us: u64, name: u64) {
        self.queue.schedule(after_us, Event::Alarm(name));
    }

    /// Carries out the next event; `None` when there is none, or when an invariant is broken.
    pub fn step(&mut self) -> Option<Happening> {
        if self.violation.is_some() {
            return None;
        }
        match self.queue.pop()? {
            Event::Message { from, to, message } => {
                let lost = self.reason_to_lose(from, to);
                self.note_message(from, to, &message, lost);
                if lost.is_none() {
                    self.input(to, Input::Message(from, message));
                }
            }
            Event::Request { to, ticket, request } => self.client_request(to, ticket, request),
            Event::Own { node, life, input } => {
                if self.nodes[node].life == life {
                    self.input(node, input);
                }
            }
            Event::Durable { node, life } => {
                if self.nodes[node].life == life {
                    self.flushed(node);
                }
            }
            Event::Crash { node, life } => {
                // Unless the fault ended meanwhile.
                if self.nodes[node].life == life && self.nodes[node].crash_in_next_write {
                    self.crash_number(node);
                }
            }
            Event::Answer { ticket, node, answer } => {
                self.note_answer(node, &Arrow::Arrives, ticket, &answer);
                return Some(Happening::Answered(ticket, self.names[node].clone(), answer));
            }
            Event::Alarm(name) => return Some(Happening::Alarm(name)),
        }
        Some(Happening::Inside)
    }

    /// Runs for `duration_us` of virtual time and returns the answers that came in, in order.
    pub fn run_for(&mut self, duration_us: u64) -> Vec<(Ticket, Answer)> {
        let end_us = self.now_us() + duration_us;
        let mut answers = Vec::new();
        while self.queue.next_us().is_some_and(|next_us| next_us <= end_us) {
            match self.step() {
                Some(Happening::Answered(ticket, _, answer)) => answers.push((ticket, answer)),
                Some(Happening::Inside | Happening::Alarm(_)) => {}
                None => return answers,
            }
        }
        self.queue.advance_to(end_us);
        answers
    }

    /// Sets how the network behaves for everything sent from now on.
    pub fn set_network(&mut self, options: NetworkOptions) {
        self.note_cluster(|| format!("the network: {options:?}"));
        self.network.options = options;
    }

    /// Cuts directed links, besides those that are cut already.
    pub fn cut(&mut self, links: &[(NodeId, NodeId)]) {
        self.note_cluster(|| {
            let links = links.iter().map(|(from, to)| format!(" {from}->{to}"));
            format!("cut{}", links.collect::<String>())
        });
        for (from, to) in links {
            let (from, to) = (self.number(from), self.number(to));
            self.network.cut(from, to);
        }
    }

    /// Heals every link.
    pub fn heal(&mut self) {
        self.note_cluster(|| "every link healed".to_owned());
        self.network.heal();
    }

    /// Kills a node where it stands; nothing happens where it is down.
    pub fn crash(&mut self, node: &str) {
        self.crash_number(self.number(node));
    }

    /// Kills a node the next time it writes, between the step and its persistence, unless it is restarted before.
    pub fn crash_in_next_write(&mut self, node: &str) {
        let number = self.number(node);
        self.nodes[number].crash_in_next_write = true;
    }

    /// Starts a node that is down from its durable records; nothing happens where it is up.
    pub fn restart(&mut self, node: &str) {
        let number = self.number(node);
        self.nodes[number].crash_in_next_write = false;
        if self.nodes[number].protocol.is_none() {
            self.boot(number);
        }
    }

    /// Stops a node like SIGSTOP: its inputs and timers wait while the clock goes on.
    pub fn pause(&mut self, node: &str) {
        let number = self.number(node);
        self.nodes[number].paused = true;
        self.note_node(number, || "paused".to_owned());
    }

    /// Lets a paused node go on.
    pub fn resume(&mut self, node: &str) {
        let number = self.number(node);
        if self.nodes[number].paused {
            self.note_node(number, || "goes on".to_owned());
        }
        self.nodes[number].paused = false;
        self.work(number);
    }

    fn number(&self, node: &str) -> usize {
        let position = self.names.iter().position(|name| name == node);
        position.unwrap_or_else(|| panic!("{node} is not one of the nodes {:?}", self.names))
    }

    /// Why a message that arrives now is lost, if it is.
    fn reason_to_lose(&self, from: usize, to: usize) -> Option<&'static str> {
        if self.network.is_cut(from, to) {
            Some("cut")
        } else if self.nodes[to].protocol.is_none() {
            Some("down")
        } else {
            None
        }
    }
}
