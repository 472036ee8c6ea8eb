//! A session in which a person asked and broke things: what is different about it.

use history::CheckResult;
use history::words::counted;
use record::{Mark, RunFile};

/// Whether a person was the only client.
pub(super) fn is(run: &RunFile) -> bool {
    run.workload == workloads::by_hand::NAME
}

/// Why the answers cannot be judged, where requests came past the record: what was read may have been written by them, and
/// what was written may have been overwritten.
pub(super) fn unrecorded(marks: &[Mark]) -> Option<CheckResult> {
    let count = marks.iter().rev().find_map(|mark| match mark {
        Mark::Unrecorded(count) => Some(usize::try_from(*count).unwrap_or(usize::MAX)),
        _ => None,
    })?;
    let requests = counted(count, "request");
    let sentence = format!(
        "{requests} went to the nodes by `curl`, past the record. Nobody knows what that changed, so the answers were not \
         judged."
    );
    Some(CheckResult::inconclusive("premises", sentence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::Verdict;

    #[test]
    fn requests_past_the_record_leave_the_answers_undecided() {
        assert!(unrecorded(&[Mark::Note("slow".to_owned())]).is_none());
        let result = unrecorded(&[Mark::Unrecorded(1), Mark::Unrecorded(2)]).unwrap();
        assert_eq!(result.verdict, Verdict::Inconclusive);
        assert!(result.summary.starts_with("2 requests went"), "{result:?}");
    }
}
