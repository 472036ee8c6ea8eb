//! What a leader does so that its group follows the configurations and gets its shards.

use std::collections::BTreeMap;

use contract::{Configuration, NodeId};
use node::{Effects, Replicates};

use super::{Node, Proposal, led};
use crate::{
    carried::Carried,
    command::Command,
    message::{Message, Origin},
};

/// How often a group asks for the next configuration.
const QUERY_MS: u64 = 50;
/// How long a part of a shard may take until another server is asked.
const PULL_MS: u64 = 100;
/// How often the last owner is told that it may delete a shard.
const SETTLE_MS: u64 = 100;
/// The longest part of a shard in one message and one command.
const PART_BYTES: usize = 256 << 10;

/// What a leader remembers of it.
#[derive(Debug, Default)]
pub(super) struct Migration {
    /// The next configuration, once it is known.
    next: Option<(Configuration, Vec<Option<Origin>>)>,
    queried_ms: Option<u64>,
    queries: usize,
    pulls: BTreeMap<usize, Pull>,
    settled_ms: BTreeMap<(usize, u64), u64>,
}

/// The last part of a shard that was asked for.
#[derive(Clone, Copy, Debug)]
struct Pull {
    offset: usize,
    asked_ms: u64,
    server: usize,
}

impl Migration {
    /// Whether the group is about to leave its configuration: it begins no transactions then.
    pub(super) fn is_draining(&self) -> bool {
        self.next.is_some()
    }
}

impl<P: Replicates<Application = Carried>> Node<P> {
    /// Asks for the next configuration, and takes it as soon as everything of this one is over.
    pub(super) fn follow_configurations(&mut self, effects: &mut Effects<Self>) {
        let Some(group) = self.led() else { return };
        let num = group.configuration().num + 1;
        let (is_busy, now_ms) = (!group.arriving().is_empty(), effects.now_ms());
        let has_locks = group.has_locks();
        self.migration.next.take_if(|(next, _)| next.num != num);
        if is_busy {
            return;
        }
        if let Some((configuration, origins)) = self.migration.next.clone() {
            if !has_locks {
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
    ) {
        let num = self.led().map(|group| group.configuration().num + 1);
        if num == Some(configuration.num) {
            self.migration.next = Some((configuration, origins));
        }
    }

    /// Asks for the next part of each shard that is on its way.
    pub(super) fn fetch_shards(&mut self, effects: &mut Effects<Self>) {
        let Some(group) = led(&self.inner) else { return };
        let now_ms = effects.now_ms();
        let arriving = group.arriving();
        self.migration.pulls.retain(|shard, _| arriving.contains_key(shard));
        for (shard, arriving) in arriving {
            let (offset, origin) = (arriving.text.len(), &arriving.origin);
            let last = self.migration.pulls.get(shard).copied();
            let is_waiting =
                last.is_some_and(|last| last.offset == offset && now_ms < last.asked_ms + PULL_MS);
            if is_waiting || origin.servers.is_empty() {
                continue;
            }
            // The one that answered goes on; who did not is not asked again at once.
            let server = match last {
                Some(last) if last.offset == offset => last.server + 1,
                Some(last) => last.server,
                None => 0,
            };
            self.migration.pulls.insert(*shard, Pull { offset, asked_ms: now_ms, server });
            let server = &origin.servers[server % origin.servers.len()];
            let pull = Message::Pull { shard: *shard, lost_in: origin.lost_in, offset };
            effects.send(server, pull);
        }
    }

    /// Any server that has the copy may give it away: it never changes.
    pub(super) fn on_pull(
        &mut self,
        from: &NodeId,
        shard: usize,
        lost_in: u64,
        offset: usize,
        effects: &mut Effects<Self>,
    ) {
        let kept = self.group().and_then(|group| group.kept().get(&(shard, lost_in)));
        let Some(rest) = kept.and_then(|kept| kept.text.get(offset..)) else { return };
        let mut end = rest.len().min(PART_BYTES);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (text, is_last) = (rest[..end].to_owned(), end == rest.len());
        effects.send(from, Message::Part { shard, lost_in, offset, text, is_last });
    }

    pub(super) fn on_part(
        &mut self,
        shard: usize,
        offset: usize,
        command: Command,
        effects: &mut Effects<Self>,
    ) {
        let arriving = self.led().and_then(|group| group.arriving().get(&shard));
        if arriving.is_some_and(|arriving| arriving.text.len() == offset) {
            self.propose(Proposal::Part(shard, offset), command, effects);
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
