//! Who was away when, while enough of the others were not.

use std::collections::{BTreeMap, BTreeSet};

use record::{FaultRecord, FaultStep, SCENARIOS, evidence::ABSENCE_MIN_NS};

use super::faults::{over_ns, time_ns};
use super::members::Members;

/// So long it may take until a backup has the state, once nothing is broken any more.
const CALM_NS: u64 = 500_000_000;

/// A time in which nothing changed about who was there; from, to.
pub(super) type Span = (u64, u64);

/// What the faults did to nodes and links, and when.
#[derive(Default)]
pub(super) struct Troubles<'a> {
    down: Vec<(Span, &'a str)>,
    /// Nodes that are started or continued, and perhaps not back yet.
    returning: Vec<(Span, &'a str)>,
    cut: Vec<(Span, &'a str)>,
    /// Who was reached then is not known.
    unclear: Vec<Span>,
}

impl<'a> Troubles<'a> {
    /// Planned times count from `begin_ns`, all others from the start of the run.
    pub(super) fn of(faults: &'a [FaultRecord], begin_ns: u64) -> Self {
        let mut troubles = Self::default();
        for fault in faults {
            let planned = time_ns(faults, fault.fault, FaultStep::Planned);
            let tried_ns = planned.map_or(fault.time_ns, |planned| begin_ns + planned);
            let healed_ns = time_ns(faults, fault.fault, FaultStep::Healed);
            if fault.step == FaultStep::Missed && healed_ns.is_none() {
                // Its turn was over before anything was tried.
                continue;
            }
            let healed_ns = healed_ns.unwrap_or(u64::MAX);
            let over_ns = over_ns(faults, fault.fault).unwrap_or(healed_ns);
            let (span, healing) = ((fault.time_ns, over_ns), (over_ns, healed_ns));
            let nodes = fault.targets.iter().map(|node| (healing, node.as_str()));
            let targets = fault.targets.iter().map(|target| (span, target.as_str()));
            match (fault.step, fault.family.as_str()) {
                // What a scenario breaks has records of its own.
                (FaultStep::Healing | FaultStep::Healed | FaultStep::Planned, _)
                | (_, "client" | SCENARIOS) => continue,
                (FaultStep::Missed, _) => troubles.unclear.push(span),
                (FaultStep::Started, "kill") => {
                    troubles.down.extend(targets);
                    troubles.returning.extend(nodes);
                }
                (FaultStep::Started, "pause") => {
                    troubles.returning.extend(nodes);
                    let end = |node: &str| started_again_ns(faults, node, span).unwrap_or(span.1);
                    troubles.down.extend(targets.map(|(span, node)| ((span.0, end(node)), node)));
                }
                (FaultStep::Started, "partition") => {
                    troubles.cut.extend(targets);
                    troubles.unclear.push(healing);
                }
                (FaultStep::Started, _) => troubles.unclear.push(span),
            }
            // It may have had some effect before it was seen.
            troubles.unclear.push((tried_ns.min(fault.time_ns), fault.time_ns));
        }
        troubles
    }

    /// All but those that are unclear.
    fn clear(&self) -> impl Iterator<Item = &Span> {
        self.down.iter().chain(&self.returning).chain(&self.cut).map(|(span, _)| span)
    }

    fn moments(&self) -> BTreeSet<u64> {
        self.clear().chain(&self.unclear).flat_map(|(from, to)| [*from, *to]).collect()
    }

    /// Whether something that began before had hit this node or one of its links, and was not over at this moment.
    pub(super) fn hit_before(&self, node: &str, at_ns: u64) -> bool {
        let is_on = |(from, to): &Span| *from < at_ns && at_ns <= *to;
        let touches =
            |link: &str| link.split_once('>').is_some_and(|(a, b)| a == node || b == node);
        self.down.iter().chain(&self.returning).any(|(span, hit)| is_on(span) && *hit == node)
            || self.cut.iter().any(|(span, link)| is_on(span) && touches(link))
    }

    /// Whether nothing was broken for a while, when at this moment a fault took hold. The attempts until it did so do not
    /// count.
    pub(super) fn was_calm_before(&self, at_ns: u64, begin_ns: u64) -> bool {
        let others = self.unclear.iter().filter(|(_, to)| *to != at_ns);
        let calm_since = self.clear().chain(others).filter(|(from, _)| *from < at_ns);
        let calm_since = calm_since.map(|(_, to)| *to).fold(begin_ns, u64::max);
        at_ns >= calm_since.saturating_add(CALM_NS)
    }
}

/// When a kill of this node ended first within a pause of it: who is started again is not paused any more.
fn started_again_ns(faults: &[FaultRecord], node: &str, paused: Span) -> Option<u64> {
    let is_up_again = |fault: &&FaultRecord| {
        fault.family == "kill"
            && fault.step == FaultStep::Healing
            && fault.targets.iter().any(|target| target == node)
    };
    let ends = faults.iter().filter(is_up_again).map(|fault| fault.time_ns);
    ends.filter(|end| (paused.0..paused.1).contains(end)).min()
}

/// For each node the times in which it was absent and enough of the others were not.
pub(super) fn absences<'a>(
    members: Members<'a>,
    troubles: &Troubles<'_>,
) -> BTreeMap<&'a str, Vec<Span>> {
    let moments: Vec<u64> = troubles.moments().into_iter().collect();
    let mut spans: Vec<(Span, Vec<&str>)> = Vec::new();
    for pair in moments.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let absent = absent(members, troubles, from);
        match spans.last_mut() {
            Some((last, before)) if last.1 == from && *before == absent => last.1 = to,
            _ => spans.push(((from, to), absent)),
        }
    }
    spans.retain(|((from, to), _)| *to < u64::MAX && to - from >= ABSENCE_MIN_NS);
    let mut by_node: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    for (span, absent) in spans {
        absent.into_iter().for_each(|node| by_node.entry(node).or_default().push(span));
    }
    by_node
}

