//! For how long nothing succeeded.

use history::Operation;
use history::words::{counted, seconds};
use record::{FaultRecord, FaultStep};

/// Times in which nothing succeeded, in the main phase.
pub(super) struct Outages {
    /// The longest; from, to.
    longest_ns: Option<(u64, u64)>,
    /// From the end of each fault to the next success.
    after_faults_ns: Vec<u64>,
    /// After so many faults nothing succeeded any more.
    never_after: usize,
}

impl Outages {
    /// `operations` are those of the main phase.
    pub(super) fn of(operations: &[&Operation], faults: &[FaultRecord]) -> Self {
        let begin = operations.iter().map(|operation| operation.call_ns).min();
        let end = operations.iter().map(|operation| operation.call_ns).max().unwrap_or(0);
        let succeeded = operations.iter().filter(|operation| operation.result().is_some());
        let mut successes: Vec<u64> = begin
            .into_iter()
            .chain(succeeded.filter_map(|operation| operation.return_ns))
            .collect();
        successes.sort_unstable();
        // What was tried last and in vain belongs to the outage that it ended in.
        let mut moments = successes.clone();
        moments.extend(Some(end).filter(|_| successes.last().is_some_and(|last| *last < end)));
        let gaps = moments.windows(2).map(|pair| (pair[0], pair[1]));
        let started = |number: u64| {
            faults.iter().any(|fault| fault.fault == number && fault.step == FaultStep::Started)
        };
        let healed = faults
            .iter()
            .filter(|fault| fault.step == FaultStep::Healed && started(fault.fault))
            .map(|fault| fault.time_ns);
        let next = |end: u64| {
            let at = successes.partition_point(|&success| success < end);
            successes.get(at).map(|success| success - end)
        };
        let waits: Vec<Option<u64>> = healed.filter(|&at| at <= end).map(next).collect();
        let never_after = waits.iter().filter(|wait| wait.is_none()).count();
        let mut after_faults_ns: Vec<u64> = waits.into_iter().flatten().collect();
        after_faults_ns.sort_unstable();
        let longest_ns = gaps.max_by_key(|(from, to)| to - from);
        Self { longest_ns, after_faults_ns, never_after }
    }

    /// In words; empty where nothing succeeded.
    pub(super) fn sentence(&self) -> String {
        let longest = self.longest_ns.map(|(from, to)| {
            let (outage, at) = (seconds(to - from, 2), seconds(from, 1));
            format!("The longest time without a success was {outage} s, from {at} s on.")
        });
        let count = self.after_faults_ns.len();
        let after = (count > 0).then(|| {
            let (median, most) = (self.after_faults_ns[count / 2], self.after_faults_ns[count - 1]);
            format!(
                "After a fault was healed something succeeded within {} s (median of {count}), at most {} s.",
                seconds(median, 2),
                seconds(most, 2)
            )
        });
        let never = (self.never_after > 0).then(|| {
            format!(
                "After the last {} healed nothing succeeded any more.",
                counted(self.never_after, "fault")
            )
        });
        longest.into_iter().chain(after).chain(never).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use history::Completion;
    use serde_json::Value;

    const MS: u64 = 1_000_000;

    fn succeeded(call_ms: u64, return_ms: u64) -> Operation {
        Operation {
            call: 0,
            process: 0,
            f: "get".into(),
            arguments: Value::Null,
            completion: Completion::Ok(1, Value::Null),
            call_ns: call_ms * MS,
            return_ns: Some(return_ms * MS),
            node: None,
            phase: "main".to_owned(),
        }
    }

    fn fault(number: u64, step: FaultStep, ms: u64) -> FaultRecord {
        FaultRecord {
            fault: number,
            time_ns: ms * MS,
            family: "kill".to_owned(),
            form: String::new(),
            step,
            targets: Vec::new(),
            note: String::new(),
        }
    }

    #[test]
    fn the_longest_outage_and_the_time_after_each_fault_are_told() {
        let mut failed = succeeded(900, 1_900);
        failed.completion = Completion::Info(None);
        let operations =
            [succeeded(100, 200), failed, succeeded(1_950, 2_200), succeeded(2_200, 2_300)];
        let faults = [
            fault(0, FaultStep::Started, 300),
            fault(0, FaultStep::Healed, 1_800),
            fault(1, FaultStep::Missed, 2_000),
            fault(1, FaultStep::Healed, 2_000),
        ];
        let sentence = Outages::of(&operations.iter().collect::<Vec<_>>(), &faults).sentence();
        assert_eq!(
            sentence,
            "The longest time without a success was 2.00 s, from 0.2 s on. After a fault was healed something succeeded \
             within 0.40 s (median of 1), at most 0.40 s."
        );
        assert_eq!(Outages::of(&[], &faults).sentence(), "");
        let mut in_vain = succeeded(5_300, 5_400);
        in_vain.completion = Completion::Info(None);
        let last = [fault(2, FaultStep::Started, 2_400), fault(2, FaultStep::Healed, 2_500)];
        let sentence = Outages::of(&[&operations[3], &in_vain], &last).sentence();
        assert!(sentence.contains("without a success was 3.00 s, from 2.3 s on"), "{sentence}");
        assert!(sentence.contains("After the last 1 fault healed nothing succeeded"), "{sentence}");
    }
}
