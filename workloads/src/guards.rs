//! Transactions refused although every one of their guards held all the time.

use crate::{
    explain::{self, LazyViolation},
    record::Record,
    transactions::{Refusal, Transactions},
};

/// Finds refusals for which there was no moment at which a guard failed: each expected version was known before the
/// refused transaction began and was still seen by one that began after it had ended. Versions never come back, so
/// each of them was there in between.
pub(crate) fn false_refusals<'a>(transactions: &Transactions<'a>) -> Vec<LazyViolation<'a>> {
    let refused = transactions.refused.iter();
    let false_refusal = |Refusal { record, expected }: &Refusal<'a>| {
        let mut witness = vec![record.call];
        for &version in expected {
            witness.extend(held_throughout(transactions, record, version)?);
        }
        witness.dedup();
        let record = *record;
        Some(LazyViolation::new("false refusal", move || {
            let who = explain::who(record);
            let sentence = format!(
                "{who} was refused because of a guard, yet each of its guards held before, during and after it"
            );
            (sentence, witness.clone())
        }))
    };
    refused.filter_map(false_refusal).collect()
}

/// The operations that prove that this version was there from before `record` began until after it had ended.
fn held_throughout(
    transactions: &Transactions<'_>,
    record: &Record,
    version: usize,
) -> Option<Vec<u64>> {
    let version = &transactions.versions[version];
    let ended = record.ret?;
    let of = |&number: &usize| transactions.happened[number].record;
    let after = version.readers.iter().map(of).find(|reader| reader.call > ended)?;
    // The absence of a key has no writer, but somebody may have seen it.
    let mut known = version.writer.iter().chain(&version.readers).map(of);
    let before = known.find(|other| other.ret.is_some_and(|returned| returned < record.call))?;
    Some(vec![before.call, after.call])
}
