//! A write is not visible before one that was done when it began.
//!
//! `write` inserts an element blindly, `read` gives all of them in one transaction. That T2, which began after T1 had
//! returned, is visible without T1, no strictly serializable store allows.

use history::{
    Findings, Operation,
    words::{counted, shown, who},
};
use rustc_hash::FxHashSet;
use serde_json::{Value, json};

use crate::elements::{Attempts, collections, copies};
use crate::judgement::Judgement;
use crate::shape::{returned, succeeded};

/// A read that sees an element must see all that were written before that one's write began.
pub(crate) fn judge(operations: &[Operation]) -> Result<Judgement, String> {
    let attempts = Attempts::new(operations, "write", &["read"])?;
    let mut done: Vec<&Operation> =
        succeeded(operations, "write").map(|(write, _)| write).collect();
    done.sort_unstable_by_key(|write| returned(write));
    let mut findings = Findings::default();
    let mut telling = 0_usize;
    for read in collections(operations, "read") {
        let (read, elements) = read?;
        let mut seen: FxHashSet<&Value> = FxHashSet::default();
        let mut latest: Option<&Operation> = None;
        for (element, copies) in copies(elements) {
            attempts.explain(read, element, copies, &mut findings);
            seen.insert(element);
            // Of several writes of an element, it may be the first that is seen.
            let first = attempts.of(element).first().copied();
            latest = latest.into_iter().chain(first).max_by_key(|write| write.call);
        }
        let Some(latest) = latest else { continue };
        let before = done.partition_point(|write| returned(write) < Some(latest.call));
        telling += usize::from(before > 0);
        let unseen = done[..before].iter().find(|write| !seen.contains(&write.arguments));
        let Some(unseen) = unseen else { continue };
        findings.add(
            "write overtaken",
            [unseen, latest, read].map(|operation| operation.call),
            || {
                format!(
                    "{} saw {} but not {}, although {} was done with that before {} began",
                    who(read),
                    shown(&latest.arguments),
                    shown(&unseen.arguments),
                    who(unseen),
                    who(latest)
                )
            },
        );
    }
    let untested =
        (telling == 0).then(|| "No read saw an element that was written after another.".to_owned());
    let checked =
        format!("{} must see no write without those before it.", counted(telling, "read"));
    Ok(Judgement::of(findings, &checked, untested)
        .with_statistics(json!({ "writes": done.len(), "telling_reads": telling })))
}
