//! The world of a simulation: nodes with disks, links, and one queue of events in virtual time.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
    fmt::Debug,
};

use contract::{Answer, NodeId, Request};
use serde::{Serialize, de::DeserializeOwned};

use super::{Dice, NetworkOptions, network::Network};
use crate::{Effect, Effects, Protocol, Token};

/// Names one submission of a request, whatever becomes of it.
pub type Ticket = u64;

/// The most inputs a node handles before it writes, as in the real runtime.
const BATCH_MAX: usize = 64;
/// How long a write with its fsync takes, in microseconds.
const FLUSH_US: (u64, u64) = (100, 3_000);
/// The most that two nodes' clocks differ at their start, in milliseconds.
const CLOCK_OFFSET_MS_MAX: u64 = 1_000_000;

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
    now_us: u64,
    order: u64,
    queue: BinaryHeap<Reverse<Scheduled<P>>>,
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

/// One node: its disk, and its life while it is up.
struct Node<P: Protocol> {
    /// Counts lives, so that what belongs to an earlier one is recognised.
    life: u64,
    protocol: Option<P>,
    durable: Vec<P::Record>,
    flushing: Option<Batch<P>>,
    inbox: VecDeque<Input<P>>,
    timers: BTreeMap<P::Timer, u64>,
    clients: BTreeMap<Token, Ticket>,
    clock_offset_ms: u64,
    paused: bool,
    crash_in_next_write: bool,
}

/// What a batch of steps wrote, and what waits for that to be durable.
struct Batch<P: Protocol> {
    writes: Vec<Write<P>>,
    outbound: Vec<Outbound<P>>,
}

enum Write<P: Protocol> {
    Append(P::Record),
    Rewrite(Vec<P::Record>),
}

enum Outbound<P: Protocol> {
    Message(NodeId, P::Message),
    Answer(Token, Answer),
}

enum Input<P: Protocol> {
    Start,
    Message(usize, P::Message),
    /// The timer and its generation: obsolete where it has been set anew or cancelled.
    Timer(P::Timer, u64),
    Request(Token, Request),
}

enum Event<P: Protocol> {
    Message {
        from: usize,
        to: usize,
        message: P::Message,
    },
    Request {
        to: usize,
        ticket: Ticket,
        request: Request,
    },
    /// Inputs of a node to itself; they die with its life.
    Own {
        node: usize,
        life: u64,
        input: Input<P>,
    },
    Durable {
        node: usize,
        life: u64,
    },
    Crash {
        node: usize,
        life: u64,
    },
    Answer {
        ticket: Ticket,
        node: usize,
        answer: Answer,
    },
    Alarm(u64),
}

struct Scheduled<P: Protocol> {
    at_us: u64,
    order: u64,
    event: Event<P>,
}

impl<P: Protocol> PartialEq for Scheduled<P> {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}

impl<P: Protocol> Eq for Scheduled<P> {}

impl<P: Protocol> PartialOrd for Scheduled<P> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<P: Protocol> Ord for Scheduled<P> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at_us, self.order).cmp(&(other.at_us, other.order))
    }
}

/// What an invariant sees after each step.
pub struct View<'a, P: Protocol> {
    names: &'a [NodeId],
    nodes: &'a [Node<P>],
    stepped: usize,
    now_us: u64,
}

