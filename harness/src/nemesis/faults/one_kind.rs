//! One kind: messages of one kind between nodes are lost, late or doubled, and all others pass.

use network::{Delay, MessageFaults};

use super::partition::{Link, link_names};
use crate::{
    environment::Environment,
    nemesis::fault::{Fault, Hits, Work},
};

/// What happens to the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// All are late by so many milliseconds.
    Late(u64),
    /// Every other one is lost.
    Lost,
    /// All arrive twice.
    Doubled,
}

/// What happens to messages of this kind on these links.
#[derive(Debug)]
struct OneKind {
    kind: String,
    mishap: Mishap,
    links: Vec<Link>,
}

/// Does this to messages of this kind on these links.
pub(crate) fn chosen(kind: String, mishap: Mishap, links: Vec<Link>) -> Box<dyn Fault> {
    Box::new(OneKind { kind, mishap, links })
}

impl Mishap {
    fn message_faults(self) -> MessageFaults {
        let none = MessageFaults::default();
        match self {
            Self::Late(ms) => {
                let delay = Delay { probability: 1.0, min_ms: ms, max_ms: ms };
                MessageFaults { delay: Some(delay), ..none }
            }
            Self::Lost => MessageFaults { drop_request: 0.5, ..none },
            Self::Doubled => MessageFaults { duplicate: 1.0, ..none },
        }
    }

    /// In words, of messages.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Late(ms) => format!("were {ms} ms late"),
            Self::Lost => "were lost, every other one".to_owned(),
            Self::Doubled => "arrived twice".to_owned(),
        }
    }
}

impl Fault for OneKind {
    fn form(&self) -> String {
        "one-kind".to_owned()
    }

    fn targets(&self) -> Vec<String> {
        link_names(&self.links)
    }

    fn start<'a>(&'a self, environment: &'a Environment) -> Work<'a, Hits> {
        for (from, to) in &self.links {
            let faults = (self.kind.as_str(), self.mishap.message_faults());
            environment.network.set_faults_of_kind(from, to, Some(faults));
        }
        Box::pin(async { Hits::on(self.targets()) })
    }

    fn heal<'a>(&'a self, environment: &'a Environment, _: &'a [String]) -> Work<'a, Vec<String>> {
        for (from, to) in &self.links {
            environment.network.set_faults_of_kind(from, to, None);
        }
        Box::pin(async { Vec::new() })
    }
}
