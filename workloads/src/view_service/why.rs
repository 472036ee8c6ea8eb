//! Which rule an answer breaks, in a sentence that names the views and the pings that prove it.

use std::collections::BTreeMap;

use contract::View;
use history::words::cut;

use super::{
    record::Act,
    rules::{Due, Now, State},
    times::Times,
};

/// Foreign names are shown to this length.
const NAME_CHARS_MAX: usize = 20;

/// An answer that no right service gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// What is wrong, in a few words.
    pub(super) kind: &'static str,
    /// Why that is wrong.
    pub(super) sentence: String,
    /// The requests that prove it, by the indices of their calls.
    pub(super) proof: Vec<u64>,
}

/// The answer to a request, and the states in which a right service could have been just before it.
pub(super) struct Case<'a> {
    pub(super) times: &'a Times<'a>,
    /// The moment before the answer.
    pub(super) moment: usize,
    /// The request.
    pub(super) act: usize,
    pub(super) states: Vec<&'a State>,
}

/// What is wrong with an answer, why, and the requests that show it besides the answered one.
type Reason = (&'static str, String, Vec<usize>);

impl Case<'_> {
    /// Which rule this answer breaks.
    pub(super) fn explain(&self, told: &View) -> Broken {
        let (kind, why, others) = self.reason(told);
        let answered = &self.times.acts()[self.act];
        let before = self.last_told_before().filter(|act| !others.contains(act));
        let mut acts: Vec<usize> = others.into_iter().chain(before).chain([self.act]).collect();
        acts.sort_unstable();
        acts.dedup();
        Broken {
            kind,
            sentence: format!("{} was told {}: {why}", answered.who(), shown(told)),
            proof: acts.into_iter().map(|act| self.times.acts()[act].call).collect(),
        }
    }

    fn reason(&self, told: &View) -> Reason {
        let of_num = |num: u64| self.states.iter().copied().filter(move |one| one.view.num == num);
        let latest = self.states.iter().map(|one| one.view.num).max().unwrap_or(0);
        let earliest = self.states.iter().map(|one| one.view.num).min().unwrap_or(0);
        if let Some(same) = of_num(told.num).find(|one| one.view == *told) {
            return self.overdue(same);
        }
        if told.num < earliest {
            let current = of_num(earliest).next().map(|one| shown(&one.view)).unwrap_or_default();
            let why = format!("{current} had been told before, and numbers never go back");
            return ("number went back", why, Vec::new());
        }
        if let Some(same) = of_num(told.num).next() {
            let why = format!("under the same number it was {} before", shown(&same.view));
            return ("view changed under its number", why, Vec::new());
        }
        let before = of_num(told.num.saturating_sub(1));
        let before = before.min_by_key(|one| one.acknowledged.is_none() && one.view.num > 0);
        let Some(before) = before else {
            let current = of_num(latest).next().map(|one| shown(&one.view)).unwrap_or_default();
            let why = format!("numbers go up by one, and before there was {current}");
            return ("number skipped", why, Vec::new());
        };
        if before.view.num > 0 && before.acknowledged.is_none() {
            return self.unacknowledged(before);
        }
        self.members(before, told)
    }

    /// The view is an old one: something was due.
    fn overdue(&self, state: &State) -> Reason {
        let nothing = BTreeMap::new();
        let now = Now { times: self.times, moment: self.moment, arrived: &nothing };
        let primary = state.view.primary.as_deref().unwrap_or_default();
        let backup = state.view.backup.as_deref().unwrap_or_default();
        let long = "for longer than twice DS_ELECTION_MS";
        match state.due(&now) {
            Some(Due::First(server)) => {
                let why = format!("{} had pinged {long}, so it should be primary", name(&server));
                ("first server left out", why, self.pings_of(&[&server]))
            }
            Some(Due::Promotion) => {
                let (dead, kind) = self.death(state, primary);
                let kind = if kind { "restarted primary kept" } else { "dead primary kept" };
                let why = format!(
                    "{dead}, and its backup {} was alive, so a view with {} as primary has been due {long}",
                    name(backup),
                    name(backup)
                );
                (kind, why, self.proof_of_death(state, primary))
            }
            Some(Due::Removal) => {
                let (dead, kind) = self.death(state, backup);
                let kind = if kind { "restarted backup kept" } else { "dead backup kept" };
                let why = format!(
                    "{dead}, and the primary {} was alive, so a view without this backup has been due {long}",
                    name(primary)
                );
                (kind, why, self.proof_of_death(state, backup))
            }
            Some(Due::Backup(server)) => {
                let server = name(&server);
                let why = format!(
                    "there was no backup, and {server} was idle and pinged {long}, so it should be backup"
                );
                let acknowledged = state.acknowledged.into_iter();
                (
                    "idle server left out",
                    why,
                    acknowledged.chain(self.pings_of(&[&server])).collect(),
                )
            }
            None => {
                let why = "another view was due before this request was called".to_owned();
                ("old view", why, Vec::new())
            }
        }
    }

    /// That a server is dead, in words; whether it is so because it restarted.
    fn death(&self, state: &State, server: &str) -> (String, bool) {
        let restart = state.restart_of(server).filter(|_| state.has_lost_its_data(server));
        if let Some(act) = restart {
            let who = self.times.acts()[act].who();
            return (format!("{} has restarted ({who})", name(server)), true);
        }
        let last = self.last_ping(server).map(Act::who).unwrap_or_default();
        (format!("{} is silent since {last}", name(server)), false)
    }

    fn proof_of_death(&self, state: &State, server: &str) -> Vec<usize> {
        let restart = state.restart_of(server).filter(|_| state.has_lost_its_data(server));
        let last = restart.map_or_else(|| self.pings_of(&[server]), |act| vec![act]);
        state.acknowledged.into_iter().chain(last).collect()
    }

    /// The view changed too early.
    fn unacknowledged(&self, before: &State) -> Reason {
        let primary = before.view.primary.as_deref().unwrap_or_default();
        let last = self.last_ping(primary).map_or_else(
            || "it had not pinged at all".to_owned(),
            |act| format!("its last ping was {}", act.who()),
        );
        let why = format!(
            "{} had not acknowledged {} by a ping with {}; {last}",
            name(primary),
            shown(&before.view),
            before.view.num
        );
        ("changed before acknowledgement", why, self.pings_of(&[primary]))
    }

    /// The wrong servers are in it.
    fn members(&self, before: &State, told: &View) -> Reason {
        let nothing = BTreeMap::new();
        let now = Now { times: self.times, moment: self.moment, arrived: &nothing };
        let was = shown(&before.view);
        let after = |rest: String| format!("before, there was {was}, and {rest}");
        let Some(primary) = told.primary.as_deref() else {
            return (
                "view without primary",
                after("each view has a primary".to_owned()),
                Vec::new(),
            );
        };
        let backup = told.backup.as_deref();
        if backup == Some(primary) {
            let why = after("a server cannot be its own backup".to_owned());
            return ("one server twice", why, Vec::new());
        }
        if let Some(unknown) = [primary].into_iter().chain(backup).find(|id| !self.has_pinged(id)) {
            let why = after(format!("{} had never pinged", name(unknown)));
            return ("unknown server", why, Vec::new());
        }
        if (&told.primary, &told.backup) == (&before.view.primary, &before.view.backup) {
            let why =
                format!("{was} had the same servers, and views that follow each other differ");
            return ("view repeated", why, Vec::new());
        }
        let acknowledged = before.acknowledged;
        let first_and = |more: Vec<usize>| acknowledged.into_iter().chain(more).collect::<Vec<_>>();
        if before.view.num > 0 && !before.is_primary(primary) {
            let last = self.pings_of(&[primary]);
            if !before.is_backup(primary) {
                let rest = "only its primary and its backup have the data".to_owned();
                return ("idle server promoted", after(rest), first_and(last));
            }
            if let Some(act) =
                before.restart_of(primary).filter(|_| before.has_lost_its_data(primary))
            {
                let who = self.times.acts()[act].who();
                let rest =
                    format!("its backup {} has restarted without data ({who})", name(primary));
                return ("restarted backup promoted", after(rest), first_and(vec![act]));
            }
            let old = before.view.primary.as_deref().unwrap_or_default();
            if !before.may_be_dead(old, &now) {
                return (
                    "live primary replaced",
                    after(self.alive(old)),
                    first_and(self.pings_of(&[old])),
                );
            }
        } else if let Some(old) = before.view.backup.as_deref()
            && !before.may_be_dead(old, &now)
        {
            return (
                "live backup removed",
                after(self.alive(old)),
                first_and(self.pings_of(&[old])),
            );
        }
        let pings = |id: &str| self.times.acts()[self.act].is_ping_of(id);
        if let Some(dead) = backup.filter(|id| !now.may_be_alive(id) && !pings(id)) {
            let last = self.last_ping(dead).map(Act::who).unwrap_or_default();
            let why = after(format!("{} is silent since {last}", name(dead)));
            return ("dead server made backup", why, self.pings_of(&[dead]));
        }
        ("no reason for this view", after("nothing calls for this view".to_owned()), Vec::new())
    }

    /// That a server is alive beyond doubt.
    fn alive(&self, server: &str) -> String {
        let last = self.last_ping(server).map(Act::who).unwrap_or_default();
        format!(
            "{} was alive: its last ping was {last}, which is less than half of DS_ELECTION_MS ago",
            name(server)
        )
    }

    /// The last ping of a server that was answered before.
    fn last_ping(&self, server: &str) -> Option<&Act> {
        self.last_ping_place(server).map(|act| &self.times.acts()[act])
    }

    fn last_ping_place(&self, server: &str) -> Option<usize> {
        self.answered_before().find(|act| self.times.acts()[*act].is_ping_of(server))
    }

    /// Whether a ping of a server was sent, be it the one that was answered now.
    fn has_pinged(&self, server: &str) -> bool {
        let moments = &self.times.moments()[..=self.moment];
        moments.iter().any(|moment| self.times.acts()[moment.act].is_ping_of(server))
    }

    fn pings_of(&self, servers: &[&str]) -> Vec<usize> {
        servers.iter().filter_map(|server| self.last_ping_place(server)).collect()
    }

    /// The request that was answered last before.
    fn last_told_before(&self) -> Option<usize> {
        self.answered_before().next()
    }

    /// The requests that were answered before, the last first.
    fn answered_before(&self) -> impl Iterator<Item = usize> {
        let moments = self.times.moments()[..=self.moment].iter().rev();
        moments.filter(|moment| !moment.is_call).map(|moment| moment.act)
    }
}

/// `view 3 (primary n1, backup n2)`.
fn shown(view: &View) -> String {
    let View { num, primary, backup } = view;
    match (primary, backup) {
        (None, None) => format!("view {num} (nobody)"),
        (None, Some(backup)) => format!("view {num} (no primary, backup {})", name(backup)),
        (Some(primary), None) => format!("view {num} (primary {}, no backup)", name(primary)),
        (Some(primary), Some(backup)) => {
            format!("view {num} (primary {}, backup {})", name(primary), name(backup))
        }
    }
}

/// A server's name, short and harmless: an answer may name anybody.
pub(super) fn name(server: &str) -> String {
    cut(server, NAME_CHARS_MAX)
}
