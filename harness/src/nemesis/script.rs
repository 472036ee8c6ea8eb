//! What a scenario acts with: it breaks, waits, looks who leads, and heals.

mod messages;

use std::{ops::Range, sync::Arc, time::Duration};

use contract::NodeId;
use rand::{RngExt, rngs::ChaCha8Rng, seq::SliceRandom};
use tokio::{sync::watch, time::Instant};

use super::{
    Family,
    faults::partition::{Link, between},
    steps::{Healing, Settings, Steps, What},
};
use crate::{
    clients::probes::PROBERS,
    environment::{Environment, Leader},
};

/// From one look who leads to the next.
const LOOK: Duration = Duration::from_millis(15);

/// So long another leader may take to be found, where nobody says that it leads.
const UNKNOWN: Duration = Duration::from_millis(600);

/// How long slow clients rest after an operation, in milliseconds.
const RESTS_MS: Range<u64> = 50..400;
/// From one write of a burst to the next: not in one message.
const BETWEEN_WRITES_MS: Range<u64> = 8..25;
/// So many probes in a row.
const PROBES: u32 = 4;

/// Why a scenario did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The main phase is over.
    Stopped,
    /// Something that it needs did not happen.
    Failed(String),
}

/// What came of a step.
pub type Done<T = ()> = Result<T, Ended>;

/// What a scenario acts with. What it left broken is healed when it ends.
pub struct Script {
    /// The nodes that clients ask, in a random order.
    pub nodes: Vec<NodeId>,
    /// Whoever has links to others: the nodes, and the view service, if there is one.
    linked: Vec<NodeId>,
    /// The families that it may use.
    families: Vec<Family>,
    /// Whether more than a minority of the nodes may be killed at once.
    pub may_kill_all: bool,
    environment: Arc<Environment>,
    steps: Steps,
    healing: Vec<Healing>,
    rng: ChaCha8Rng,
    stop: watch::Receiver<bool>,
    /// What happened so far, for people.
    story: Vec<String>,
}

impl Script {
    /// Begins with nothing broken; `rng` decides what the scenario leaves open.
    #[must_use]
    pub fn new(
        (mut nodes, linked): (Vec<NodeId>, Vec<NodeId>),
        families: Vec<Family>,
        settings: Settings,
        mut rng: ChaCha8Rng,
        stop: watch::Receiver<bool>,
    ) -> Self {
        nodes.shuffle(&mut rng);
        Self {
            nodes,
            linked,
            families,
            may_kill_all: settings.away_max.is_none(),
            environment: Arc::clone(&settings.environment),
            steps: Steps::new(settings),
            healing: Vec::new(),
            rng,
            stop,
            story: Vec::new(),
        }
    }

    /// Whether it may use this family.
    #[must_use]
    pub fn has(&self, family: &str) -> bool {
        self.families.iter().any(|own| own.name() == family)
    }

    /// True in one of two cases.
    pub fn coin(&mut self) -> bool {
        self.rng.random_bool(0.5)
    }

    /// One of these.
    pub fn one_of<T: Clone>(&mut self, all: &[T]) -> Done<T> {
        let at = self.rng.random_range(0..all.len().max(1));
        all.get(at).cloned().ok_or_else(|| Ended::Failed("there is nobody to choose".to_owned()))
    }

    /// Brings these into a random order.
    pub fn mix(&mut self, nodes: &mut [NodeId]) {
        nodes.shuffle(&mut self.rng);
    }

    /// Adds to what is told of it.
    pub fn tell(&mut self, what: impl Into<String>) {
        self.story.push(what.into());
    }

    /// All nodes but this one.
    #[must_use]
    pub fn others(&self, node: &NodeId) -> Vec<NodeId> {
        self.nodes.iter().filter(|other| *other != node).cloned().collect()
    }

    /// The links from this node to everybody else.
    #[must_use]
    pub fn links_from(&self, node: &NodeId) -> Vec<Link> {
        let others = self.linked.iter().filter(|other| *other != node);
        others.map(|other| (node.clone(), other.clone())).collect()
    }

    /// The links from everybody else to this node.
    #[must_use]
    pub fn links_to(&self, node: &NodeId) -> Vec<Link> {
        self.links_from(node).into_iter().map(|(from, to)| (to, from)).collect()
    }

    /// The links between these nodes and everybody else, both ways.
    #[must_use]
    pub fn links_around(&self, nodes: &[NodeId]) -> Vec<Link> {
        let others = self.linked.iter().filter(|other| !nodes.contains(other));
        between(nodes, &others.cloned().collect::<Vec<_>>())
    }

