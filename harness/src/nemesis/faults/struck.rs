//! A node is killed or paused just when a message between it and another one passes.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use contract::NodeId;
use network::{Boundary, Caught, Trigger};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng, seq::IndexedRandom};

use crate::{
    environment::Environment,
    nemesis::{
        fault::{Fault, Hits, Work},
        faults::{kill, pause},
    },
};

/// A message is waited for so long at a time.
const WAIT: Duration = Duration::from_millis(400);
/// So many messages are let by at most, before one is caught.
const SKIP_MAX: u32 = 6;
/// Where a message can be when it is caught.
const BOUNDARIES: [Boundary; 4] =
    [Boundary::BeforeDelivery, Boundary::Delivered, Boundary::BeforeAnswer, Boundary::Answered];

/// What happens to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::nemesis) enum Blow {
    /// It is killed, and started again.
    Kill,
    /// It stands still.
    Pause,
}

/// Strikes one of these nodes.
#[derive(Debug)]
struct Struck {
    blow: Blow,
    nodes: Vec<NodeId>,
    /// Draws the message.
    rng: Mutex<ChaCha8Rng>,
    /// What was done to whom.
    done: Mutex<Option<Box<dyn Fault>>>,
}

/// Strikes one of these nodes, and no other; the seed says at which message.
pub(in crate::nemesis) fn at_a_message(blow: Blow, nodes: &[NodeId], seed: u64) -> Box<dyn Fault> {
    let rng = Mutex::new(ChaCha8Rng::seed_from_u64(seed));
    Box::new(Struck { blow, nodes: nodes.to_vec(), rng, done: Mutex::new(None) })
}

impl Struck {
    /// Each kind of messages that was seen so far is as likely, however rare it is.
    fn trigger(&self, environment: &Environment) -> Option<Trigger> {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let kinds: Vec<String> = environment.kinds_between_nodes().into_keys().collect();
        let kind = kinds.choose(&mut *rng)?.clone();
        let is_own = |node: &String| self.nodes.contains(node);
        let all: BTreeSet<&String> = environment.nodes.ids().collect();
        let links = all.iter().flat_map(|from| all.iter().map(move |to| (*from, *to)));
        let links = links.filter(|(from, to)| from != to && (is_own(from) || is_own(to)));
        Some(Trigger {
            links: links.map(|(from, to)| (from.clone(), to.clone())).collect(),
            kinds: vec![kind],
            boundary: *BOUNDARIES.choose(&mut *rng)?,
            skip: rng.random_range(0..SKIP_MAX),
        })
    }

    async fn catch(&self, environment: &Environment) -> Option<(NodeId, Caught)> {
        let mut armed = environment.network.arm(self.trigger(environment)?);
        let caught = tokio::time::timeout(WAIT, armed.caught()).await.ok()??;
        let end = [&caught.from, &caught.to].into_iter().find(|end| self.nodes.contains(end))?;
        Some((end.clone(), caught))
    }

    fn blow(&self, node: &NodeId) -> Box<dyn Fault> {
        match self.blow {
            Blow::Kill => kill::chosen(node, true, None),
            Blow::Pause => pause::chosen(node),
        }
    }
}

impl Fault for Struck {
    fn form(&self) -> String {
        let blow = match self.blow {
            Blow::Kill => "kill",
            Blow::Pause => "pause",
        };
        format!("{blow}-at-a-message")
    }

    fn targets(&self) -> Vec<String> {
        self.nodes.clone()
    }

    fn start<'a>(&'a self, environment: &'a Environment) -> Work<'a, Hits> {
        Box::pin(async move {
            let Some((node, caught)) = self.catch(environment).await else {
                let misses = vec!["no such message came".to_owned()];
                return Hits { misses, ..Hits::default() };
            };
            let blow = self.blow(&node);
            let hits = blow.start(environment).await;
            let guess = Some(format!("at {} {}>{}", caught.kind, caught.from, caught.to));
            *self.done.lock().unwrap_or_else(PoisonError::into_inner) = Some(blow);
            Hits { guess, ..hits }
        })
    }

    fn heal<'a>(
        &'a self,
        environment: &'a Environment,
        aimed_at: &'a [String],
    ) -> Work<'a, Vec<String>> {
        let blow = self.done.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(async move {
            match blow {
                Some(blow) => blow.heal(environment, aimed_at).await,
                None => Vec::new(),
            }
        })
    }
}
