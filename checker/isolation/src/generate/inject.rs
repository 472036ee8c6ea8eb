//! Anomalies for synthetic histories: for each kind the few transactions that show it.

use std::collections::BTreeMap;

use super::Steps;
use crate::{Anomaly, Cycle, Datatype, Key, MicroOp, Order, Outcome, Transaction, notation};

/// How many processes an injection may have.
pub(super) const PROCESSES: u64 = 8;

/// What goes wrong in a synthetic history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injection {
    /// A few transactions on keys of their own, which together are this anomaly.
    Anomaly(Anomaly),
    /// One read that sees an old version of a key in use, though a later one had been acknowledged before: a
    /// `G-single-item-realtime` whose shortest cycle has two transactions, in the midst of thousands.
    StaleRead,
}

impl Injection {
    /// Everything that can be injected into a history of this type.
    pub fn all(datatype: Datatype) -> impl Iterator<Item = Self> {
        let anomalies = Anomaly::all().filter(move |anomaly| example(datatype, *anomaly).is_some());
        anomalies.map(Self::Anomaly).chain([Self::StaleRead])
    }

    /// What it is called: an anomaly's name, or `stale-read`.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Anomaly(anomaly) => anomaly.name(),
            Self::StaleRead => "stale-read".to_owned(),
        }
    }

    /// The anomaly that it is.
    #[must_use]
    pub fn anomaly(self) -> Anomaly {
        match self {
            Self::Anomaly(anomaly) => anomaly,
            Self::StaleRead => Anomaly::Cycle(Cycle::GSingleItem, Order::Realtime),
        }
    }
}

/// The smallest history with this anomaly, in the notation of [`notation`]; `None` where histories of the type cannot
/// have it.
#[must_use]
pub fn example(datatype: Datatype, anomaly: Anomaly) -> Option<String> {
    let list_only = |text| (datatype == Datatype::ListAppend).then_some(text);
    let either = |list, register| if datatype == Datatype::ListAppend { list } else { register };
    let text = match anomaly {
        Anomaly::Cycle(cycle, order) => cyclic(datatype, cycle, order)?,
        Anomaly::G1a => "ax1 ! / rx1",
        Anomaly::G1b => either("ax1 ax2 / rx1 / rx12", "ax1 ax2 / rx1"),
        Anomaly::Internal => "ax1 rx_ / rx1",
        Anomaly::LostUpdate => either("rx_ ax1 / rx_ ax2 / rx12", "rx_ ax1 / rx_ ax2"),
        Anomaly::DirtyUpdate => either("ax1 ! / ax2 / rx12", "ax1 ! / rx1 ax2"),
        Anomaly::DuplicateElements => list_only("ax1 / rx11")?,
        Anomaly::IncompatibleOrder => list_only("ax1 / ax2 / rx12 / rx21")?,
        Anomaly::FutureRead => "rx1 ax1",
        Anomaly::GarbageRead => "ax1 / rx9",
        Anomaly::CyclicVersions => list_only("ax1 ax2 / ax3 / rx213")?,
    };
    Some(if datatype == Datatype::Register { text.replace('a', "w") } else { text.to_owned() })
}

fn cyclic(datatype: Datatype, cycle: Cycle, order: Order) -> Option<&'static str> {
    Some(match (cycle, order) {
        // Registers tell the order of two writes only to who read the one and wrote the other, and that is a G1c.
        (Cycle::G0, _) if datatype == Datatype::Register => return None,
        (Cycle::G0, Order::Data) => "ax1 ay2 / ax2 ay1 / rx12 ry12",
        (Cycle::G0, Order::Process) => "[ax2] [ax1] / rx12",
        (Cycle::G0, Order::Realtime) => "[ax2] /      [ax1] / rx12",
        (Cycle::G1c, Order::Data) => "ax1 ry1 / ay1 rx1",
        (Cycle::G1c, Order::Process) => "[rx1] [ax1]",
        (Cycle::G1c, Order::Realtime) => "[rx1] /      [ax1]",
        (Cycle::GSingleItem, Order::Data) => "ax1 ay1 / rx_ ry1 / rx1",
        (Cycle::GSingleItem, Order::Process) => "[ax1] [rx_] / rx1",
        (Cycle::GSingleItem, Order::Realtime) => "[ax1] /      [rx_] / rx1",
        (Cycle::GNonadjacentItem, Order::Data) => "ax1 / ay1 / rx1 ry_ / ry1 rx_",
        (Cycle::GNonadjacentItem, Order::Process) => "[ax1] [ry_] / [ay1] [rx_] / rx1 ry1",
        (Cycle::GNonadjacentItem, Order::Realtime) => "[ax1] /      [ry_] / ay1 / ry1 rx_ / rx1",
        (Cycle::G2Item, Order::Data) => "rx_ ay1 / ry_ ax1 / rx1 ry1",
        (Cycle::G2Item, Order::Process) => "[ay1] [rx_] / ax1 ry_ / rx1 ry1",
        (Cycle::G2Item, Order::Realtime) => "[ay1] /      [rx_] / ax1 ry_ / rx1 ry1",
        // Predicates are beyond reads and writes of keys.
        (Cycle::GSingle | Cycle::GNonadjacent | Cycle::G2, _) => return None,
    })
}

impl Steps {
    /// Puts the anomaly in here, if it can be: a stale read needs a key with a past.
    pub(super) fn inject(&mut self, now_ns: u64) {
        let Some(injection) = self.options.inject else { return };
        let transactions = match injection {
            Injection::Anomaly(anomaly) => self.on_fresh_keys(anomaly),
            Injection::StaleRead => self.store.stale_read().map(|read| vec![alone(read)]),
        };
        let Some(transactions) = transactions else { return };
        self.options.inject = None;
        self.hand_over_all(now_ns, transactions);
    }

    fn on_fresh_keys(&mut self, anomaly: Anomaly) -> Option<Vec<Transaction>> {
        let text = example(self.options.datatype, anomaly)?;
        let (_, mut transactions) =
            notation::parse(&text).expect("the examples are well-formed, as tests show");
        let mut keys: BTreeMap<Key, Key> = BTreeMap::new();
        for micro_op in transactions.iter_mut().flat_map(|transaction| &mut transaction.micro_ops) {
            let (MicroOp::Write { key, .. } | MicroOp::Read { key, .. }) = micro_op;
            *key = *keys.entry(*key).or_insert_with(|| self.store.fresh_key());
        }
        Some(transactions)
    }

    /// Hands over the transactions with nothing between them, each under a process of its own time.
    fn hand_over_all(&mut self, now_ns: u64, mut transactions: Vec<Transaction>) {
        let mut events: Vec<_> =
            transactions.iter().enumerate().map(|(i, t)| (t.call, false, i)).collect();
        events.extend(
            transactions.iter().enumerate().map(|(i, t)| (t.ret.unwrap_or(u64::MAX), true, i)),
        );
        events.sort_unstable();
        for (_, completes, i) in events {
            let mut transaction = transactions[i].clone();
            if !completes {
                transaction.process += self.options.clients;
            }
            transactions[i] = self.hand_over(now_ns, completes, transaction);
        }
    }
}

/// A transaction of one micro-operation.
fn alone(micro_op: MicroOp) -> Transaction {
    Transaction {
        process: 0,
        call: 0,
        ret: Some(1),
        call_ns: 0,
        return_ns: None,
        outcome: Outcome::Ok,
        micro_ops: vec![micro_op],
    }
}
