//! What a scenario does to messages: it catches them, and has something happen to kinds of them.

use std::{sync::Arc, time::Duration};

use contract::NodeId;
use network::{Armed, Boundary, Caught, Trigger};
use rand::{RngExt, seq::IndexedRandom};
use record::Mishap;

use super::{Done, Ended, Script};
use crate::nemesis::{
    faults::{
        kinds::{self, Mishaps},
        partition::Link,
    },
    steps::What,
};

/// So long a message of some kind may take to come while a leader leads, and once it is away.
const SOON_MS: u64 = 200;
const AFTER_A_LEADER_MS: u64 = 1200;
/// So many messages of a kind are let by at most, before one is caught.
const SKIP_MAX: u32 = 4;
/// Of so many messages less than one is of a rare kind: votes are, and what brings a new node up to date.
const RARE: u64 = 40;
/// So many rare messages are let by at most.
const RARE_SKIP_MAX: u32 = 2;

impl Script {
    /// Catches a message of some kind at this boundary. Where none comes soon, the leader is taken away: some kinds are only
    /// sent in an election.
    ///
    /// # Errors
    /// The main phase is over, or no such message came.
    pub async fn catch(&mut self, boundary: Boundary) -> Done<Arc<Caught>> {
        let mut armed = self.arm(boundary)?;
        if let Some(caught) = self.caught(&mut armed, SOON_MS).await? {
            return Ok(caught);
        }
        let leader = self.leader().await;
        self.take_away(&leader).await?;
        let caught = self.caught(&mut armed, AFTER_A_LEADER_MS).await?;
        caught.ok_or_else(|| Ended::Failed("no such message came".to_owned()))
    }

    /// Waits for a message of some kind between nodes.
    ///
    /// # Errors
    /// No message between nodes was seen yet.
    pub fn arm(&mut self, boundary: Boundary) -> Done<Armed> {
        let kind = self.some_kind()?;
        let skip = self.rng.random_range(0..SKIP_MAX);
        self.tell(format!("{kind} was waited for"));
        let trigger = Trigger { links: self.links(), kinds: vec![kind], boundary, skip };
        Ok(self.environment.network.arm(trigger))
    }

    /// Waits for a message of any kind between this node and the others, wherever it comes from.
    pub fn arm_around(&mut self, node: &NodeId, boundary: Boundary, skip_max: u32) -> Armed {
        let links = [self.links_from(node), self.links_to(node)].concat();
        let skip = self.rng.random_range(0..skip_max);
        self.environment.network.arm(Trigger { links, kinds: Vec::new(), boundary, skip })
    }

    /// Waits for a message of a rare kind that this node sends, before it is delivered: what it says matters, and it has to stand
    /// by it afterwards. The rarest kinds are waited for most.
    pub fn arm_rare(&mut self, from: &NodeId) -> Armed {
        let kinds = self.environment.kinds_between_nodes();
        let all: u64 = kinds.values().sum();
        let rare: Vec<(String, u64)> =
            kinds.into_iter().filter(|(_, count)| count * RARE < all).collect();
        let weigh = |(_, count): &(String, u64)| 1.0 / (*count).max(1) as f64;
        let chosen = rare.choose_weighted(&mut self.rng, weigh).ok();
        let kinds = chosen.map(|(kind, _)| kind.clone()).into_iter().collect();
        let (links, skip) = (self.links_from(from), self.rng.random_range(0..RARE_SKIP_MAX));
        let boundary = Boundary::BeforeDelivery;
        self.environment.network.arm(Trigger { links, kinds, boundary, skip })
    }

    /// Each kind of messages that was seen so far has a delay of its own, one of these, or none.
    pub fn each_kind_late(&mut self, delays_ms: &[u64]) -> Mishaps {
        let kinds = self.environment.kinds_between_nodes().into_keys();
        kinds::each_late(kinds, delays_ms, &mut self.rng)
    }

    /// On one more link each kind has a delay of its own from now on.
    ///
    /// # Errors
    /// The main phase is over, or all links are slow.
    pub async fn slow_one_more_link(&mut self, delays_ms: &[u64]) -> Done {
        let is_slow = |link: &Link| {
            self.steps.on().any(|what| matches!(what, What::Kinds(_, slow) if slow.contains(link)))
        };
        let quick: Vec<Link> = self.links().into_iter().filter(|link| !is_slow(link)).collect();
        let link = self.one_of(&quick)?;
        self.tell(format!("{}>{} was slow", link.0, link.1));
        let mishaps = self.each_kind_late(delays_ms);
        self.disturb_kinds_on(mishaps, vec![link]).await
    }

