//! The events on each node: what it sent, in the order of its own count, and between that what it received.

use record::{Fate, MessageRecord};

/// A message between nodes that has a vector.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) time_ns: u64,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) kind: Option<Box<str>>,
    pub(super) term: Option<u64>,
    pub(super) fate: Fate,
    /// By node: how many events of it the sender knew of.
    pub(super) counts: Box<[u64]>,
}

impl Sent {
    pub(super) fn of(
        message: MessageRecord,
        (from, to): (usize, usize),
        nodes: &[String],
    ) -> Option<Self> {
        let clocks = message.clocks?;
        let vector = clocks.vector?;
        let count = |node: &String| vector.get(node).copied().unwrap_or_default();
        Some(Self {
            time_ns: clocks.head_ns.unwrap_or(message.time_ns),
            from,
            to,
            kind: message.kind.map(String::into_boxed_str),
            term: clocks.term,
            fate: message.fate,
            counts: nodes.iter().map(count).collect(),
        })
    }

    /// The sender's count of its own events.
    pub(super) fn own(&self) -> u64 {
        self.counts[self.from]
    }

    /// Whether it certainly reached its receiver.
    fn has_arrived(&self) -> bool {
        !matches!(self.fate, Fate::RequestDropped | Fate::Stalled)
    }
}

/// An event, by the place of its message among all that are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Send(usize),
    Receive(usize),
}

impl Event {
    pub(super) fn message(self) -> usize {
        match self {
            Self::Send(message) | Self::Receive(message) => message,
        }
    }
}

/// The events of each node, in order.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) by_node: Vec<Vec<Event>>,
    /// What each node sent, in order.
    pub(super) sent_by: Vec<Vec<usize>>,
    /// How many messages arrived, but nobody can tell when.
    pub(super) not_received: usize,
}

impl Lines {
    /// A receipt stands before the first message that its receiver sent after the message had passed and with the knowledge
    /// of its sending. When exactly it was received nobody saw; there it says nothing that the vectors do not say.
    pub(super) fn of(nodes: usize, sent: &[Sent]) -> Self {
        let sent_by: Vec<Vec<usize>> = (0..nodes).map(|node| sent_by(sent, node)).collect();
        let mut received: Vec<Vec<(usize, usize)>> = vec![Vec::new(); nodes];
        let mut not_received = 0;
        for (place, message) in sent.iter().enumerate().filter(|(_, sent)| sent.has_arrived()) {
            let later = &sent_by[message.to];
            let knowing =
                later.partition_point(|at| sent[*at].counts[message.from] < message.own());
            let after = later[knowing..].iter().position(|at| sent[*at].time_ns >= message.time_ns);
            match after {
                Some(after) => received[message.to].push((knowing + after, place)),
                None => not_received += 1,
            }
        }
        let line = |(sent, mut received): (&Vec<usize>, Vec<(usize, usize)>)| {
            received.sort_unstable();
            let mut received = received.into_iter().peekable();
            let mut line = Vec::new();
            for (place, message) in sent.iter().enumerate() {
                while let Some((_, received)) = received.next_if(|(before, _)| *before == place) {
                    line.push(Event::Receive(received));
                }
                line.push(Event::Send(*message));
            }
            line
        };
        let by_node = sent_by.iter().zip(received).map(line).collect();
        Self { by_node, sent_by, not_received }
    }
}

fn sent_by(sent: &[Sent], node: usize) -> Vec<usize> {
    let of_node = sent.iter().enumerate().filter(|(_, sent)| sent.from == node);
    let mut of_node: Vec<usize> = of_node.map(|(at, _)| at).collect();
    of_node.sort_by_key(|at| sent[*at].own());
    of_node
}
