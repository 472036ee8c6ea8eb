//! What goes into a queue comes out of it, once it has been drained.
//!
//! `enqueue` puts an element in, `dequeue` gives one, `drain` gives all that are left. That the queue was empty tells a
//! successful `drain`, a `dequeue` that gives nil, and one that failed with an error that says so. Elements may come
//! out twice: [`crate::queue`] is for queues that promise more.

use history::{
    Completion, Findings, Operation,
    words::{counted, shown, who},
};
use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::elements::Attempts;
use crate::judgement::Judgement;
use crate::queue::dequeued;
use crate::shape::{returned, succeeded};

/// Every element that was enqueued before the queue was last seen empty must have come out, and no other one may.
pub(crate) fn judge(operations: &[Operation]) -> Result<Judgement, String> {
    let attempts = Attempts::new(operations, "enqueue", &["dequeue", "drain"])?;
    let dequeued = dequeued(operations)?;
    let mut findings = Findings::default();
    let (mut duplicated, mut recovered) = (0, 0);
    let mut taken: FxHashMap<&Value, usize> = FxHashMap::default();
    for (operation, element) in &dequeued {
        attempts.explain(operation, element, 1, &mut findings);
        let copies = taken.entry(element).or_default();
        *copies += 1;
        duplicated += usize::from(*copies > attempts.of(element).len().max(1));
        let unknown = || attempts.of(element).iter().all(|enqueue| enqueue.result().is_none());
        recovered += usize::from(*copies == 1 && unknown());
    }
    let (lost, waiting) = missing(operations, taken);
    let not_drained = not_drained(waiting).filter(|_| !dequeued.is_empty());
    let doubt = report_lost(operations, &lost, &mut findings).or(not_drained);
    let checked = format!(
        "{} came out, {duplicated} of them more often than they went in.",
        counted(dequeued.len(), "element")
    );
    let untested = dequeued.is_empty().then(|| "Nothing was dequeued.".to_owned());
    let judgement = match doubt {
        Some(reason) => {
            Judgement { is_untested: false, ..Judgement::of(findings, &checked, Some(reason)) }
        }
        None => Judgement::of(findings, &checked, untested),
    };
    Ok(judgement.with_statistics(json!({
        "enqueued": succeeded(operations, "enqueue").count(), "dequeued": dequeued.len(),
        "lost": lost.len(), "duplicated": duplicated, "recovered": recovered, "not_drained": waiting,
    })))
}

/// The enqueues whose element should have come out, but did not, and how many may still wait in the queue.
fn missing<'a>(
    operations: &'a [Operation],
    mut taken: FxHashMap<&'a Value, usize>,
) -> (Vec<&'a Operation>, usize) {
    let seen_empty = operations.iter().filter(|o| saw_empty(o)).map(|o| o.call).max().unwrap_or(0);
    let (mut lost, mut waiting) = (Vec::new(), 0);
    let mut enqueues: Vec<&Operation> = succeeded(operations, "enqueue").map(|(o, _)| o).collect();
    // Of several enqueues of an element, those that may still wait come last.
    enqueues.sort_unstable_by_key(|enqueue| returned(enqueue));
    for enqueue in enqueues {
        match taken.get_mut(&enqueue.arguments) {
            Some(copies) if *copies > 0 => *copies -= 1,
            _ if returned(enqueue).is_some_and(|returned| returned < seen_empty) => {
                lost.push(enqueue);
            }
            _ => waiting += 1,
        }
    }
    (lost, waiting)
}

fn saw_empty(operation: &Operation) -> bool {
    match (operation.f.as_str(), &operation.completion) {
        ("drain", Completion::Ok(..)) => true,
        ("dequeue", Completion::Ok(_, element)) => element.is_null(),
        ("dequeue", Completion::Fail(_, Some(error))) => {
            matches!(error.trim_start_matches(':'), "empty" | "exhausted" | "queue empty")
        }
        _ => false,
    }
}

/// An unknown dequeue may have taken one of the lost elements, an unknown drain any number; gives the reason where
/// they may explain all.
fn report_lost(
    operations: &[Operation],
    lost: &[&Operation],
    findings: &mut Findings,
) -> Option<String> {
    let unknown = |f: &str| {
        let unknown = |o: &&Operation| o.f == f && matches!(o.completion, Completion::Info(_));
        operations.iter().filter(unknown).count()
    };
    let takers = unknown("dequeue");
    if !lost.is_empty() && (unknown("drain") > 0 || lost.len() <= takers) {
        return Some(format!(
            "{} never came out, which dequeues of unknown outcome may explain.",
            counted(lost.len(), "element")
        ));
    }
    for enqueue in lost {
        findings.add("lost element", [enqueue.call], || {
            let others = match takers {
                0 => String::new(),
                _ => format!(
                    " ({} are lost, and only {takers} dequeues have an unknown outcome)",
                    lost.len()
                ),
            };
            format!(
                "{} had put in {}, which never came out although the queue was empty later{others}",
                who(enqueue),
                shown(&enqueue.arguments)
            )
        });
    }
    None
}

fn not_drained(waiting: usize) -> Option<String> {
    (waiting > 0).then(|| {
        let elements = counted(waiting, "element");
        format!("{elements} did not come out, but the queue was not seen empty after that.")
    })
}
