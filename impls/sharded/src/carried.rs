//! What a node's protocol replicates: the shard controller, or a group.

use contract::{Answer, ErrorCode, Operation, Refusal, Request};
use kv::ExactlyOnce;
use node::Application;
use shard_controller::Controller;

use crate::{command::Command, group::Group};

/// One or the other, so that all nodes run the same program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// The shard controller.
    Controller(ExactlyOnce<Controller>),
    /// A replica group.
    Group(Box<Group>),
}

impl Application for Carried {
    type Command = Request;
    type Output = Answer;

    fn apply(&mut self, request: &Request) -> Answer {
        match self {
            Self::Controller(controller) => match &request.op {
                Operation::Internal { command } => execute(controller, command),
                _ => controller.apply(request),
            },
            Self::Group(group) => group.apply(request),
        }
    }

    fn query(&self, request: &Request) -> Option<Answer> {
        match self {
            Self::Controller(_) if matches!(request.op, Operation::Internal { .. }) => None,
            Self::Controller(controller) => controller.query(request),
            Self::Group(group) => group.query(request),
        }
    }

    fn snapshot(&self) -> Vec<u8> {
        match self {
            Self::Controller(controller) => controller.snapshot(),
            Self::Group(group) => group.snapshot(),
        }
    }

    fn restore(&mut self, bytes: &[u8]) -> Result<(), String> {
        match self {
            Self::Controller(controller) => controller.restore(bytes),
            Self::Group(group) => group.restore(bytes),
        }
    }
}

/// A command of the controllers' leader.
fn execute(controller: &mut ExactlyOnce<Controller>, command: &str) -> Answer {
    let latest = controller.application().latest().num;
    let (code, reason) = match Command::parse(command) {
        Ok(Command::Move { shard, group, configuration }) if configuration == latest => {
            return controller.apply_own(&Operation::Move { shard: shard as u64, group });
        }
        Ok(Command::Move { configuration, .. }) => {
            let reason = format!("configuration {configuration} is not the latest any more");
            (ErrorCode::Aborted, reason)
        }
        Ok(_) => (ErrorCode::BadRequest, "controllers have no such command".to_owned()),
        Err(reason) => (ErrorCode::BadRequest, reason),
    };
    Answer::Error(Refusal::new(code, reason))
}
