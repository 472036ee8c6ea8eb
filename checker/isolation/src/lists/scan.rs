//! What single transactions reveal: each against its own micro-operations and the order of its keys.

use crate::Anomaly;
use crate::findings::Findings;
use crate::history::{History, Micro};
use crate::ids::{NONE, Txn};
use crate::lists::Orders;
use crate::lists::orders::first_read;
use crate::touches::Touches;
use crate::writers::{Writer, Writers};

/// G1b, internal, future reads, lost updates, and appends out of their own order.
pub(crate) fn scan(
    history: &History,
    writers: &Writers,
    orders: &Orders,
    findings: &mut Findings<'_>,
) {
    let mut scan = Scan {
        history,
        writers,
        orders,
        touches: Touches::new(history),
        updaters: vec![NONE; history.order.len() + history.keys()],
    };
    for txn in history.txns().filter(|&txn| writers.happened(txn)) {
        scan.touches.enter(history, txn);
        for position in history.span(txn) {
            match history.micros[position] {
                Micro::Write { .. } => {
                    scan.own_order(findings, txn, position);
                    scan.lost_update(findings, txn, position);
                }
                Micro::Prefix { key, .. } | Micro::Divergent { key, .. } => {
                    let is_first = scan.touches.first(position) == position;
                    findings.is_tested |= is_first && writers.may_be_others(key, txn);
                    scan.intermediate(findings, txn, position);
                    scan.future_read(findings, txn, position);
                    scan.internal(findings, txn, position);
                }
                Micro::Value { .. } | Micro::Unknown { .. } => {}
            }
        }
    }
}

struct Scan<'a> {
    history: &'a History,
    writers: &'a Writers,
    orders: &'a Orders,
    touches: Touches,
    /// The first transaction that read a prefix and went on to append: a slot for each length of each key's order.
    updaters: Vec<Txn>,
}

impl Scan<'_> {
    fn intermediate(&self, findings: &mut Findings<'_>, txn: Txn, position: usize) {
        let (history, micro) = (self.history, self.history.micros[position]);
        let Some(list) = history.list(micro) else { return };
        let Some(&last) = list.last() else { return };
        let Writer::Happened(writer) = self.writers.writer(history, last) else { return };
        if writer == txn || !self.writers.is_intermediate(last) {
            return;
        }
        findings.add(Anomaly::G1b, || {
            let (key, list) = (history.key_name(micro.key()), history.list_words(list, None));
            let value = history.value_name(last);
            let sentence = format!(
                "T1 read {list} in {key}, but {value} is not the last that T2 appended to it: T1 saw T2 half done."
            );
            (vec![txn, writer], sentence)
        });
    }

    /// What the transaction appended since its last read must be at the end, and before it what that read showed.
    fn internal(&self, findings: &mut Findings<'_>, txn: Txn, position: usize) {
        let (history, micro) = (self.history, self.history.micros[position]);
        if self.touches.before(position).is_none() {
            return;
        }
        let Some(list) = history.list(micro) else { return };
        let mut rest = list;
        for earlier in self.touches.earlier(position) {
            let is_right = match history.micros[earlier] {
                Micro::Write { version, .. } => match rest.split_last() {
                    Some((&last, before)) if last == version => {
                        rest = before;
                        continue;
                    }
                    _ => false,
                },
                Micro::Unknown { .. } => return,
                read => history.list(read).is_none_or(|seen| seen == rest),
            };
            if !is_right {
                findings.add(Anomaly::Internal, || (vec![txn], self.contradiction(txn, position)));
            }
            return;
        }
    }

    fn contradiction(&self, txn: Txn, position: usize) -> String {
        let history = self.history;
        let mut earlier: Vec<_> = self.touches.earlier(position).collect();
        let known = earlier.iter().position(|&at| history.list(history.micros[at]).is_some());
        earlier.truncate(known.map_or(earlier.len(), |read| read + 1));
        let start = history.span(txn).start;
        let done = earlier.iter().rev().map(|&at| history.micro_words(history.micros[at]));
        let done = done.collect::<Vec<_>>().join(", ");
        let (nth, words) = (position - start + 1, history.micro_words(history.micros[position]));
        format!("T1 contradicts itself: after its own ({done}), its operation {nth} was ({words}).")
    }

    /// The last element is the transaction's own, but it appends it only later. (A later own element further in front
    /// makes a G1c with the writer of the last.)
    fn future_read(&self, findings: &mut Findings<'_>, txn: Txn, position: usize) {
        let history = self.history;
        let read = history.micros[position];
        let Some(&version) = history.list(read).and_then(<[_]>::last) else { return };
        if self.writers.txn(history, version) == txn && self.writers.micro(version) > position {
            findings.add(Anomaly::FutureRead, || {
                let (read, wrote) =
                    (history.micro_words(read), history.wrote_words(read.key(), version));
                (vec![txn], format!("T1 saw ({read}) before it {wrote} itself."))
            });
        }
    }

    /// A transaction's own appends to a key stand in its order; if a list shows one, it shows those before.
    fn own_order(&self, findings: &mut Findings<'_>, txn: Txn, position: usize) {
        let history = self.history;
        let is_write = |&at: &usize| matches!(history.micros[at], Micro::Write { .. });
        let Micro::Write { key, version } = history.micros[position] else { return };
        let Some(before) = self.touches.earlier(position).find(is_write) else { return };
        let Micro::Write { version: earlier, .. } = history.micros[before] else { return };
        let Some(place) = self.orders.position(version) else { return };
        let is_behind = match self.orders.position(earlier) {
            Some(earlier) => earlier > place,
            None => self.orders.is_unobserved(earlier),
        };
        let is_own = |version| self.writers.txn(history, version) == txn;
        if is_behind && is_own(version) && is_own(earlier) {
            findings.add(Anomaly::CyclicVersions, || {
                let read = first_read(history, key, place as usize);
                let list = history.list_words(read.list, Some(place as usize));
                let (first, then) = (history.value_name(earlier), history.value_name(version));
                let key = history.key_name(key);
                let (txns, who) = if read.txn == txn { (vec![txn], "it") } else { (vec![txn, read.txn], "T2") };
                let sentence = format!(
                    "T1 appended {first} to {key} before it appended {then}, but {who} read {list}, without {first} before {then}."
                );
                (txns, sentence)
            });
        }
    }

    fn lost_update(&mut self, findings: &mut Findings<'_>, txn: Txn, position: usize) {
        let history = self.history;
        if !self.touches.is_update(history, position) {
            return;
        }
        let first = history.micros[self.touches.first(position)];
        let Micro::Prefix { key, len } = first else { return };
        let slot = history.order_span(key).start + key as usize + len as usize;
        let known = self.updaters[slot];
        if known == NONE {
            self.updaters[slot] = txn;
        } else if known != txn {
            findings.add(Anomaly::LostUpdate, || {
                let list = history.list(first).unwrap_or_default();
                let (list, key) = (history.list_words(list, None), history.key_name(key));
                let sentence = format!(
                    "T1 and T2 both read {list} in {key} and then appended to it: neither saw the other's."
                );
                (vec![known, txn], sentence)
            });
        }
    }
}
