//! What the nodes sent each other for each operation that succeeded.

use history::Operation;
use record::{Fate, MessageRecord, Orders, Traffic};

use super::orders::Seen;

/// The messages that passed from node to node in the main phase, counted one by one.
pub(in crate::run) struct Passed {
    nodes: Vec<String>,
    /// The main phase; from, to.
    main_ns: (u64, u64),
    messages: u64,
    bytes: u64,
    orders: Seen,
    /// When the last message of the whole trace was seen. No more than so many are written down.
    last_ns: u64,
}

impl Passed {
    /// Between these nodes, in this time.
    pub(in crate::run) fn new(nodes: &[String], main_ns: (u64, u64)) -> Self {
        let orders = Seen::new(main_ns);
        Self { nodes: nodes.to_vec(), main_ns, messages: 0, bytes: 0, orders, last_ns: 0 }
    }

    pub(in crate::run) fn take(&mut self, message: &MessageRecord) {
        self.last_ns = self.last_ns.max(message.time_ns);
        let (from_ns, to_ns) = self.main_ns;
        let is_between_nodes =
            [&message.from, &message.to].iter().all(|end| self.nodes.contains(end));
        // One that waits at a closed link is in the trace again once it passes.
        let passed = !matches!(message.fate, Fate::RequestDropped | Fate::Stalled);
        if passed && is_between_nodes && (from_ns..to_ns).contains(&message.time_ns) {
            self.messages += 1;
            self.bytes = self.bytes.saturating_add(message.bytes);
            self.orders.take(message);
        }
    }

    /// In how many orders messages reached the nodes.
    pub(super) fn orders(&self) -> Option<Orders> {
        self.orders.orders()
    }

    /// By the operations of the main phase that succeeded while the trace lasted; `None` of one node, or without success.
    pub(super) fn by_operation(&self, main: &[&Operation]) -> Option<Traffic> {
        let end_ns = self.main_ns.1.min(self.last_ns);
        let succeeded = main.iter().filter(|operation| operation.result().is_some());
        let counted = succeeded.filter(|done| done.return_ns.is_some_and(|ns| ns <= end_ns));
        let counted = counted.count() as f64;
        (self.nodes.len() > 1 && counted > 0.0).then(|| Traffic {
            messages_per_operation: self.messages as f64 / counted,
            bytes_per_operation: self.bytes as f64 / counted,
            until_ms: (end_ns < self.main_ns.1).then_some(end_ns as f64 / 1e6),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::behaviour::tests::{MS, get, put, unanswered};

    fn message(from: &str, to: &str, ms: u64, fate: Fate) -> MessageRecord {
        MessageRecord {
            time_ns: ms * MS,
            from: from.to_owned(),
            to: to.to_owned(),
            method: "POST".to_owned(),
            path: "/".to_owned(),
            kind: None,
            clocks: None,
            bytes: 300,
            fate,
        }
    }

    /// Of messages in a main phase from 100 to 1000 ms, with three operations that succeed and one that does not.
    fn traffic(messages: &[MessageRecord]) -> Option<Traffic> {
        let nodes = ["n1", "n2"].map(str::to_owned);
        let mut passed = Passed::new(&nodes, (100 * MS, 1_000 * MS));
        messages.iter().for_each(|message| passed.take(message));
        let done = [put("n1", (100, 150)), get("n2", (150, 200)), put("n1", (800, 900))];
        let in_vain = unanswered((900, 950));
        passed.by_operation(&done.iter().chain([&in_vain]).collect::<Vec<_>>())
    }

    #[test]
    fn what_passes_between_nodes_in_the_main_phase_counts() {
        let n1_to_n2 = |ms, fate| message("n1", "n2", ms, fate);
        let mut messages = vec![
            n1_to_n2(99, Fate::Delivered),
            n1_to_n2(100, Fate::Delivered),
            message("n2", "n1", 200, Fate::Duplicated),
            n1_to_n2(300, Fate::RequestDropped),
            n1_to_n2(300, Fate::Stalled),
            n1_to_n2(400, Fate::ResponseDropped),
            message("clients", "n1", 500, Fate::Delivered),
            n1_to_n2(600, Fate::Delayed),
            n1_to_n2(999, Fate::Reordered),
            n1_to_n2(999, Fate::Delivered),
            n1_to_n2(1_000, Fate::Delivered),
        ];
        let whole = traffic(&messages).unwrap();
        assert_eq!((whole.messages_per_operation, whole.bytes_per_operation), (2.0, 600.0));
        assert_eq!(whole.until_ms, None);
        // A trace that is full early once made every store look frugal: two operations had succeeded by then.
        messages.truncate(6);
        let cut = traffic(&messages).unwrap();
        assert_eq!((cut.messages_per_operation, cut.until_ms), (1.5, Some(400.0)));
        assert_eq!(traffic(&[]), None);
    }
}
