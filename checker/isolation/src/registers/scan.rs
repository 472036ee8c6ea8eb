//! What single transactions on registers reveal.

use crate::Anomaly;
use crate::findings::Findings;
use crate::history::{History, Micro};
use crate::ids::{NONE, Txn, Version};
use crate::touches::Touches;
use crate::writers::{Writer, Writers};

/// G1a, G1b, garbage, internal, future reads, lost and dirty updates.
pub(crate) fn scan(history: &History, writers: &Writers, findings: &mut Findings<'_>) {
    let touches = Touches::new(history);
    let updaters = vec![NONE; history.names.versions()];
    let mut scan = Scan { history, writers, touches, updaters };
    for txn in history.txns().filter(|&txn| writers.happened(txn)) {
        scan.touches.enter(history, txn);
        for position in history.span(txn) {
            match history.micros[position] {
                Micro::Value { key, version } => {
                    let is_first = scan.touches.first(position) == position;
                    findings.is_tested |= is_first && writers.may_be_others(key, txn);
                    scan.value(findings, Read { txn, position, key, version });
                }
                Micro::Write { .. } => scan.update(findings, txn, position),
                Micro::Prefix { .. } | Micro::Divergent { .. } | Micro::Unknown { .. } => {}
            }
        }
    }
}

struct Scan<'a> {
    history: &'a History,
    writers: &'a Writers,
    touches: Touches,
    /// The first transaction that read each version and went on to write the key.
    updaters: Vec<Txn>,
}

#[derive(Clone, Copy)]
struct Read {
    txn: Txn,
    position: usize,
    key: u32,
    version: Version,
}

impl Scan<'_> {
    fn value(&self, findings: &mut Findings<'_>, read: Read) {
        let Read { txn, version, .. } = read;
        match self.writers.writer(self.history, version) {
            Writer::Aborted(writer) => findings.add(Anomaly::G1a, || {
                (vec![txn, writer], format!("{}, but T2, which wrote it, failed.", self.saw(read)))
            }),
            Writer::Nobody => findings.add(Anomaly::GarbageRead, || {
                (vec![txn], format!("{}, but nobody wrote that.", self.saw(read)))
            }),
            Writer::Happened(writer) if writer == txn => self.own(findings, read),
            Writer::Happened(writer) if self.writers.is_intermediate(version) => {
                findings.add(Anomaly::G1b, || {
                    let saw = self.saw(read);
                    let sentence = format!(
                        "{saw}, but that is not the last that T2 wrote to it: T1 saw T2 half done."
                    );
                    (vec![txn, writer], sentence)
                });
            }
            Writer::Happened(_) | Writer::Unclear => {}
        }
        self.internal(findings, read);
    }

    fn saw(&self, read: Read) -> String {
        let (value, key) = (self.history.value_name(read.version), self.history.key_name(read.key));
        format!("T1 read {value} in {key}")
    }

    /// A transaction must not see what it has yet to write.
    fn own(&self, findings: &mut Findings<'_>, read: Read) {
        if self.writers.micro(read.version) > read.position {
            findings.add(Anomaly::FutureRead, || {
                (vec![read.txn], format!("{} before it wrote that itself.", self.saw(read)))
            });
        }
    }

    /// A transaction must see what it wrote or saw last.
    fn internal(&self, findings: &mut Findings<'_>, read: Read) {
        let is_known = |&at: &usize| !matches!(self.history.micros[at], Micro::Unknown { .. });
        let Some(before) = self.touches.earlier(read.position).find(is_known) else { return };
        let (Micro::Write { version, .. } | Micro::Value { version, .. }) =
            self.history.micros[before]
        else {
            return;
        };
        if version != read.version {
            findings.add(Anomaly::Internal, || {
                let before = self.history.micro_words(self.history.micros[before]);
                let nth = read.position - self.history.span(read.txn).start + 1;
                let now = self.history.micro_words(self.history.micros[read.position]);
                let sentence = format!(
                    "T1 contradicts itself: after its own ({before}), its operation {nth} was ({now})."
                );
                (vec![read.txn], sentence)
            });
        }
    }

    /// A write after a read of the same key.
    fn update(&mut self, findings: &mut Findings<'_>, txn: Txn, position: usize) {
        let history = self.history;
        if !self.touches.is_update(history, position) {
            return;
        }
        let Micro::Value { key, version } = history.micros[self.touches.first(position)] else {
            return;
        };
        let names = || (history.value_name(version), history.key_name(key));
        let writer = self.writers.writer(history, version);
        if writer == Writer::Unclear && !history.names.is_initial(version) {
            // Two wrote the same value: each of the updates may have read another one's.
            return;
        }
        if let Writer::Aborted(writer) = writer {
            findings.add(Anomaly::DirtyUpdate, || {
                let (value, key) = names();
                let sentence = format!(
                    "T1 read {value} in {key}, which T2 wrote, and wrote over it, though T2 failed."
                );
                (vec![txn, writer], sentence)
            });
        }
        let known = self.updaters[version as usize];
        if known == NONE {
            self.updaters[version as usize] = txn;
        } else if known != txn {
            findings.add(Anomaly::LostUpdate, || {
                let (value, key) = names();
                let sentence = format!(
                    "T1 and T2 both read {value} in {key} and then wrote to it: neither saw the other's."
                );
                (vec![known, txn], sentence)
            });
        }
    }
}