impl<P: Protocol> View<'_, P> {
    /// The node that has just made a step.
    #[must_use]
    pub fn stepped(&self) -> (&NodeId, &P) {
        let protocol = self.nodes[self.stepped].protocol.as_ref();
        (&self.names[self.stepped], protocol.expect("a node that made a step is up"))
    }

    /// Every node that is up.
    pub fn live(&self) -> impl Iterator<Item = (&NodeId, &P)> {
        let pairs = self.names.iter().zip(self.nodes);
        pairs.filter_map(|(name, node)| Some((name, node.protocol.as_ref()?)))
    }

    /// What each node would come back with, up or down.
    pub fn durable(&self) -> impl Iterator<Item = (&NodeId, &[P::Record])> {
        self.names.iter().zip(self.nodes.iter().map(|node| node.durable.as_slice()))
    }

    /// Virtual time in microseconds.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.now_us
    }
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
            now_us: 0,
            order: 0,
            queue: BinaryHeap::new(),
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
    pub fn trace(&self) -> &[String] {
        self.trace.lines.as_deref().unwrap_or_default()
    }

    /// Virtual time in microseconds.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.now_us
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

    /// The first broken invariant.
    #[must_use]
    pub fn violation(&self) -> Option<&str> {
        self.violation.as_deref()
    }

    /// Sends a client's request to a node over the client's link.
    pub fn submit(&mut self, node: &str, request: &Request) -> Ticket {
        let to = self.number(node);
        self.tickets += 1;
        let ticket = self.tickets;
        for delay_us in self.network.delays_us(&mut self.dice) {
            self.schedule(delay_us, Event::Request { to, ticket, request: request.clone() });
        }
        ticket
    }

    /// Makes [`Simulator::step`] return [`Happening::Alarm`] with this name, `after_us` from now.
    pub fn alarm(&mut self, after_us: u64, name: u64) {
        self.schedule(after_us, Event::Alarm(name));
    }

    /// Carries out the next event; `None` when there is none, or when an invariant is broken.
    pub fn step(&mut self) -> Option<Happening> {
        if self.violation.is_some() {
            return None;
        }
        let Reverse(Scheduled { at_us, event, .. }) = self.queue.pop()?;
        self.now_us = at_us;
        match event {
            Event::Message { from, to, message } => {
                if self.network.is_cut(from, to) {
                    self.note("cut", to, || P::message_kind(&message).to_owned());
                } else {
                    self.note("deliver", to, || format!("from {from}: {message:?}"));
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
                if self.nodes[node].life == life {
                    self.crash_number(node);
                }
            }
            Event::Answer { ticket, node, answer } => {
                self.note("answer", node, || format!("{ticket}: {answer:?}"));
                return Some(Happening::Answered(ticket, self.names[node].clone(), answer));
            }
            Event::Alarm(name) => return Some(Happening::Alarm(name)),
        }
        Some(Happening::Inside)
    }

    /// Runs for `duration_us` of virtual time and returns the answers that came in, in order.
    pub fn run_for(&mut self, duration_us: u64) -> Vec<(Ticket, Answer)> {
        let end_us = self.now_us + duration_us;
        let mut answers = Vec::new();
        while self.queue.peek().is_some_and(|next| next.0.at_us <= end_us) {
            match self.step() {
                Some(Happening::Answered(ticket, _, answer)) => answers.push((ticket, answer)),
                Some(Happening::Inside | Happening::Alarm(_)) => {}
                None => return answers,
            }
        }
        self.now_us = end_us;
        answers
    }

    /// Sets the network's weather for everything sent from now on.
    pub fn set_network(&mut self, options: NetworkOptions) {
        self.network.options = options;
    }

    /// Cuts directed links, besides those that are cut already.
    pub fn cut(&mut self, links: &[(NodeId, NodeId)]) {
        for (from, to) in links {
            let (from, to) = (self.number(from), self.number(to));
            self.network.cut(from, to);
        }
    }

    /// Heals every link.
    pub fn heal(&mut self) {
        self.network.heal();
    }

    /// Kills a node where it stands; nothing happens where it is down.
    pub fn crash(&mut self, node: &str) {
        self.crash_number(self.number(node));
    }

    /// Kills a node the next time it writes, between the step and its persistence.
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
    }

    /// Lets a paused node go on.
    pub fn resume(&mut self, node: &str) {
        let number = self.number(node);
        self.nodes[number].paused = false;
        self.work(number);
    }

    fn number(&self, node: &str) -> usize {
        let position = self.names.iter().position(|name| name == node);
        position.unwrap_or_else(|| panic!("{node} is not one of the nodes {:?}", self.names))
    }

    fn schedule(&mut self, after_us: u64, event: Event<P>) {
        self.order += 1;
        let at_us = self.now_us + after_us;
        self.queue.push(Reverse(Scheduled { at_us, order: self.order, event }));
    }

    fn boot(&mut self, number: usize) {
        let records = self.nodes[number].durable.iter().map(through_json).collect();
        let records = match records {
            Ok(records) => records,
            Err(reason) => return self.violate(format!("a record cannot be read back: {reason}")),
        };
        self.note("start", number, String::new);
        let protocol = (self.make)(&self.names[number], records);
        let clock_offset_ms = self.dice.between(0, CLOCK_OFFSET_MS_MAX);
        let node = &mut self.nodes[number];
        node.life += 1;
        node.clock_offset_ms = clock_offset_ms;
        node.protocol = Some(protocol);
        let life = node.life;
        self.schedule(0, Event::Own { node: number, life, input: Input::Start });
    }

    fn crash_number(&mut self, number: usize) {
        let node = &mut self.nodes[number];
        if node.protocol.is_none() {
            return;
        }
        if let Some(batch) = node.flushing.take() {
            let kept = self.dice.index(batch.writes.len() + 1);
            node.write(batch.writes.into_iter().take(kept));
        }
        let durable = std::mem::take(&mut node.durable);
        let life = node.life;
        *node = Node { life, durable, ..Node::new() };
        self.note("crash", number, String::new);
    }

    fn client_request(&mut self, to: usize, ticket: Ticket, request: Request) {
        self.note("request", to, || format!("{ticket}: {request:?}"));
        if self.nodes[to].protocol.is_none() {
            return;
        }
        self.tickets += 1;
        let token = self.tickets;
        self.nodes[to].clients.insert(token, ticket);
        self.input(to, Input::Request(token, request));
    }

    fn input(&mut self, number: usize, input: Input<P>) {
        if self.nodes[number].protocol.is_some() {
            self.nodes[number].inbox.push_back(input);
            self.work(number);
        }
    }

    /// Lets a node handle what waits for it, unless it is busy with its disk, paused or down.
    fn work(&mut self, number: usize) {
        while self.nodes[number].can_work() {
            let mut batch = Batch { writes: Vec::new(), outbound: Vec::new() };
            for _ in 0..BATCH_MAX {
                let Some(input) = self.nodes[number].inbox.pop_front() else { break };
                self.handle(number, input, &mut batch);
                if self.violation.is_some() {
                    return;
                }
            }
            if batch.writes.is_empty() {
                self.release(number, batch.outbound);
            } else {
                self.flush(number, batch);
            }
        }
    }

    /// One step of the protocol.
    fn handle(&mut self, number: usize, input: Input<P>, batch: &mut Batch<P>) {
        let node = &mut self.nodes[number];
        let Some(protocol) = node.protocol.as_mut() else { return };
        let now_ms = self.now_us / 1000 + node.clock_offset_ms;
        let mut effects = Effects::new(now_ms, self.dice.number());
        match input {
            Input::Start => protocol.on_start(&mut effects),
            Input::Message(from, message) => {
                protocol.on_message(&self.names[from], message, &mut effects);
            }
            Input::Timer(timer, generation) => {
                if node.timers.get(&timer) != Some(&generation) {
                    return;
                }
                node.timers.remove(&timer);
                self.trace.note(self.now_us, "timer", number, || format!("{timer:?}"));
                protocol.on_timer(timer, &mut effects);
            }
            Input::Request(token, request) => protocol.on_request(token, request, &mut effects),
        }
        for effect in effects.into_list() {
            self.collect(number, effect, batch);
        }
        self.check(number);
    }

    fn collect(&mut self, number: usize, effect: Effect<P>, batch: &mut Batch<P>) {
        match effect {
            Effect::Persist(record) => batch.writes.push(Write::Append(record)),
            Effect::Rewrite(records) => batch.writes.push(Write::Rewrite(records)),
            Effect::Send(to, message) => batch.outbound.push(Outbound::Message(to, message)),
            Effect::Reply(token, answer) => batch.outbound.push(Outbound::Answer(token, answer)),
            Effect::SetTimer(timer, after_ms) => {
                self.order += 1;
                let (generation, node) = (self.order, &mut self.nodes[number]);
                node.timers.insert(timer.clone(), generation);
                let input = Input::Timer(timer, generation);
                let event = Event::Own { node: number, life: node.life, input };
                self.schedule(after_ms * 1000, event);
            }
            Effect::CancelTimer(timer) => {
                self.nodes[number].timers.remove(&timer);
            }
        }
    }

    fn check(&mut self, stepped: usize) {
        let Some(invariant) = self.invariant.as_mut() else { return };
        let view = View { names: &self.names, nodes: &self.nodes, stepped, now_us: self.now_us };
        if let Err(reason) = invariant(&view) {
            self.violate(reason);
        }
    }

    fn violate(&mut self, reason: String) {
        self.violation.get_or_insert(reason);
    }

    fn flush(&mut self, number: usize, batch: Batch<P>) {
        self.note("write", number, || format!("{} records", batch.writes.len()));
        let life = self.nodes[number].life;
        let after_us = self.dice.between(FLUSH_US.0, FLUSH_US.1);
        if std::mem::take(&mut self.nodes[number].crash_in_next_write) {
            let crash_us = self.dice.between(0, after_us);
            self.schedule(crash_us, Event::Crash { node: number, life });
        }
        self.nodes[number].flushing = Some(batch);
        self.schedule(after_us, Event::Durable { node: number, life });
    }

    fn flushed(&mut self, number: usize) {
        let Some(batch) = self.nodes[number].flushing.take() else { return };
        self.nodes[number].write(batch.writes.into_iter());
        self.note("durable", number, String::new);
        self.release(number, batch.outbound);
        self.work(number);
    }

    fn release(&mut self, number: usize, outbound: Vec<Outbound<P>>) {
        for effect in outbound {
            match effect {
                Outbound::Message(to, message) => self.send(number, &to, message),
                Outbound::Answer(token, answer) => self.answer(number, token, &answer),
            }
        }
    }

    fn send(&mut self, from: usize, to: &NodeId, message: P::Message) {
        let Some(to) = self.names.iter().position(|name| name == to) else { return };
        if to == from {
            let (life, input) = (self.nodes[from].life, Input::Message(from, message));
            return self.schedule(0, Event::Own { node: from, life, input });
        }
        if self.network.is_cut(from, to) {
            return;
        }
        for delay_us in self.network.delays_us(&mut self.dice) {
            match self.on_the_wire(&message) {
                Ok(message) => self.schedule(delay_us, Event::Message { from, to, message }),
                Err(reason) => self.violate(format!("a message cannot be read back: {reason}")),
            }
        }
    }

    fn on_the_wire(&self, message: &P::Message) -> Result<P::Message, String> {
        if self.serialize_messages { through_json(message) } else { Ok(message.clone()) }
    }

    fn answer(&mut self, number: usize, token: Token, answer: &Answer) {
        let Some(ticket) = self.nodes[number].clients.remove(&token) else { return };
        for delay_us in self.network.delays_us(&mut self.dice) {
            let event = Event::Answer { ticket, node: number, answer: answer.clone() };
            self.schedule(delay_us, event);
        }
    }

    fn note(&mut self, what: &str, number: usize, detail: impl FnOnce() -> String) {
        self.trace.note(self.now_us, what, number, detail);
    }
}

impl<P: Protocol> Node<P> {
    fn new() -> Self {
        Self {
            life: 0,
            protocol: None,
            durable: Vec::new(),
            flushing: None,
            inbox: VecDeque::new(),
            timers: BTreeMap::new(),
            clients: BTreeMap::new(),
            clock_offset_ms: 0,
            paused: false,
            crash_in_next_write: false,
        }
    }

    fn can_work(&self) -> bool {
        self.protocol.is_some() && self.flushing.is_none() && !self.paused && !self.inbox.is_empty()
    }

    fn write(&mut self, writes: impl Iterator<Item = Write<P>>) {
        for write in writes {
            match write {
                Write::Append(record) => self.durable.push(record),
                Write::Rewrite(records) => self.durable = records,
            }
        }
    }
}

fn through_json<T: Serialize + DeserializeOwned>(item: &T) -> Result<T, String> {
    let bytes = serde_json::to_vec(item).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

/// The text of a run, kept only where somebody asked for it: formatting costs more than simulating.
#[derive(Debug, Default)]
struct Trace {
    lines: Option<Vec<String>>,
}

impl Trace {
    fn note(&mut self, now_us: u64, what: &str, node: usize, detail: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{now_us:>10} {node} {what} {}", detail()));
        }
    }
}
