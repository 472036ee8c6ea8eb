//! What a node's protocol replicates: the shard controller, or a group.

use contract::{Answer, Request};
use kv::ExactlyOnce;
use node::Application;
use shard_controller::Controller;

use crate::group::Group;

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
            Self::Controller(controller) => controller.apply(request),
            Self::Group(group) => group.apply(request),
        }
    }

    fn query(&self, request: &Request) -> Option<Answer> {
        match self {
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
