//! A server with an operator beside it, who has leaders hand over and changes the cluster, as no request of the contract does.

use std::sync::Arc;

use contract::{NodeId, Request};
use node::{Effect, Effects, Protocol, Token};
use raft::{
    Raft, Record, Timer,
    message::{AppendEntriesReply, AppendResult, InstallSnapshot, Message},
};
use serde_json::Value;
use simulation_checks::{Coverage, Recorder};

pub const TRANSFERS: &str = "leaders told another server to take over";
pub const ADDED: &str = "servers that were to be added";
pub const REMOVED: &str = "servers removed";
pub const CHUNKS: &str = "chunks that were not the last of a snapshot";
pub const CONFLICTS: &str = "logs that differed from the leader's";
pub const GAPS: &str = "entries that came too early";

/// What the operator does.
#[derive(Clone, Debug)]
pub struct Operator {
    /// How long he waits between two things, at most.
    pub interval_ms: u64,
    /// How long after the start of his server he goes on. In the end the cluster must come to rest.
    pub until_ms: u64,
    /// The servers that he knows, in the cluster or not.
    pub servers: Vec<NodeId>,
    /// Whether he changes the cluster, or only has leaders hand over.
    pub changes: bool,
}

/// A server and perhaps an operator.
pub struct Operated {
    pub server: Raft<Recorder>,
    pub operator: Option<Operator>,
    pub started_ms: u64,
    pub coverage: Arc<Coverage>,
}

/// The timers of a server, and that of its operator.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OperatedTimer {
    Server(Timer),
    Operator,
}

impl Operated {
    /// A step of the server, whose effects become those of this one.
    fn step<T>(
        &mut self,
        effects: &mut Effects<Self>,
        step: impl FnOnce(&mut Raft<Recorder>, &mut Effects<Raft<Recorder>>) -> T,
    ) -> T {
        let mut inner = Effects::new(effects.now_ms(), effects.random_below(u64::MAX));
        let result = step(&mut self.server, &mut inner);
        for effect in inner.into_list() {
            match effect {
                Effect::Persist(record) => effects.persist(record),
                Effect::Rewrite(records) => effects.rewrite(records),
                Effect::Send(to, message) => {
                    self.count(&message);
                    effects.send(&to, message);
                }
                Effect::Reply(token, answer) => effects.reply(token, answer),
                Effect::SetTimer(timer, after_ms) => {
                    effects.set_timer(OperatedTimer::Server(timer), after_ms);
                }
                Effect::CancelTimer(timer) => effects.cancel_timer(OperatedTimer::Server(timer)),
            }
        }
        result
    }

    fn count(&self, message: &Message) {
        match message {
            Message::TimeoutNow { .. } => self.coverage.count(TRANSFERS),
            Message::InstallSnapshot(InstallSnapshot { chunk, .. }) if !chunk.done => {
                self.coverage.count(CHUNKS);
            }
            Message::AppendEntriesReply(AppendEntriesReply {
                result: AppendResult::Conflict { conflict_term, .. },
                ..
            }) => self.coverage.count(if conflict_term.is_some() { CONFLICTS } else { GAPS }),
            _ => {}
        }
    }

    fn operate(&mut self, effects: &mut Effects<Self>) {
        let Some(Operator { interval_ms, until_ms, servers, changes }) = self.operator.clone()
        else {
            return;
        };
        if effects.now_ms() >= self.started_ms + until_ms {
            return;
        }
        let after_ms = 1 + effects.random_below(interval_ms);
        effects.set_timer(OperatedTimer::Operator, after_ms);
        let choice = usize::try_from(effects.random_below(servers.len() as u64));
        let server = &servers[choice.expect("there are not so many servers")];
        if effects.random_below(3) == 0 || !changes {
            self.step(effects, |leader, effects| leader.transfer_leadership(server, effects));
        } else if self.server.configuration().contains(server) {
            if self.server.configuration().servers().count() > 1
                && self
                    .step(effects, |leader, effects| leader.remove_server(server, effects))
                    .is_ok()
            {
                self.coverage.count(REMOVED);
            }
        } else if self.step(effects, |leader, effects| leader.add_server(server, effects)).is_ok() {
            self.coverage.count(ADDED);
        }
    }
}

impl Protocol for Operated {
    type Message = Message;
    type Record = Record;
    type Timer = OperatedTimer;

    fn on_start(&mut self, effects: &mut Effects<Self>) {
        self.started_ms = effects.now_ms();
        self.step(effects, Raft::on_start);
        if let Some(operator) = &self.operator {
            effects.set_timer(OperatedTimer::Operator, operator.interval_ms);
        }
    }

    fn on_message(&mut self, from: &NodeId, message: Message, effects: &mut Effects<Self>) {
        self.step(effects, |server, effects| server.on_message(from, message, effects));
    }

    fn on_timer(&mut self, timer: OperatedTimer, effects: &mut Effects<Self>) {
        match timer {
            OperatedTimer::Server(timer) => {
                self.step(effects, |server, effects| server.on_timer(timer, effects));
            }
            OperatedTimer::Operator => self.operate(effects),
        }
    }

    fn on_request(&mut self, token: Token, request: Request, effects: &mut Effects<Self>) {
        self.step(effects, |server, effects| server.on_request(token, request, effects));
    }

    fn is_ready(&self) -> bool {
        self.server.is_ready()
    }

    fn status(&self) -> Value {
        self.server.status()
    }

    fn message_kind(message: &Message) -> &'static str {
        message.kind()
    }
}
