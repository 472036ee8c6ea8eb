//! In how many orders messages reached the nodes: how much of what the store can do the run has seen.

use std::collections::{BTreeMap, HashMap};

use record::{Fate, MessageRecord, Orders};

/// So many messages in a row at a node are an order.
const LENGTH: usize = 3;
/// The main phase is divided into so many parts.
const PARTS: u64 = 10;
/// No more kinds of messages are told apart: a store may make up any number.
const KINDS_MAX: usize = 64;

/// A kind of message, and whether something had happened to it.
type Step = (u8, bool);

/// The orders seen so far.
pub(super) struct Seen {
    main_ns: (u64, u64),
    kinds: HashMap<String, u8>,
    /// The latest messages that reached each node.
    latest: BTreeMap<String, [Option<Step>; LENGTH]>,
    /// How often each order was seen, and in which part first.
    orders: HashMap<[Step; LENGTH], (u64, u64)>,
}

impl Seen {
    /// In this main phase; from, to.
    pub(super) fn new(main_ns: (u64, u64)) -> Self {
        let (kinds, latest, orders) = (HashMap::new(), BTreeMap::new(), HashMap::new());
        Self { main_ns, kinds, latest, orders }
    }

    /// A message that passed from node to node in the main phase.
    pub(super) fn take(&mut self, message: &MessageRecord) {
        let kind = message.kind.as_ref().unwrap_or(&message.path);
        let next = u8::try_from(self.kinds.len().min(KINDS_MAX)).unwrap_or(u8::MAX);
        let kind = match self.kinds.get(kind) {
            Some(known) => *known,
            None if usize::from(next) == KINDS_MAX => next,
            None => *self.kinds.entry(kind.clone()).or_insert(next),
        };
        let latest = self.latest.entry(message.to.clone()).or_default();
        latest.rotate_left(1);
        latest[LENGTH - 1] = Some((kind, message.fate != Fate::Delivered));
        if let [Some(first), Some(second), Some(third)] = *latest {
            let (from_ns, to_ns) = self.main_ns;
            let passed_ns = message.time_ns.saturating_sub(from_ns);
            let part = passed_ns.saturating_mul(PARTS) / to_ns.saturating_sub(from_ns).max(1);
            let (times, _) =
                self.orders.entry([first, second, third]).or_insert((0, part.min(PARTS - 1)));
            *times += 1;
        }
    }

    /// What was seen; `None` of nothing.
    pub(super) fn orders(&self) -> Option<Orders> {
        let messages: u64 = self.orders.values().map(|(times, _)| times).sum();
        let once = self.orders.values().filter(|(times, _)| *times == 1).count();
        let seen_by =
            |part| self.orders.values().filter(|(_, first)| *first <= part).count() as u64;
        (messages > 0).then(|| Orders {
            different: self.orders.len() as u64,
            by_tenth: (0..PARTS).map(seen_by).collect(),
            // Good, Biometrika 1953: what was seen once tells how much was not seen.
            next_is_new: once as f64 / messages as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(to: &str, kind: &str, time_ns: u64, fate: Fate) -> MessageRecord {
        MessageRecord {
            time_ns,
            from: "n1".to_owned(),
            to: to.to_owned(),
            method: "POST".to_owned(),
            path: "/".to_owned(),
            kind: Some(kind.to_owned()),
            clocks: None,
            bytes: 1,
            fate,
        }
    }

    fn orders(messages: &[(&str, &str, u64, Fate)]) -> Option<Orders> {
        let mut seen = Seen::new((0, 100));
        messages.iter().for_each(|(to, kind, at, fate)| seen.take(&message(to, kind, *at, *fate)));
        seen.orders()
    }

    #[test]
    fn an_order_is_three_messages_in_a_row_at_one_node() {
        let on = |kind, at| ("n2", kind, at, Fate::Delivered);
        let two = [on("a", 1), on("a", 2), ("n3", "a", 3, Fate::Delivered)];
        assert_eq!(orders(&two), None, "no node has three");
        let same: Vec<_> = (0..5).map(|at| on("a", at)).collect();
        let seen = orders(&same).unwrap();
        assert_eq!((seen.different, seen.next_is_new), (1, 0.0));
        let seen = orders(&[on("a", 1), on("a", 2), on("b", 3), on("a", 95)]).unwrap();
        assert_eq!((seen.different, seen.next_is_new), (2, 1.0));
        assert_eq!(seen.by_tenth, [1, 1, 1, 1, 1, 1, 1, 1, 1, 2]);
    }

    #[test]
    fn a_message_that_something_happened_to_is_another_one() {
        let late = ("n2", "a", 4, Fate::Delayed);
        let on = |at| ("n2", "a", at, Fate::Delivered);
        assert_eq!(orders(&[on(1), on(2), on(3), late]).unwrap().different, 2);
    }

    #[test]
    fn kinds_without_end_are_not_told_apart() {
        let kinds: Vec<String> = (0..1000).map(|kind| format!("k{kind}")).collect();
        let messages: Vec<_> =
            kinds.iter().map(|kind| ("n2", kind.as_str(), 1, Fate::Delivered)).collect();
        assert!(orders(&messages).unwrap().different <= 1 + KINDS_MAX as u64);
    }
}
