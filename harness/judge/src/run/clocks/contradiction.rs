//! What no correct clock can tell, whatever order the messages passed the proxy in.
//!
//! Messages of one node use several connections, so they pass in another order than they were sent in. Only this is sure,
//! for a vector `V` that counts events as Fidge and Mattern have it, in whichever way a store divides its work into events
//! (several messages may belong to one):
//!
//! 1. An event has one clock. Two messages of one node with the same count of its own have the same vector.
//! 2. Who knows of an event knows all that was known there. If `V` counts the event at which a message was sent, then that
//!    message's vector is nowhere higher than `V`. If it counts a later event of that sender, too, the message's Lamport
//!    clock is lower. (Of several messages of one event it may be a lower one than the trace shows that is known of.)
//! 3. Knowledge travels. If `V` counts `k` events of another node, a message of that node with such a count, or a higher
//!    one, had begun to pass before; as long as the trace shows all that the node told.

use super::told::{Told, Trace};

/// A message, and what its clocks contradict.
pub(super) struct Contradiction {
    /// Its place among the messages.
    message: usize,
    kind: Kind,
}

enum Kind {
    /// The place of another message of the same node, with the same count of its own.
    OneEventTwice(usize),
    /// The place of a message that it knows of, and a node of which it knows less.
    Forgets(usize, usize),
    /// The place of a message that it knows of, whose Lamport clock is not lower.
    LamportNotHigher(usize),
    /// A node of which it knows more than anybody had told, and how much had been told.
    FromNowhere(usize, u64),
}

/// At most one for each message, in the order of time.
pub(super) fn contradictions(trace: &Trace) -> Vec<Contradiction> {
    let sent: Vec<Vec<usize>> = (0..trace.nodes.len()).map(|node| sent_by(trace, node)).collect();
    let carried: Vec<Carried> =
        (0..trace.nodes.len()).map(|node| Carried::by(trace, node)).collect();
    let mut order: Vec<usize> = (0..trace.told.len()).collect();
    order.sort_by_key(|message| trace.told[*message].head_ns);
    let kind = |message: &usize| {
        twice(trace, &sent, *message)
            .or_else(|| from_nowhere(trace, &carried, *message))
            .or_else(|| forgets(trace, &sent, *message))
            .or_else(|| lamport_not_higher(trace, &sent, *message))
    };
    let found = order
        .iter()
        .filter_map(|message| Some(Contradiction { message: *message, kind: kind(message)? }));
    found.collect()
}

/// The messages of a node, by its own count.
fn sent_by(trace: &Trace, node: usize) -> Vec<usize> {
    let of_node = trace.told.iter().enumerate().filter(|(_, told)| told.from == node);
    let mut sent: Vec<usize> = of_node.map(|(at, _)| at).collect();
    sent.sort_by_key(|at| trace.told[*at].own());
    sent
}

/// Rule 1, against the first message with this count.
fn twice(trace: &Trace, sent: &[Vec<usize>], message: usize) -> Option<Kind> {
    let told = &trace.told[message];
    let sent = &sent[told.from];
    let first = sent[sent.partition_point(|at| trace.told[*at].own() < told.own())];
    let other = &trace.told[first];
    (other.counts != told.counts).then_some(Kind::OneEventTwice(first))
}

/// Rule 2 of vectors.
fn forgets(trace: &Trace, sent: &[Vec<usize>], message: usize) -> Option<Kind> {
    let told = &trace.told[message];
    (0..trace.nodes.len()).find_map(|node| {
        // Of one's own, those before.
        let count = told.counts[node] - u64::from(node == told.from);
        let cause = latest(trace, &sent[node], count)?;
        let then = &trace.told[cause].counts;
        let forgotten = told.counts.iter().zip(then).position(|(now, then)| now < then)?;
        Some(Kind::Forgets(cause, forgotten))
    })
}

