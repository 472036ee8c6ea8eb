//! What a node does: its steps, its writes, and what leaves it.

use std::{
    any::Any,
    panic::{self, AssertUnwindSafe},
};

use contract::{Answer, NodeId, Request};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Simulator, Ticket,
    node::{Batch, Input, Node, Outbound, Write},
    queue::Event,
    trace::{Arrow, writes_text},
    view::View,
};
use crate::{Effect, Effects, Protocol, Token};

/// The most inputs a node handles before it writes, as in the real runtime.
const BATCH_MAX: usize = 64;
/// How long a write with its fsync takes, in microseconds.
const FLUSH_US: (u64, u64) = (100, 3_000);
/// The most that two nodes' clocks differ at their start, in milliseconds.
const CLOCK_OFFSET_MS_MAX: u64 = 1_000_000;

impl<P: Protocol> Simulator<P> {
    pub(super) fn boot(&mut self, number: usize) {
        let records = self.nodes[number].durable.iter().map(through_json).collect();
        let records = match records {
            Ok(records) => records,
            Err(reason) => return self.violate(format!("a record cannot be read back: {reason}")),
        };
        self.note_node(number, || "starts".to_owned());
        let make = || (self.make)(&self.names[number], records);
        let protocol = match panic::catch_unwind(AssertUnwindSafe(make)) {
            Ok(protocol) => protocol,
            Err(payload) => return self.panicked(number, &*payload),
        };
        let clock_offset_ms = self.dice.between(0, CLOCK_OFFSET_MS_MAX);
        let node = &mut self.nodes[number];
        node.life += 1;
        node.clock_offset_ms = clock_offset_ms;
        node.protocol = Some(protocol);
        let life = node.life;
        self.queue.schedule(0, Event::Own { node: number, life, input: Input::Start });
    }

    pub(super) fn crash_number(&mut self, number: usize) {
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
        self.note_node(number, || "CRASHES".to_owned());
    }

    pub(super) fn client_request(&mut self, to: usize, ticket: Ticket, request: Request) {
        if self.nodes[to].protocol.is_none() {
            return self.note_request(to, &request, &Arrow::Lost);
        }
        self.note_request(to, &request, &Arrow::Arrives);
        self.tickets += 1;
        let token = self.tickets;
        self.nodes[to].clients.insert(token, ticket);
        self.input(to, Input::Request(token, request));
    }

    pub(super) fn input(&mut self, number: usize, input: Input<P>) {
        if self.nodes[number].protocol.is_some() {
            self.nodes[number].inbox.push_back(input);
            self.work(number);
        }
    }

    /// Lets a node handle what waits for it, unless it is busy with its disk, paused or down.
    pub(super) fn work(&mut self, number: usize) {
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
        let now_ms = self.queue.now_us() / 1000 + node.clock_offset_ms;
        let mut effects = Effects::new(now_ms, self.dice.number());
        if let Input::Timer(timer, generation) = &input {
            if node.timers.get(timer) != Some(generation) {
                return;
            }
            node.timers.remove(timer);
            let name = &self.names[number];
            self.trace.at(self.queue.now_us(), name, || format!("timer {timer:?}"));
        }
        let Some(protocol) = node.protocol.as_mut() else { return };
        let step = || match input {
            Input::Start => protocol.on_start(&mut effects),
            Input::Message(from, message) => {
                protocol.on_message(&self.names[from], message, &mut effects);
            }
            Input::Timer(timer, _) => protocol.on_timer(timer, &mut effects),
            Input::Request(token, request) => protocol.on_request(token, request, &mut effects),
        };
        if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(step)) {
            return self.panicked(number, &*payload);
        }
        self.note_standing(number);
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
                let (generation, node) = (self.queue.number(), &mut self.nodes[number]);
                node.timers.insert(timer.clone(), generation);
                let input = Input::Timer(timer, generation);
                let event = Event::Own { node: number, life: node.life, input };
                self.queue.schedule(after_ms * 1000, event);
            }
            Effect::CancelTimer(timer) => {
                self.nodes[number].timers.remove(&timer);
            }
        }
    }

    fn check(&mut self, stepped: usize) {
        let Some(invariant) = self.invariant.as_mut() else { return };
        let view =
            View { names: &self.names, nodes: &self.nodes, stepped, now_us: self.queue.now_us() };
        if let Err(reason) = invariant(&view) {
            self.violate(reason);
        }
    }

    /// A protocol that panics has broken an invariant of its own. Nothing is done with it any more.
    fn panicked(&mut self, number: usize, payload: &(dyn Any + Send)) {
        self.nodes[number].protocol = None;
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default();
        self.violate(format!("{} panicked: {text}", self.names[number]));
    }

    fn violate(&mut self, reason: String) {
        self.note_cluster(|| format!("VIOLATION: {reason}"));
        self.violation.get_or_insert(reason);
    }

    fn flush(&mut self, number: usize, batch: Batch<P>) {
        self.note_node(number, || writes_text(&batch.writes));
        let life = self.nodes[number].life;
        let after_us = self.dice.between(FLUSH_US.0, FLUSH_US.1);
        if self.nodes[number].crash_in_next_write {
            let crash_us = self.dice.between(0, after_us);
            self.queue.schedule(crash_us, Event::Crash { node: number, life });
        }
        self.nodes[number].flushing = Some(batch);
        self.queue.schedule(after_us, Event::Durable { node: number, life });
    }

    pub(super) fn flushed(&mut self, number: usize) {
        let Some(batch) = self.nodes[number].flushing.take() else { return };
        self.nodes[number].write(batch.writes.into_iter());
        self.note_node(number, || "its write is durable".to_owned());
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
            return self.queue.schedule(0, Event::Own { node: from, life, input });
        }
        if self.network.is_cut(from, to) {
            return self.note_message(from, to, &message, Some("cut"));
        }
        let delays_us = self.network.delays_us(&mut self.dice);
        if delays_us.is_empty() {
            self.note_message(from, to, &message, Some("lost"));
        }
        for delay_us in delays_us {
            match self.on_the_wire(&message) {
                Ok(message) => self.queue.schedule(delay_us, Event::Message { from, to, message }),
                Err(reason) => self.violate(format!("a message cannot be read back: {reason}")),
            }
        }
    }

    fn on_the_wire(&self, message: &P::Message) -> Result<P::Message, String> {
        if self.serialize_messages { through_json(message) } else { Ok(message.clone()) }
    }

    fn answer(&mut self, number: usize, token: Token, answer: &Answer) {
        let Some(ticket) = self.nodes[number].clients.remove(&token) else { return };
        let delays_us = self.network.delays_us(&mut self.dice);
        if delays_us.is_empty() {
            self.note_answer(number, &Arrow::Lost, ticket, answer);
        }
        for delay_us in delays_us {
            let event = Event::Answer { ticket, node: number, answer: answer.clone() };
            self.queue.schedule(delay_us, event);
        }
    }
}

fn through_json<T: Serialize + DeserializeOwned>(item: &T) -> Result<T, String> {
    let bytes = serde_json::to_vec(item).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}