    /// Cuts these links.
    ///
    /// # Errors
    /// The main phase is over, or nothing could be cut.
    pub async fn cut(&mut self, links: &[Link]) -> Done {
        self.start(What::Cut(links.to_vec())).await
    }

    /// Opens links that were cut together.
    pub async fn open(&mut self, links: &[Link]) {
        let cut = What::Cut(links.to_vec());
        self.steps.take(|what| *what == cut).finish().await;
    }

    /// Has these nodes stand still, or cuts them off from everybody else.
    ///
    /// # Errors
    /// The main phase is over, or nothing could be broken.
    pub async fn part(&mut self, nodes: &[NodeId], pauses: bool) -> Done {
        if !pauses {
            return self.cut(&self.links_around(nodes)).await;
        }
        for node in nodes {
            self.pause(node).await?;
        }
        Ok(())
    }

    /// Brings these nodes back that were parted together.
    pub async fn join(&mut self, nodes: &[NodeId]) {
        self.open(&self.links_around(nodes)).await;
        self.resume_all(nodes).await;
    }

    /// Pauses a node.
    ///
    /// # Errors
    /// The main phase is over, or the node could not be paused.
    pub async fn pause(&mut self, node: &NodeId) -> Done {
        self.start(What::Paused(node.clone())).await
    }

    /// Lets it go on.
    pub async fn resume(&mut self, node: &NodeId) {
        let paused = What::Paused(node.clone());
        self.steps.take(|what| *what == paused).finish().await;
    }

    /// Kills a node.
    ///
    /// # Errors
    /// The main phase is over, or the node could not be killed.
    pub async fn kill(&mut self, node: &NodeId) -> Done {
        self.start(What::Killed(node.clone())).await
    }

    /// Starts a killed node again, and does not wait until it answers.
    pub fn restart(&mut self, node: &NodeId) {
        let killed = What::Killed(node.clone());
        let healing = self.steps.take(|what| *what == killed);
        healing.begin();
        self.healing.push(healing);
    }

    /// Whether processes are killed rather than paused, of what it may use.
    pub fn kills(&mut self) -> bool {
        self.has("kill") && (!self.has("pause") || self.coin())
    }

    /// Kills a node, or pauses it.
    ///
    /// # Errors
    /// The main phase is over, or the node could not be stopped.
    pub async fn kill_or_pause(&mut self, node: &NodeId, kills: bool) -> Done {
        if kills { self.kill(node).await } else { self.pause(node).await }
    }

    /// Takes a node away by some means that it may use: killed, paused or cut off.
    ///
    /// # Errors
    /// The main phase is over, or the node could not be taken away.
    pub async fn take_away(&mut self, node: &NodeId) -> Done {
        if self.has("kill") && (self.rng.random_ratio(1, 3) || !self.may_take_away_alive()) {
            return self.kill(node).await;
        }
        self.take_away_alive(node).await
    }

    /// Takes a node away, and of five nodes or more perhaps others with it: any minority.
    ///
    /// # Errors
    /// The main phase is over, or a node could not be taken away.
    pub async fn take_away_with_others(&mut self, node: &NodeId) -> Done {
        self.take_away(node).await?;
        let minority = self.nodes.len().saturating_sub(1) / 2;
        if minority < 2 || !self.coin() {
            return Ok(());
        }
        for other in self.others(node).into_iter().take(minority - 1) {
            self.take_away(&other).await?;
        }
        Ok(())
    }

    /// Pauses a node or cuts it off: its process goes on living.
    ///
    /// # Errors
    /// The main phase is over, or the node could not be taken away.
    pub async fn take_away_alive(&mut self, node: &NodeId) -> Done {
        let pauses = self.has("pause") && (!self.has("partition") || self.coin());
        if pauses {
            return self.pause(node).await;
        }
        self.cut(&self.links_around(std::slice::from_ref(node))).await
    }

    fn may_take_away_alive(&self) -> bool {
        self.has("pause") || self.has("partition")
    }

    /// Brings a node back that was taken away, without waiting until it answers.
    pub fn bring_back(&mut self, node: &NodeId) {
        let around = self.links_around(std::slice::from_ref(node));
        let healing = self.steps.take(|what| what.takes_away(node, &around));
        // It may still take itself for the leader.
        self.probe(node);
        healing.begin();
        self.healing.push(healing);
    }

    /// Whether this is a node that can be taken away: neither a view service, nor away already.
    #[must_use]
    pub fn stands(&self, node: &NodeId) -> bool {
        let around = self.links_around(std::slice::from_ref(node));
        let is_away = self.steps.on().any(|what| what.takes_away(node, &around));
        self.nodes.contains(node) && !is_away
    }