/// Rule 2 of Lamport clocks.
fn lamport_not_higher(trace: &Trace, sent: &[Vec<usize>], message: usize) -> Option<Kind> {
    let told = &trace.told[message];
    (0..trace.nodes.len()).find_map(|node| {
        let cause = latest(trace, &sent[node], told.counts[node].checked_sub(1)?)?;
        let (now, then) = told.lamport.zip(trace.told[cause].lamport)?;
        (now <= then).then_some(Kind::LamportNotHigher(cause))
    })
}

/// The last message of a node up to this count of its own; of several of one event, one.
fn latest(trace: &Trace, sent: &[usize], count: u64) -> Option<usize> {
    let known = sent.partition_point(|at| trace.told[*at].own() <= count);
    known.checked_sub(1).map(|last| sent[last])
}

/// Rule 3.
fn from_nowhere(trace: &Trace, carried: &[Carried], message: usize) -> Option<Kind> {
    let told = &trace.told[message];
    let unexplained = |node: &usize| {
        *node != told.from
            && told.head_ns < trace.unseen_ns[*node]
            && carried[*node].until(told.head_ns) < told.counts[*node]
    };
    let node = (0..trace.nodes.len()).find(unexplained)?;
    Some(Kind::FromNowhere(node, carried[node].until(told.head_ns)))
}

/// How much a node had told of itself, over time: the highest count until then.
struct Carried(Vec<(u64, u64)>);

impl Carried {
    fn by(trace: &Trace, node: usize) -> Self {
        let passed = |told: &&Told| told.from == node && !told.is_dropped;
        let passed = trace.told.iter().filter(passed);
        let mut steps: Vec<(u64, u64)> = passed.map(|told| (told.head_ns, told.own())).collect();
        steps.sort_unstable();
        let mut highest = 0;
        for (_, count) in &mut steps {
            highest = highest.max(*count);
            *count = highest;
        }
        Self(steps)
    }

    /// The moment itself included.
    fn until(&self, time_ns: u64) -> u64 {
        let passed = self.0.partition_point(|(at_ns, _)| *at_ns <= time_ns);
        passed.checked_sub(1).map_or(0, |last| self.0[last].1)
    }
}

impl Contradiction {
    /// Lower for what says more clearly what is wrong.
    pub(super) fn rank(&self) -> u8 {
        match self.kind {
            Kind::OneEventTwice(_) => 0,
            Kind::FromNowhere(..) => 1,
            Kind::Forgets(..) => 2,
            Kind::LamportNotHigher(_) => 3,
        }
    }

    /// What is wrong, without the full stop.
    pub(super) fn sentence(&self, trace: &Trace) -> String {
        let told = &trace.told[self.message];
        let (name, sender) = (trace.name(told), &trace.nodes[told.from]);
        let own = told.own();
        let lamport = |told: &Told| told.lamport.unwrap_or_default();
        match self.kind {
            Kind::OneEventTwice(other) => format!(
                "{} and {name} both count {own} of {sender}'s events, but not the same of the others'; either a sending \
                 was not counted, or the clock was forgotten in a restart",
                trace.name(&trace.told[other])
            ),
            Kind::Forgets(cause, node) => {
                let cause = &trace.told[cause];
                format!(
                    "{name} counts {} of {}'s events, so it comes after {}, which counts {} of {}'s events, but counts \
                     only {} of these itself",
                    told.counts[cause.from],
                    trace.nodes[cause.from],
                    trace.name(cause),
                    cause.counts[node],
                    trace.nodes[node],
                    told.counts[node],
                )
            }
            Kind::LamportNotHigher(cause) => {
                let cause = &trace.told[cause];
                format!(
                    "by its vector {name} comes after {}, but its Lamport clock is {}, which is not above {}",
                    trace.name(cause),
                    lamport(told),
                    lamport(cause),
                )
            }
            Kind::FromNowhere(node, highest) => format!(
                "{name} counts {} of {}'s events, but no message of {} had passed by then that counted more than \
                 {highest}; either the count is wrong, or nodes talk to each other around the bench",
                told.counts[node], trace.nodes[node], trace.nodes[node],
            ),
        }
    }
}
