//! What a leader does so that its group follows the configurations and gets its shards.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use contract::{Configuration, GroupId, NodeId};
use node::{Effects, Replicates};

use super::{Node, Proposal, led};
use crate::{
    carried::Carried,
    command::Command,
    group::{Group, Incoming, Part},
    message::{Message, Origin},
};

/// How often a group asks for the next configuration.
const QUERY_MS: u64 = 50;
/// How long a part of a shard may take until all servers are asked.
const PULL_MS: u64 = 100;
/// So long nothing may come or go until a group takes the next configuration without waiting for copies.
const STALL_MS: u64 = 1_000;
/// How often the last owner is told that it may delete a shard.
const SETTLE_MS: u64 = 100;

/// A shard, and the configuration in which its last owner loses it.
type Transfer = (usize, u64);

/// What a leader remembers of it.
#[derive(Debug, Default)]
pub(super) struct Migration {
    /// The next configuration, once it is known.
    next: Option<Arc<Next>>,
    queried_ms: Option<u64>,
    queries: usize,
    /// The last part of each shard that was asked for.
    pulls: BTreeMap<usize, Pull>,
    /// Moves to here of which all has come, until the last owner loses the shard.
    copied: BTreeSet<Transfer>,
    /// When the others were told that all has come.
    ready_ms: Option<u64>,
    /// Moves from here: who asked last, and how many parts it has.
    asked: BTreeMap<Transfer, (NodeId, usize)>,
    /// The most parts that anybody had who asked.
    taken: BTreeMap<Transfer, usize>,
    /// The groups that have all that comes to them in the configuration of this number.
    ready: BTreeSet<(GroupId, u64)>,
    /// When something came or went that had not before.
    progress_ms: u64,
    settled_ms: BTreeMap<Transfer, u64>,
}

/// The next configuration.
#[derive(Clone, Debug)]
struct Next {
    configuration: Configuration,
    origins: Vec<Option<Origin>>,
}

/// The last part of a shard that was asked for.
#[derive(Clone, Debug)]
struct Pull {
    lost_in: u64,
    number: usize,
    asked_ms: u64,
    /// Who gave the part before it.
    server: Option<NodeId>,
}

impl Migration {
    /// Whether the group is about to leave its configuration: it begins no transactions then.
    pub(super) fn is_draining(&self, group: &Group, now_ms: u64) -> bool {
        self.next.as_ref().is_some_and(|next| self.may_leave(group, next, now_ms))
    }

    /// Whether nothing is left to be copied for which the group can wait.
    fn may_leave(&self, group: &Group, next: &Next, now_ms: u64) -> bool {
        let is_ready = |owner: &GroupId| self.ready.contains(&(owner.clone(), next.num()));
        let is_stalled = now_ms >= self.progress_ms + STALL_MS;
        is_stalled || (self.has_come(group, next) && next.takers(group).all(is_ready))
    }

    /// Whether all has come that there is of shards to come.
    fn has_come(&self, group: &Group, next: &Next) -> bool {
        next.gained_by(group).all(|(shard, origin)| {
            let ahead = group.ahead().get(&shard);
            self.copied.contains(&(shard, origin.lost_in))
                || ahead.is_some_and(|ahead| ahead.lost_in == origin.lost_in && ahead.is_whole())
        })
    }
}

impl Next {
    fn num(&self) -> u64 {
        self.configuration.num
    }

    /// The shards that come to this group from others, and where from.
    fn gained_by<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = (usize, &'a Origin)> {
        let shards = self.configuration.shards.iter().zip(&self.origins).enumerate();
        shards.filter_map(|(shard, (owner, origin))| {
            let origin = origin.as_ref().filter(|origin| origin.group != *group.id())?;
            (owner.as_ref() == Some(group.id())).then_some((shard, origin))
        })
    }

    /// The groups that get shards which this one serves.
    fn takers<'a>(&'a self, group: &'a Group) -> impl Iterator<Item = &'a GroupId> {
        let owners =
            group.served().filter_map(|shard| self.configuration.shards.get(shard)?.as_ref());
        owners.filter(|owner| *owner != group.id())
    }
}

impl<P: Replicates<Application = Carried>> Node<P> {
    /// Asks for the next configuration, and takes it as soon as everything of this one is over.
    pub(super) fn follow_configurations(&mut self, effects: &mut Effects<Self>) {
        let Some(group) = self.led() else { return };
        let num = group.configuration().num + 1;
        let (is_busy, now_ms) = (!group.arriving().is_empty(), effects.now_ms());
        let has_locks = group.has_locks();
        let is_draining = self.migration.is_draining(group, now_ms);
        self.migration.next.take_if(|next| next.num() != num);
        if is_busy {
            return;
        }
        if let Some(next) = &self.migration.next {
            if is_draining && !has_locks {
                let Next { configuration, origins } = Next::clone(next);
                let command = Command::Configure { configuration, origins };
                self.propose(Proposal::Configure(num), command, effects);
            }
            return;
        }
        if self.migration.queried_ms.is_some_and(|at_ms| now_ms < at_ms + QUERY_MS) {
            return;
        }
        self.migration.queried_ms = Some(now_ms);
        self.migration.queries += 1;
        let controllers = &self.identity.controllers;
        if let Some(controller) = controllers.get(self.migration.queries % controllers.len().max(1))
        {
            effects.send(controller, Message::Query { num });
        }
    }

