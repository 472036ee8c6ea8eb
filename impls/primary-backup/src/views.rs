//! The rules of the view service, without messages, clocks and disks.

use std::collections::BTreeMap;

use contract::NodeId;

use crate::view::View;

/// What the view service knows, and how it chooses the next view.
///
/// 1. The view changes only once its primary has *acknowledged* it: pinged with its number. A primary does so when
///    its backup has the whole state, and from then on answers no client without the backup.
/// 2. The next primary is this primary or, where it is dead, this backup. So it has everything that was ever answered;
///    an idle server never has. The first server that pings is the primary of view 1: there is nothing yet to have.
/// 3. A dead backup makes room, and an idle server that lives is taken in.
///
/// A server is dead after [`Views::new`]'s number of ticks without a ping. The service may be wrong about that, as it
/// cannot tell a dead server from a slow one: rule 1 makes this harmless, since a primary that was replaced gets no more
/// answers from its backup.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Views {
    view: View,
    acknowledged: bool,
    /// Every server heard of, and how many ticks ago.
    silent: BTreeMap<NodeId, u32>,
    dead_ticks: u32,
}

impl Views {
    /// Goes on from this view. Its servers count as alive, until enough ticks have passed.
    #[must_use]
    pub fn new(view: View, acknowledged: bool, dead_ticks: u32) -> Self {
        let servers = view.primary.iter().chain(&view.backup);
        let silent = servers.map(|server| (server.clone(), 0)).collect();
        Self { view, acknowledged, silent, dead_ticks }
    }

    /// The current view.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Whether its primary has acknowledged it.
    #[must_use]
    pub fn is_acknowledged(&self) -> bool {
        self.acknowledged
    }

    /// A server lives and is in this view: the primary has acknowledged it, the others know it. `num` is 0 for a server
    /// that knows nothing at all: where it should have the state of an acknowledged view, it has lost it and counts as
    /// dead.
    pub fn ping(&mut self, server: &NodeId, num: u64) {
        let lost_its_state = num == 0 && self.acknowledged && self.view.has(server);
        self.silent.insert(server.clone(), if lost_its_state { self.dead_ticks } else { 0 });
        if self.view.num == 0 {
            self.change(Some(server.clone()), None);
        }
        if self.view.is_primary(server) && num == self.view.num {
            self.acknowledged = true;
        }
        self.advance();
    }

    /// The primary does not reach its backup, whatever that one tells us: the backup makes room, if another server or
    /// none can be chosen.
    pub fn backup_is_silent(&mut self, primary: &NodeId, num: u64) {
        if self.view.is_primary(primary)
            && num == self.view.num
            && let Some(backup) = &self.view.backup
        {
            self.silent.insert(backup.clone(), self.dead_ticks);
            self.advance();
        }
    }

    /// One interval has passed in which each server should have pinged.
    pub fn tick(&mut self) {
        for ticks in self.silent.values_mut() {
            *ticks = (*ticks + 1).min(self.dead_ticks);
        }
        self.advance();
    }

    /// Changes the view where that is needed and allowed.
    fn advance(&mut self) {
        if !self.acknowledged {
            return;
        }
        let alive = |server: &&NodeId| self.is_alive(server);
        let backup = self.view.backup.as_ref().filter(alive);
        let Some(primary) = self.view.primary.as_ref().filter(alive).or(backup) else { return };
        let backup = backup.filter(|backup| *backup != primary).or_else(|| self.idle());
        if (Some(primary), backup) != (self.view.primary.as_ref(), self.view.backup.as_ref()) {
            self.change(Some(primary.clone()), backup.cloned());
        }
    }

    fn change(&mut self, primary: Option<NodeId>, backup: Option<NodeId>) {
        self.view = View { num: self.view.num + 1, primary, backup };
        self.acknowledged = false;
    }

    fn is_alive(&self, server: &NodeId) -> bool {
        self.silent.get(server).is_some_and(|ticks| *ticks < self.dead_ticks)
    }

    /// A server that lives and is in no view.
    fn idle(&self) -> Option<&NodeId> {
        self.silent.keys().find(|server| self.is_alive(server) && !self.view.has(server))
    }
}
