//! Strict serializability of transactions whose version order is known.
//!
//! Every writer of a key names the version it replaces (a guard), so the record itself gives the order of versions,
//! and the transactions are strictly serializable exactly if the graph of these edges has no cycle (Adya, "Weak
//! Consistency", 1999, chapter 4; real time as in Papadimitriou, JACM 1979):
//!
//! * `saw`: the writer of a version comes before whoever saw it;
//! * `missed`: whoever saw a version comes before the one that replaced it;
//! * `real time`: what had returned comes before what was invoked afterwards.
//!
//! Short cycles are looked for first, by rules that can say what went wrong in one sentence; the graph is searched
//! for the rest.

use history::Violation;

use crate::{
    narrate,
    transactions::{Transaction, Transactions},
};

/// What breaks the order, the clearest first.
pub(crate) struct Disorder {
    /// Two committed transactions that replaced the same version.
    pub(crate) lost_updates: Vec<Violation>,
    /// Everything else that no strict serial order explains.
    pub(crate) cycles: Vec<Violation>,
}

/// Looks for whatever keeps the transactions from having a strict serial order.
pub(crate) fn disorder(transactions: &Transactions<'_>) -> Disorder {
    let lost_updates = lost_updates(transactions);
    let chains = Chains::new(transactions);
    let mut cycles = chains.read_skews();
    cycles.extend(chains.stale_reads());
    cycles.extend(chains.reads_from_the_future());
    if cycles.is_empty() && lost_updates.is_empty() {
        cycles = crate::cycles::search(transactions);
    }
    Disorder { lost_updates, cycles }
}

fn lost_updates(transactions: &Transactions<'_>) -> Vec<Violation> {
    let forked = transactions.versions.iter().filter(|version| version.replacers.len() > 1);
    let tell = |version: &crate::transactions::Version<'_>| {
        let of = |at: usize| transactions.happened[version.replacers[at].0].record;
        let (first, second) = (of(0), of(1));
        Violation {
            kind: "lost update".to_owned(),
            sentence: format!(
                "{} and {} both replaced {} = {}: one of the two updates is lost",
                narrate::who(first),
                narrate::who(second),
                version.key,
                narrate::value(version.value)
            ),
            operations: vec![first.call, second.call],
        }
    };
    forked.map(tell).collect()
}

/// The versions of each key in their order, as far as it is beyond doubt: from the key's absence through the only
/// replacer of each version.
struct Chains<'t, 'a> {
    transactions: &'t Transactions<'a>,
    chains: Vec<Vec<usize>>,
    /// The position in its chain of each version that is in one.
    positions: Vec<Option<usize>>,
}

impl<'t, 'a> Chains<'t, 'a> {
    fn new(transactions: &'t Transactions<'a>) -> Self {
        let versions = &transactions.versions;
        let mut positions = vec![None; versions.len()];
        let mut chains = Vec::new();
        for root in (0..versions.len()).filter(|&version| versions[version].value.is_none()) {
            let mut chain = vec![root];
            positions[root] = Some(0);
            let mut last = root;
            while let [(_, next)] = versions[last].replacers[..] {
                if positions[next].is_some() {
                    break;
                }
                positions[next] = Some(chain.len());
                chain.push(next);
                last = next;
            }
            chains.push(chain);
        }
        Self { transactions, chains, positions }
    }

