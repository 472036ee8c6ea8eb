//! One replica, driven by hand: what goes in, and what it lets out.

#![allow(dead_code, reason = "each test uses its part")]

use contract::{Answer, ErrorCode, Operation, Outcome, Refusal, Request};
use kv::{ExactlyOnce, Store};
use node::{Effect, Effects, Protocol};
use viewstamped::{
    Config, Replica,
    message::{Message, Record},
    replica::Timer,
};

pub type Node = Replica<ExactlyOnce<Store>>;

/// A replica of a group, and what it has on its disk.
pub struct Bench {
    pub node: Node,
    pub config: Config,
    pub disk: Vec<Record>,
    pub now_ms: u64,
    pub entropy: u64,
}

/// What a step let out: messages with their receivers, and answers.
pub type Out = (Vec<(String, Message)>, Vec<(u64, Answer)>);

impl Bench {
    /// One that starts for the first time, in a group of so many.
    pub fn new(node: &str, count: usize) -> Self {
        let config = Config {
            node: node.to_owned(),
            members: (1..=count).map(|number| format!("n{number}")).collect(),
            heartbeat_ms: 50,
            patience_ms: 300,
            checkpoint_bytes: None,
            chunk_bytes: 100,
            restarted: false,
        };
        Self::with(config, Vec::new())
    }

    pub fn with(config: Config, disk: Vec<Record>) -> Self {
        let node = Replica::new(config.clone(), ExactlyOnce::default(), disk.clone());
        Self { node, config, disk, now_ms: 0, entropy: 0 }
    }

    /// It dies where it stands, and comes up again with what is on its disk.
    pub fn restart(&mut self) {
        let (entropy, now_ms) = (self.entropy + 1, self.now_ms);
        *self = Self { entropy, now_ms, ..Self::with(self.config.clone(), self.disk.clone()) };
    }

    pub fn step(&mut self, step: impl FnOnce(&mut Node, &mut Effects<Node>)) -> Out {
        let mut effects = Effects::new(self.now_ms, self.entropy);
        step(&mut self.node, &mut effects);
        let (mut messages, mut answers) = (Vec::new(), Vec::new());
        for effect in effects.into_list() {
            match effect {
                Effect::Persist(record) => self.disk.push(record),
                Effect::Rewrite(records) => self.disk = records,
                Effect::Send(to, message) => messages.push((to, message)),
                Effect::Reply(token, answer) => answers.push((token, answer)),
                Effect::SetTimer(..) | Effect::CancelTimer(_) => {}
            }
        }
        (messages, answers)
    }

    pub fn start(&mut self) -> Out {
        self.step(Protocol::on_start)
    }

    pub fn receive(&mut self, from: &str, message: Message) -> Out {
        self.step(|node, effects| node.on_message(&from.to_owned(), message, effects))
    }

    /// A heartbeat, `after_ms` later.
    pub fn heartbeat(&mut self, after_ms: u64) -> Out {
        self.now_ms += after_ms;
        self.step(|node, effects| node.on_timer(Timer::Heartbeat, effects))
    }

    pub fn request(&mut self, token: u64, op: Operation) -> Out {
        let request = Request { client: "c1".to_owned(), seq: token, op };
        self.step(|node, effects| node.on_request(token, request, effects))
    }
}

pub fn put(value: &str) -> Operation {
    Operation::Put { key: "x".to_owned(), value: value.to_owned() }
}

pub fn get() -> Operation {
    Operation::Get { key: "x".to_owned() }
}

pub fn value(value: Option<&str>) -> Answer {
    Answer::Ok(Outcome::Value { value: value.map(str::to_owned) })
}

pub fn done() -> Answer {
    Answer::Ok(Outcome::Done {})
}

/// The refusals among the answers.
pub fn codes(answers: &[(u64, Answer)]) -> Vec<(u64, ErrorCode)> {
    let code = |(token, answer): &(u64, Answer)| match answer {
        Answer::Error(Refusal { code, .. }) => (*token, *code),
        Answer::Ok(outcome) => panic!("{outcome:?}"),
    };
    answers.iter().map(code).collect()
}

/// Which messages, to whom.
pub fn kinds(messages: &[(String, Message)]) -> Vec<(&str, &'static str)> {
    messages.iter().map(|(to, message)| (to.as_str(), message.kind())).collect()
}
