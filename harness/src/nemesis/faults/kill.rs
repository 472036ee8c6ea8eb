//! Kill: processes are killed and started again on their data.

use rand::rngs::ChaCha8Rng;

use super::targets::Targets;
use crate::{
    environment::Environment,
    nemesis::fault::{Fault, Hits, Members, Work},
};

/// Kills these nodes.
#[derive(Debug)]
struct Kill {
    targets: Targets,
    /// Whether they are started again.
    restart: bool,
}

/// A kill. What cannot be started again stays down, so it must leave a majority; where a view service decides who takes over,
/// the node may at any moment be the only one with the state.
pub(in crate::nemesis) fn plan(
    members: Members<'_>,
    rng: &mut ChaCha8Rng,
) -> Option<Box<dyn Fault>> {
    let restart = members.can_restart;
    let targets = match restart {
        true => Targets::choose(members.nodes, rng),
        false if members.nodes.len() > 2 && members.view_service.is_none() => {
            Targets::one(members.nodes, rng)
        }
        false => return None,
    };
    Some(Box::new(Kill { targets, restart }))
}

/// Kills these nodes.
pub(in crate::nemesis) fn take_away(
    nodes: &[String],
    members: Members<'_>,
    _: &mut ChaCha8Rng,
) -> Box<dyn Fault> {
    Box::new(Kill { targets: Targets::minority(nodes), restart: members.can_restart })
}

/// Kills this node, which somebody chose.
pub(crate) fn chosen(node: &str, restart: bool) -> Box<dyn Fault> {
    Box::new(Kill { targets: Targets::chosen(node), restart })
}

impl Fault for Kill {
    fn form(&self) -> String {
        format!("kill-{}", self.targets.choice())
    }

    fn targets(&self) -> Vec<String> {
        self.targets.names()
    }

    fn start<'a>(&'a self, environment: &'a Environment) -> Work<'a, Hits> {
        let kill = move |node: String| async move { environment.nodes.kill(&node).await };
        Box::pin(self.targets.hit(environment, kill))
    }

    fn heal<'a>(
        &'a self,
        environment: &'a Environment,
        aimed_at: &'a [String],
    ) -> Work<'a, Vec<String>> {
        Box::pin(async move {
            if !self.restart {
                return vec!["stays down: the store cannot restart".to_owned()];
            }
            let mut notes = Vec::new();
            for node in aimed_at {
                if let Err(trouble) = environment.nodes.start_again(node).await {
                    environment.mark_not_started(&trouble);
                    notes.push(trouble.reason);
                }
            }
            // A node that does not answer yet is still down.
            environment.nodes.wait_until_answer(aimed_at).await;
            notes
        })
    }
}
