//! Every dequeue came from an enqueue: what a queue gives, whatever its order, was put in, and only once.
//!
//! `enqueue` puts an element in, `dequeue` gives one (nil: the queue was empty), `drain` gives all that are left.

use history::{Findings, Operation, words::counted};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::elements::{Attempts, collections};
use crate::judgement::Judgement;
use crate::shape::{returned, succeeded};

/// No more of an element may be dequeued than can have been enqueued by then.
pub(crate) fn judge(operations: &[Operation]) -> Result<Judgement, String> {
    let attempts = Attempts::new(operations, "enqueue", &["dequeue", "drain"])?;
    let mut dequeued = dequeued(operations)?;
    let mut findings = Findings::default();
    // By the time of a return, all dequeues that returned earlier have taken their elements too.
    dequeued.sort_by_key(|(operation, _)| returned(operation));
    let mut taken: FxHashMap<&Value, usize> = FxHashMap::default();
    for (operation, element) in &dequeued {
        let copies = taken.entry(element).or_default();
        *copies += 1;
        attempts.explain(operation, element, *copies, &mut findings);
    }
    let untested = dequeued.is_empty().then(|| "Nothing was dequeued.".to_owned());
    let checked = format!("{} must have been put in.", counted(dequeued.len(), "dequeued element"));
    Ok(Judgement::of(findings, &checked, untested)
        .with_statistics(json!({ "dequeued": dequeued.len() })))
}

/// What was taken out and by whom: a drain is a dequeue for each of its elements.
pub(crate) fn dequeued(operations: &[Operation]) -> Result<Vec<(&Operation, &Value)>, String> {
    let mut dequeued: Vec<(&Operation, &Value)> =
        succeeded(operations, "dequeue").filter(|(_, element)| !element.is_null()).collect();
    for drain in collections(operations, "drain") {
        let (operation, elements) = drain?;
        dequeued.extend(elements.iter().map(|element| (operation, element)));
    }
    Ok(dequeued)
}
