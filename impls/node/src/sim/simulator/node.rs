//! One node of a simulation: its disk, and its life while it is up.

use std::collections::{BTreeMap, VecDeque};

use contract::{Answer, NodeId, Request};

use super::Ticket;
use crate::{Protocol, Token};

/// One node.
pub(super) struct Node<P: Protocol> {
    /// Counts lives, so that what belongs to an earlier one is recognised.
    pub(super) life: u64,
    pub(super) protocol: Option<P>,
    pub(super) durable: Vec<P::Record>,
    pub(super) flushing: Option<Batch<P>>,
    pub(super) inbox: VecDeque<Input<P>>,
    pub(super) timers: BTreeMap<P::Timer, u64>,
    pub(super) clients: BTreeMap<Token, Ticket>,
    pub(super) clock_offset_ms: u64,
    pub(super) paused: bool,
    pub(super) crash_in_next_write: bool,
}

/// What a batch of steps wrote, and what waits for that to be durable.
pub(super) struct Batch<P: Protocol> {
    pub(super) writes: Vec<Write<P>>,
    pub(super) outbound: Vec<Outbound<P>>,
}

pub(super) enum Write<P: Protocol> {
    Append(P::Record),
    Rewrite(Vec<P::Record>),
}

pub(super) enum Outbound<P: Protocol> {
    Message(NodeId, P::Message),
    Answer(Token, Answer),
}

pub(super) enum Input<P: Protocol> {
    Start,
    Message(usize, P::Message),
    /// The timer and its generation: obsolete where it has been set anew or cancelled.
    Timer(P::Timer, u64),
    Request(Token, Request),
}

impl<P: Protocol> Node<P> {
    pub(super) fn new() -> Self {
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

    pub(super) fn can_work(&self) -> bool {
        self.protocol.is_some() && self.flushing.is_none() && !self.paused && !self.inbox.is_empty()
    }

    pub(super) fn write(&mut self, writes: impl Iterator<Item = Write<P>>) {
        for write in writes {
            match write {
                Write::Append(record) => self.durable.push(record),
                Write::Rewrite(records) => self.durable = records,
            }
        }
    }
}