    /// The link that has been slow for longest is so no longer.
    pub async fn quicken_a_link(&mut self) {
        let slow = self.steps.on().find(|what| matches!(what, What::Kinds(..))).cloned();
        self.steps.take(|what| slow.as_ref() == Some(what)).finish().await;
    }

    /// The same happens to each kind of messages that was seen so far.
    #[must_use]
    pub fn every_kind(&self, mishap: Mishap) -> Mishaps {
        let kinds = self.environment.kinds_between_nodes().into_keys();
        kinds.map(|kind| (kind, mishap)).collect()
    }

    /// Has this happen to messages between nodes.
    ///
    /// # Errors
    /// The main phase is over.
    pub async fn disturb_kinds(&mut self, mishaps: Mishaps) -> Done {
        let links = self.links();
        self.disturb_kinds_on(mishaps, links).await
    }

    /// The same on these links only.
    ///
    /// # Errors
    /// The main phase is over.
    pub async fn disturb_kinds_on(&mut self, mishaps: Mishaps, links: Vec<Link>) -> Done {
        self.tell(kinds::in_words(&mishaps));
        self.start(What::Kinds(mishaps, links)).await
    }

    /// No kind of messages is disturbed any more.
    pub async fn leave_kinds_alone(&mut self) {
        self.steps.take(|what| matches!(what, What::Kinds(..))).finish().await;
    }

    /// All links between those who have any to each other.
    fn links(&self) -> Vec<Link> {
        self.linked.iter().flat_map(|node| self.links_from(node)).collect()
    }

    /// A kind of messages between nodes: in one of two cases each that was seen so far is as likely, however rare its messages
    /// are; in the other, those of which there are many are.
    ///
    /// # Errors
    /// None was seen yet.
    pub fn some_kind(&mut self) -> Done<String> {
        let kinds: Vec<(String, u64)> =
            self.environment.kinds_between_nodes().into_iter().collect();
        let by_count = self.coin();
        let weigh = |(_, count): &(String, u64)| if by_count { *count } else { 1 };
        let chosen = kinds.choose_weighted(&mut self.rng, weigh);
        let (kind, _) = chosen
            .map_err(|_| Ended::Failed("no message between nodes was seen yet".to_owned()))?;
        Ok(kind.clone())
    }

    /// The message, where it comes in time.
    ///
    /// # Errors
    /// The main phase is over.
    pub async fn caught(&mut self, armed: &mut Armed, limit_ms: u64) -> Done<Option<Arc<Caught>>> {
        let limit = Duration::from_millis(limit_ms);
        let caught = tokio::select! {
            caught = tokio::time::timeout(limit, armed.caught()) => caught.ok().flatten(),
            _ = self.stop.wait_for(|stop| *stop) => return Err(Ended::Stopped),
        };
        let caught = caught.map(Arc::new);
        if let Some(Caught { from, to, kind, .. }) = caught.as_deref() {
            self.tell(format!("{kind} {from}>{to} was caught"));
        }
        Ok(caught)
    }

    /// Keeps a message that was caught, until it is let go and dropped.
    ///
    /// # Errors
    /// The main phase is over.
    pub async fn hold(&mut self, caught: &Arc<Caught>) -> Done {
        self.steps.hold(Arc::clone(caught)).await.map_err(Ended::Failed)
    }

    /// Lets all messages go on that are held.
    pub async fn let_go(&mut self) {
        self.steps.take(|what| matches!(what, What::Held(_))).finish().await;
    }

    /// All messages between nodes are late by so much.
    ///
    /// # Errors
    /// The main phase is over.
    pub async fn slow_all(&mut self, late_ms: u64) -> Done {
        let links = self.links();
        self.slow(&links, late_ms).await
    }

    /// Messages on these links are late by so much.
    ///
    /// # Errors
    /// The main phase is over.
    pub async fn slow(&mut self, links: &[Link], late_ms: u64) -> Done {
        let mishaps = self.every_kind(Mishap::LateMs(late_ms));
        self.disturb_kinds_on(mishaps, links.to_vec()).await
    }
}
