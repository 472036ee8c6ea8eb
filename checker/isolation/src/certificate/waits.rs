//! What is known from the start of who comes before whom, beside who read from whom, as far as it is cheap to know.

use super::instance::Instance;
use crate::Order;
use crate::buckets::Buckets;
use crate::ids::{NONE, Txn};

pub(crate) struct Waits {
    before: Buckets<Txn>,
    after: Buckets<Txn>,
}

impl Waits {
    pub(crate) fn new(instance: &Instance<'_>, order: Order) -> Self {
        let mut pairs = Vec::new();
        for &txn in &instance.txns {
            if instance.is_list() {
                add_replaced(instance, txn, &mut pairs);
            } else {
                add_overtaken(instance, txn, &mut pairs);
            }
        }
        if order == Order::Process {
            add_sessions(instance, &mut pairs);
        }
        let turned: Vec<(Txn, Txn)> =
            pairs.iter().map(|&(first, second)| (second, first)).collect();
        let count = instance.history.len();
        Self { before: Buckets::new(count, &turned), after: Buckets::new(count, &pairs) }
    }

    pub(crate) fn before(&self, txn: Txn) -> &[Txn] {
        self.before.of(txn)
    }

    pub(crate) fn after(&self, txn: Txn) -> &[Txn] {
        self.after.of(txn)
    }
}

/// Of two transactions from which another one read, one wrote what was read from the other, too: that came before.
fn add_overtaken(instance: &Instance<'_>, reader: Txn, pairs: &mut Vec<(Txn, Txn)>) {
    let reads = instance.reads(reader);
    for &slot in reads {
        let writer = instance.writer(slot);
        for &other in reads {
            let (key, later) = (instance.key(other), instance.writer(other));
            let is_overtaken = writer != NONE
                && later != NONE
                && later != writer
                && instance.writes(writer).any(|written| instance.key(written) == key);
            if is_overtaken {
                pairs.push((writer, later));
            }
        }
    }
}

fn add_replaced(instance: &Instance<'_>, txn: Txn, pairs: &mut Vec<(Txn, Txn)>) {
    for slot in instance.writes(txn) {
        let before = instance.before(slot);
        let writer = if before == NONE { NONE } else { instance.writer(before) };
        if writer != NONE && writer != txn {
            pairs.push((writer, txn));
        }
    }
}

fn add_sessions(instance: &Instance<'_>, pairs: &mut Vec<(Txn, Txn)>) {
    let history = instance.history;
    let process = |txn: Txn| history.header(txn).process;
    let mut txns = instance.txns.clone();
    // In the order of their invocations, of each process.
    txns.sort_by_key(|&txn| process(txn));
    for pair in txns.windows(2) {
        let &[first, second] = pair else { continue };
        let returned = history.returns[first as usize] < history.calls[second as usize];
        if process(first) == process(second) && returned {
            pairs.push((first, second));
        }
    }
}
