//! Why a lock cannot have answered as it did: two holders, or none where there should be one.

use crate::describe::describe;
use crate::refutation::Refutation;
use crate::{Anomaly, CallOf, Model};

/// An operation on a lock that is held once at a time.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    /// Does it acquire, or release?
    pub(super) acquires: bool,
    /// For whom, where the lock asks.
    pub(super) client: Option<u64>,
    /// Did the lock let it happen? `None`: nobody knows.
    pub(super) done: Option<bool>,
}

/// What an operation needs: that somebody, or this client, acquires the lock or releases it.
#[derive(Clone, Copy)]
struct Need {
    acquired: bool,
    by: Option<Option<u64>>,
}

impl Need {
    /// May this bring it about?
    fn is_met_by(self, turn: Turn) -> bool {
        turn.done != Some(false)
            && turn.acquires == self.acquired
            && self.by.is_none_or(|client| client == turn.client)
    }
}

/// Of so many operations, the last ones, it is asked whether they undid what was needed: each time of all.
const LOOKED_AT_MAX: usize = 1000;

/// But of no more than this allows, operations looked at.
const WORK_MAX: usize = 4_000_000;

/// Why `stuck` fits no order: what it needs was undone, and nothing can have brought it about again.
pub(super) fn explain<M: Model>(
    model: &M,
    stuck: usize,
    calls: &[CallOf<M>],
    turn: impl Fn(&CallOf<M>) -> Turn,
) -> Option<Refutation> {
    let late = turn(&calls[stuck]);
    let (begin, end) = (calls[stuck].call, calls[stuck].ret?);
    let acquired = late.acquires != late.done?;
    let by = (!late.acquires).then_some(late.client);
    let is_met = |need: Need, from: u64, to: u64| {
        let within = |call: &CallOf<M>| call.call <= to && call.ret.is_none_or(|ret| ret >= from);
        let mut others = calls.iter().enumerate().filter(|&(at, call)| at != stuck && !call.failed);
        others.any(|(_, call)| within(call) && need.is_met_by(turn(call)))
    };
    let acquires_twice = late.acquires && !acquired;
    let undoes = |at: usize| {
        let (call, other) = (&calls[at], turn(&calls[at]));
        let ret = call.ret.filter(|_| at != stuck && !call.failed)?;
        let undone = Need { acquired: !acquired, by };
        if other.done != Some(true) || !undone.is_met_by(other) {
            return None;
        }
        // What somebody acquired only he can release.
        let need = Need { acquired, by: if acquires_twice { Some(other.client) } else { by } };
        let is_over = ret < begin && !is_met(need, call.call, end);
        // Whichever of two came first: the other one had to wait for its release.
        let own = Need { by: Some(late.client), ..need };
        let (first, last) = (call.call.min(begin), ret.max(end));
        let neither =
            || acquires_twice && ![need, own].iter().any(|&need| is_met(need, first, last));
        (is_over || neither()).then_some(at)
    };
    let looked_at = LOOKED_AT_MAX.min(WORK_MAX / calls.len());
    let undone = (0..calls.len()).rev().take(looked_at).find_map(undoes);
    if undone.is_none() && (!acquired || is_met(Need { acquired, by }, 0, end)) {
        return None;
    }
    let kind = match (late.acquires, acquired) {
        (true, false) => Anomaly::TwoHolders,
        (true, true) => Anomaly::RefusedWhileFree,
        (false, true) => Anomaly::ReleasedWithoutHolding,
        (false, false) => Anomaly::RefusedToItsHolder,
    };
    let verb = if acquired { "acquired" } else { "released" };
    let stuck_one = describe(model, &calls[stuck]);
    let text = match (undone, late.client) {
        (Some(at), _) if acquires_twice => {
            let other = describe(model, &calls[at]);
            format!("{other} and {stuck_one} both succeeded, and nobody released it in between")
        }
        (Some(at), _) => {
            let other = describe(model, &calls[at]);
            format!("{stuck_one} came after {other}, and nobody had {verb} it in between")
        }
        (None, Some(client)) if !late.acquires => {
            format!("{stuck_one} had no acquire for {client} before it")
        }
        (None, _) => format!("{stuck_one} had no acquire before it"),
    };
    let operations = undone.into_iter().chain([stuck]).map(|at| at as u32);
    Some(Refutation::new(calls, kind, &text, operations))
}
