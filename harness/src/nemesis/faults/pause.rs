//! Pause: processes are stopped and continued.

use std::time::Duration;

use rand::rngs::ChaCha8Rng;

use super::targets::Targets;
use crate::{
    environment::Environment,
    nemesis::fault::{Fault, Hits, Members, Work},
};

/// So long questions may be on their way to nodes that are about to go on.
const ASKED_BEFORE: Duration = Duration::from_millis(5);

/// Stops these nodes and continues them.
#[derive(Debug)]
struct Pause(Targets);

/// A pause.
pub(in crate::nemesis) fn plan(
    members: Members<'_>,
    rng: &mut ChaCha8Rng,
) -> Option<Box<dyn Fault>> {
    Some(Box::new(Pause(Targets::choose(members.nodes, rng))))
}

/// Pauses these nodes.
pub(in crate::nemesis) fn take_away(
    nodes: &[String],
    members: Members<'_>,
    _: &mut ChaCha8Rng,
) -> Box<dyn Fault> {
    Box::new(Pause(Targets::these(nodes, members.nodes.len())))
}

/// Pauses this node, which somebody chose.
pub(crate) fn chosen(node: &str) -> Box<dyn Fault> {
    Box::new(Pause(Targets::chosen(node)))
}

impl Fault for Pause {
    fn form(&self) -> String {
        format!("pause-{}", self.0.choice())
    }

    fn targets(&self) -> Vec<String> {
        self.0.names()
    }

    fn start<'a>(&'a self, environment: &'a Environment) -> Work<'a, Hits> {
        let pause = move |node: String| async move { environment.nodes.pause(&node).await };
        Box::pin(self.0.hit(environment, pause))
    }

    fn heal<'a>(
        &'a self,
        environment: &'a Environment,
        aimed_at: &'a [String],
    ) -> Work<'a, Vec<String>> {
        Box::pin(async move {
            let mut notes = Vec::new();
            // Whoever stood still may answer from what it last knew.
            aimed_at.iter().for_each(|node| environment.clients.probe(node));
            tokio::time::sleep(ASKED_BEFORE).await;
            for node in aimed_at {
                if let Err(reason) = environment.nodes.resume(node).await {
                    notes.push(format!("{node}: {reason}"));
                }
            }
            notes
        })
    }
}
