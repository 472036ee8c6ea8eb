//! What one client wrote first is seen first.
//!
//! `write key` writes the subkeys of a key one after the other, each in a transaction of its own; `read` gives
//! `[key [v …]]`, its subkeys read in the opposite order, nil for each that is missing. A reader that finds a subkey
//! must find all that it reads afterwards, for they were written earlier.

use history::{
    Findings, Operation,
    words::{counted, shown, who},
};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::judgement::Judgement;
use crate::shape::{misfit, only, pair, succeeded};

/// No read may find a subkey and miss one that was written earlier.
pub(crate) fn judge(operations: &[Operation]) -> Result<Judgement, String> {
    only(operations, &["read", "write"])?;
    let writes = operations.iter().filter(|operation| operation.f == "write");
    let writes: FxHashMap<&Value, &Operation> =
        writes.map(|write| (&write.arguments, write)).collect();
    let mut findings = Findings::default();
    let (mut none, mut some, mut all) = (0_usize, 0_usize, 0_usize);
    for (read, value) in succeeded(operations, "read") {
        let (key, subkeys) = pair(value)
            .and_then(|(key, subkeys)| Some((key, subkeys.as_array()?)))
            .ok_or_else(|| misfit(read, value, "[key [subkey …]]"))?;
        let missing = subkeys.iter().filter(|subkey| subkey.is_null()).count();
        match missing {
            0 => all += 1,
            missing if missing == subkeys.len() => none += 1,
            _ => some += 1,
        }
        let Some(found) = subkeys.iter().position(|subkey| !subkey.is_null()) else { continue };
        if subkeys[found..].iter().all(|subkey| !subkey.is_null()) {
            continue;
        }
        let write = writes.get(key).copied();
        let proof = std::iter::once(read).chain(write).map(|operation| operation.call);
        findings.add("writes out of order", proof, || {
            format!(
                "{} found {} of key {}, but after that not all of those that were written before it: {}",
                who(read),
                shown(&subkeys[found]),
                shown(key),
                shown(value)
            )
        });
    }
    let untested = (some + all == 0).then(|| "No read found anything that was written.".to_owned());
    let checked = format!(
        "{} saw all of a key, {some} a part of one, {none} nothing; a later part must not be seen without an earlier one.",
        counted(all, "read")
    );
    Ok(Judgement::of(findings, &checked, untested)
        .with_statistics(json!({ "all": all, "some": some, "none": none })))
}
