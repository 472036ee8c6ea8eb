//! What never succeeded was never tested.

use std::collections::BTreeMap;

use history::{CheckResult, Operation};
use record::{FaultRecord, FaultStep};

/// The check: `main` are the operations of the main phase, `must_succeed` the functions without which the workload
/// means nothing.
pub(super) fn check(
    must_succeed: &[&'static str],
    main: &[&Operation],
    faults: &[FaultRecord],
) -> CheckResult {
    let begun = faults
        .iter()
        .filter(|fault| fault.step == FaultStep::Started)
        .map(|fault| fault.time_ns)
        .min();
    let mut tested: BTreeMap<&str, Tested> = BTreeMap::new();
    for &name in must_succeed {
        tested.insert(name, Tested { wanted: true, ..Tested::default() });
    }
    for operation in main {
        let tested = tested.entry(&operation.f).or_default();
        tested.asked += 1;
        tested.succeeded |= operation.result().is_some();
        tested.under_faults |=
            operation.result().is_some() && begun.is_none_or(|begun| operation.call_ns > begun);
    }
    let named = |lacks: fn(&Tested) -> bool| {
        let names: Vec<&str> =
            tested.iter().filter(|(_, tested)| lacks(tested)).map(|(name, _)| *name).collect();
        (!names.is_empty()).then(|| names.join("`, `"))
    };
    let untested = |reason: String| CheckResult::inconclusive("coverage", reason);
    if let Some(names) =
        named(|tested| !tested.succeeded && (tested.wanted || tested.asked >= OFTEN))
    {
        return untested(format!(
            "No `{names}` succeeded in the main phase, so it was not tested."
        ));
    }
    if let Some(names) = named(|tested| tested.wanted && !tested.under_faults) {
        return untested(format!(
            "No `{names}` succeeded after the first fault, so nothing was tested under faults."
        ));
    }
    let names = tested.keys().copied().collect::<Vec<_>>().join(", ");
    CheckResult::valid(
        "coverage",
        format!("In the main phase, also after the first fault, these succeeded: {names}."),
    )
}

/// What is known of one kind of operation in the main phase.
#[derive(Default)]
struct Tested {
    /// Whether the workload means nothing without it.
    wanted: bool,
    asked: u64,
    succeeded: bool,
    under_faults: bool,
}

/// A kind of operation that was asked for so often must have succeeded once.
const OFTEN: u64 = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use history::{Completion, Verdict};
    use record::Phase;
    use serde_json::Value;

    #[test]
    fn what_succeeded_only_before_the_first_fault_was_not_tested_under_faults() {
        let must_succeed = workloads::by_name("register", &[]).unwrap().must_succeed();
        let operation = |f: &str, at: u64, ok: bool| Operation {
            call: at,
            process: 0,
            f: f.to_owned(),
            arguments: Value::Null,
            completion: if ok {
                Completion::Ok(at + 1, Value::Null)
            } else {
                Completion::Info(None)
            },
            call_ns: at,
            return_ns: None,
            node: None,
            phase: Phase::Main.name().to_owned(),
        };
        let fault = FaultRecord {
            fault: 0,
            time_ns: 50,
            family: "kill".to_owned(),
            form: "kill-all".to_owned(),
            step: FaultStep::Started,
            targets: Vec::new(),
            note: String::new(),
        };
        let verdict = |operations: &[Operation], faults: &[FaultRecord]| {
            let operations: Vec<&Operation> = operations.iter().collect();
            check(must_succeed, &operations, faults).verdict
        };
        let before = [operation("get", 10, true), operation("put", 20, true)];
        let after = [operation("get", 60, true), operation("put", 70, true)];
        assert_eq!(verdict(&before, &[]), Verdict::Valid);
        assert_eq!(verdict(&before, std::slice::from_ref(&fault)), Verdict::Inconclusive);
        assert_eq!(verdict(&[before.clone(), after.clone()].concat(), &[fault]), Verdict::Valid);
        let mut never: Vec<Operation> =
            (0..OFTEN).map(|at| operation("cas", 100 + at, false)).collect();
        never.extend(after);
        assert_eq!(verdict(&never, &[]), Verdict::Inconclusive);
    }
}
