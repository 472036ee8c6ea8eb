//! Virtual time: what happens next, and when.

use std::{cmp::Reverse, collections::BinaryHeap};

use contract::{Answer, Request};

use super::{Ticket, node::Input};
use crate::Protocol;

/// What happens at some time.
pub(super) enum Event<P: Protocol> {
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
    /// What a node sends itself; it is lost when the node goes down.
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

/// The events to come. What is scheduled for the same time happens in the order in which it was scheduled.
pub(super) struct Queue<P: Protocol> {
    now_us: u64,
    order: u64,
    events: BinaryHeap<Reverse<Scheduled<P>>>,
}

impl<P: Protocol> Queue<P> {
    pub(super) fn new() -> Self {
        Self { now_us: 0, order: 0, events: BinaryHeap::new() }
    }

    /// Virtual time in microseconds.
    pub(super) fn now_us(&self) -> u64 {
        self.now_us
    }

    pub(super) fn schedule(&mut self, after_us: u64, event: Event<P>) {
        let at_us = self.now_us + after_us;
        let order = self.number();
        self.events.push(Reverse(Scheduled { at_us, order, event }));
    }

    /// A number that was not given before.
    pub(super) fn number(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    /// The time of the next event.
    pub(super) fn next_us(&self) -> Option<u64> {
        self.events.peek().map(|next| next.0.at_us)
    }

    /// Takes the next event; it becomes the present.
    pub(super) fn pop(&mut self) -> Option<Event<P>> {
        let Reverse(Scheduled { at_us, event, .. }) = self.events.pop()?;
        self.now_us = at_us;
        Some(event)
    }

    /// Lets time pass in which nothing happens.
    pub(super) fn advance_to(&mut self, now_us: u64) {
        self.now_us = now_us;
    }
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
