//! Transactions refused although every one of their guards held all the time.

use history::Findings;

use crate::{
    record::Record,
    transactions::{Refusal, Transactions},
};

/// Finds refusals for which there was no moment at which a guard failed: each expected version was known before the
/// refused transaction began and was still seen by one that began after it had ended. Versions never come back, so
/// each of them was there in between.
pub(crate) fn false_refusals(transactions: &Transactions<'_>) -> Findings {
    let mut findings = Findings::default();
    for Refusal { record, expected } in &transactions.refused {
        let held = expected.iter().map(|&version| held_throughout(transactions, record, version));
        let Some(held) = held.collect::<Option<Vec<_>>>() else { continue };
        let proof = std::iter::once(record.call).chain(held.into_iter().flatten());
        findings.add("false refusal", proof, || {
            let who = record.who();
            format!(
                "{who} was refused because of a guard, yet each of its guards held before, during and after it"
            )
        });
    }
    findings
}

/// The operations that prove that this version was there from before `record` began until after it had ended.
fn held_throughout(
    transactions: &Transactions<'_>,
    record: &Record,
    version: usize,
) -> Option<[u64; 2]> {
    let version = &transactions.versions[version];
    let ended = record.ret?;
    let of = |&number: &usize| transactions.happened[number].record;
    let after = version.readers.iter().map(of).find(|reader| reader.call > ended)?;
    // The absence of a key has no writer, but somebody may have seen it.
    let mut known = version.writer.iter().chain(&version.readers).map(of);
    let before = known.find(|other| other.ret.is_some_and(|returned| returned < record.call))?;
    Some([before.call, after.call])
}
