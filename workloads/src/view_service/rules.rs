//! Which views may follow, and which one is due: the rules of the contract.

use std::collections::BTreeMap;

use contract::{View, view::Ping};

use super::times::{LastPing, Times};

/// A state in which a right service can be.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct State {
    /// The current view.
    pub(super) view: View,
    /// The ping with which its primary acknowledged it: its place among the script's requests.
    pub(super) acknowledged: Option<usize>,
    /// Whether its backup has pinged with its number.
    backup_knows: bool,
    /// Who of the two pinged with 0 since it was acknowledged.
    restarted: BTreeMap<String, Restart>,
}

/// A restart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Restart {
    /// The first ping with 0.
    act: usize,
    /// Whether the server had known the view, so that it can only have restarted.
    is_certain: bool,
    /// Whether it pinged with nothing but 0 since then.
    lasts: bool,
}

/// Something that should have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A first view, with this server.
    First(String),
    /// The primary is dead, and the backup is not.
    Promotion,
    /// The backup is dead, and the primary is not.
    Removal,
    /// There is no backup, and this server is idle.
    Backup(String),
}

/// A time of a script: after this moment, with these pings that have arrived and are not answered yet.
#[derive(Clone, Copy)]
pub(super) struct Now<'a> {
    pub(super) times: &'a Times<'a>,
    pub(super) moment: usize,
    /// By server: the ping's place among the script's requests.
    pub(super) arrived: &'a BTreeMap<&'a str, usize>,
}

impl Now<'_> {
    fn last_ping(&self, server: &str) -> Option<LastPing> {
        self.times.last_ping(server, self.moment, self.arrived.get(server).copied())
    }

    /// Every server that has pinged.
    fn servers(&self) -> impl Iterator<Item = &str> {
        let known = self.times.servers().chain(self.arrived.keys().copied());
        let mut known: Vec<&str> =
            known.filter(|server| self.last_ping(server).is_some()).collect();
        known.sort_unstable();
        known.dedup();
        known.into_iter()
    }

    /// Whether a server was silent for so long that it may be taken for dead.
    pub(super) fn may_be_dead(&self, server: &str) -> bool {
        self.last_ping(server).is_none_or(|last| self.times.may_be_dead(last, self.moment))
    }

    /// Whether a server has pinged, and not so long ago that it must be taken for dead.
    pub(super) fn may_be_alive(&self, server: &str) -> bool {
        self.last_ping(server).is_some_and(|last| !self.times.is_long_dead(last, self.moment))
    }

    fn is_long_dead(&self, server: &str) -> bool {
        self.last_ping(server).is_some_and(|last| self.times.is_long_dead(last, self.moment))
    }

    fn is_long_alive(&self, server: &str) -> bool {
        self.last_ping(server).is_some_and(|last| self.times.is_long_alive(last, self.moment))
    }
}

impl State {
    /// A ping arrives; `act`: its place among the script's requests.
    pub(super) fn take(&mut self, Ping { node, view }: &Ping, act: usize) {
        let is_current = *view == self.view.num;
        let (is_primary, is_backup) = (self.is_primary(node), self.is_backup(node));
        if *view == 0 && self.acknowledged.is_some() && (is_primary || is_backup) {
            let is_certain = is_primary || self.backup_knows;
            let restart = Restart { act, is_certain, lasts: true };
            self.restarted.entry(node.clone()).or_insert(restart);
        } else if *view != 0
            && let Some(restart) = self.restarted.get_mut(node)
        {
            restart.lasts = false;
        }
        if is_current && *view != 0 {
            self.backup_knows |= is_backup;
            if is_primary {
                self.acknowledged.get_or_insert(act);
            }
        }
    }

