//! For how long nothing succeeded.

use history::Operation;
use record::{FaultRecord, FaultStep, Stretch};

use super::first_write;

/// The longest time of the main phase in which no operation succeeded; `None` where none ever did.
pub(super) fn longest(main: &[&Operation]) -> Option<Stretch> {
    let begin = main.iter().map(|operation| operation.call_ns).min()?;
    let end = main.iter().map(|operation| operation.call_ns).max()?;
    let succeeded = main.iter().filter(|operation| operation.result().is_some());
    let mut moments: Vec<u64> = succeeded.filter_map(|operation| operation.return_ns).collect();
    let last = moments.iter().copied().max()?;
    moments.push(begin);
    // What was tried last and in vain belongs to the outage that it ended in.
    moments.extend(Some(end).filter(|end| *end > last));
    moments.sort_unstable();
    let gaps = moments.windows(2).map(|pair| (pair[0], pair[1]));
    gaps.max_by_key(|(from, to)| to - from).map(Stretch::between)
}

/// The operation of the main phase that succeeded, and took longest.
pub(super) fn longest_wait(main: &[&Operation]) -> Option<Stretch> {
    let succeeded = main.iter().filter(|operation| operation.result().is_some());
    let waits = succeeded.filter_map(|operation| Some((operation.call_ns, operation.return_ns?)));
    waits.max_by_key(|(call, end)| end.saturating_sub(*call)).map(Stretch::between)
}

/// Of each fault that took hold and was healed while clients were at work: from then on until a write succeeded that was
/// called afterwards. `writes` are those that were acknowledged, in the order of their answers.
pub(super) fn recoveries_ns(
    main: &[&Operation],
    faults: &[FaultRecord],
    writes: &[&Operation],
) -> Vec<Option<u64>> {
    let end = main.iter().map(|operation| operation.call_ns).max().unwrap_or(0);
    let started = |number: u64| {
        faults.iter().any(|fault| fault.fault == number && fault.step == FaultStep::Started)
    };
    let is_healed = |fault: &&FaultRecord| {
        fault.step == FaultStep::Healed && fault.time_ns <= end && started(fault.fault)
    };
    let recovery_ns = |healed: &FaultRecord| {
        let write = first_write(writes, healed.time_ns, |_| true)?;
        Some(write.return_ns?.saturating_sub(healed.time_ns))
    };
    faults.iter().filter(is_healed).map(recovery_ns).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::behaviour::tests::{MS, fault, get, put, unanswered};

    fn stretch(operations: &[Operation]) -> Option<(f64, f64)> {
        let longest = longest(&operations.iter().collect::<Vec<_>>())?;
        Some((longest.from_ms, longest.lasted_ms))
    }

    #[test]
    fn the_longest_outage_may_be_the_first_or_the_last() {
        let done = [put("n1", (100, 200)), get("n1", (1_950, 2_200)), put("n1", (2_200, 2_300))];
        assert_eq!(stretch(&done), Some((200.0, 2_000.0)));
        assert_eq!(stretch(&[unanswered((100, 900)), done[1].clone()]), Some((100.0, 2_100.0)));
        assert_eq!(
            stretch(&[done[2].clone(), unanswered((5_300, 5_400))]),
            Some((2_300.0, 3_000.0))
        );
        assert_eq!(stretch(&[unanswered((100, 900))]), None);
        assert_eq!(stretch(&[]), None);
    }

    #[test]
    fn the_longest_wait_is_that_of_an_operation_that_succeeded() {
        let operations = [put("n1", (0, 10)), get("n1", (20, 90)), unanswered((0, 900))];
        let longest = longest_wait(&operations.iter().collect::<Vec<_>>());
        assert_eq!(longest, Some(Stretch { from_ms: 20.0, lasted_ms: 70.0 }));
    }

    #[test]
    fn a_store_is_back_once_it_acknowledges_a_write_that_was_called_after_the_healing() {
        let writes = [put("n1", (100, 1_820)), put("n2", (1_900, 2_200))];
        let early = get("n1", (1_810, 1_815));
        let late = get("n1", (2_600, 2_610));
        let main: Vec<&Operation> = writes.iter().chain([&early, &late]).collect();
        let recoveries = |faults: &[Vec<FaultRecord>]| {
            recoveries_ns(&main, &faults.concat(), &writes.iter().collect::<Vec<_>>())
        };
        let kill = |number, times_ms| fault(number, ("kill", "kill-one"), &["n1"], times_ms);
        assert_eq!(recoveries(&[kill(0, (300, 1_800))]), [Some(400 * MS)]);
        assert_eq!(recoveries(&[kill(0, (300, 2_400))]), [None], "only reads are served");
        let mut missed = kill(1, (300, 1_800));
        missed[1].step = FaultStep::Missed;
        assert_eq!(recoveries(&[missed]), []);
        assert_eq!(recoveries(&[kill(0, (300, 2_700))]), [], "nobody asks any more");
    }
}
