//! A view service in simulation: right in many ways, or with one flaw.

use std::collections::BTreeMap;

use contract::View;

/// How a service does what the rules leave open.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Silent for so long, a server is dead.
    pub dead_ms: u64,
    /// Whether it looks at each ping, rather than only now and then.
    pub on_ping: bool,
    /// How often it looks anyway.
    pub tick_ms: u64,
    /// Whether a new backup comes with the view that needs one, rather than with the next.
    pub fills_at_once: bool,
    /// Whether a backup that is dead, too, is promoted.
    pub promotes_dead_backup: bool,
    /// What is wrong with it.
    pub flaw: Option<Flaw>,
}

/// Something that students get wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It waits for no acknowledgement.
    NeverWaits,
    /// It promotes an idle server.
    PromotesIdle,
    /// It takes nobody who restarted for dead.
    TrustsZero,
    /// It never removes a backup.
    KeepsBackup,
    /// It never replaces a primary.
    KeepsPrimary,
    /// It takes no second server.
    TakesNobody,
    /// It takes servers that are dead.
    TakesDead,
    /// One lost ping is death.
    IsHasty,
    /// Each look makes a view.
    RepeatsViews,
    /// It counts by two.
    Skips,
    /// It removes the backup without a new number.
    KeepsNumber,
}

#[derive(Clone, Debug)]
pub struct Service {
    pub manner: Manner,
    view: View,
    acknowledged: bool,
    last_ms: BTreeMap<String, u64>,
    restarted: Vec<String>,
}

impl Service {
    pub fn new(manner: Manner) -> Self {
        let (view, last_ms) = (View::default(), BTreeMap::new());
        Self { manner, view, acknowledged: true, last_ms, restarted: Vec::new() }
    }

    pub fn view(&self) -> View {
        self.view.clone()
    }

    pub fn ping(&mut self, server: &str, num: u64, now_ms: u64) -> View {
        self.last_ms.insert(server.to_owned(), now_ms);
        let is_primary = self.view.primary.as_deref() == Some(server);
        let is_in = is_primary || self.view.backup.as_deref() == Some(server);
        if is_in && num == 0 && self.acknowledged && !self.has(Flaw::TrustsZero) {
            self.restarted.push(server.to_owned());
        }
        if is_primary && num == self.view.num {
            self.acknowledged = true;
        }
        if self.manner.on_ping {
            self.look(now_ms);
        }
        self.view()
    }

    pub fn look(&mut self, now_ms: u64) {
        if !self.acknowledged && !self.has(Flaw::NeverWaits) {
            return;
        }
        let View { primary, backup, .. } = self.view.clone();
        let alive: Vec<String> =
            self.last_ms.keys().filter(|id| self.is_alive(id, now_ms)).cloned().collect();
        let all: Vec<String> = self.last_ms.keys().cloned().collect();
        let candidates = if self.has(Flaw::TakesDead) { &all } else { &alive };
        let idle =
            candidates.iter().find(|id| ![&primary, &backup].contains(&&Some((*id).clone())));
        let idle = idle.cloned().filter(|_| !self.has(Flaw::TakesNobody));
        let Some(old) = primary else {
            if let Some(first) = alive.first() {
                self.change(Some(first.clone()), None);
            }
            return;
        };
        let is_up = |id: &String| alive.contains(id);
        if is_up(&old) || self.has(Flaw::KeepsPrimary) {
            match backup {
                None if idle.is_some() => self.change(Some(old), idle),
                Some(dead) if !is_up(&dead) && !self.has(Flaw::KeepsBackup) => {
                    let idle = idle.filter(|_| self.manner.fills_at_once);
                    self.change(Some(old), idle);
                }
                same if self.has(Flaw::RepeatsViews) => self.change(Some(old), same),
                _ => {}
            }
            return;
        }
        let may = |id: &String| {
            is_up(id) || self.manner.promotes_dead_backup && !self.restarted.contains(id)
        };
        match backup.filter(may) {
            Some(next) => {
                let idle = idle.filter(|_| self.manner.fills_at_once);
                self.change(Some(next), idle);
            }
            None if self.has(Flaw::PromotesIdle) && idle.is_some() => self.change(idle, None),
            None => {}
        }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.manner.flaw == Some(flaw)
    }

    fn is_alive(&self, server: &str, now_ms: u64) -> bool {
        let dead_ms = if self.has(Flaw::IsHasty) { 60 } else { self.manner.dead_ms };
        now_ms - self.last_ms[server] < dead_ms && !self.restarted.iter().any(|id| id == server)
    }

    fn change(&mut self, primary: Option<String>, backup: Option<String>) {
        let step = match self.manner.flaw {
            Some(Flaw::Skips) => 2,
            Some(Flaw::KeepsNumber) if self.view.backup.is_some() && backup.is_none() => 0,
            _ => 1,
        };
        self.view = View { num: self.view.num + step, primary, backup };
        self.acknowledged = false;
        // Who is out of the view, or in it anew, starts over.
        self.restarted.clear();
    }
}
