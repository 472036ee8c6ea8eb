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

use crate::{
    narrate::{self, Told, Untold},
    record::Record,
    transactions::{Transactions, Version},
};

/// What breaks the order, the clearest first.
pub(crate) struct Disorder<'t> {
    /// Two committed transactions that replaced the same version.
    pub(crate) lost_updates: Vec<Untold<'t>>,
    /// Everything else that no strict serial order explains.
    pub(crate) cycles: Vec<Untold<'t>>,
}

/// Looks for whatever keeps the transactions from having a strict serial order.
pub(crate) fn disorder<'t>(transactions: &'t Transactions<'_>) -> Disorder<'t> {
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

fn lost_updates<'t>(transactions: &'t Transactions<'_>) -> Vec<Untold<'t>> {
    let forked = transactions.versions.iter().filter(|version| version.replacers.len() > 1);
    let tell = |version: &Version<'_>| {
        let of = |at: usize| transactions.happened[version.replacers[at].0].record;
        let (first, second) = (of(0), of(1));
        let sentence = format!(
            "{} and {} both replaced {} = {}: one of the two updates is lost",
            narrate::who(first),
            narrate::who(second),
            version.key,
            narrate::value(version.value)
        );
        (sentence, vec![first.call, second.call])
    };
    forked.map(|version| Untold::new("lost update", move || tell(version))).collect()
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

    fn record(&self, transaction: usize) -> &'a Record {
        self.transactions.happened[transaction].record
    }

    /// A transaction that saw one account after a transfer and another before the same transfer.
    fn read_skews(&self) -> Vec<Untold<'t>> {
        let all = 0..self.transactions.happened.len();
        all.filter_map(|reader| self.read_skew(reader)).collect()
    }

    fn read_skew(&self, reader: usize) -> Option<Untold<'t>> {
        let Transactions { versions, happened, .. } = self.transactions;
        let reads = &happened[reader].reads;
        for &after in reads {
            let Some(writer) = versions[after].writer.filter(|&writer| writer != reader) else {
                continue;
            };
            for &written in &happened[writer].writes {
                let key = versions[written].key;
                let Some(&before) = reads.iter().find(|&&read| versions[read].key == key) else {
                    continue;
                };
                let (Some(seen), Some(due)) = (self.positions[before], self.positions[written])
                else {
                    continue;
                };
                if seen < due {
                    let (after, before) = (&versions[after], &versions[before]);
                    let &(replacer, _) = before.replacers.first()?;
                    let involved = [reader, writer, replacer].map(|number| self.record(number));
                    let tell = move || tell_read_skew(involved, after, before);
                    return Some(Untold::new("read skew", tell));
                }
            }
        }
        None
    }

    /// A transaction that saw a version although a later one was known before it began.
    fn stale_reads(&self) -> Vec<Untold<'t>> {
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
        found.sort_by_key(|(reader, _)| *reader);
        found.into_iter().map(|(_, stale)| stale).collect()
    }

    /// The earliest return of a transaction that wrote or saw this version.
    fn known_from(&self, version: usize) -> Option<(u64, usize)> {
        let version = &self.transactions.versions[version];
        let witnesses = version.writer.iter().chain(&version.readers);
        let returns = witnesses
            .filter_map(|&witness| self.record(witness).ret.map(|returned| (returned, witness)));
        returns.min()
    }

    fn stale_readers(
        &self,
        version: usize,
        known: u64,
        evidence: usize,
        found: &mut Vec<(u64, Untold<'t>)>,
    ) {
        let version = &self.transactions.versions[version];
        let Some(&(replacer, _)) = version.replacers.first() else { return };
        let readers = version.readers.iter().map(|&reader| self.record(reader));
        let (replacer, evidence) = (self.record(replacer), self.record(evidence));
        for reader in readers.filter(|reader| reader.call > known) {
            let tell = move || tell_stale_read([reader, replacer, evidence], version);
            found.push((reader.call, Untold::new("stale read", tell)));
        }
    }

    /// A transaction that had returned before what it saw, or what that was built on, was invoked.
    fn reads_from_the_future(&self) -> Vec<Untold<'t>> {
        let mut found = Vec::new();
        for chain in &self.chains {
            let mut last: Option<(u64, usize)> = None;
            for &version in chain {
                let version = &self.transactions.versions[version];
                last = last.max(version.writer.map(|writer| (self.record(writer).call, writer)));
                let Some((called, writer)) = last else { continue };
                let writer = self.record(writer);
                let returned_before = |reader: &&Record| reader.ret.is_some_and(|ret| ret < called);
                let readers = version.readers.iter().map(|&reader| self.record(reader));
                for reader in readers.filter(returned_before) {
                    let tell = move || tell_read_from_the_future([reader, writer], version);
                    found.push(Untold::new("read from the future", tell));
                }
            }
        }
        found
    }
}

fn tell_read_skew(involved: [&Record; 3], after: &Version<'_>, before: &Version<'_>) -> Told {
    let [reader, writer, _] = involved.map(narrate::who);
    let (saw, other) = (narrate::value(after.value), narrate::value(before.value));
    let sentence = format!(
        "{reader} saw {} = {saw}, as {writer} left it, but {} = {other}, as it was before that",
        after.key, before.key
    );
    (sentence, calls(&involved))
}

fn tell_stale_read(involved: [&Record; 3], version: &Version<'_>) -> Told {
    let [reader, replacer, evidence] = involved.map(narrate::who);
    let (key, value) = (version.key, narrate::value(version.value));
    let sentence = format!(
        "{reader} saw {key} = {value}, which {replacer} had replaced; {evidence} had ended before it began and knew a later value"
    );
    (sentence, calls(&involved))
}

fn tell_read_from_the_future(involved: [&Record; 2], version: &Version<'_>) -> Told {
    let [reader, writer] = involved.map(narrate::who);
    let (key, value) = (version.key, narrate::value(version.value));
    let sentence = format!(
        "{reader} saw {key} = {value} and ended before {writer}, on which that value rests, had begun"
    );
    (sentence, calls(&involved))
}

/// Each of them once.
fn calls(involved: &[&Record]) -> Vec<u64> {
    let mut calls = Vec::new();
    for record in involved {
        if !calls.contains(&record.call) {
            calls.push(record.call);
        }
    }
    calls
}
