//! What was added is in the set at the end, and nothing else.
//!
//! `add` adds an element, `read` gives all of them; the successful read that began last is the final one.

use history::{
    Findings, Operation,
    words::{counted, shown, who},
};
use rustc_hash::FxHashSet;
use serde_json::{Value, json};

use crate::elements::{Attempts, collections, copies};
use crate::judgement::Judgement;
use crate::shape::{precedes, succeeded};

/// Every element that was added before the final read must be in it, and each that is there must have been added.
pub(crate) fn judge(operations: &[Operation]) -> Result<Judgement, String> {
    let mut findings = Findings::default();
    let Some((read, elements)) = collections(operations, "read").next_back().transpose()? else {
        return Ok(Judgement::of(findings, "", Some("The set was never read.".to_owned())));
    };
    let attempts = Attempts::new(operations, "add", &["read"])?;
    let mut recovered = 0_u64;
    let mut present: FxHashSet<&Value> = FxHashSet::default();
    for (element, copies) in copies(elements) {
        present.insert(element);
        if !attempts.explain(read, element, copies, &mut findings) {
            recovered += u64::from(attempts.of(element).iter().all(|add| add.result().is_none()));
        }
    }
    let (mut added, mut lost) = (0, 0_u64);
    for (add, _) in succeeded(operations, "add").filter(|(add, _)| precedes(add, read)) {
        added += 1;
        if present.insert(&add.arguments) {
            lost += 1;
            findings.add("lost element", [add.call, read.call], || {
                format!(
                    "{} had added {}, yet {} did not see it",
                    who(add),
                    shown(&add.arguments),
                    who(read)
                )
            });
        }
    }
    let untested =
        (added == 0).then(|| "No element was added before the final read began.".to_owned());
    let checked = format!(
        "The final read saw {}, {added} had been added.",
        counted(elements.len(), "element")
    );
    Ok(Judgement::of(findings, &checked, untested).with_statistics(
        json!({ "added": added, "read": elements.len(), "lost": lost, "recovered": recovered }),
    ))
}
