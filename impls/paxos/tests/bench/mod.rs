//! One node that is taken through its steps by hand.

#![allow(dead_code, reason = "each test file uses its part of it")]

use contract::{Answer, ErrorCode, Operation, Refusal, Request};
use kv::{ExactlyOnce, Store};
use multi_paxos::{
    Config, Paxos,
    message::{Message, Record},
    replica::Timer,
    slot::Batch,
};
use node::{Effect, Effects, Protocol};
use single_decree::Ballot;

pub type Node = Paxos<ExactlyOnce<Store>>;

/// A node of three, n1, and what it has made durable.
pub struct Bench {
    pub node: Node,
    durable: Vec<Record>,
    pub now_ms: u64,
    /// What the election timer is set to.
    timer_ms: Option<u64>,
}

/// What a step let out: messages with their receivers, and answers.
pub type Out = (Vec<(String, Message)>, Vec<(u64, Answer)>);

impl Bench {
    pub fn new() -> Self {
        Self::with(Vec::new())
    }

    fn with(durable: Vec<Record>) -> Self {
        let config = Config {
            node: "n1".to_owned(),
            members: ["n1", "n2", "n3"].map(str::to_owned).to_vec(),
            heartbeat_ms: 50,
            election_ms: 300,
            patience_ms: 300,
            snapshot_bytes: None,
            naive: false,
        };
        let node = Paxos::new(config, ExactlyOnce::default(), durable.clone())
            .expect("a log that this protocol wrote");
        Self { node, durable, now_ms: 0, timer_ms: None }
    }

    /// The node crashes and comes back with what was durable.
    pub fn restart(self) -> Self {
        Self::with(self.durable)
    }

    /// One step; messages of the node to itself are delivered at once.
    pub fn step(&mut self, step: impl FnOnce(&mut Node, &mut Effects<Node>)) -> Out {
        let mut effects = Effects::new(self.now_ms, 0);
        step(&mut self.node, &mut effects);
        let (mut messages, mut answers) = (Vec::new(), Vec::new());
        for effect in effects.into_list() {
            match effect {
                Effect::Persist(record) => self.durable.push(record),
                Effect::Rewrite(records) => self.durable = records,
                Effect::Send(to, message) if to == "n1" => {
                    let more = self.receive("n1", message);
                    messages.extend(more.0);
                    answers.extend(more.1);
                }
                Effect::Send(to, message) => messages.push((to, message)),
                Effect::Reply(token, answer) => answers.push((token, answer)),
                Effect::SetTimer(Timer::Election, after_ms) => self.timer_ms = Some(after_ms),
                Effect::CancelTimer(Timer::Election) => self.timer_ms = None,
                Effect::SetTimer(..) | Effect::CancelTimer(_) => {}
            }
        }
        (messages, answers)
    }

    pub fn receive(&mut self, from: &str, message: Message) -> Out {
        self.step(|node, effects| node.on_message(&from.to_owned(), message, effects))
    }

    pub fn request(&mut self, token: u64, op: Operation) -> Out {
        let request = Request { client: "c1".to_owned(), seq: token, op };
        self.step(|node, effects| node.on_request(token, request, effects))
    }

    /// Lets time pass until n1 stands for election: how long that took, and what it says then.
    pub fn canvass(&mut self) -> (u64, Vec<(String, Message)>) {
        let begin_ms = self.now_ms;
        loop {
            self.now_ms += self.timer_ms.take().unwrap_or(1_000);
            let (messages, _) = self.step(|node, effects| node.on_timer(Timer::Election, effects));
            if !messages.is_empty() {
                return (self.now_ms - begin_ms, messages);
            }
        }
    }

    /// The election timer fires so late.
    pub fn stand_still(&mut self, late_ms: u64) -> Out {
        self.now_ms += self.timer_ms.take().expect("a timer") + late_ms;
        self.step(|node, effects| node.on_timer(Timer::Election, effects))
    }

    /// Makes n1 a candidate with the consent of n2: its ballot.
    pub fn campaign(&mut self) -> Ballot {
        let (_, messages) = self.canvass();
        let [(_, Message::PreVote { ballot }), _] = &messages[..] else { panic!("{messages:?}") };
        self.receive("n2", Message::PreVoteGranted { ballot: ballot.clone() });
        ballot.clone()
    }

    /// Makes n1 the leader with the promise of n2: its ballot.
    pub fn elect(&mut self) -> Ballot {
        let ballot = self.campaign();
        self.receive("n2", promise(&ballot));
        assert_eq!(self.node.leading(), Some(&ballot));
        ballot
    }
}

pub fn promise(ballot: &Ballot) -> Message {
    let ballot = ballot.clone();
    Message::Promise { ballot, snapshot: None, chosen: vec![], votes: vec![] }
}

pub fn ballot(round: u64, node: &str) -> Ballot {
    Ballot { round, node: node.to_owned() }
}

pub fn accept(ballot: &Ballot) -> Message {
    Message::Accept { ballot: ballot.clone(), slot: 1, batch: Batch::default(), commit: 0 }
}

pub fn put() -> Operation {
    Operation::Put { key: "x".to_owned(), value: "1".to_owned() }
}

pub fn get() -> Operation {
    Operation::Get { key: "x".to_owned() }
}

pub fn codes(answers: &[(u64, Answer)]) -> Vec<(u64, ErrorCode)> {
    let code = |(token, answer): &(u64, Answer)| match answer {
        Answer::Error(Refusal { code, .. }) => (*token, *code),
        Answer::Ok(outcome) => panic!("{outcome:?}"),
    };
    answers.iter().map(code).collect()
}
