//! Kill: processes are killed and started again on their data.

use contract::NodeId;
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
    /// How many nodes may be killed or on their way back at once, where the store limits it.
    away_max: Option<usize>,
}

impl Kill {
    fn new(targets: Targets, members: Members<'_>) -> Self {
        Self { targets, restart: members.can_restart, away_max: away_max(members) }
    }

    /// Kills a node, or says why not: those who were killed before may have to come back first.
    async fn kill(&self, node: &NodeId, environment: &Environment) -> Result<(), String> {
        if let Some(away_max) = self.away_max {
            let away = environment.nodes.away_besides(node).await;
            if away.len() >= away_max {
                return Err(format!("{} is not ready again", away.join(", ")));
            }
        }
        environment.kill(node).await
    }
}

/// How many nodes may be killed or on their way back at once, where the store limits it.
#[must_use]
pub(crate) fn away_max(members: Members<'_>) -> Option<usize> {
    let limited = members.can_restart && !members.can_restart_all;
    // Of a sharded store, whichever group it is.
    let groups = members.electorates();
    limited.then(|| groups.iter().map(Members::dispensable).min().unwrap_or(0))
}

/// A kill. What cannot be started again stays down, so it must leave a majority; so must what comes back with the help of
/// the others. Where a view service decides who takes over, the node may at any moment be the only one with the state.
pub(in crate::nemesis) fn plan(
    members: Members<'_>,
    rng: &mut ChaCha8Rng,
) -> Option<Box<dyn Fault>> {
    let targets = match members.can_restart {
        true if members.can_restart_all => Targets::choose(members.nodes, rng),
        true if members.dispensable() > 0 => {
            Targets::choose_few(members.nodes, members.dispensable(), rng)
        }
        false if members.nodes.len() > 2 && members.view_service.is_none() => {
            Targets::one(members.nodes, rng)
        }
        _ => return None,
    };
    Some(Box::new(Kill::new(targets, members)))
}

/// Kills these nodes.
pub(in crate::nemesis) fn take_away(
    nodes: &[String],
    members: Members<'_>,
    _: &mut ChaCha8Rng,
) -> Box<dyn Fault> {
    Box::new(Kill::new(Targets::these(nodes, members.nodes.len()), members))
}

/// Kills this node, which somebody chose, unless with it more than `away_max` would be away.
pub(crate) fn chosen(node: &str, restart: bool, away_max: Option<usize>) -> Box<dyn Fault> {
    Box::new(Kill { targets: Targets::chosen(node), restart, away_max })
}

impl Fault for Kill {
    fn form(&self) -> String {
        format!("kill-{}", self.targets.choice())
    }

    fn targets(&self) -> Vec<String> {
        self.targets.names()
    }

    fn start<'a>(&'a self, environment: &'a Environment) -> Work<'a, Hits> {
        let kill = move |node: String| async move { self.kill(&node, environment).await };
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
            if self.away_max.is_some() {
                // Nor is one back that has not got from the others what it lacks.
                environment.nodes.wait_until_ready(aimed_at).await;
            }
            notes
        })
    }
}