    /// Brings all nodes back but this one, without waiting until they answer.
    pub fn bring_back_all_but(&mut self, node: &NodeId) {
        self.others(node).iter().for_each(|other| self.bring_back(other));
    }

    /// Brings all nodes back, without waiting until they answer.
    pub fn bring_back_all(&mut self) {
        self.nodes.clone().iter().for_each(|node| self.bring_back(node));
    }

    /// Lets these nodes go on, as near to the same moment as can be.
    pub async fn resume_all(&mut self, nodes: &[NodeId]) {
        let paused = |what: &What| matches!(what, What::Paused(node) if nodes.contains(node));
        self.steps.take(paused).finish().await;
    }

    /// Waits for a time in milliseconds from the range.
    ///
    /// # Errors
    /// The main phase is over.
    pub async fn wait(&mut self, range_ms: Range<u64>) -> Done {
        let pause = Duration::from_millis(self.rng.random_range(range_ms));
        self.sleep(pause).await
    }

    /// Who leads, as far as anybody knows; else somebody.
    pub async fn leader(&mut self) -> NodeId {
        let (leader, how) = match self.environment.leader().await {
            Leader::Known(node) => (node, "led"),
            Leader::AnsweredLast(node) => (node, "answered last"),
            Leader::Unknown => (self.nodes[0].clone(), "was chosen"),
        };
        self.tell(format!("{leader} {how}"));
        leader
    }

    /// Waits until one of the others leads, or answers, where the store does not say who leads.
    ///
    /// # Errors
    /// The main phase is over, or nobody came to lead in time.
    pub async fn next_leader(&mut self, not: &NodeId, limit_ms: u64) -> Done<NodeId> {
        let (begin, limit) = (Instant::now(), Duration::from_millis(limit_ms));
        if !self.environment.nodes.can_say_who_leads() {
            // Whoever answers sooner may only not know yet.
            self.sleep(UNKNOWN).await?;
        }
        let others = self.others(not);
        while begin.elapsed() < limit {
            if let Some(leader) = self.environment.leader_among(&others).await {
                self.tell(format!("{leader} {} ms later", begin.elapsed().as_millis()));
                // What others had acknowledged before, it must know now; whoever led before may not know of it.
                self.probe(&leader);
                self.probe(not);
                return Ok(leader);
            }
            self.sleep(LOOK).await?;
        }
        Err(Ended::Failed(format!("nobody but {not} came to lead within {limit_ms} ms")))
    }

    /// Has a node read at, now.
    pub fn probe(&self, node: &NodeId) {
        self.environment.clients.probe(node);
    }

    /// Has a node written at, by clients that ask no other one: where nobody hears it, it has more than anybody is told. One after
    /// the other, so that each write has a place of its own in the log.
    ///
    /// # Errors
    /// The main phase is over.
    pub async fn burst(&mut self, node: &NodeId) -> Done {
        self.tell(format!("{node} got more to do"));
        // The others go on to read.
        for _ in 0..PROBERS - 2 {
            self.environment.clients.write(node);
            self.wait(BETWEEN_WRITES_MS).await?;
        }
        Ok(())
    }

    /// Has a node read at again and again: what it did not know when it came to lead it must not have answered without.
    ///
    /// # Errors
    /// The main phase is over.
    pub async fn probe_often(&mut self, node: &NodeId) -> Done {
        for _ in 0..PROBES {
            self.probe(node);
            self.wait(10..25).await?;
        }
        Ok(())
    }

    /// From now on clients rest after each operation, until this ends: what is decided now is little beside what was sent before.
    pub fn slow_clients(&mut self) {
        self.environment.clients.slow_down(self.rng.random_range(RESTS_MS));
        self.tell("clients had little to do");
    }

    /// Ends it: heals everything, and says what happened.
    pub async fn finish(mut self) -> String {
        self.environment.clients.slow_down(0);
        // All at once, then wait for all.
        let rest = self.steps.take(|_| true);
        rest.begin();
        rest.finish().await;
        for healing in self.healing {
            healing.finish().await;
        }
        self.story.join(", then ")
    }

    async fn start(&mut self, what: What) -> Done {
        if *self.stop.borrow() {
            return Err(Ended::Stopped);
        }
        self.steps.start(what).await.map_err(Ended::Failed)
    }

    async fn sleep(&mut self, pause: Duration) -> Done {
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            _ = self.stop.wait_for(|stop| *stop) => Err(Ended::Stopped),
        }
    }
}