    pub(super) fn on_configuration(
        &mut self,
        configuration: Configuration,
        origins: Vec<Option<Origin>>,
        now_ms: u64,
    ) {
        let num = self.led().map(|group| group.configuration().num + 1);
        let configuration_num = configuration.num;
        if num == Some(configuration_num) && self.migration.next.is_none() {
            self.migration.next = Some(Arc::new(Next { configuration, origins }));
            self.migration.progress_ms = now_ms;
            self.migration.ready_ms = None;
            self.migration.copied.clear();
            self.migration.ready.retain(|(_, of)| *of >= configuration_num);
        }
    }

    /// Asks for the next part of each shard that is on its way, or will be.
    pub(super) fn fetch_shards(&mut self, effects: &mut Effects<Self>) {
        let Some(group) = led(&self.inner) else { return };
        let next = self.migration.next.clone().filter(|_| group.arriving().is_empty());
        let arriving = group.arriving().iter();
        let arriving =
            arriving.map(|(shard, arriving)| (*shard, &arriving.origin, Some(&arriving.incoming)));
        let to_come = next.iter().flat_map(|next| next.gained_by(group));
        let to_come = to_come
            .filter(|(shard, origin)| !self.migration.copied.contains(&(*shard, origin.lost_in)));
        let to_come = to_come.map(|(shard, origin)| (shard, origin, group.ahead().get(&shard)));
        let wanted: Vec<_> = arriving.chain(to_come).collect();
        let pulls = &mut self.migration.pulls;
        pulls.retain(|shard, _| wanted.iter().any(|(wanted, ..)| wanted == shard));
        for (shard, origin, incoming) in wanted {
            let incoming = incoming.filter(|incoming| incoming.lost_in == origin.lost_in);
            if !incoming.is_some_and(Incoming::is_whole) {
                let parts = incoming.map_or(0, |incoming| incoming.parts);
                pull(pulls, shard, origin, parts, effects);
            }
        }
        self.tell_owners(effects);
    }

    /// Once all has come that there is, its owners may lose it. They are told until the rest has come, too.
    fn tell_owners(&mut self, effects: &mut Effects<Self>) {
        let Some(group) = led(&self.inner) else { return };
        let (now_ms, migration) = (effects.now_ms(), &mut self.migration);
        if migration.ready_ms.is_some_and(|at_ms| now_ms < at_ms + PULL_MS) {
            return;
        }
        let arriving: Vec<&Origin> =
            group.arriving().values().map(|arriving| &arriving.origin).collect();
        let next = migration.next.clone().filter(|next| migration.has_come(group, next));
        let (num, origins) = match &next {
            _ if !arriving.is_empty() => (group.configuration().num, arriving),
            Some(next) => (next.num(), next.gained_by(group).map(|(_, origin)| origin).collect()),
            None => return,
        };
        migration.ready_ms = Some(now_ms);
        let servers: BTreeSet<&NodeId> =
            origins.into_iter().flat_map(|origin| &origin.servers).collect();
        for server in servers {
            effects.send(server, Message::Ready { group: group.id().clone(), num });
        }
    }

    pub(super) fn on_ready(&mut self, group: GroupId, num: u64, now_ms: u64) {
        let is_next = self.led().is_some_and(|led| num > led.configuration().num);
        if is_next && self.migration.ready.insert((group, num)) {
            self.migration.progress_ms = now_ms;
        }
    }

    /// Any server that has a part may give it away: parts never change. The leader has the shard copied.
    pub(super) fn on_pull(
        &mut self,
        from: &NodeId,
        of: Transfer,
        parts: usize,
        effects: &mut Effects<Self>,
    ) {
        self.answer_pull(from, of, parts, effects);
        let Some(group) = self.led() else { return };
        let (shard, lost_in) = of;
        let is_next = lost_in == group.configuration().num + 1;
        if !is_next || !group.served().any(|served| served == shard) {
            return;
        }
        let has_copy = group.parts_of(shard, lost_in).is_some();
        self.migration.asked.insert(of, (from.clone(), parts));
        let taken = self.migration.taken.get(&of);
        if taken.is_none_or(|taken| *taken < parts) {
            self.migration.taken.insert(of, parts);
            self.migration.progress_ms = effects.now_ms();
        }
        if !has_copy {
            let command = Command::Copy { shard, lost_in };
            self.propose(Proposal::Copy(shard, lost_in), command, effects);
        }
    }

