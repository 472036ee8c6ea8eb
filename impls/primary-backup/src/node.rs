//! A node: the view service or a server. Both speak the same messages.

use contract::{
    Answer, ErrorCode, NodeId, Refusal, Request,
    view::{PING_PATH, VIEW_PATH},
};
use node::{Application, Protocol, Token};
use serde_json::Value;

use crate::{
    config::Config,
    message::{Message, Record},
    server::Server,
    view_service::ViewService,
};

/// The effects of a step.
pub(crate) type Effects<A> = node::Effects<Node<A>>;

/// The only timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Timer {
    /// Time to ping, to send again what was not answered, and to count the pings of others.
    Ping,
}

/// The view service, or a server of the application `A`.
#[derive(Debug)]
pub enum Node<A> {
    /// The view service.
    ViewService(ViewService),
    /// A server. In a box, because it is larger.
    Server(Box<Server<A>>),
}

impl<A: Application<Command = Request, Output = Answer>> Node<A> {
    /// A node that comes up with what its earlier lives persisted.
    ///
    /// # Errors
    /// The snapshot cannot be read.
    pub fn new(config: Config, application: A, records: Vec<Record>) -> Result<Self, String> {
        if config.node == config.view_service {
            return Ok(Self::ViewService(ViewService::new(config, &records)));
        }
        Ok(Self::Server(Box::new(Server::new(config, application, records)?)))
    }
}

impl<A: Application<Command = Request, Output = Answer>> Protocol for Node<A> {
    type Message = Message;
    type Record = Record;
    type Timer = Timer;

    fn on_start(&mut self, effects: &mut Effects<A>) {
        match self {
            Self::ViewService(service) => service.on_start(effects),
            Self::Server(server) => server.on_start(effects),
        }
    }

    fn on_message(&mut self, from: &NodeId, message: Message, effects: &mut Effects<A>) {
        match (self, message) {
            (Self::ViewService(service), Message::Ping { num, backup_is_silent }) => {
                service.on_ping(from, num, backup_is_silent, effects);
            }
            (Self::ViewService(_), _) => {}
            (Self::Server(server), message) => server.on_message(from, message, effects),
        }
    }

    fn on_timer(&mut self, Timer::Ping: Timer, effects: &mut Effects<A>) {
        match self {
            Self::ViewService(service) => service.on_tick(effects),
            Self::Server(server) => server.on_ping_timer(effects),
        }
    }

    fn on_request(&mut self, token: Token, request: Request, effects: &mut Effects<A>) {
        match self {
            Self::ViewService(service) => service.on_request(token, effects),
            Self::Server(server) => server.on_request(token, request, effects),
        }
    }

    /// The rung `view-service`: servers that speak no protocol of ours.
    const CALLS: &'static [(&'static str, &'static str)] =
        &[("POST", PING_PATH), ("GET", VIEW_PATH)];

    fn on_call(
        &mut self,
        path: &str,
        body: Value,
        effects: &mut Effects<A>,
    ) -> Result<Value, Refusal> {
        match self {
            Self::ViewService(service) if path == PING_PATH => service.on_call(body, effects),
            Self::ViewService(service) => Ok(service.view()),
            Self::Server(_) => {
                Err(Refusal::new(ErrorCode::Unsupported, "this node is not the view service"))
            }
        }
    }

    fn is_ready(&self) -> bool {
        match self {
            Self::ViewService(_) => true,
            Self::Server(server) => server.is_ready(),
        }
    }

    fn status(&self) -> Value {
        match self {
            Self::ViewService(service) => service.status(),
            Self::Server(server) => server.status(),
        }
    }

    fn message_kind(message: &Message) -> &'static str {
        message.kind()
    }
}
