//! What was added is in the set at the end, and nothing else.
//!
//! `add` adds an element, `read` gives all of them; the successful read that began last is the final one.

use history::{CheckResult, Operation};
use rustc_hash::FxHashSet;
use serde_json::{Value, json};

use crate::elements::{Attempts, copies};
use crate::findings::{Findings, Judgement, counted, decided, shown, who};
use crate::shape::{collection, misfit, only, precedes, succeeded};

const CHECKER: &str = "set-final";

/// Every element that was added before the final read must be in it, and each that is there must have been added.
#[must_use]
pub fn check(operations: &[Operation]) -> CheckResult {
    judge(operations).result
}

pub(crate) fn judge(operations: &[Operation]) -> Judgement {
    decided(CHECKER, examine(operations))
}

fn examine(operations: &[Operation]) -> Result<Judgement, String> {
    only(operations, &["add", "read"])?;
    let last = succeeded(operations, "read").rfind(|(_, value)| !value.is_null());
    let mut findings = Findings::new(CHECKER);
    let Some((read, value)) = last else {
        return Ok(findings.conclude("", Some("The set was never read.".to_owned())));
    };
    let elements =
        collection(value).ok_or_else(|| misfit(read, value, "a collection of elements"))?;
    let attempts = Attempts::new(operations, "add");
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
            findings.add("lost element", &[add, read], || {
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
    Ok(findings.conclude(&checked, untested).with_statistics(
        json!({ "added": added, "read": elements.len(), "lost": lost, "recovered": recovered }),
    ))
}
