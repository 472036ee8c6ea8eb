//! A protocol small enough to see through: the first node keeps a list, the others only hear how long it is.
//! `append` appends to it, `get` tells it, `put` compacts the log.
#![allow(dead_code, reason = "each test uses its part")]

pub mod alarms;

use std::collections::BTreeMap;

use contract::{Answer, ErrorCode, NodeId, Operation, Outcome, Refusal, Request};
use node::{Effects, Protocol, Token};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How often the keeper tells the others, in milliseconds.
pub const HEARTBEAT_MS: u64 = 50;

/// What the keeper of the list forgets to do, for tests that must fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    None,
    /// Answers without persisting.
    Forgetful,
    /// Appends a retry a second time.
    Repeats,
    /// Panics when it is asked.
    Panics,
}

#[derive(Debug)]
pub struct Toy {
    pub me: NodeId,
    pub members: Vec<NodeId>,
    pub flaw: Flaw,
    /// The list, from the log.
    pub entries: Vec<Entry>,
    /// Volatile: the length each node was last heard to have, and how many messages came in.
    pub heard: BTreeMap<NodeId, usize>,
    pub deliveries: u64,
    pub ticks: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub client: String,
    pub seq: u64,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    Length(usize),
    Heard(usize),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer {
    Heartbeat,
}

impl Toy {
    pub fn new(me: &NodeId, members: &[NodeId], flaw: Flaw, entries: Vec<Entry>) -> Self {
        Self {
            me: me.clone(),
            members: members.to_vec(),
            flaw,
            entries,
            heard: BTreeMap::new(),
            deliveries: 0,
            ticks: 0,
        }
    }

    pub fn keeps_the_list(&self) -> bool {
        self.members.first() == Some(&self.me)
    }

    fn text_up_to(&self, length: usize) -> String {
        self.entries[..length].iter().map(|entry| entry.text.as_str()).collect()
    }

    fn tell(&self, effects: &mut Effects<Self>) {
        for member in self.members.iter().filter(|member| **member != self.me) {
            effects.send(member, Message::Length(self.entries.len()));
        }
    }

    fn append(&mut self, request: Request, text: String, effects: &mut Effects<Self>) -> String {
        let same = |entry: &Entry| (&entry.client, entry.seq) == (&request.client, request.seq);
        let known = self.entries.iter().position(same);
        if let Some(position) = known.filter(|_| self.flaw != Flaw::Repeats) {
            return self.text_up_to(position + 1);
        }
        let entry = Entry { client: request.client, seq: request.seq, text };
        self.entries.push(entry.clone());
        if self.flaw != Flaw::Forgetful {
            effects.persist(entry);
        }
        self.tell(effects);
        self.text_up_to(self.entries.len())
    }
}

impl Protocol for Toy {
    type Message = Message;
    type Record = Entry;
    type Timer = Timer;

    fn on_start(&mut self, effects: &mut Effects<Self>) {
        effects.set_timer(Timer::Heartbeat, HEARTBEAT_MS);
    }

    fn on_message(&mut self, from: &NodeId, message: Message, effects: &mut Effects<Self>) {
        self.deliveries += 1;
        match message {
            Message::Length(length) => {
                self.heard.insert(from.clone(), length);
                effects.send(from, Message::Heard(length));
            }
            Message::Heard(length) => {
                self.heard.insert(from.clone(), length);
            }
        }
    }

    fn on_timer(&mut self, timer: Timer, effects: &mut Effects<Self>) {
        self.ticks += 1;
        if self.keeps_the_list() {
            self.tell(effects);
        }
        effects.set_timer(timer, HEARTBEAT_MS);
    }

    fn on_request(&mut self, token: Token, request: Request, effects: &mut Effects<Self>) {
        assert!(self.flaw != Flaw::Panics, "asked for {}", request.op.name());
        if !self.keeps_the_list() {
            let hint = self.members.first().cloned();
            let refusal = Refusal { hint, ..Refusal::new(ErrorCode::NotLeader, "not the keeper") };
            return effects.reply(token, Answer::Error(refusal));
        }
        let value = match request.op.clone() {
            Operation::Get { .. } => self.text_up_to(self.entries.len()),
            Operation::Append { value, .. } => self.append(request, value, effects),
            Operation::Put { .. } => {
                effects.rewrite(self.entries.clone());
                return effects.reply(token, Answer::Ok(Outcome::Done {}));
            }
            _ => {
                let refusal = Refusal::new(ErrorCode::Unsupported, "only get, append and put");
                return effects.reply(token, Answer::Error(refusal));
            }
        };
        effects.reply(token, Answer::Ok(Outcome::Value { value: Some(value) }));
    }

    const CALLS: &'static [(&'static str, &'static str)] =
        &[("POST", "/v1/lengthen"), ("GET", "/v1/length")];

    fn on_call(
        &mut self,
        path: &str,
        body: Value,
        effects: &mut Effects<Self>,
    ) -> Result<Value, Refusal> {
        if path == "/v1/lengthen" {
            let Some(text) = body.as_str() else {
                return Err(Refusal::new(ErrorCode::BadRequest, "no text"));
            };
            let entry = Entry { client: "call".to_owned(), seq: 1, text: text.to_owned() };
            self.entries.push(entry.clone());
            effects.persist(entry);
        }
        Ok(json!({ "length": self.entries.len() }))
    }

    fn is_ready(&self) -> bool {
        true
    }

    fn status(&self) -> Value {
        json!({ "role": "toy", "applied": self.entries.len(), "heard": self.heard })
    }

    fn message_kind(message: &Message) -> &'static str {
        match message {
            Message::Length(_) => "Length",
            Message::Heard(_) => "Heard",
        }
    }
}