    /// Every view that may follow now.
    pub(super) fn next(&self, now: &Now<'_>) -> Vec<View> {
        let num = self.view.num.saturating_add(1);
        let view = |primary: &str, backup: Option<&str>| View {
            num,
            primary: Some(primary.to_owned()),
            backup: backup.map(str::to_owned),
        };
        let Some(primary) = self.view.primary.as_deref() else {
            // Nobody has anything yet, so a backup does no harm.
            let alive: Vec<&str> = now.servers().filter(|id| now.may_be_alive(id)).collect();
            let backups = |id: &str| {
                let others: Vec<&str> =
                    alive.iter().filter(|other| **other != id).copied().collect();
                [None].into_iter().chain(others.into_iter().map(Some)).collect::<Vec<_>>()
            };
            let with = |id: &&str| backups(id).into_iter().map(|backup| view(id, backup)).collect();
            return alive.iter().map(with).collect::<Vec<Vec<View>>>().concat();
        };
        if self.acknowledged.is_none() {
            return Vec::new();
        }
        let idle = || now.servers().filter(|id| self.is_idle(id) && now.may_be_alive(id)).map(Some);
        let mut views = Vec::new();
        match self.view.backup.as_deref() {
            None => views.extend(idle().map(|backup| view(primary, backup))),
            Some(backup) => {
                if self.may_be_dead(backup, now) {
                    views
                        .extend([None].into_iter().chain(idle()).map(|other| view(primary, other)));
                }
                if self.may_be_dead(primary, now) && !self.has_lost_its_data(backup) {
                    // Who was taken for dead may have come back since.
                    let old = [primary].into_iter().filter(|old| now.may_be_alive(old)).map(Some);
                    let backups = [None].into_iter().chain(idle()).chain(old);
                    views.extend(backups.map(|other| view(backup, other)));
                }
            }
        }
        views
    }

    /// The state after the view has changed to this one.
    pub(super) fn changed(view: View) -> Self {
        Self { view, ..Self::default() }
    }

    /// What should have happened by now.
    pub(super) fn due(&self, now: &Now<'_>) -> Option<Due> {
        let Some(primary) = self.view.primary.as_deref() else {
            let first = now.servers().find(|id| now.is_long_alive(id))?;
            return Some(Due::First(first.to_owned()));
        };
        let acknowledged = self.acknowledged?;
        if !now.times.is_long_past(acknowledged, now.moment) {
            return None;
        }
        let is_alive = |id: &str| now.is_long_alive(id) && !self.restarted.contains_key(id);
        let Some(backup) = self.view.backup.as_deref() else {
            let idle = now.servers().find(|id| self.is_idle(id) && now.is_long_alive(id));
            let idle = idle.filter(|_| is_alive(primary))?;
            return Some(Due::Backup(idle.to_owned()));
        };
        let is_dead = |id: &str| now.is_long_dead(id) || self.has_long_restarted(id, now);
        if is_dead(primary) && is_alive(backup) {
            return Some(Due::Promotion);
        }
        (is_dead(backup) && is_alive(primary)).then_some(Due::Removal)
    }

    pub(super) fn is_primary(&self, server: &str) -> bool {
        self.view.primary.as_deref() == Some(server)
    }

    pub(super) fn is_backup(&self, server: &str) -> bool {
        self.view.backup.as_deref() == Some(server)
    }

    pub(super) fn is_idle(&self, server: &str) -> bool {
        !self.is_primary(server) && !self.is_backup(server)
    }

    /// Whether it may be taken for dead: it is silent, or it has restarted.
    pub(super) fn may_be_dead(&self, server: &str, now: &Now<'_>) -> bool {
        now.may_be_dead(server) || self.restarted.contains_key(server)
    }

    /// Whether it can only have restarted since it knew this view.
    pub(super) fn has_lost_its_data(&self, server: &str) -> bool {
        self.restarted.get(server).is_some_and(|restart| restart.is_certain)
    }

    /// The first ping with 0 of a server of this view.
    pub(super) fn restart_of(&self, server: &str) -> Option<usize> {
        self.restarted.get(server).map(|restart| restart.act)
    }

    fn has_long_restarted(&self, server: &str, now: &Now<'_>) -> bool {
        self.restarted.get(server).is_some_and(|restart| {
            restart.is_certain && restart.lasts && now.times.is_long_past(restart.act, now.moment)
        })
    }
}
