//! How long a server may have been silent, and how long it must have been, by the times of the record.
//!
//! A ping arrives at some moment between its call and its answer. What a service may not do yet is measured by the clock: so
//! long a server was silent *at most*. What it should have done is measured by what was seen: time in which nothing was
//! answered counts as two intervals of pings at most, so that a machine which stood still blames nobody.

use std::collections::BTreeMap;

use super::record::{Act, End, Played};

/// A moment of a script: something was called or answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Which of the script's requests.
    pub(super) act: usize,
    /// Whether it was called, rather than answered.
    pub(super) is_call: bool,
    ns: u64,
    seen_ns: u64,
}

/// The last ping of a server that has arrived.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastPing {
    /// Which of the script's requests.
    pub(super) act: usize,
    /// Whether it has been answered.
    is_answered: bool,
}

/// The times of a script.
pub(super) struct Times<'a> {
    script: &'a Played,
    moments: Vec<Moment>,
    /// Of each request that was answered, when that was, in time that was seen.
    answered_seen_ns: BTreeMap<usize, u64>,
    /// Of each ping that was answered: since when its server had pinged without a gap that could count as death.
    steady_seen_ns: BTreeMap<usize, u64>,
    /// Of each server the pings that were answered, by their answers.
    answered: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Times<'a> {
    pub(super) fn of(script: &'a Played) -> Self {
        let mut times = Self {
            script,
            moments: moments(script),
            answered_seen_ns: BTreeMap::new(),
            steady_seen_ns: BTreeMap::new(),
            answered: BTreeMap::new(),
        };
        for moment in times.moments.clone().into_iter().filter(|moment| !moment.is_call) {
            times.answered_seen_ns.insert(moment.act, moment.seen_ns);
            if let Some(ping) = &script.acts[moment.act].ping {
                let before = times.answered.entry(ping.node.as_str()).or_default();
                let last = before.last().copied();
                before.push(moment.act);
                let begun = last.filter(|last| {
                    moment.ns.saturating_sub(script.acts[*last].call_ns) < may_be_dead_ns(script)
                });
                let since = begun.and_then(|last| times.steady_seen_ns.get(&last).copied());
                times.steady_seen_ns.insert(moment.act, since.unwrap_or(moment.seen_ns));
            }
        }
        times
    }

    /// The moments, in order.
    pub(super) fn moments(&self) -> &[Moment] {
        &self.moments
    }

    pub(super) fn acts(&self) -> &'a [Act] {
        &self.script.acts
    }

    /// The servers of whom a ping was answered.
    pub(super) fn servers(&self) -> impl Iterator<Item = &'a str> {
        self.answered.keys().copied()
    }

    /// Time that counts where something should have happened: after this moment of the script.
    fn seen_ns(&self, moment: usize) -> u64 {
        self.moments[moment].seen_ns
    }

    /// Whether it lies so far back that whatever was due then should have happened.
    fn is_overdue(&self, since_seen_ns: u64, moment: usize) -> bool {
        since_seen_ns.saturating_add(must_ns(self.script)) <= self.seen_ns(moment)
    }

    /// The last ping of a server at this moment; `arrived`: one that has arrived, but is not answered yet.
    pub(super) fn last_ping(
        &self,
        server: &str,
        moment: usize,
        arrived: Option<usize>,
    ) -> Option<LastPing> {
        if let Some(act) = arrived {
            return Some(LastPing { act, is_answered: false });
        }
        let answered = self.answered.get(server)?;
        let is_past = |act: &usize| self.index_of_answer(*act) <= self.index(moment);
        let past = answered.partition_point(is_past);
        let act = *answered[..past].last()?;
        Some(LastPing { act, is_answered: true })
    }

    /// Whether a service may take a server with this last ping for dead, between this moment and the next.
    pub(super) fn may_be_dead(&self, last: LastPing, moment: usize) -> bool {
        let next = self.moments.get(moment + 1).unwrap_or(&self.moments[moment]);
        let silent_ns = next.ns.saturating_sub(self.script.acts[last.act].call_ns);
        silent_ns >= may_be_dead_ns(self.script)
    }

    /// Whether a service must take it for dead, and should have done what follows from that.
    pub(super) fn is_long_dead(&self, last: LastPing, moment: usize) -> bool {
        last.is_answered && self.is_long_past(last.act, moment)
    }

    /// Whether a request was answered so long ago that whatever was due by then should have happened.
    pub(super) fn is_long_past(&self, act: usize, moment: usize) -> bool {
        let answered = self.answered_seen_ns.get(&act);
        answered.is_some_and(|since| self.is_overdue(*since, moment))
    }

    /// Whether a server with this last ping has been alive, beyond doubt, for so long that whatever follows from that
    /// should have happened.
    pub(super) fn is_long_alive(&self, last: LastPing, moment: usize) -> bool {
        let since = self.steady_seen_ns.get(&last.act).filter(|_| last.is_answered);
        !self.may_be_dead(last, moment)
            && since.is_some_and(|since| self.is_overdue(*since, moment))
    }

    fn index(&self, moment: usize) -> u64 {
        let Moment { act, is_call, .. } = self.moments[moment];
        if is_call { self.script.acts[act].call } else { self.index_of_answer(act) }
    }

    fn index_of_answer(&self, act: usize) -> u64 {
        self.script.acts[act].end.as_ref().map_or(u64::MAX, |end| end.index)
    }
}

/// A server that was silent for less must not be taken for dead.
fn may_be_dead_ns(script: &Played) -> u64 {
    script.dead_ns / 2
}

/// After so long whatever is due must have happened: what the contract says, and a margin, since no timer is exact.
fn must_ns(script: &Played) -> u64 {
    script.dead_ns.saturating_add(script.ping_ns).saturating_mul(2)
}

/// All calls and answers in the order of the record.
fn moments(script: &Played) -> Vec<Moment> {
    let mut moments: Vec<(u64, Moment)> = Vec::new();
    for (act, Act { call, call_ns, end, .. }) in script.acts.iter().enumerate() {
        moments.push((*call, Moment { act, is_call: true, ns: *call_ns, seen_ns: 0 }));
        if let Some(End { index, ns, .. }) = end {
            moments.push((*index, Moment { act, is_call: false, ns: *ns, seen_ns: 0 }));
        }
    }
    moments.sort_by_key(|(index, _)| *index);
    let mut moments: Vec<Moment> = moments.into_iter().map(|(_, moment)| moment).collect();
    let step_max_ns = script.ping_ns.saturating_mul(2);
    for at in 1..moments.len() {
        let passed_ns = moments[at].ns.saturating_sub(moments[at - 1].ns);
        moments[at].seen_ns = moments[at - 1].seen_ns.saturating_add(passed_ns.min(step_max_ns));
    }
    moments
}