    fn answer_pull(
        &self,
        to: &NodeId,
        (shard, lost_in): Transfer,
        parts: usize,
        effects: &mut Effects<Self>,
    ) {
        let Some(all) = self.group().and_then(|group| group.parts_of(shard, lost_in)) else {
            return;
        };
        let message = match all.get(parts).cloned() {
            Some(part) => Message::Part { shard, lost_in, number: parts, part },
            None => Message::Copied { shard, lost_in },
        };
        effects.send(to, message);
    }

    /// What was asked for and was not there yet may be there now.
    pub(super) fn answer_pulls(&mut self, effects: &mut Effects<Self>) {
        for (of, (by, parts)) in &self.migration.asked {
            self.answer_pull(by, *of, *parts, effects);
        }
        let num = self.led().map_or(0, |group| group.configuration().num);
        self.migration.asked.retain(|(_, lost_in), _| *lost_in > num);
        self.migration.taken.retain(|(_, lost_in), _| *lost_in > num);
        // There may be another one already.
        self.migration.queried_ms = None;
    }

    pub(super) fn on_part(
        &mut self,
        from: &NodeId,
        (shard, lost_in): Transfer,
        number: usize,
        part: Part,
        effects: &mut Effects<Self>,
    ) {
        let Some(group) = self.led() else { return };
        let arriving = group.arriving().get(&shard).map(|arriving| &arriving.incoming);
        let incoming = arriving.or_else(|| group.ahead().get(&shard));
        let incoming = incoming.filter(|incoming| incoming.lost_in == lost_in);
        let is_next = incoming.map_or(0, |incoming| incoming.parts) == number;
        let pull = self.migration.pulls.get_mut(&shard);
        if let Some(pull) = pull.filter(|pull| is_next && pull.lost_in == lost_in) {
            pull.server = Some(from.clone());
            self.migration.progress_ms = effects.now_ms();
            let command = Command::Part { shard, lost_in, number, part };
            self.propose(Proposal::Part(shard, lost_in, number), command, effects);
        }
    }

    pub(super) fn on_copied(&mut self, shard: usize, lost_in: u64) {
        if self.migration.pulls.get(&shard).is_some_and(|pull| pull.lost_in == lost_in) {
            self.migration.copied.insert((shard, lost_in));
        }
    }

    /// Tells the last owners of shards that came that they may delete them.
    pub(super) fn settle_shards(&mut self, effects: &mut Effects<Self>) {
        let Some(group) = led(&self.inner) else { return };
        let now_ms = effects.now_ms();
        let told_ms = &mut self.migration.settled_ms;
        told_ms.retain(|shard, _| group.unsettled().contains_key(shard));
        for ((shard, lost_in), origin) in group.unsettled() {
            let last = told_ms.get(&(*shard, *lost_in));
            if last.is_some_and(|at_ms| now_ms < at_ms + SETTLE_MS) {
                continue;
            }
            told_ms.insert((*shard, *lost_in), now_ms);
            let message = Message::Installed { shard: *shard, lost_in: *lost_in };
            Self::broadcast(&origin.servers, &message, effects);
        }
    }

    pub(super) fn on_installed(
        &mut self,
        from: &NodeId,
        shard: usize,
        lost_in: u64,
        effects: &mut Effects<Self>,
    ) {
        let Some(group) = self.led() else { return };
        if group.keeps_nothing_of(shard, lost_in) {
            effects.send(from, Message::Deleted { shard, lost_in });
        } else if group.kept().contains_key(&(shard, lost_in)) {
            let command = Command::Delete { shard, lost_in };
            self.propose(Proposal::Delete(shard, lost_in), command, effects);
        }
    }

    pub(super) fn on_deleted(&mut self, shard: usize, lost_in: u64, effects: &mut Effects<Self>) {
        let is_open =
            self.led().is_some_and(|group| group.unsettled().contains_key(&(shard, lost_in)));
        if is_open {
            let command = Command::Settled { shard, lost_in };
            self.propose(Proposal::Settled(shard, lost_in), command, effects);
        }
    }
}

/// Asks for the next part, behind so many: the one that gave the last part, or all, where it does not answer.
fn pull<P: Replicates<Application = Carried>>(
    pulls: &mut BTreeMap<usize, Pull>,
    shard: usize,
    origin: &Origin,
    parts: usize,
    effects: &mut Effects<Node<P>>,
) {
    let now_ms = effects.now_ms();
    let last = pulls.get(&shard).filter(|last| last.lost_in == origin.lost_in);
    let is_next = last.is_none_or(|last| last.number != parts);
    if !is_next && last.is_some_and(|last| now_ms < last.asked_ms + PULL_MS) {
        return;
    }
    let server = last.and_then(|last| last.server.clone()).filter(|_| is_next);
    let message = Message::Pull { shard, lost_in: origin.lost_in, number: parts };
    match &server {
        Some(server) => effects.send(server, message),
        None => Node::<P>::broadcast(&origin.servers, &message, effects),
    }
    let pull = Pull { lost_in: origin.lost_in, number: parts, asked_ms: now_ms, server };
    pulls.insert(shard, pull);
}