/// The nodes that are absent from this moment on, if enough of the others are up and connected, each with each.
pub(super) fn absent<'a>(members: Members<'a>, troubles: &Troubles<'_>, from: u64) -> Vec<&'a str> {
    let Members { nodes, view_service, .. } = members;
    let is_now = |span: &Span| (span.0..span.1).contains(&from);
    if troubles.unclear.iter().any(is_now) {
        return Vec::new();
    }
    let now = |troubles: &[(Span, &str)], target: &str| {
        troubles.iter().any(|(span, other)| is_now(span) && *other == target)
    };
    let is_down = |node: &str| now(&troubles.down, node);
    let is_up = |node: &str| !is_down(node) && !now(&troubles.returning, node);
    let cut = |from: &str, to: &str| now(&troubles.cut, &format!("{from}>{to}"));
    let is_linked = |one: &str, other: &str| one == other || !cut(one, other) && !cut(other, one);
    let is_cut_off = |one: &str, other: &str| cut(one, other) && cut(other, one);
    let nodes = || nodes.iter().map(String::as_str);
    let up: Vec<&str> =
        view_service.into_iter().chain(nodes()).filter(|node| is_up(node)).collect();
    // At most 16, so that all of their sets can be tried: for each node the set of those that it is linked with.
    let linked = |one: &&str| {
        let bits = up.iter().take(16).enumerate();
        bits.filter(|(_, other)| is_linked(one, other)).fold(0_u32, |set, (at, _)| set | 1 << at)
    };
    let linked: Vec<u32> = up.iter().take(16).map(linked).collect();
    let has = |set: u32, at: usize| set >> at & 1 == 1;
    let is_connected = |set: &u32| {
        linked.iter().enumerate().all(|(at, linked)| !has(*set, at) || set & !linked == 0)
    };
    let service_at = view_service.map(|service| up.iter().position(|node| *node == service));
    let is_led = |set: &u32| service_at.is_none_or(|at| at.is_some_and(|at| has(*set, at)));
    let connected = (0..1_u32 << linked.len()).filter(is_connected).filter(is_led);
    let largest = connected.max_by_key(|set| set.count_ones()).unwrap_or(0);
    let present: BTreeSet<&str> =
        up.iter().enumerate().filter(|(at, _)| has(largest, *at)).map(|(_, node)| *node).collect();
    if nodes().filter(|node| present.contains(node)).count() < members.needed() {
        return Vec::new();
    }
    let absent: Vec<&str> = nodes().filter(|node| !present.contains(node)).collect();
    // Who still reaches one of them, or is reached, may keep disturbing them.
    let is_gone = |node: &str| is_down(node) || present.iter().all(|other| is_cut_off(node, other));
    if absent.iter().all(|node| is_gone(node)) { absent } else { Vec::new() }
}
