//! No identifier is given twice.
//!
//! `generate` gives an identifier.

use history::{
    Findings, Operation,
    words::{counted, shown, who},
};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::judgement::Judgement;
use crate::shape::{only, succeeded};

/// All identifiers must differ.
pub(crate) fn judge(operations: &[Operation]) -> Result<Judgement, String> {
    only(operations, &["generate"])?;
    let mut given: FxHashMap<&Value, &Operation> = FxHashMap::default();
    let mut findings = Findings::default();
    let mut count = 0;
    for (operation, id) in succeeded(operations, "generate") {
        count += 1;
        let Some(first) = given.insert(id, operation) else { continue };
        given.insert(id, first);
        findings.add("duplicate identifier", [first.call, operation.call], || {
            format!("{} and {} both got {}", who(first), who(operation), shown(id))
        });
    }
    let untested = (count < 2).then(|| format!("Only {} was given.", counted(count, "identifier")));
    let checked = format!("{} must all differ.", counted(count, "identifier"));
    Ok(Judgement::of(findings, &checked, untested)
        .with_statistics(json!({ "given": count, "different": given.len() })))
}