    fn transaction(&self, number: usize) -> &Transaction<'a> {
        &self.transactions.happened[number]
    }

    fn violation(&self, kind: &str, sentence: String, witness: &[usize]) -> Violation {
        let mut operations: Vec<u64> = Vec::new();
        for &transaction in witness {
            let call = self.transaction(transaction).record.call;
            if !operations.contains(&call) {
                operations.push(call);
            }
        }
        Violation { kind: kind.to_owned(), sentence, operations }
    }

    /// A transaction that saw one account after a transfer and another before the same transfer.
    fn read_skews(&self) -> Vec<Violation> {
        let all = 0..self.transactions.happened.len();
        all.filter_map(|reader| self.read_skew(reader)).collect()
    }

    fn read_skew(&self, reader: usize) -> Option<Violation> {
        let versions = &self.transactions.versions;
        let reads = &self.transaction(reader).reads;
        for &after in reads {
            let Some(writer) = versions[after].writer.filter(|&writer| writer != reader) else {
                continue;
            };
            for &written in &self.transaction(writer).writes {
                let key = versions[written].key;
                let Some(&before) = reads.iter().find(|&&read| versions[read].key == key) else {
                    continue;
                };
                let (Some(seen), Some(due)) = (self.positions[before], self.positions[written])
                else {
                    continue;
                };
                if seen < due {
                    return self.tell_read_skew(reader, writer, after, before);
                }
            }
        }
        None
    }

    fn tell_read_skew(
        &self,
        reader: usize,
        writer: usize,
        after: usize,
        before: usize,
    ) -> Option<Violation> {
        let versions = &self.transactions.versions;
        let (after, before) = (&versions[after], &versions[before]);
        let &(replacer, _) = before.replacers.first()?;
        let sentence = format!(
            "{} saw {} = {}, as {} left it, but {} = {}, as it was before that",
            narrate::who(self.transaction(reader).record),
            after.key,
            narrate::value(after.value),
            narrate::who(self.transaction(writer).record),
            before.key,
            narrate::value(before.value)
        );
        Some(self.violation("read skew", sentence, &[reader, writer, replacer]))
    }

    /// A transaction that saw a version although a later one was known before it began.
    fn stale_reads(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        for chain in &self.chains {
            // Of the versions behind the one at hand: who had returned first, having written or seen it.
            let mut first: Option<(u64, usize)> = None;
            for &version in chain.iter().rev() {
                if let Some((known, evidence)) = first {
                    self.stale_readers(version, known, evidence, &mut found);
                }
                first = self.known_from(version).into_iter().chain(first).min();
            }
        }
        found.sort_by_key(|violation: &Violation| violation.operations.first().copied());
        found
    }

    /// The earliest return of a transaction that wrote or saw this version.
    fn known_from(&self, version: usize) -> Option<(u64, usize)> {
        let version = &self.transactions.versions[version];
        let witnesses = version.writer.iter().chain(&version.readers);
        let returns = witnesses.filter_map(|&witness| {
            self.transaction(witness).record.ret.map(|returned| (returned, witness))
        });
        returns.min()
    }

    fn stale_readers(
        &self,
        version: usize,
        known: u64,
        evidence: usize,
        found: &mut Vec<Violation>,
    ) {
        let version = &self.transactions.versions[version];
        let Some(&(replacer, _)) = version.replacers.first() else { return };
        let stale = version.readers.iter().copied();
        for reader in stale.filter(|&reader| self.transaction(reader).record.call > known) {
            let sentence = format!(
                "{} saw {} = {}, which {} had replaced; {} had ended before it began and knew a later value",
                narrate::who(self.transaction(reader).record),
                version.key,
                narrate::value(version.value),
                narrate::who(self.transaction(replacer).record),
                narrate::who(self.transaction(evidence).record)
            );
            found.push(self.violation("stale read", sentence, &[reader, replacer, evidence]));
        }
    }

    /// A transaction that had returned before what it saw, or what that was built on, was invoked.
    fn reads_from_the_future(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        for chain in &self.chains {
            let mut last: Option<(u64, usize)> = None;
            for &version in chain {
                let version = &self.transactions.versions[version];
                let writer = version.writer;
                last =
                    last.max(writer.map(|writer| (self.transaction(writer).record.call, writer)));
                let Some((called, writer)) = last else { continue };
                let returned_before = |&reader: &usize| {
                    self.transaction(reader).record.ret.is_some_and(|ret| ret < called)
                };
                for reader in version.readers.iter().copied().filter(returned_before) {
                    let sentence = format!(
                        "{} saw {} = {} and ended before {}, on which that value rests, had begun",
                        narrate::who(self.transaction(reader).record),
                        version.key,
                        narrate::value(version.value),
                        narrate::who(self.transaction(writer).record)
                    );
                    found.push(self.violation("read from the future", sentence, &[reader, writer]));
                }
            }
        }
        found
    }
}
