//! The messages whose vectors can be compared, and what is missing between them.

use std::collections::BTreeMap;

use history::words::{cut, seconds};
use record::{Clocks, Fate, MessageRecord};

/// So much of a message's type is shown.
const KIND_CHARS_MAX: usize = 40;
/// So many messages are compared. What comes after them counts as not seen.
const MESSAGES_MAX: usize = 500_000;
/// A message whose end comes so much later than its head may tell in its body what its sender learned meanwhile.
const AT_ONCE_NS: u64 = 10_000_000;

/// A message between two nodes with a vector that counts its sender.
pub(super) struct Told {
    pub(super) from: usize,
    pub(super) to: usize,
    kind: Option<Box<str>>,
    /// When its head was complete at the proxy: nobody knew of it before.
    pub(super) head_ns: u64,
    /// Whether the bench threw it away.
    pub(super) is_dropped: bool,
    pub(super) lamport: Option<u64>,
    /// By node, in the order of the run.
    pub(super) counts: Box<[u64]>,
}

impl Told {
    /// How many events of its own the sender had counted: this one is the last of them.
    pub(super) fn own(&self) -> u64 {
        self.counts[self.from]
    }

    pub(super) fn knows_of_others(&self) -> bool {
        self.counts.iter().enumerate().any(|(node, count)| node != self.from && *count > 0)
    }
}

/// What the trace holds of clocks.
pub(in crate::run) struct Trace {
    pub(super) nodes: Vec<String>,
    /// In the order of the file.
    pub(super) told: Vec<Told>,
    pub(super) lamport_only: usize,
    pub(super) without_sender: usize,
    pub(super) malformed: usize,
    /// From when on a node may have told something that is not among `told`; by node.
    pub(super) unseen_ns: Vec<u64>,
}

impl Trace {
    pub(in crate::run) fn new(nodes: &[String]) -> Self {
        Self {
            nodes: nodes.to_vec(),
            told: Vec::new(),
            lamport_only: 0,
            without_sender: 0,
            malformed: 0,
            unseen_ns: vec![u64::MAX; nodes.len()],
        }
    }

    pub(in crate::run) fn take(&mut self, message: MessageRecord) {
        let index = |id: &str| self.nodes.iter().position(|node| node == id);
        let Some((from, to)) = index(&message.from).zip(index(&message.to)) else { return };
        let Clocks { lamport, vector, malformed, head_ns, .. } = message.clocks.unwrap_or_default();
        let head_ns = head_ns.unwrap_or(message.time_ns);
        if message.time_ns.saturating_sub(head_ns) > AT_ONCE_NS || self.told.len() >= MESSAGES_MAX {
            self.unseen_ns[from] = self.unseen_ns[from].min(head_ns);
        }
        if self.told.len() >= MESSAGES_MAX {
            return;
        }
        self.malformed += usize::from(malformed);
        let counts: Option<Box<[u64]>> = vector.map(|vector| {
            self.nodes.iter().map(|node| vector.get(node).copied().unwrap_or_default()).collect()
        });
        match counts {
            Some(counts) if counts[from] > 0 => self.told.push(Told {
                from,
                to,
                kind: message.kind.map(String::into_boxed_str),
                head_ns,
                is_dropped: message.fate == Fate::RequestDropped,
                lamport,
                counts,
            }),
            counts => {
                self.without_sender += usize::from(counts.is_some());
                self.lamport_only += usize::from(counts.is_none() && lamport.is_some());
                // It may carry, in some other form, what its sender knew.
                self.unseen_ns[from] = self.unseen_ns[from].min(head_ns);
            }
        }
    }

    /// Takes in what the trace itself does not show.
    pub(super) fn unseen(&mut self, unseen: Option<&BTreeMap<String, u64>>) {
        for (node, since_ns) in self.nodes.iter().zip(&mut self.unseen_ns) {
            let missing_ns = unseen.map_or(Some(0), |unseen| unseen.get(node).copied());
            *since_ns = missing_ns.map_or(*since_ns, |missing_ns| missing_ns.min(*since_ns));
        }
    }

    pub(super) fn tells_of_clocks(&self) -> bool {
        !self.told.is_empty() || self.lamport_only + self.without_sender + self.malformed > 0
    }

    /// `Accept from n1 to n2 (1.234567 s)`.
    pub(super) fn name(&self, message: &Told) -> String {
        let kind =
            message.kind.as_deref().map_or("a message".into(), |kind| cut(kind, KIND_CHARS_MAX));
        let (from, to) = (&self.nodes[message.from], &self.nodes[message.to]);
        format!("{kind} from {from} to {to} ({} s)", seconds(message.head_ns, 6))
    }

    /// How far it can be told where knowledge came from, unless to the end.
    pub(super) fn seen_until(&self) -> Option<String> {
        let until_ns =
            self.unseen_ns.iter().min().copied().filter(|until_ns| *until_ns < u64::MAX)?;
        let until = match until_ns {
            0 => "not".to_owned(),
            _ => format!("until {} s only", seconds(until_ns, 3)),
        };
        Some(format!(
            "Where knowledge came from could be checked {until}: the trace does not show all that nodes told each other, \
             such as in answers"
        ))
    }
}
