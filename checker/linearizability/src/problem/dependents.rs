//! Which operations only one other can make legal.

use rustc_hash::FxHashMap;

use super::{MayEnable, Nature, Problem};

/// More comparisons than this and the operations without a fingerprint count as enabling everything.
const COMPARISONS_MAX: usize = 10_000_000;

/// Who leaves a fingerprint behind.
#[derive(Clone, Copy)]
enum Producer {
    /// The operation or group with this number, and only one operation of it.
    Only(usize),
    Several,
}

impl Problem {
    pub(super) fn find_dependents(&mut self, may_enable: MayEnable<'_>) {
        self.dependents = vec![Vec::new(); self.required.len() + self.optional.len()];
        let required = self.required.iter().map(|op| (op.class, 1));
        let optional = self.optional.iter().map(|group| (group.class, group.from.len()));
        let mut by_fingerprint: FxHashMap<u64, Producer> = FxHashMap::default();
        let mut unclear = Vec::new();
        for (number, (class, count)) in required.chain(optional).enumerate() {
            let of_class = &self.classes[class as usize];
            match of_class.leaves.exactly() {
                _ if of_class.nature == Nature::Read => {}
                Some(left) => {
                    let only = if count == 1 { Producer::Only(number) } else { Producer::Several };
                    let several = |producer: &mut Producer| *producer = Producer::Several;
                    by_fingerprint.entry(left).and_modify(several).or_insert(only);
                }
                None => unclear.push(class),
            }
        }
        let any_alone = by_fingerprint.values().any(|by| matches!(by, Producer::Only(_)));
        if !any_alone || unclear.len() * self.required.len() > COMPARISONS_MAX {
            return;
        }
        for event in self.events.iter().filter(|event| event.returns) {
            let op = event.op as usize;
            let class = self.required[op].class;
            let saw = self.classes[class as usize].saw;
            let producer = saw.exactly().and_then(|seen| by_fingerprint.get(&seen));
            let Some(&Producer::Only(number)) = producer else { continue };
            // An operation that makes itself legal again depends on nobody else.
            let by_another = unclear.iter().any(|&other| may_enable(other, class));
            if self.required[op].must && number != op && !by_another {
                self.dependents[number].push(event.op);
            }
        }
    }
}
